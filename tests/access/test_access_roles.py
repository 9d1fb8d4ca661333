"""Permission strings of roles: what they match, and that a hostile one cannot keep the evaluator busy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.conditions.patterns import action_pattern, fits
from kvaudit.access.roles import matches, may_match

ACTION = "Microsoft.KeyVault/vaults/secrets/getSecret/action"


@pytest.mark.parametrize("pattern", ["*" * 60 + "#", "*a" * 60 + "#", "/*/" * 40 + "#", "*/*" * 40 + "#"])
def test_a_pattern_of_many_wildcards_ends(pattern: str) -> None:
    """With a backtracking matcher each further wildcard multiplies the time: these would take longer than the universe."""
    assert not matches(pattern, ACTION)
    assert not may_match(pattern, ACTION)


@given(st.text("a/*#", max_size=8), st.text("a/#", max_size=8))
def test_few_and_many_wildcards_are_matched_alike(pattern: str, action: str) -> None:
    assert matches(pattern, action) == fits(action_pattern(pattern, optional_segments=False), action)
    assert may_match(pattern, action) == fits(action_pattern(pattern, optional_segments=True), action)
