"""Routes that rest on what stands above a subscription: placed by the tree, by the subscription's own lists, or by nothing.

A record at a management group reaches a vault where the tree or a list of the subscription says so; where neither was read
it may, and the route is unknown. What stands at `/` stands in one tenant.
"""

from dataclasses import replace
from typing import Any

import pytest
from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    SUBSCRIPTION_ID,
    TENANT,
    Item,
    assignment,
    deny,
    estate,
    group,
    management_group,
    role,
    user,
    vault,
)
from told import citations_told, named

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import DenyPrincipal
from kvaudit.model.directory import Principal
from kvaudit.model.hierarchy import HierarchyNode, Subscription

anna, ben = user("anna"), user("ben")
ops = group("ops", anna)
form = Principal("form", "Application")
kv = vault("kv")
HOME, ROOT, SIDE = SUBSCRIPTION, management_group("root"), management_group("side")
ASSIGN = role("assigner", actions=("Microsoft.Authorization/roleAssignments/write",))
POLICIES = role("policies", actions=("Microsoft.Authorization/policyAssignments/write",))
CLOSES: dict[str, Any] = {"actions": ("Microsoft.Authorization/roleAssignments/write",)}
UNSEEN: dict[str, Any] = {"listed_from": frozenset()}
TREE = (HierarchyNode(ROOT, None), HierarchyNode(SIDE, ROOT), HierarchyNode(HOME, ROOT))
ALONE = (HierarchyNode(ROOT, None), HierarchyNode(SIDE, ROOT), HierarchyNode(HOME, SIDE))
HALF = (HierarchyNode(HOME, SIDE),)
ELSEWHERE = "/subscriptions/99999999-9999-9999-9999-999999999999"
MARKS = {"allowed": "", "conditional": "~", "unknown": "?"}
above = assignment(ASSIGN, anna, SIDE, **UNSEEN)
listed = assignment(ASSIGN, anna, SIDE)
here = assignment(ASSIGN, anna, HOME)
closing = replace(deny(anna, SIDE, **CLOSES), **UNSEEN)

ROUTES: dict[str, tuple[tuple[Item, ...], tuple[str, ...], str]] = {
    "the tree says that it stands above": ((*ALONE, above), (), "E4"),
    "the tree says that it stands elsewhere": ((*TREE, above), (), ""),
    "a list of the subscription returned it": ((listed,), (), "E4"),
    "the list of the subscription was read and did not return it": ((above,), (), ""),
    "nothing says where it stands": ((above,), ("role_assignments",), "E4?"),
    "at a group two levels above": ((*ALONE, assignment(ASSIGN, anna, ROOT, **UNSEEN)), (), "E4"),
    "at a group two levels above, as a list of the subscription says too": (
        (*ALONE, assignment(ASSIGN, anna, ROOT)),
        (),
        "E4",
    ),
    "at a group two levels above, beside one at the group between": (
        (*ALONE, assignment(ASSIGN, anna, ROOT, **UNSEEN), assignment(POLICIES, anna, SIDE, **UNSEEN)),
        (),
        "E4 E18?",
    ),
    "a deny two levels above": ((*ALONE, here, replace(deny(anna, ROOT, **CLOSES), **UNSEEN)), (), ""),
    "a tree that is a circle": (
        (HierarchyNode(ROOT, SIDE), HierarchyNode(SIDE, ROOT), HierarchyNode(HOME, SIDE), above),
        (),
        "E4",
    ),
    "half a tree does not say it": ((*HALF, assignment(ASSIGN, anna, ROOT, **UNSEEN)), ("role_assignments",), "E4?"),
    "beside what is certain": ((above, assignment(POLICIES, anna, HOME)), ("role_assignments",), "E4? E18?"),
    "beside the same for certain": ((above, here), ("role_assignments",), "E4"),
    "beside another of which nothing says it": (
        (above, assignment(POLICIES, anna, ROOT, **UNSEEN)),
        ("role_assignments",),
        "E4? E18?",
    ),
    "by a group": ((assignment(ASSIGN, ops, SIDE, **UNSEEN),), ("role_assignments",), "E4?"),
    "of somebody else": ((assignment(ASSIGN, ben, SIDE, **UNSEEN),), ("role_assignments",), ""),
    "a deny that the tree places above": ((*ALONE, here, closing), (), ""),
    "a deny elsewhere in the tree": ((*TREE, here, closing), (), "E4"),
    "a deny that a list of the subscription returned": ((here, deny(anna, SIDE, **CLOSES)), (), ""),
    "a deny of which nothing says where it stands": ((here, closing), ("deny_assignments",), "E4?"),
    "a deny of the data of which nothing says where it stands": (
        (here, replace(deny(anna, SIDE, data_actions=("*",)), **UNSEEN)),
        (),
        "E4",
    ),
    "a deny of a group that was not read": (
        (here, group("hidden", is_read=False), deny(group("hidden"), HOME, **CLOSES)),
        (),
        "E4?",
    ),
    "a deny of a group of hers": ((here, ops, deny(ops, HOME, **CLOSES)), (), ""),
    "a deny of a group above": ((here, deny(anna, RESOURCE_GROUP, **CLOSES)), (), ""),
    "a deny that spares her": (
        (here, replace(deny(ops, HOME, **CLOSES), exclude_principals=(DenyPrincipal(anna.id),))),
        (),
        "E4",
    ),
    "a deny of one of two actions": (
        (here, assignment(POLICIES, anna, HOME), deny(anna, HOME, **CLOSES)),
        (),
        "E18?",
    ),
}


def routes(who: Principal, *items: Item, without: tuple[str, ...] = (), **changes: Any) -> str:
    everything = estate(anna, ben, ops, form, kv, ASSIGN, POLICIES, *items, **changes)
    # A list of the vault alone: nobody says that the lists of the subscription were not asked for.
    listings = [replace(item, scope=kv.scope) if item.kind in without else item for item in everything.listings]
    found = Access(replace(everything, listings=tuple(listings))).routes_of(who.id, kv)
    assert all(item.via for item in found)
    return " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in found)


@pytest.mark.parametrize("name", ROUTES)
def test_what_stands_above(name: str) -> None:
    items, without, expected = ROUTES[name]
    assert routes(anna, *items, without=without) == expected


@pytest.mark.parametrize("place", [HOME, RESOURCE_GROUP, kv, SIDE])
def test_a_registration_of_an_application_has_no_route(place: Any) -> None:
    everything = estate(anna, form, kv, ASSIGN, assignment(ASSIGN, form, place, **UNSEEN))
    listings = [replace(item, scope=kv.scope) for item in everything.listings]
    access = Access(replace(everything, listings=tuple(listings)))
    assert access.routes(kv).routes == access.routes_of(form.id, kv) == ()


AT_ROOT: dict[str, tuple[tuple[Item, ...], str]] = {
    "of its tenant": ((assignment(ASSIGN, anna, "/", listed_from=frozenset({HOME})),), "E4"),
    "of the tenant that was asked": ((assignment(ASSIGN, anna, "/", listed_from=frozenset({"/"})),), ""),
    "of a tenant that nothing tells": ((assignment(ASSIGN, anna, "/", **UNSEEN),), "E4"),
    "a deny of its tenant": ((here, replace(deny(anna, "/", **CLOSES), listed_from=frozenset({HOME}))), ""),
    "a deny of the tenant that was asked": (
        (here, replace(deny(anna, "/", **CLOSES), listed_from=frozenset({"/"}))),
        "E4",
    ),
}


@pytest.mark.parametrize("name", AT_ROOT)
def test_the_root_of_a_subscription_of_another_tenant(name: str) -> None:
    items, expected = AT_ROOT[name]
    abroad = Subscription(SUBSCRIPTION_ID, "Applications", OTHER_TENANT, "Enabled")
    place = replace(kv, tenant_id=OTHER_TENANT)
    everything = estate(anna, ben, place, ASSIGN, *items, subscriptions=(abroad,))
    found = Access(everything).routes_of(anna.id, place)
    assert " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in found) == expected
    assert TENANT != OTHER_TENANT


def test_records_that_are_not_placed_are_cited_as_such() -> None:
    everything = estate(anna, ops, kv, ASSIGN, above, assignment(ASSIGN, ops, HOME), closing)
    listings = [replace(item, scope=kv.scope) for item in everything.listings]
    (route,) = Access(replace(everything, listings=tuple(listings))).routes_of(anna.id, kv)
    told = [line.split(", ")[0] for line in citations_told(route.via)]
    assert [named(line, ("ops", "anna")) for line in told] == [
        f"unknown by role_assignment assigner at {SIDE}",
        "allowed by role_assignment assigner at SUB",
        f"unknown by deny_assignment None at {SIDE}",
    ]
    assert [item.groups for item in route.via] == [(), (ops.id,), ()]


def test_who_may_lift_a_deny_from_above_its_group_has_that_route() -> None:
    lifter = role("lifter", actions=("Microsoft.Authorization/denyAssignments/delete",))
    closed = replace(closing, is_system_protected=False)
    for place in (SIDE, ROOT, "/"):
        assert routes(anna, lifter, *ALONE, here, closed, assignment(lifter, anna, place)) == "E22", place
    assert routes(anna, lifter, *TREE, here, replace(closed, scope=ROOT), assignment(lifter, anna, SIDE)) == ""


def test_a_record_above_other_places_is_cited_once() -> None:
    """What somebody holds elsewhere is cited from every place at which something names it."""
    deploys = role("deploys", actions=("Microsoft.KeyVault/vaults/deploy/action",))
    makes = role("makes", actions=("Microsoft.Resources/deployments/write", "Microsoft.KeyVault/vaults/deploy/action"))
    other = management_group("other")
    records = (assignment(deploys, anna, kv), *(assignment(makes, anna, place, **UNSEEN) for place in (SIDE, other)))
    tree = (HierarchyNode(ROOT, None), *(HierarchyNode(item, ROOT) for item in (SIDE, other, HOME)))
    open_ = vault("kv", enabled_for_template_deployment=True)
    everything = estate(anna, open_, deploys, makes, *tree, *records)
    (route,) = Access(everything).routes_of(anna.id, open_)
    assert [(item.scope, item.answer.value) for item in route.via] == [
        (kv.scope, "allowed"),
        (other, "allowed"),
        (SIDE, "allowed"),
    ]


INSTALLS: dict[str, tuple[Any, Any, str]] = {
    "both here": (HOME, HOME, "E10?"),
    "from above, and here": (SIDE, HOME, "E10?"),
    "from above, and in another group here": (SIDE, f"{HOME}/resourcegroups/rg-machines", "E10?"),
    "from above, and in another subscription": (SIDE, ELSEWHERE, ""),
    "at the vault, and in another subscription": (kv, ELSEWHERE, ""),
    "both from above": (SIDE, SIDE, "E10?"),
    "from above and from further above": (SIDE, ROOT, "E10?"),
    "from above, and at a group beside": (SIDE, management_group("beside"), ""),
}


@pytest.mark.parametrize("by_groups", [False, True])
@pytest.mark.parametrize("name", INSTALLS)
def test_machines_take_certificates_in_the_subscription_of_the_vault_only(name: str, by_groups: bool) -> None:
    deploys = role("deploys", actions=("Microsoft.KeyVault/vaults/deploy/action",))
    machines = role("machines", actions=("Microsoft.Compute/virtualMachines/write",))
    deploying, making, expected = INSTALLS[name]
    makers = group("makers", anna)
    place = vault("kv", enabled_for_deployment=True)
    tree = (*ALONE, HierarchyNode(ELSEWHERE, SIDE), HierarchyNode(management_group("beside"), ROOT))
    given = assignment(machines, makers if by_groups else anna, making, **UNSEEN)
    everything = estate(
        anna, makers, place, deploys, machines, *tree, assignment(deploys, anna, deploying, **UNSEEN), given
    )
    access = Access(everything)
    found = access.routes_of(anna.id, place)
    assert " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in found) == expected
    assert access.routes(place).routes == found
    listed = {item.scope for route in found for item in route.via}
    assert listed == ({place.scope if item is kv else item for item in (deploying, making)} if expected else set())
