"""Readers that were counted for all vaults together are those that the holdings of each vault tell."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    estate,
    group,
    guest,
    guid,
    policy,
    user,
    vault,
    workload,
)
from drawn_estates import CONDITIONED, SECRETS_OFFICER, SECRETS_USER, TENANT, assignments, estates
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.counting import AnyGrant
from kvaudit.access.evaluator import Access
from kvaudit.access.vault_counts import VaultCounts
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import EVERYONE, DenyPrincipal
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.identities import GroupScheduleInstance
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import PermissionModel
from kvaudit.report.readers import READS, Kind, ReaderCounter, Readers
from kvaudit.report.vault_tally import HIDING
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judge import Judges, judge
from kvaudit.rules.judgement import Verdict

ANNA, BERT, GIL, ROBOT = user("anna"), user("bert"), guest("gil"), workload("robot")
INNER = group("inner", BERT, GIL)
OUTER = group("outer", ANNA, INNER)
READ, SIGN = "Key Vault Secrets User", "Key Vault Crypto User"
SECRETS = "Microsoft.KeyVault/vaults/secrets"
KV = vault("kv-app")


def both_ways(of: Estate) -> list[tuple[str, Readers | None, Readers, int | None, int]]:
    """Of each vault the readers and rows as counted, None where nobody counts them, and as its holdings tell."""
    access = Access(of)
    judges = Judges(access, RULES, (READS, AnyGrant()))
    assert judges.bulk is not None
    counter, found = ReaderCounter(judges.bulk), []
    for item in of.vaults:
        subject = access.subject(item)
        counts = VaultCounts(judges.bulk, subject)
        clear = counts.has_no_gap(HIDING)
        counted = counter.count(subject, counts) if clear and counter.counted(counts) else None
        rows = counts.named() if clear else None
        held = len(subject.holdings) + len(subject.object_holdings)
        found.append((item.name, counted, counter.count(subject), rows, held))
    return found


def agree(of: Estate) -> None:
    roles = {item.role for item in of.role_assignments}
    for name, counted, told, rows, held in both_ways(of):
        if counted is not None:
            assert (name, counted) == (name, told)
        if rows is not None:
            decided = of.deny_assignments or any(item.condition for item in of.role_assignments) or CONDITIONED in roles
            assert rows == held if not decided else rows >= held


def expanded(of: Estate) -> Iterator[tuple[str, int, int]]:
    """Of each vault whose readers are counted how many principals can read, by the counts and with every group expanded."""
    access = Access(of)
    for (name, counted, *_), item in zip(both_ways(of), of.vaults, strict=True):
        held = access.holdings(item, expand_groups=True)
        if counted is not None:
            yield name, counted.everybody, len({row.principal_id for row in held if row.allowed & READS.mask})


@st.composite
def clear(draw: st.DrawFn) -> Estate:
    """An estate in which little keeps readers from being counted: more that reads, and nobody joins groups by PIM."""
    of = draw(estates(gaps=False))
    (item,) = of.vaults
    kept = tuple(
        entry for entry in item.access_policies or () if not entry.application_id and entry.tenant_id == TENANT
    )
    model = item.permission_model or PermissionModel.AZURE_RBAC
    more = tuple(
        replace(
            draw(assignments(number)), id=f"/more/{number}", role=draw(st.sampled_from((SECRETS_USER, SECRETS_OFFICER)))
        )
        for number in range(draw(st.integers(1, 4)))
    )
    return replace(
        of,
        vaults=(replace(item, tenant_id=TENANT, permission_model=model, access_policies=kept),),
        role_assignments=(*of.role_assignments, *more),
        group_schedule_instances=(),
    )


@given(estates())
def test_readers_are_counted_as_holdings_tell_them(of: Estate) -> None:
    agree(of)


@given(clear())
def test_the_same_where_little_hides(of: Estate) -> None:
    agree(of)
    for name, counted, told in expanded(of):
        assert (name, counted) == (name, told)


def readers(*items: Item) -> Readers:
    """The readers of the first vault, which are counted."""
    counted = both_ways(estate(ANNA, BERT, GIL, ROBOT, INNER, OUTER, *items))[0][1]
    assert counted is not None
    return counted


def test_who_is_named_for_something_else_and_reads_through_a_group_is_named() -> None:
    found = readers(KV, assignment(READ, OUTER), assignment(SIGN, BERT, KV))
    assert (found.of(Answer.ALLOWED, Kind.PERSON), found.of(Answer.ALLOWED, Kind.GROUP), found.members) == (1, 1, 2)


def test_people_in_a_group_of_a_group_count_once() -> None:
    found = readers(KV, assignment(READ, OUTER), assignment(READ, INNER, KV))
    assert (found.of(Answer.ALLOWED, Kind.GROUP), found.members) == (2, 3)


def test_a_member_who_reads_on_a_condition_reads_without_one_through_the_group() -> None:
    text = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'a'"
    found = readers(KV, assignment(READ, OUTER), assignment(READ, ANNA, KV, condition=text))
    assert (found.total(Answer.CONDITIONAL), found.of(Answer.ALLOWED, Kind.PERSON), found.members) == (0, 1, 2)


def test_whom_a_condition_names_in_vain_is_named_where_a_group_gives_it_more() -> None:
    elsewhere = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-other'"
    found = readers(KV, assignment(READ, OUTER), assignment(READ, ANNA, condition=elsewhere))
    assert (found.of(Answer.ALLOWED, Kind.PERSON), found.members) == (1, 2)


def test_whom_a_deny_spares_is_named() -> None:
    spares = replace(deny(ROBOT, SUBSCRIPTION, data_actions=("x/*",)), exclude_principals=(DenyPrincipal(GIL.id),))
    found = readers(KV, assignment(READ, OUTER), spares)
    assert (found.of(Answer.ALLOWED, Kind.GUEST), found.members) == (1, 2)


def test_whom_a_deny_that_only_audits_spares_is_named_too() -> None:
    audits = deny(ROBOT, SUBSCRIPTION, data_actions=(f"{SECRETS}/getSecret/action",), effect="audit")
    spares = replace(audits, exclude_principals=(DenyPrincipal(GIL.id),))
    found = readers(KV, assignment(READ, OUTER), spares)
    assert (found.of(Answer.ALLOWED, Kind.GUEST), found.members) == (1, 2)


def test_of_whom_nobody_knows_the_groups_is_no_reader_by_counts() -> None:
    unseen = assignment(SIGN, guid("unseen"), KV, principal_type="ServicePrincipal")
    of = estate(ANNA, BERT, GIL, INNER, OUTER, KV, assignment(READ, OUTER), unseen)
    ((_, counted, told, *_),) = both_ways(of)
    assert counted is None or counted == told
    assert told.total(Answer.UNKNOWN) == 1


def test_whoever_is_listed_in_a_person_is_no_member() -> None:
    of = estate(ANNA, BERT, KV, assignment(READ, ANNA, KV))
    ((_, counted, told, *_),) = both_ways(replace(of, memberships=(Membership(ANNA.id, BERT.id, "User"),)))
    assert counted == told
    assert told.everybody == 1


def test_a_deleted_group_gives_its_members_nothing() -> None:
    gone = group("gone", ANNA, state=PrincipalState.DELETED_RESTORABLE)
    ((_, counted, told, *_),) = both_ways(estate(ANNA, KV, gone, assignment(READ, gone, KV)))
    assert counted is None or counted == told
    assert (told.members, told.everybody) == (0, 1)


def test_somebody_of_two_types_is_one_member() -> None:
    of = estate(ANNA, BERT, INNER, OUTER, KV, assignment(READ, OUTER), assignment(READ, INNER, KV))
    twice = replace(of, memberships=(*of.memberships, Membership(OUTER.id, BERT.id, None)))
    ((_, counted, told, *_),) = both_ways(twice)
    assert counted == told
    assert told.everybody == 5


@pytest.mark.parametrize("on_block", [False, True])
def test_a_deny_by_the_name_of_one_vault_leaves_the_next_alone(on_block: bool) -> None:
    text = "@Resource[Microsoft.KeyVault/vaults:name] StringEqualsIgnoreCase 'kv-app'"
    takes = deny(ANNA, SUBSCRIPTION, data_actions=(f"{SECRETS}/getSecret/action",))
    (block,) = takes.permissions
    takes = (
        replace(takes, permissions=(replace(block, condition=text),)) if on_block else replace(takes, condition=text)
    )
    takes = replace(takes, principals=(DenyPrincipal(EVERYONE),))
    of = estate(ANNA, vault("kv-a"), KV, vault("kv-z"), takes, assignment(READ, ANNA))
    found = {name: (counted, told.total(Answer.ALLOWED)) for name, counted, told, *_ in both_ways(of)}
    assert [found[name][1] for name in ("kv-a", "kv-app", "kv-z")] == [1, 0, 1]
    assert [found[name][0] is None for name in ("kv-a", "kv-app", "kv-z")] == [False, True, False]


def test_readers_by_access_policies() -> None:
    found = readers(vault("kv-old", policy(OUTER, secrets="get"), policy(BERT, keys="sign")))
    assert (found.of(Answer.ALLOWED, Kind.PERSON), found.of(Answer.ALLOWED, Kind.GROUP), found.members) == (1, 1, 2)


@pytest.mark.parametrize("more", ["", "kv-app"])
def test_groups_at_every_level_share_members(more: str) -> None:
    """Of vaults side by side one has records of its own; people of its groups are in groups above too."""
    high, low, own = group("high", ANNA), group("low", ANNA, BERT, ROBOT), group("own", BERT, GIL, ANNA)
    beside = vault("kv-beside")
    above = KV.scope.rpartition("/providers/")[0]
    granted = [assignment(READ, high), assignment(READ, low, above), assignment(SIGN, GIL, above)]
    granted += [assignment(READ, own, KV), assignment(READ, BERT, KV)] if more else []
    of = estate(ANNA, BERT, GIL, ROBOT, high, low, own, KV, beside, *granted)
    agree(of)
    found = {name: counted for name, counted, *_ in both_ways(of)}
    assert all(found.values())
    assert [(name, counted, told) for name, counted, told in expanded(of) if counted != told] == []
    told = [(item.members, item.everybody) for item in (found["kv-beside"], found["kv-app"]) if item]
    assert told == ([(2, 5), (1, 7)] if more else [(2, 5), (2, 5)])


@given(st.lists(st.integers(0, 2**31), min_size=22, max_size=22).map(lambda item: [*item[:-1], item[-1] & 1]))
def test_readers_as_numbers_and_back(numbers: list[int]) -> None:
    assert Readers.of_numbers(numbers).numbers() == numbers


def test_whoever_may_read_by_a_condition_that_nobody_understands_reads_for_certain_by_another_record() -> None:
    """Counted from what stands above the vault, where it hangs on a condition for the same person and for a group of his."""
    above = (
        assignment(READ, ANNA, RESOURCE_GROUP, condition="nobody understands this"),
        assignment(READ, OUTER, RESOURCE_GROUP, condition="nor this"),
    )
    what = estate(ANNA, BERT, GIL, INNER, OUTER, KV, vault("kv-beside"), *above, assignment(READ, ANNA, KV))
    counted = {name: readers.counts for name, readers, *_ in both_ways(what) if readers}
    assert counted == {
        "kv-app": {Answer.ALLOWED: {Kind.PERSON: 1}, Answer.CONDITIONAL: {Kind.GROUP: 1}},
        "kv-beside": {Answer.CONDITIONAL: {Kind.GROUP: 1, Kind.PERSON: 1}},
    }
    agree(what)


@pytest.mark.parametrize("stated", ["User", "ServicePrincipal", None])
def test_what_has_members_is_a_group_whatever_records_call_it(stated: str | None) -> None:
    """Its members were listed as those of a group: a record that calls it something else is no reason to miss them."""
    odd = replace(group("odd", BERT, is_read=True), principal=Principal(guid("odd"), None))
    of = estate(
        ANNA,
        BERT,
        GIL,
        odd,
        OUTER,
        vault("kv-old", policy(OUTER, secrets="get"), policy(guid("asked"), secrets="get")),
        KV,
    )
    of = replace(
        of,
        memberships=(*of.memberships, Membership(OUTER.id, guid("odd"), stated)),
        member_of={ROBOT.id: (guid("asked"),)},
        role_assignments=(
            assignment(READ, guid("odd"), KV, principal_type=stated),
            assignment(READ, guid("asked"), KV, principal_type=stated),
        ),
    )
    agree(of)
    assert [(name, counted, told) for name, counted, told in expanded(of) if counted != told] == []
    access = Access(of)
    for item in of.vaults:
        assert access.can(ROBOT.id, operation("secrets/get"), item).answer is Answer.ALLOWED
        assert access.can(BERT.id, operation("secrets/get"), item).answer is Answer.ALLOWED
        assert BERT.id in {row.principal_id for row in access.holdings(item, expand_groups=True)}


@pytest.mark.parametrize("stated", ["User", "ServicePrincipal", "Device", "Application", "Group", None])
@pytest.mark.parametrize("known", ["Group", None])
def test_people_in_what_a_membership_calls_something_else_can_read(stated: str | None, known: str | None) -> None:
    odd = replace(group("odd", BERT), principal=Principal(guid("odd"), known))
    of = estate(BERT, odd, group("top"), KV, assignment(READ, guid("top"), KV, principal_type="Group"))
    of = replace(of, memberships=(*of.memberships, Membership(guid("top"), guid("odd"), stated)))
    found = {rule.id: judgement for _, rule, judgement in judge(Access(of))}["standing-human-access-to-secrets"]
    assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize(("access", "found"), [("member", Verdict.UNKNOWN), ("owner", Verdict.PASS)])
def test_a_group_that_somebody_joined_and_no_list_of_members_tells_may_hold_people(access: str, found: Verdict) -> None:
    top = group("top")
    of = estate(BERT, top, KV, assignment(READ, top, KV))
    of = replace(of, group_schedule_instances=(GroupScheduleInstance("/j", top.id, BERT.id, access, eligible=False),))
    told = {rule.id: judgement for _, rule, judgement in judge(Access(of))}["standing-human-access-to-secrets"]
    assert told.verdict is found
