"""Laws of access that hold for every estate."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from drawn_estates import GRANTEES, PEOPLE, SECRET, assignments, denies, eligible_members, estates, joinable, without
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, RoleAssignment
from kvaudit.model.estate import Estate
from kvaudit.model.identities import GroupScheduleInstance
from kvaudit.model.permissions import all_operations_mask, operation, operations
from kvaudit.model.vaults import ObjectRef

WORDS = tuple(operation(word) for word in ("secrets/get", "secrets/list", "secrets/set", "secrets/purge", "keys/sign"))
RANK = {Answer.DENIED: 0, Answer.UNKNOWN: 1, Answer.CONDITIONAL: 2, Answer.ALLOWED: 3}
PLACES: tuple[ObjectRef | None, ...] = (None, SECRET)

Item = TypeVar("Item")
Question = tuple[str, str, str]


def answers(estate: Estate) -> dict[Question, Answer]:
    """The answer of `can` to every question about the estate's vault and secret."""
    return dict(_answers(estate))


def _answers(estate: Estate) -> Iterator[tuple[Question, Answer]]:
    access = Access(estate)
    for who in PEOPLE:
        for item in WORDS:
            for ref in PLACES if item.kind == "secrets" else (None,):
                yield (who, item.word, str(ref)), access.can(who, item, estate.vaults[0], ref).answer


@given(estates(), assignments(99))
def test_adding_an_assignment_never_removes_access(estate: Estate, more: RoleAssignment) -> None:
    before, after = answers(estate), answers(replace(estate, role_assignments=(*estate.role_assignments, more)))
    for question, answer in before.items():
        assert RANK[after[question]] >= RANK[answer], question


@given(estates(), eligible_members(99))
def test_adding_an_eligibility_never_removes_access(estate: Estate, more: GroupScheduleInstance) -> None:
    widened = replace(estate, group_schedule_instances=(*estate.group_schedule_instances, more))
    before, after = answers(estate), answers(widened)
    for question, answer in before.items():
        assert RANK[after[question]] >= RANK[answer], question


@given(estates(), denies(99))
def test_adding_a_deny_never_adds_access(estate: Estate, more: DenyAssignment) -> None:
    before, after = answers(estate), answers(replace(estate, deny_assignments=(*estate.deny_assignments, more)))
    for question, answer in before.items():
        assert RANK[after[question]] <= RANK[answer], question


@given(estates(), st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(estate: Estate, dice: random.Random) -> None:
    shuffled = replace(
        estate,
        role_assignments=_shuffled(dice, estate.role_assignments),
        deny_assignments=_shuffled(dice, estate.deny_assignments),
        memberships=_shuffled(dice, estate.memberships),
        group_schedule_instances=_shuffled(dice, estate.group_schedule_instances),
        listings=_shuffled(dice, estate.listings),
        gaps=_shuffled(dice, estate.gaps),
        principals=dict(_shuffled(dice, tuple(estate.principals.items()))),
    )
    one, other = Access(estate), Access(shuffled)
    for expand in (False, True):
        left = [
            (item.principal_id, item.allowed, item.conditional, item.unknown) for item in one.rows(expand_groups=expand)
        ]
        right = [
            (item.principal_id, item.allowed, item.conditional, item.unknown)
            for item in other.rows(expand_groups=expand)
        ]
        assert left == right
    assert answers(estate) == answers(shuffled)


def _shuffled(dice: random.Random, items: Sequence[Item]) -> tuple[Item, ...]:
    return tuple(dice.sample(items, len(items)))


@given(estates())
def test_the_case_of_ids_does_not_matter(estate: Estate) -> None:
    vault = estate.vaults[0]
    loud = replace(estate, vaults=(replace(vault, id=vault.id.upper(), name=vault.name.upper()),))
    one, other = Access(estate), Access(loud)
    shouted = ObjectRef("secrets", SECRET.name.upper())
    for who in PEOPLE:
        for item in WORDS:
            ref = None if item.kind == "keys" else SECRET
            quiet = one.can(who, item, one.vault(vault.name.lower()), ref)
            assert other.can(who.upper(), item, other.vault(vault.id.lower()), ref and shouted).answer is quiet.answer


@given(estates(gaps=False), st.data())
def test_missing_data_is_never_good_news(estate: Estate, data: st.DataObject) -> None:
    """What an answer says with a listing missing is still true when the listing is there, or it is unknown."""
    full = answers(estate)
    listing = data.draw(st.sampled_from(estate.listings))
    for question, answer in answers(without(estate, listing)).items():
        true = {
            Answer.ALLOWED: {Answer.ALLOWED},
            Answer.CONDITIONAL: {Answer.CONDITIONAL, Answer.ALLOWED},
            Answer.DENIED: {Answer.DENIED},
            Answer.UNKNOWN: set(Answer),
        }[answer]
        assert full[question] in true, (listing, question)


@given(estates())
def test_an_unread_vault_is_unknown_to_everybody(estate: Estate) -> None:
    vault = replace(estate.vaults[0], permission_model=None, permission_model_source=None)
    found = answers(replace(estate, vaults=(vault,)))
    assert set(found.values()) == {Answer.UNKNOWN}


@given(estates())
def test_what_an_allowed_answer_cites_is_enough(estate: Estate) -> None:
    access, vault = Access(estate), estate.vaults[0]
    for who in PEOPLE:
        for item in WORDS:
            decision = access.can(who, item, vault)
            if decision.answer is Answer.ALLOWED:
                assert decision.because
                alone = Access(_only(estate, decision.because))
                assert alone.can(who, item, alone.vault(vault.name)).answer is Answer.ALLOWED


@given(joinable())
def test_what_a_conditional_answer_cites_is_enough(estate: Estate) -> None:
    access, vault = Access(estate), estate.vaults[0]
    for who in PEOPLE:
        decision = access.can(who, WORDS[0], vault)
        if decision.answer is Answer.CONDITIONAL:
            cited = [item for item in decision.because if item.kind is not CitationKind.DENY_ASSIGNMENT]
            assert cited
            for item in cited:
                assert item.condition
                alone = Access(_only(estate, (item,)))
                assert alone.can(who, WORDS[0], alone.vault(vault.name)).answer in (Answer.CONDITIONAL, Answer.ALLOWED)


def _only(estate: Estate, cited: tuple[Citation, ...]) -> Estate:
    ids = {item.id for item in cited}
    assert {item.kind for item in cited} <= {CitationKind.ROLE_ASSIGNMENT, CitationKind.ACCESS_POLICY}
    vault = estate.vaults[0]
    entries = tuple(
        entry for index, entry in enumerate(vault.access_policies or ()) if f"{vault.id}#accessPolicies/{index}" in ids
    )
    return replace(
        estate,
        vaults=(replace(vault, access_policies=entries),),
        role_assignments=tuple(item for item in estate.role_assignments if item.id in ids),
        schedule_instances=(),
        deny_assignments=(),
        gaps=(),
    )


@given(estates())
def test_an_operation_stands_in_one_mask_at_most(estate: Estate) -> None:
    access = Access(estate)
    for ref in PLACES:
        for expand in (False, True):
            for row in access.holdings(estate.vaults[0], ref, expand_groups=expand):
                assert row.allowed & row.conditional == row.allowed & row.unknown == row.conditional & row.unknown == 0
                assert row.allowed | row.conditional | row.unknown
                assert (row.allowed | row.conditional | row.unknown) & ~all_operations_mask() == 0
                assert row.via


@given(estates())
def test_rows_and_answers_agree(estate: Estate) -> None:
    access, vault = Access(estate), estate.vaults[0]
    for ref in PLACES:
        rows = access.holdings(vault, ref, expand_groups=True)
        hidden = next((row.unknown for row in rows if row.principal_id is None), 0)
        for item in operations():
            if item.kind != "secrets" or (ref and item.vault_only):
                continue
            who_can = access.who_can(item, vault, ref, expand_groups=True)
            for who in PEOPLE:
                mine = [row.answer(item.mask) for row in rows if row.principal_id == who]
                best = max(mine, key=lambda answer: RANK[answer], default=Answer.DENIED)
                answer = access.can(who, item, vault, ref).answer
                told = {row.answer(item.mask) for row in who_can.holdings if row.principal_id == who}
                assert told == {answer for answer in mine if answer is not Answer.DENIED}
                if answer is Answer.UNKNOWN and best is Answer.DENIED:
                    assert hidden & item.mask, (who, item.word)
                    assert any(row.principal_id is None for row in who_can.holdings)
                    assert who_can.gaps
                else:
                    assert answer is best, (who, item.word)


@given(estates())
def test_nobody_is_never_wrong(estate: Estate) -> None:
    """When `who-can` names nobody and no gap, nobody can; with groups folded up too."""
    access, vault = Access(estate), estate.vaults[0]
    for item in WORDS:
        found = access.who_can(item, vault)
        named = {row.principal_id for row in found.holdings}
        for who in PEOPLE:
            answer = access.can(who, item, vault).answer
            if answer is not Answer.DENIED and who not in named:
                assert found.holdings, (who, item.word)
            if not found.holdings and not found.gaps:
                assert answer is Answer.DENIED


@given(estates())
def test_control_holders_are_told_once_and_with_their_records(estate: Estate) -> None:
    access = Access(estate)
    found = access.control_holders(estate.vaults[0], "Microsoft.KeyVault/vaults/write")
    assert len({item.principal_id for item in found}) == len(found)
    assert all(item.via and item.principal_id in GRANTEES for item in found)
    assert all(item.answer is not Answer.DENIED for item in found)
