"""Routes of somebody whom no record names: two groups have a half each, or a deny takes from a group what it leaves a member."""

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    management_group,
    policy,
    role,
    user,
    vault,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import DenyAssignment, DenyPrincipal, RoleDefinition
from kvaudit.model.estate import Estate
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.vaults import Vault

anna, ben, carl = user("anna"), user("ben"), user("carl")
ones = group("ones", anna, ben)
inner = group("inner", anna, carl)
twos = group("twos", inner)
ROOT, SIDE = management_group("root"), management_group("side")
TREE = (HierarchyNode(ROOT, None), HierarchyNode(SIDE, ROOT), HierarchyNode(SUBSCRIPTION, ROOT))
ELSEWHERE = f"{RESOURCE_GROUP}-2"
FAR = "/subscriptions/99999999-9999-9999-9999-999999999999/resourcegroups/rg-far"
MARKS = {"allowed": "", "conditional": "~", "unknown": "?"}


def custom(name: str, *actions: str) -> RoleDefinition:
    return role(name, actions=actions)


WRITES = custom("writes", "Microsoft.KeyVault/vaults/write")
ASSIGNS = custom("assigns", "Microsoft.Authorization/roleAssignments/write")
DEPLOYS = custom("deploys", "Microsoft.KeyVault/vaults/deploy/action")
TEMPLATES = custom("templates", "Microsoft.KeyVault/vaults/deploy/action", "Microsoft.Resources/deployments/write")
ONLY_TEMPLATES = custom("only templates", "Microsoft.Resources/deployments/write")
MACHINES = custom("machines", "Microsoft.Compute/virtualMachines/write")
REWRITES = custom("rewrites", "Microsoft.Authorization/roleDefinitions/write")
MOVES = custom("moves", "Microsoft.Management/managementGroups/subscriptions/write")
DELEGATES = custom("delegates", "Microsoft.ManagedServices/registrationAssignments/write")
LIFTS = custom("lifts", "Microsoft.Authorization/denyAssignments/delete")
READS = replace(custom("reads", "Microsoft.KeyVault/vaults/read"), assignable_scopes=(RESOURCE_GROUP, ELSEWHERE))
ROLES = (WRITES, ASSIGNS, DEPLOYS, TEMPLATES, ONLY_TEMPLATES, MACHINES, REWRITES, MOVES, DELEGATES, LIFTS, READS)

modern = vault("kv", enabled_for_template_deployment=True, enabled_for_deployment=True)
legacy = vault("kv", policy(carl, secrets="list"), enabled_for_template_deployment=True, enabled_for_deployment=True)
plain = vault("kv", policy(carl, secrets="list"))
foreign = vault("kv", tenant_id=OTHER_TENANT)
closing = replace(deny(ben, RESOURCE_GROUP, actions=("Microsoft.KeyVault/*",)), is_system_protected=False)
on_condition = "@Resource[Microsoft.Compute/virtualMachines:name] StringEquals 'vm'"

Half = tuple[RoleDefinition, Any]
PAIRS: dict[str, tuple[Vault, Half, Half, tuple[Item, ...], str]] = {
    "E3": (modern, (WRITES, modern), (ASSIGNS, RESOURCE_GROUP), (), "E3 E4 E14 E19?"),
    "E9": (legacy, (DEPLOYS, legacy), (TEMPLATES, ELSEWHERE), (), "E9"),
    "E9 under Azure RBAC": (modern, (DEPLOYS, modern), (TEMPLATES, ELSEWHERE), (), "E9?"),
    "E9 into another subscription": (legacy, (DEPLOYS, RESOURCE_GROUP), (TEMPLATES, FAR), (), "E9?"),
    "E9 at the same place": (legacy, (DEPLOYS, SUBSCRIPTION), (ONLY_TEMPLATES, RESOURCE_GROUP), (), "E9"),
    "E9 without the action where it deploys to": (legacy, (DEPLOYS, legacy), (ONLY_TEMPLATES, ELSEWHERE), (), ""),
    "E9 with the flag off": (plain, (DEPLOYS, plain), (TEMPLATES, ELSEWHERE), (), ""),
    "E10": (legacy, (DEPLOYS, legacy), (MACHINES, ELSEWHERE), (), "E10"),
    "E10 from above": (legacy, (DEPLOYS, ROOT), (MACHINES, ELSEWHERE), (), "E10"),
    "E10 in another subscription": (legacy, (DEPLOYS, legacy), (MACHINES, FAR), (), ""),
    "E6": (modern, (REWRITES, RESOURCE_GROUP), (REWRITES, ELSEWHERE), (assignment(READS, carl, modern),), "E6~"),
    "E21 of a vault of another tenant": (foreign, (ASSIGNS, SUBSCRIPTION), (MOVES, ROOT), (), "E21~"),
    "E24 of a vault of another tenant": (foreign, (ASSIGNS, RESOURCE_GROUP), (DELEGATES, SUBSCRIPTION), (), "E24"),
}


def of(place: Vault, *items: Item, without: tuple[str, ...] = ()) -> Estate:
    everything = estate(anna, ben, carl, ones, inner, twos, place, *ROLES, *TREE, *items)
    listings = [item for item in everything.listings if item.kind not in without]
    return replace(everything, listings=tuple(listings))


def told(what: Estate, who: str = anna.id) -> str:
    """The routes of somebody, which are those that are told of him among everybody's, and in his row."""
    access, (place,) = Access(what), what.vaults
    found = access.routes_of(who, place)
    everybodys = access.routes(place, expand_groups=True).routes
    assert tuple(item for item in everybodys if item.principal_id == who) == found
    rows = [item.escalation for item in access.rows(expand_groups=True) if item.principal_id == who and not item.object]
    assert [item for row in rows for item in row] == [item.id for item in found]
    return " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in found)


@pytest.mark.parametrize("name", PAIRS)
def test_two_groups_have_a_half_each(name: str) -> None:
    place, one, two, more, expected = PAIRS[name]
    direct = of(place, assignment(one[0], anna, one[1]), assignment(two[0], anna, two[1]), *more)
    assert told(direct) == expected
    for first, second in ((ones, twos), (twos, ones)):
        halves = (assignment(one[0], first, one[1]), assignment(two[0], second, two[1]))
        what = of(place, *halves, *more)
        assert told(what) == expected
        route = name.partition(" ")[0]
        assert route not in told(what, ben.id).split()
        assert route not in told(what, carl.id).split()
        for item in Access(what).routes_of(anna.id, place):
            if item.id == route:
                cited = {via.id: via.groups for via in item.via}
                chains = {halves[first is twos].id: (ones.id,), halves[first is ones].id: (twos.id, inner.id)}
                assert {key: cited[key] for key in chains} == chains


HALVES = (assignment(DEPLOYS, ones, legacy), assignment(TEMPLATES, twos, ELSEWHERE))
LIMITS: dict[str, tuple[tuple[Item, ...], str]] = {
    "nothing": (HALVES, "E9"),
    "one half is eligible": ((HALVES[0], eligible(TEMPLATES, twos, ELSEWHERE)), "E9~"),
    "the other half is eligible": ((eligible(DEPLOYS, ones, legacy), HALVES[1]), "E8~ E9~"),
    "a condition on one half": ((HALVES[0], replace(HALVES[1], condition=on_condition)), "E9~"),
    "a deny of one half": ((*HALVES, deny(anna, legacy, actions=("*",))), ""),
    "a deny of the other half": ((*HALVES, deny(anna, ELSEWHERE, actions=("*",))), ""),
    "a deny of one of the groups": ((*HALVES, deny(twos, ELSEWHERE, actions=("*",))), ""),
    "a deny of somebody else": ((*HALVES, deny(ben, legacy, actions=("*",))), "E9"),
    "a deny that audits": ((*HALVES, deny(anna, legacy, actions=("*",), effect="audit")), "E9"),
    "a deny whose effect was not read": ((*HALVES, deny(anna, legacy, actions=("*",), effect=None)), "E9?"),
    "denies that were not read": ((*HALVES, gap("deny_assignments")), "E9?"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_weaker_half_decides(name: str) -> None:
    items, expected = LIMITS[name]
    assert told(of(legacy, *items)).replace("E8~ ", "") == expected.replace("E8~ ", "")


def everybodys(place: Any, *spared: str, **changes: Any) -> DenyAssignment:
    """A deny of everybody but some."""
    taken = replace(
        deny(ones, place, actions=("*",)), principals=(DenyPrincipal("0" * 8 + "-0000-0000-0000-" + "0" * 12),)
    )
    return replace(taken, exclude_principals=tuple(DenyPrincipal(item) for item in spared), **changes)


@pytest.mark.parametrize("by", [anna.id, inner.id, twos.id])
@pytest.mark.parametrize("at", [modern, RESOURCE_GROUP, SUBSCRIPTION])
def test_a_deny_that_spares_a_member_leaves_it_what_its_group_had(by: str, at: Any) -> None:
    held = assignment(ASSIGNS, ones, RESOURCE_GROUP)
    assert told(of(modern, held, everybodys(at, by))) == "E4"
    assert told(of(modern, held, everybodys(at))) == ""
    assert told(of(modern, held, everybodys(at, by)), ben.id) == ""


def test_one_group_has_what_a_deny_closes_and_another_lifts_it() -> None:
    held, lifts = assignment(ASSIGNS, ones, RESOURCE_GROUP), assignment(LIFTS, twos, SUBSCRIPTION)
    closed = everybodys(RESOURCE_GROUP, is_system_protected=False)
    closed = replace(closed, permissions=deny(ones, RESOURCE_GROUP, actions=ASSIGNS.permissions[0].actions).permissions)
    assert told(of(modern, held, lifts, closed)) == "E22"
    assert told(of(modern, held, closed)) == ""
    assert told(of(modern, held, lifts, closed), ben.id) == ""


@pytest.mark.parametrize("at", [modern, RESOURCE_GROUP])
def test_a_deny_below_counts_for_a_member_that_is_named_elsewhere(at: Any) -> None:
    """What came down to a member from above a deny was told as if the deny were not there."""
    held = (assignment(ASSIGNS, ones, SUBSCRIPTION), assignment(MACHINES, anna, ELSEWHERE))
    assert told(of(modern, *held)) == "E4"
    assert told(of(modern, *held, deny(ones, at, actions=("*",)))) == ""
    assert told(of(modern, *held, deny(anna, at, actions=("*",)))) == ""
    assert told(of(modern, *held, deny(anna, at, data_actions=("*",)))) == "E4~"


def test_denies_that_were_not_read_count_for_a_member_that_is_named_elsewhere() -> None:
    held = (assignment(ASSIGNS, ones, ROOT), assignment(MACHINES, anna, ELSEWHERE))
    assert told(of(modern, *held, gap("deny_assignments"))) == "E4?"


def test_what_counts_where_both_rights_are_is_cited_from_there() -> None:
    records = [assignment(DEPLOYS, ones, at) for at in (RESOURCE_GROUP, ELSEWHERE)]
    access = Access(of(legacy, *records, assignment(ONLY_TEMPLATES, twos, ELSEWHERE)))
    (route,) = access.routes_of(anna.id, legacy)
    assert {item.id for item in records} < {item.id for item in route.via}
    assert len(route.via) == 3


def test_a_role_is_rewritten_through_a_group_by_somebody_whom_another_record_names() -> None:
    """What a record at the vault gave hid what a group gave above it."""
    rewritten = replace(READS, assignable_scopes=(RESOURCE_GROUP,))
    everything = (assignment(REWRITES, ones), assignment(rewritten, ones, modern), assignment(WRITES, anna, modern))
    what = of(modern, *everything)
    roles = {**what.role_definitions, rewritten.name: rewritten}
    assert told(replace(what, role_definitions=roles)) == "E6 E14 E19?"
