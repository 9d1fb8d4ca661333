"""Routes of somebody who holds by groups what another holds directly: the same routes, by other chains."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Group,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    group,
    management_group,
    role,
    user,
    vault,
    workload,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.access.escalation import EscalationRoute
from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, DenyPrincipal
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.identities import DirectoryRoleAssignment, ResourceIdentity, UserAssignedIdentity
from kvaudit.model.scopes import fold
from kvaudit.model.vaults import Vault

anna, ben, robot = user("anna"), user("ben"), workload("robot")
ones, inner, alone = group("ones", anna), group("inner", anna), group("alone", ben)
twos = group("twos", inner)
ROOT, SIDE = management_group("root"), management_group("side")
TREE = (HierarchyNode(ROOT, None), HierarchyNode(SIDE, ROOT), HierarchyNode(SUBSCRIPTION, SIDE))
MACHINES, ELSEWHERE = f"{SUBSCRIPTION}/resourcegroups/rg-machines", f"{RESOURCE_GROUP}-2"
MACHINE = fold(f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1")
IDENTITY = fold(f"{MACHINES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1")
SITE = fold(f"{MACHINES}/providers/Microsoft.Web/sites/site-1")
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ONE_ROLE = (
    "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{4633458b-17de-408a-b874-0445c86b69e6}"
)
ACTIONS = tuple(
    f"Microsoft.{name}"
    for name in (
        "KeyVault/vaults/write",
        "KeyVault/vaults/deploy/action",
        "KeyVault/vaults/accessPolicies/write",
        "KeyVault/vaults/delete",
        "KeyVault/locations/deletedVaults/purge/action",
        "Authorization/roleAssignments/write",
        "Authorization/roleDefinitions/write",
        "Authorization/denyAssignments/delete",
        "Resources/deployments/write",
        "Resources/deploymentStacks/delete",
        "Resources/subscriptions/resourceGroups/moveResources/action",
        "Resources/subscriptions/resourceGroups/write",
        "Compute/virtualMachines/write",
        "Management/managementGroups/subscriptions/write",
        "ManagedServices/registrationAssignments/write",
        "ManagedIdentity/userAssignedIdentities/assign/action",
        "ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "Web/sites/config/list/action",
    )
)
SMALL = {action: role(action, actions=(action,)) for action in ACTIONS}
DATA = role("data", data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",))
COPIES = role("copies", data_actions=("Microsoft.KeyVault/vaults/keys/backup/action",))
READS = replace(
    role("reads", actions=("Microsoft.KeyVault/vaults/read",)), assignable_scopes=(RESOURCE_GROUP, ELSEWHERE)
)
ROLES = (*SMALL.values(), DATA, COPIES, READS)
BUILT_IN = ("Owner", "Contributor", "Key Vault Contributor", "Key Vault Data Access Administrator")
modern, legacy = vault("kv"), vault("kv", rbac=False)
PLACES = ("/", ROOT, SIDE, SUBSCRIPTION, RESOURCE_GROUP, modern, MACHINES, ELSEWHERE, MACHINE, IDENTITY, SITE)
RUNNING = (
    ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id),
    ResourceIdentity(SITE, "microsoft.web/sites", robot.id),
    UserAssignedIdentity(IDENTITY, robot.id),
)

Holder = Principal | Group


@dataclass(frozen=True)
class Given:
    """A record that names somebody."""

    make: Callable[..., Any]
    what: Any
    at: Any

    def for_(self, number: int, who: Holder) -> Any:
        item = self.make(self.what, who, self.at)
        return replace(item, id=f"{item.id.rpartition('/')[0]}/{number}")


def limited(what: Any, who: Holder, at: Any) -> Any:
    return assignment(what, who, at, condition=ONE_ROLE)


def closed(what: Any, who: Holder, at: Any) -> Any:
    return replace(deny(who, at, actions=(what,), data_actions=("*",)), is_system_protected=False)


def in_doubt(what: Any, who: Holder, at: Any) -> Any:
    return deny(who, at, actions=(what,), effect=None)


def sparing(what: Any, who: Holder, at: Any) -> Any:
    taken = deny(who, at, actions=(what,))
    return replace(taken, principals=(DenyPrincipal(EVERYONE),), exclude_principals=(DenyPrincipal(who.id),))


def directory(what: str, who: Holder, at: bool) -> Any:
    return DirectoryRoleAssignment("directory/1", what, who.id, eligible=at)


def built(place: Vault, records: list[Given], holders: list[Holder], *more: Item) -> Estate:
    items = [item.for_(number, who) for number, (item, who) in enumerate(zip(records, holders, strict=True))]
    reading = assignment("Key Vault Secrets User", robot, modern)
    people = (anna, ben, robot, ones, inner, twos, alone)
    return estate(*people, place, *ROLES, *TREE, *RUNNING, reading, *items, *more)


def told(item: EscalationRoute) -> tuple[Any, ...]:
    cited = frozenset(via.id for via in item.via)
    words = (item.steps, item.actions, item.notes, item.confidence)
    return (item.id, item.answer, item.mask, item.target or "", *words, cited)


def over_groups(item: EscalationRoute) -> bool:
    """Whether a route leads into a group, or to members of one: whoever holds nothing by a group has none there."""
    return item.id == "E13" and item.target in (ones.id, inner.id, twos.id)


def routes(what: Estate, who: Principal = anna) -> list[EscalationRoute]:
    """Somebody's routes, which are those that are told of it among everybody's, and in its row."""
    access, (place,) = Access(what), what.vaults
    found = access.routes_of(who.id, place)
    among = [item for item in access.routes(place, expand_groups=True).routes if item.principal_id == who.id]
    assert sorted(map(told, among), key=str) == sorted(map(told, found), key=str)
    rows = [item.escalation for item in access.rows(expand_groups=True) if item.principal_id == who.id]
    assert {route for row in rows for route in row} == {item.id for item in found}
    return [item for item in found if not over_groups(item)]


names = st.one_of(st.sampled_from(ROLES), st.sampled_from(BUILT_IN))
held = st.builds(
    Given, st.sampled_from((assignment, assignment, assignment, eligible, limited)), names, st.sampled_from(PLACES)
)
taken = st.builds(
    Given,
    st.sampled_from((closed, in_doubt, sparing)),
    st.sampled_from(("*", "Microsoft.KeyVault/*", "Microsoft.Compute/*", *ACTIONS)),
    st.sampled_from(PLACES[1:]),
)
ruling = st.builds(Given, st.just(directory), st.sampled_from((GLOBAL_ADMINISTRATOR,)), st.booleans())
everything = st.lists(st.one_of(held, held, held, held, taken, ruling), min_size=1, max_size=6)
places = st.builds(
    lambda at, templates, machines, tenant: replace(
        at, enabled_for_template_deployment=templates, enabled_for_deployment=machines, **tenant
    ),
    st.sampled_from((modern, legacy)),
    st.booleans(),
    st.booleans(),
    st.sampled_from(({}, {}, {}, {"tenant_id": OTHER_TENANT})),
)


@settings(max_examples=150)
@given(places, everything, st.data())
def test_a_member_has_the_routes_of_who_holds_the_same_itself(place: Vault, records: list[Given], data: Any) -> None:
    by_groups = [data.draw(st.sampled_from((anna, ones, inner, twos))) for _ in records]
    direct = routes(built(place, records, [anna] * len(records)))
    found = routes(built(place, records, list(by_groups)))
    assert sorted(map(told, found), key=str) == sorted(map(told, direct), key=str)


MACHINES_WRITE = SMALL["Microsoft.Compute/virtualMachines/write"]
ATTACHES = SMALL["Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"]


def ids(what: Estate, who: Principal = anna) -> list[tuple[str, str]]:
    return [(item.id, item.answer.value) for item in routes(what, who)]


@pytest.mark.parametrize("at", [MACHINE, MACHINES, SUBSCRIPTION])
def test_a_deny_of_a_member_closes_what_its_group_controls(at: str) -> None:
    runs = Given(assignment, MACHINES_WRITE, MACHINES)
    for other in (anna, inner, twos):
        shut = Given(closed, "Microsoft.Compute/*", at)
        assert ids(built(modern, [runs], [ones])) == [("E12", "allowed")]
        assert ids(built(modern, [runs, shut], [ones, other])) == []
        assert ids(built(modern, [runs, replace(shut, make=in_doubt)], [ones, other])) == [("E12", "unknown")]


def test_who_elevates_by_a_group_elevates_itself() -> None:
    (route,) = routes(built(modern, [Given(directory, GLOBAL_ADMINISTRATOR, False)], [twos]))
    assert (route.id, route.target) == ("E7", None)
    assert [item.groups for item in route.via] == [(twos.id, inner.id)]


@pytest.mark.parametrize(
    ("attaching", "making"), [(anna, anna), (ones, anna), (anna, ones), (ones, ones), (ones, twos), (twos, ones)]
)
@pytest.mark.parametrize("at", [MACHINES, ELSEWHERE])
def test_an_identity_is_attached_by_the_rights_of_several_groups(attaching: Holder, making: Holder, at: str) -> None:
    records = [Given(assignment, ATTACHES, IDENTITY), Given(assignment, MACHINES_WRITE, at)]
    what = built(modern, records, [attaching, making])
    found = [item for item in routes(what) if item.steps.startswith("attaches")]
    assert [item.answer.value for item in found] == ["allowed"]
    assert {item.id for item in found[0].via} == {item.for_(number, anna).id for number, item in enumerate(records)}
    assert not [item for item in routes(what, ben) if item.id == "E12"]
    shut = built(modern, [*records, Given(closed, "Microsoft.ManagedIdentity/*", MACHINES)], [attaching, making, anna])
    assert not [item for item in routes(shut) if item.steps.startswith("attaches")]
