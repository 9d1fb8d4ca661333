"""What is counted for many vaults at once is what the evaluator answers vault by vault."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from case_estates import cases, estate_of
from contoso_estate import contoso, contoso_hidden
from drawn_estates import GROUPS, PEOPLE, RG, VAULT, estates, vaults
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.directory import Directory
from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.rules.judge import judge, judge_vault

PLACES = (VAULT, f"{VAULT}2", f"{RG}0/providers/microsoft.keyvault/vaults/kv-third")


@st.composite
def streets(draw: st.DrawFn) -> Estate:
    """An estate whose vaults stand side by side, and one in a resource group whose name begins alike."""
    made = draw(estates())
    rows = [replace(draw(vaults()), id=place, name=place.rpartition("/")[2]) for place in PLACES]
    return replace(made, vaults=tuple(rows))


@given(streets())
def test_counts_and_the_evaluator_judge_alike(estate: Estate) -> None:
    _assert_judged_alike(estate)


@st.composite
def terraces(draw: st.DrawFn) -> Estate:
    """An estate of many vaults of few kinds, in turn at places with records of their own, beside such places, and apart."""
    made, kinds = draw(estates()), draw(st.lists(vaults(), min_size=1, max_size=3))
    beside = [
        f"{group}/providers/microsoft.keyvault/vaults/kv-{number}" for number in range(3) for group in (RG, f"{RG}0")
    ]
    places = draw(st.permutations([VAULT, *beside]))
    rows = [replace(draw(st.sampled_from(kinds)), id=place, name=place.rpartition("/")[2]) for place in places]
    return replace(made, vaults=tuple(rows))


@given(terraces())
def test_what_equal_vaults_share_is_what_each_is_judged_alone(estate: Estate) -> None:
    _assert_judged_alike(estate)


@pytest.mark.parametrize("point", range(1, 14))
def test_they_judge_every_case_alike(point: int) -> None:
    for number, case in cases():
        if number == point:
            _assert_judged_alike(estate_of(case), case["id"])


@pytest.mark.parametrize("make", [contoso, contoso_hidden])
def test_they_judge_contoso_alike(make: Callable[[], Estate]) -> None:
    _assert_judged_alike(make())


def _assert_judged_alike(estate: Estate, about: str = "") -> None:
    access = Access(estate)
    counted = [(vault, rule.id, found, found.evidence, found.fix) for vault, rule, found in judge(access)]
    asked = [
        (vault, rule.id, found, found.evidence, found.fix)
        for vault in estate.vaults
        for rule, found in judge_vault(access.subject(vault))
    ]
    assert counted == asked, about


@given(estates())
def test_the_groups_below_a_group_are_those_of_everybody_below_it(estate: Estate) -> None:
    directory = Directory(estate, {})
    for name in (*GROUPS, *PEOPLE):
        below = directory.chains_down(name)
        assert set(directory.groups_below(name)) == {item for item in below if directory.may_be_group(item)}
