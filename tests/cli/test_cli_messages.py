"""What a hostile tenant can put on a terminal or into a build log through an error message: nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.cli.messages import shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kv-payments-prod", "kv-payments-prod"),
        ("red\x1b[31m", "red\\u001b[31m"),
        ("two\nlines", "two\\u000alines"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028separator", "line\\u2028separator"),
    ],
)
def test_control_and_format_characters_are_written_out(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in shown(text))


@pytest.mark.parametrize("text", ["::error::gone", "  ::set-output name=x::y", "##vso[task.complete]", "##[error]x"])
def test_build_log_commands_lose_their_meaning(text: str) -> None:
    safe = shown(text).lstrip()
    assert not safe.startswith(("::", "##"))


def test_long_text_is_cut_and_says_so() -> None:
    assert shown("x" * 3000, limit=10) == "xxxxxxxxxx … (3000 characters)"
