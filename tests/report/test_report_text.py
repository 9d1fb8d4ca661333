import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample import HOSTILE

from kvaudit.report.text import counted, csv_cell, line_safe, visible

anything = st.text(st.characters(), max_size=40)


@given(anything)
def test_nothing_unseen_is_left_and_nothing_seen_is_lost(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(letter)[0] != "C" for letter in shown)
    assert len(shown.splitlines()) <= 1
    for letter in text:
        if letter.isascii() and letter.isprintable():
            assert letter in shown


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.lists(st.sampled_from([":", "#", "error", "vso[", "[", "\n", " ", "\u200b"]), max_size=12).map("".join))
def test_no_build_log_finds_a_command(text: str) -> None:
    safe = line_safe(text)
    assert "::" not in safe
    assert "##" not in safe


@given(
    st.sampled_from(["=", "+", "-", "@", "\t", "\r", " =", "\n=", "\u00a0=", "\u3000 +", "\uff1d", " \uff20", " \t"]),
    anything,
)
def test_no_cell_is_a_formula(start: str, rest: str) -> None:
    assert csv_cell(start + rest).startswith("'")


@given(
    anything,
    st.sampled_from([";", "; ", ';"', ";\t", ";\u3000"]),
    st.sampled_from("=+-@\uff1d\uff0b\uff0d\uff20"),
    anything,
)
def test_no_cell_is_a_formula_where_semicolons_part_cells(start: str, mark: str, sign: str, rest: str) -> None:
    cells = csv_cell(start + mark + sign + rest).split(";")
    assert not [cell for cell in cells if cell.lstrip(' "').startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_on_its_line_and_can_be_recognised(text: str) -> None:
    assert "\n" not in line_safe(text)
    assert "\x1b" not in line_safe(text)
    assert "\u202e" not in line_safe(text)


def test_characters_are_named_by_their_code_point() -> None:
    assert visible("a\u202eb\x1b[31m\x00\u200b") == "a\\u202eb\\u001b[31m\\u0000\\u200b"


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 50, limit=10) == "x" * 10 + " … (50 characters)"


def test_counts_are_words() -> None:
    assert [counted(1, "vault"), counted(2000, "vault"), counted(0, "person", "people")] == [
        "1 vault",
        "2,000 vaults",
        "0 people",
    ]
