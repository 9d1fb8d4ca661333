"""Memberships to come: the way with the fewest activations, what ends them, and what a citation says of them."""

from dataclasses import replace

import pytest
from builders import RESOURCE_GROUP, TENANT, Group, assignment, deny, eligible, estate, gap, group, guid, user, vault

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.access.memberships import Edges
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyPrincipal
from kvaudit.model.directory import PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.identities import GroupScheduleInstance
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import AccessPolicy

READ = operation("secrets/get")
ANNA, BERT = user("anna"), user("bert")
KV = vault("kv-app")
LATER, LATEST = "2026-12-01T00:00:00Z", "2027-06-01T00:00:00Z"


def schedule(
    into: Group, who: str, *, active: bool = False, start: str | None = None, end: str | None = None
) -> GroupScheduleInstance:
    return GroupScheduleInstance(f"{into.id}_{who}", into.id, who, "member", not active, start=start, end=end)


def with_schedules(base: Estate, *instances: GroupScheduleInstance) -> Estate:
    return replace(base, group_schedule_instances=instances)


def reason(found: Estate, who: str = ANNA.id) -> Citation:
    decision = Access(found).can(who, READ, KV)
    records = [item for item in decision.because if item.kind is not CitationKind.GAP]
    assert len(records) == 1, records
    return records[0]


def test_of_two_ways_the_one_with_fewer_activations_is_told() -> None:
    inner = group("inner")
    readers = group("readers", inner)
    base = estate(ANNA, KV, inner, readers, assignment("Key Vault Secrets User", readers, KV))
    both = with_schedules(base, schedule(readers, inner.id), schedule(inner, ANNA.id), schedule(readers, ANNA.id))
    direct = reason(both)
    assert direct.groups == (readers.id,)
    assert direct.awaits == (readers.id,)
    nested = reason(with_schedules(base, schedule(inner, ANNA.id)))
    assert nested.groups == (readers.id, inner.id)
    assert nested.awaits == (inner.id,)


def test_two_activations_are_told_nearest_first_and_the_earlier_end_counts() -> None:
    inner, readers = group("inner"), group("readers")
    base = estate(ANNA, KV, inner, readers, assignment("Key Vault Secrets User", readers, KV))
    found = reason(
        with_schedules(base, schedule(readers, inner.id, end=LATEST), schedule(inner, ANNA.id, start=LATER, end=LATER))
    )
    assert found.answer is Answer.CONDITIONAL
    assert found.groups == (readers.id, inner.id)
    assert found.awaits == (inner.id, readers.id)
    assert (found.begins, found.ends) == (LATER, LATER)
    assert found.condition is not None
    assert found.condition.split(" and ") == [
        f"eligible for membership of group {inner.id}, must be activated",
        f"eligible for membership of group {readers.id}, must be activated",
        f"not before {LATER}",
    ]
    assert found.words is None


def test_a_membership_that_is_assigned_for_later_needs_no_activation() -> None:
    readers = group("readers")
    base = estate(ANNA, KV, readers, assignment("Key Vault Secrets User", readers, KV))
    found = reason(with_schedules(base, schedule(readers, ANNA.id, active=True, start=LATER)))
    assert (found.answer, found.condition, found.begins) == (Answer.CONDITIONAL, f"not before {LATER}", LATER)


def test_the_end_of_a_membership_ends_what_comes_through_it() -> None:
    inner = group("inner", ANNA)
    readers = group("readers", inner)
    base = estate(ANNA, KV, inner, readers, assignment("Key Vault Secrets User", readers, KV))
    found = reason(with_schedules(base, schedule(inner, ANNA.id, active=True, end=LATER)))
    assert (found.answer, found.ends) == (Answer.ALLOWED, LATER)
    twice = with_schedules(
        base, schedule(readers, inner.id, active=True, end=LATER), schedule(inner, ANNA.id, active=True, end=LATEST)
    )
    assert reason(twice).ends == LATER
    endless = with_schedules(
        base, schedule(inner, ANNA.id, active=True, end=LATER), schedule(inner, ANNA.id, active=True)
    )
    assert reason(endless).ends is None


def test_a_membership_that_ends_ends_what_somebody_may_activate_through_it() -> None:
    inner, readers = group("inner", ANNA), group("readers")
    joins = (schedule(inner, ANNA.id, active=True, end=LATER), schedule(readers, inner.id, end=LATEST))
    granted = estate(ANNA, KV, inner, readers, assignment("Key Vault Secrets User", readers, KV))
    kv = vault("kv-app", AccessPolicy(TENANT, readers.id, guid("app"), secrets=("get",)))
    for base in (granted, estate(ANNA, kv, inner, readers)):
        (found,) = Access(with_schedules(base, *joins)).can(ANNA.id, READ, base.vaults[0]).because
        assert (found.answer, found.ends, found.awaits) == (Answer.CONDITIONAL, LATER, (readers.id,))
        (endless,) = Access(with_schedules(base, joins[1])).can(ANNA.id, READ, base.vaults[0]).because
        assert endless.ends == LATEST


@pytest.mark.parametrize("timed", [False, True])
def test_what_stands_in_a_group_and_may_be_one(timed: bool) -> None:
    inner, readers = group("inner", ANNA), group("readers")
    outer = group("outer", inner, BERT, "riddle")
    base = estate(ANNA, BERT, inner, readers, outer)
    edges = Edges(with_schedules(base, schedule(readers, BERT.id, active=True)) if timed else base)
    asked: list[str] = []

    def may_be_group(name: str) -> bool:
        asked.append(name)
        return name == guid("riddle")

    found = {name: members for name, members in edges.nested(may_be_group).items() if members}
    assert found == {outer.id: sorted((inner.id, guid("riddle")))}
    assert {BERT.id, guid("riddle")} <= set(asked)


def test_a_role_that_waits_keeps_its_condition_behind_the_membership() -> None:
    readers = group("readers")
    text = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'db-'"
    waiting = eligible("Key Vault Secrets User", readers, KV, condition=text)
    found = reason(with_schedules(estate(ANNA, KV, readers, waiting), schedule(readers, ANNA.id)))
    assert found.kind is CitationKind.ELIGIBLE_ASSIGNMENT
    assert found.condition == (
        f"eligible for membership of group {readers.id}, must be activated and eligible, must be activated and {text}"
    )
    assert found.words == "only for secrets whose name starts with 'db-'"


def test_a_deleted_group_takes_nobody_in() -> None:
    readers = group("readers")
    gone = replace(readers, principal=replace(readers.principal, state=PrincipalState.DELETED_RESTORABLE))
    base = estate(ANNA, KV, gone, assignment("Key Vault Secrets User", gone, KV))
    assert Access(with_schedules(base, schedule(gone, ANNA.id))).can(ANNA.id, READ, KV).answer is Answer.DENIED


def test_who_comes_into_a_group_comes_into_every_group_above_it_that_is_there() -> None:
    joinable = group("joinable")
    middle = group("middle", joinable)
    readers = group("readers", middle)
    grant = assignment("Key Vault Secrets User", readers, KV)
    base = with_schedules(estate(ANNA, KV, joinable, middle, readers, grant), schedule(joinable, ANNA.id))
    found = reason(base)
    assert (found.answer, found.groups) == (Answer.CONDITIONAL, (readers.id, middle.id, joinable.id))
    gone = {middle.id: replace(middle.principal, state=PrincipalState.DELETED_RESTORABLE)}
    without = replace(base, principals={**base.principals, **gone})
    assert Access(without).can(ANNA.id, READ, KV).answer is Answer.DENIED


def test_a_cycle_of_memberships_to_come_ends() -> None:
    one, two = group("one"), group("two")
    base = estate(ANNA, KV, one, two, assignment("Key Vault Secrets User", one, KV))
    ring = with_schedules(base, schedule(one, two.id), schedule(two, one.id), schedule(two, ANNA.id))
    assert reason(ring).awaits == (two.id, one.id)
    assert Access(ring).who_can(READ, KV, expand_groups=True).holdings[-1].principal_id in (ANNA.id, two.id)


def test_what_a_spared_group_gives_back_says_what_to_activate() -> None:
    spared = group("spared")
    everyone = "00000000-0000-0000-0000-000000000000"
    taken = replace(
        deny(everyone, KV, data_actions=(READ.data_actions[0],)), exclude_principals=(DenyPrincipal(spared.id),)
    )
    base = estate(ANNA, KV, spared, taken, assignment("Key Vault Secrets User", ANNA, KV))
    decision = Access(with_schedules(base, schedule(spared, ANNA.id))).can(ANNA.id, READ, KV)
    assert decision.answer is Answer.CONDITIONAL
    assert [(item.kind, item.awaits, item.groups) for item in decision.because] == [
        (CitationKind.ROLE_ASSIGNMENT, (spared.id,), ())
    ]
    control = Access(with_schedules(base, schedule(spared, ANNA.id))).can(BERT.id, READ, KV)
    assert control.answer is Answer.DENIED


def test_more_memberships_to_come_than_are_tried_leave_a_denied_operation_open() -> None:
    """Grant, and two denies that two other groups are spared from: only all three together give it, and all are tried."""
    readers, first, second, third = (group(name) for name in ("readers", "first", "second", "third"))
    everyone = "00000000-0000-0000-0000-000000000000"
    denies = [
        replace(
            deny(everyone, place, data_actions=(READ.data_actions[0],)), exclude_principals=(DenyPrincipal(item.id),)
        )
        for item, place in ((first, KV), (second, "/subscriptions/22222222-2222-2222-2222-222222222222"))
    ]
    base = estate(ANNA, KV, readers, first, second, third, *denies, assignment("Key Vault Secrets User", readers, KV))
    joins = [schedule(item, ANNA.id) for item in (readers, first, second)]
    assert Access(with_schedules(base, *joins)).can(ANNA.id, READ, KV).answer is Answer.CONDITIONAL
    assert Access(with_schedules(base, *joins[:2])).can(ANNA.id, READ, KV).answer is Answer.DENIED


@pytest.mark.parametrize(("one", "other"), [("readers", "signers"), ("signers", "readers")])
def test_what_only_some_memberships_together_give_is_open(one: str, other: str) -> None:
    """Readers and the spared group give it; whoever comes into all three is denied. No pair is tried."""
    readers, spared, signers = group(one), group("spared"), group(other)
    everyone = "00000000-0000-0000-0000-000000000000"
    taken = deny(everyone, KV, data_actions=READ.data_actions)
    denies = (
        replace(taken, exclude_principals=(DenyPrincipal(spared.id),)),
        deny(signers, RESOURCE_GROUP, data_actions=READ.data_actions),
    )
    grants = (
        assignment("Key Vault Secrets User", readers, KV),
        assignment("Key Vault Crypto User", signers, KV),
    )
    base = estate(ANNA, KV, readers, spared, signers, *denies, *grants)
    joins = [schedule(item, ANNA.id) for item in (readers, spared, signers)]
    for chosen, answer in ((joins, Answer.UNKNOWN), (joins[:2], Answer.CONDITIONAL), (joins[::2], Answer.DENIED)):
        access = Access(with_schedules(base, *chosen))
        assert access.can(ANNA.id, READ, KV).answer is answer
        sign = access.can(ANNA.id, operation("keys/sign"), KV).answer
        assert sign is (Answer.CONDITIONAL if joins[2] in chosen else Answer.DENIED)
        assert access.can(ANNA.id, operation("secrets/purge"), KV).answer is Answer.DENIED


def test_what_a_deny_may_take_stays_open_whatever_may_be_joined() -> None:
    """Whether the deny for everyone is enforced was not read; that a group which she may join is denied settles nothing."""
    signers = group("signers")
    everyone = "00000000-0000-0000-0000-000000000000"
    grants = (
        assignment("Key Vault Secrets User", ANNA, KV),
        assignment("Key Vault Crypto User", signers, KV),
    )
    denies = (
        deny(everyone, KV, data_actions=READ.data_actions, effect=None),
        deny(signers, RESOURCE_GROUP, data_actions=READ.data_actions),
    )
    base = estate(ANNA, KV, signers, *grants, *denies)
    for found in (base, with_schedules(base, schedule(signers, ANNA.id))):
        assert Access(found).can(ANNA.id, READ, KV).answer is Answer.UNKNOWN


def test_a_compound_entry_for_a_group_waits_for_both() -> None:
    readers = group("readers")
    kv = vault("kv-app", AccessPolicy(TENANT, readers.id, guid("app"), secrets=("get",)))
    found = with_schedules(estate(ANNA, kv, readers), schedule(readers, ANNA.id))
    decision = Access(found).can(ANNA.id, READ, kv)
    assert decision.answer is Answer.CONDITIONAL
    assert [item.words for item in decision.because] == [f"only while application {guid('app')} acts for it"]
    rows = Access(found).holdings(kv, expand_groups=True)
    assert {(row.principal_id, row.application_id) for row in rows} == {
        (readers.id, guid("app")),
        (ANNA.id, guid("app")),
    }


def test_whose_eligibility_was_not_read_is_a_row_without_a_name() -> None:
    readers = group("readers")
    unread = gap("group_eligibility_schedule_instances", f"groups/{readers.id}")
    found = estate(ANNA, KV, readers, unread, assignment("Key Vault Secrets User", readers, KV))
    answer = Access(found).who_can(READ, KV, expand_groups=True)
    assert [(item.principal_id, item.answer(READ.mask)) for item in answer.holdings] == [
        (readers.id, Answer.ALLOWED),
        (None, Answer.UNKNOWN),
    ]
    assert [item.kind for item in answer.gaps] == ["group_eligibility_schedule_instances"]
    assert Access(found).gaps_for(KV) == answer.gaps


def test_one_gap_for_all_groups_stands_for_each_that_was_not_listed() -> None:
    readers, others = group("readers"), group("others")
    base = estate(
        ANNA,
        KV,
        readers,
        others,
        gap("group_eligibility_schedule_instances", "groups"),
        assignment("Key Vault Secrets User", readers, KV),
    )
    assert Access(base).can(ANNA.id, READ, KV).answer is Answer.UNKNOWN
    listed = Listing("group_eligibility_schedule_instances", f"groups/{readers.id}", 0)
    assert Access(replace(base, listings=(*base.listings, listed))).can(ANNA.id, READ, KV).answer is Answer.DENIED


def test_more_groups_than_a_token_names_leave_an_entry_of_the_policies_open() -> None:
    crowd = [group(f"crowd-{number}", ANNA) for number in range(200)]
    extra, to_come = group("extra", ANNA), group("to-come")
    text = "the principal is in 201 groups: how Key Vault resolves more than 200 is not established"

    def asked(holder: Group, *groups: Group, application: str | None = None) -> Citation:
        kv = vault("kv-app", AccessPolicy(TENANT, holder.id, application, secrets=("get",)))
        found = with_schedules(estate(ANNA, kv, *groups, to_come), schedule(to_come, ANNA.id))
        return next(item for item in Access(found).can(ANNA.id, READ, kv).because if item.kind is not CitationKind.GAP)

    assert asked(crowd[0], *crowd).answer is Answer.ALLOWED
    over = asked(extra, *crowd, extra)
    assert (over.answer, over.condition, over.words) == (Answer.UNKNOWN, text, text)
    assert asked(to_come, *crowd[1:]).answer is Answer.CONDITIONAL
    coming = asked(to_come, *crowd)
    assert (coming.answer, coming.words) == (Answer.UNKNOWN, text)
    paired = asked(extra, *crowd, extra, application="app")
    assert paired.answer is Answer.UNKNOWN
    assert paired.condition == f"only while application app acts for it and {text}"
    assert paired.words == f"only while application app acts for it; {text}"
