"""What is certainly held, and what a deny may hide: any doubt says no, and Resource Manager is asked instead."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.collectors.caller_permissions import hides, holds, parse

READ = "Microsoft.KeyVault/vaults/read"


def block(*actions: str, without: tuple[str, ...] = (), condition: str | None = None) -> dict[str, Any]:
    return {"actions": list(actions), "notActions": list(without), "condition": condition}


@pytest.mark.parametrize(
    ("blocks", "action", "expected"),
    [
        ([block("*/read")], READ, True),
        ([block("*")], READ, True),
        ([block("microsoft.keyvault/VAULTS/read")], READ, True),
        ([block("Microsoft.KeyVault/*/read")], READ, True),
        ([block("Microsoft.KeyVault/vaults/*")], READ, True),
        ([], READ, False),
        ([block("Microsoft.KeyVault/vaults/write")], READ, False),
        ([block("*/read", without=("Microsoft.KeyVault/*",))], READ, False),
        ([block("*/read", without=("Microsoft.KeyVault/*",)), block("*/read")], READ, True),
        ([block("*/read", condition="something")], READ, False),
        ([block("*/read")], "*/read", True),
        ([block("Microsoft.KeyVault/*/read")], "*/read", False),
        ([block("*", without=("Microsoft.Compute/virtualMachines/read",))], "*/read", False),
        ([block("*", without=("Microsoft.Compute/*",))], "*/read", False),
        ([block("*", without=("Microsoft.Compute/virtualMachines/write",))], "*/read", True),
    ],
)
def test_what_is_held(blocks: list[Any], action: str, expected: bool) -> None:
    assert holds(parse(blocks), action) is expected


def deny(*actions: str, without: tuple[str, ...] = (), effect: str | None = "enforced") -> dict[str, Any]:
    return {"properties": {"permissions": [block(*actions, without=without)], "denyAssignmentEffect": effect}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (deny("*"), True),
        (deny("Microsoft.KeyVault/*"), True),
        (deny("*", without=("*/read",)), False),
        (deny("*/write"), False),
        (deny("*", effect="audit"), False),
        (deny("*", effect=None), True),
        ({}, True),
        ({"properties": None}, True),
        (17, True),
    ],
)
def test_what_a_deny_may_hide(item: Any, expected: bool) -> None:
    assert hides([item], READ) is expected


@given(pattern=st.text(alphabet="*ab/", max_size=12), action=st.text(alphabet="ab/", max_size=10))
def test_patterns_match_as_azure_says(pattern: str, action: str) -> None:
    """Against the plain definition: a star stands for anything, slashes too."""

    def fits(rest: str, text: str) -> bool:
        if not rest:
            return not text
        if rest[0] == "*":
            return any(fits(rest[1:], text[start:]) for start in range(len(text) + 1))
        return bool(text) and rest[0] == text[0] and fits(rest[1:], text[1:])

    assert holds(parse([block(pattern)]), action) is fits(pattern, action)


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not holds(parse([block("*a" * 5000 + "b")]), "a" * 5000)
