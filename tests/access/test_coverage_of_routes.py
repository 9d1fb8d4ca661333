"""What of the records behind identity routes nobody asked for: which kinds, for how many of how many things, and which routes."""

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from builders import SUBSCRIPTION, Item, assignment, eligible, estate, gap, group, guid, policy, user, vault, workload
from hostile_estates import hostile

from kvaudit.access.escalation import IDENTITY_KINDS
from kvaudit.access.evaluator import Access
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.identities import Application, ResourceIdentity, UserAssignedIdentity
from kvaudit.model.scopes import fold

anna, ben = user("anna"), user("ben")
robot = workload("robot")
app = Principal(guid("app"), "ServicePrincipal", app_id=guid("APP ID"), service_principal_type="Application")
gone = Principal(guid("gone"), "ServicePrincipal", state=PrincipalState.NOT_FOUND)
other = Principal(guid("other"), "ServicePrincipal", app_id=guid("other id"))
inner = group("inner", anna)
readers, writers = group("readers", inner), group("writers", ben)
abroad = Principal(guid("abroad"), "Group", state=PrincipalState.FOREIGN)
kv = vault("kv")
second = vault("kv-2", policy(writers, secrets="get"), id=kv.id.replace("2222", "3333"))
USES = "Key Vault Secrets User"
IDENTITY = f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.managedidentity/userassignedidentities/id-1"
RECORDS: tuple[Item, ...] = (
    *(anna, ben, robot, app, gone, other, inner, readers, writers, abroad, kv, second),
    *(assignment(USES, item, kv) for item in (anna, robot, app, gone, abroad)),
    eligible(USES, readers, kv),
    Application(guid("registration"), guid("APP ID").casefold(), "app"),
    Application(guid("another"), guid("other id"), "other"),
    UserAssignedIdentity(IDENTITY, robot.id),
    UserAssignedIdentity(f"{IDENTITY}-2", ben.id),
)
E13, E23, E28 = ("E13",), ("E23",), ("E28",)
NOTHING_READ: dict[str, tuple[int, int, tuple[str, ...]]] = {
    "application_federated_credentials": (1, 1, E28),
    "application_owners": (1, 1, E13),
    "application_permissions": (1, 1, E13),
    "applications": (1, 1, E13),
    "delegations": (2, 2, ("E24",)),
    "directory_role_assignments": (1, 1, ("E7", "E13")),
    "directory_role_eligibility_schedule_instances": (1, 1, ("E7", "E13")),
    "federated_credentials": (1, 1, E28),
    "group_assignment_schedule_instances": (3, 3, E23),
    "group_eligibility_schedule_instances": (3, 3, E23),
    "group_owners": (3, 3, E23),
    "resource_identities": (2, 2, ("E12", "E27")),
    "service_principal_owned_objects": (3, 3, E23),
    "service_principal_owners": (1, 1, E13),
    "user_assigned_identities": (2, 2, ("E12", "E27")),
}


def told(*more: Item, listings: Iterable[Listing] = ()) -> dict[str, tuple[int, int, tuple[str, ...]]]:
    base = estate(*RECORDS, *more)
    everything = estate(*RECORDS, *more, listings=(*base.listings, *listings))
    return {item.kind: (item.missing, item.of, item.routes) for item in Access(everything).not_assessed()}


def test_what_nobody_asked_for() -> None:
    assert told() == NOTHING_READ
    assert list(told()) == sorted(NOTHING_READ)


READ: dict[str, tuple[str, str, tuple[int, int] | None]] = {
    "one of three groups": ("group_owners", f"groups/{inner.id}", (2, 3)),
    "a group in capitals": ("group_owners", f"groups/{writers.id.upper()}", (2, 3)),
    "a group that nothing names": ("group_owners", f"groups/{guid('nobodys')}", (3, 3)),
    "one of two subscriptions": ("delegations", SUBSCRIPTION, (1, 2)),
    "the directory": ("directory_role_assignments", "directory", None),
    "registrations": ("applications", "applications", None),
    "a registration": ("application_owners", f"applications/{guid('registration')}", None),
    "another registration": ("application_owners", f"applications/{guid('another')}", (1, 1)),
    "an identity": ("federated_credentials", IDENTITY, None),
    "a service principal": ("service_principal_owners", f"servicePrincipals/{app.id}", None),
    "what a service principal owns": ("service_principal_owned_objects", f"servicePrincipals/{other.id}", (2, 3)),
    "permissions on Microsoft Graph, whatever its ID": (
        "application_permissions",
        f"servicePrincipals/{guid('graph')}",
        None,
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_was_read_or_refused_is_not_among_it(name: str) -> None:
    kind, scope, left = READ[name]
    expected = {**NOTHING_READ, kind: (*(left or (0, 0)), NOTHING_READ[kind][2])}
    if left is None:
        del expected[kind]
    assert told(listings=[Listing(kind, scope, 0)]) == expected
    refused = gap(kind, scope)
    assert told(refused) == expected
    found = Access(estate(*RECORDS, refused))
    assert found.routes(kv).gaps == (refused,)


def test_a_refusal_of_a_whole_collection_stands_for_each_in_it() -> None:
    left = set(NOTHING_READ) - {"group_owners", "service_principal_owners"}
    assert set(told(gap("group_owners", "groups"), gap("service_principal_owners", "servicePrincipals"))) == left


def test_gaps_of_other_kinds_hide_no_route() -> None:
    closed = Gap("secrets", kv.id, "the firewall refuses")
    denies = gap("deny_assignments")
    assert Access(estate(*RECORDS, closed, denies)).routes(kv).gaps == (denies,)


def test_where_no_group_and_no_application_matters_less_is_missing() -> None:
    alone = estate(anna, robot, kv, assignment(USES, anna, kv), assignment(USES, robot, kv))
    assert {item.kind: (item.missing, item.of) for item in Access(alone).not_assessed()} == {
        "application_permissions": (1, 1),
        "delegations": (1, 1),
        "directory_role_assignments": (1, 1),
        "directory_role_eligibility_schedule_instances": (1, 1),
        "resource_identities": (1, 1),
        "user_assigned_identities": (1, 1),
    }


MACHINES = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
MACHINE = fold(f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1")
ABROAD = "/subscriptions/44444444-4444-4444-4444-444444444444"
GRANTS_AND_DENIES = ("deny_assignments", "role_assignments", "role_eligibility_schedule_instances")


def gaps_told(*records: Item) -> set[tuple[str, str]]:
    found = Access(estate(robot, anna, kv, *records))
    return {(item.kind, item.scope) for item in found.routes(kv).gaps}


@pytest.mark.parametrize("kind", GRANTS_AND_DENIES)
@pytest.mark.parametrize("at", [MACHINE, MACHINES])
def test_what_was_not_read_at_a_machine_that_runs_as_a_holder_may_hide_a_route(kind: str, at: str) -> None:
    hidden = gap(kind, at)
    runs = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
    holds = assignment(USES, robot, kv)
    assert gaps_told(holds, runs, hidden) == {(kind, at)}
    apps = group("apps", robot)
    assert (kind, at) in gaps_told(apps, assignment(USES, apps, kv), runs, hidden)
    assert gaps_told(runs, hidden) == set(), "the identity has no access"
    assert gaps_told(holds, hidden) == set(), "nothing runs there"
    odd = ResourceIdentity(MACHINE, "microsoft.odd/things", robot.id)
    assert gaps_told(holds, odd, hidden) == set(), "no action is known to act as the identity of such a thing"


@pytest.mark.parametrize("kind", GRANTS_AND_DENIES)
def test_what_was_not_read_at_an_identity_of_a_holder_may_hide_a_route(kind: str) -> None:
    identity = UserAssignedIdentity(IDENTITY, robot.id)
    hidden = gap(kind, IDENTITY)
    assert gaps_told(assignment(USES, robot, kv), identity, hidden) == {(kind, IDENTITY)}
    assert gaps_told(identity, hidden) == set()


def test_a_machine_in_a_subscription_that_nobody_read() -> None:
    there = fold(f"{ABROAD}/resourceGroups/rg/providers/Microsoft.Web/sites/web")
    runs = ResourceIdentity(there, "microsoft.web/sites", robot.id)
    assert gaps_told(assignment(USES, robot, kv), runs) == {(kind, ABROAD) for kind in GRANTS_AND_DENIES}


def test_eligibility_that_was_not_read_may_hide_a_route_of_the_control_plane() -> None:
    kind = "role_eligibility_schedule_instances"
    assert gaps_told(gap(kind)) == {(kind, SUBSCRIPTION)}


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_the_kinds_alone_are_those_that_are_told_with_numbers(first: int) -> None:
    """Whatever was read or refused of them, at places in any casing."""
    for seed in range(first, first + 20):
        of, drawn = hostile(seed), Random(seed)  # noqa: S311 - no secret hangs on it
        places = [
            *(f"groups/{item}" for item in of.principals),
            *(f"servicePrincipals/{item}" for item in of.principals),
        ]
        places += [f"/subscriptions/{item.subscription_id}" for item in of.subscriptions]
        places += ["directory", "applications", "groups", "servicePrincipals"]
        asked = [(kind, drawn.choice([place, place.upper()])) for kind in IDENTITY_KINDS for place in places]
        read = [Listing(kind, place, 0) for kind, place in asked if drawn.random() < 0.5]
        refused = [Gap(kind, place, "refused") for kind, place in asked if drawn.random() < 0.3]
        access = Access(
            replace(of, listings=(*of.listings, *read), gaps=(*of.gaps, *refused[: drawn.choice([0, 9, 999])]))
        )
        told = tuple(item.kind for item in access.not_assessed())
        assert access.subject(of.vaults[0]).kinds_not_assessed == told
