"""Who stands behind the identities of a drawn tenant, from a seed: what `collect` reads beside grants unless told otherwise.

Every second workload is a user-assigned identity on a virtual machine, mostly of one resource group; the others are applications,
three in ten with an owner. A fifth of the groups have an owner, and five people are Global Administrators. Every list of such
records was read to its end, so that nothing is a gap.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.identities import (
    Application,
    DirectoryRoleAssignment,
    Ownership,
    ResourceIdentity,
    UserAssignedIdentity,
)

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
MACHINES = "microsoft.compute/virtualmachines"


def with_identities(estate: Estate, seed: int) -> Estate:
    """The same tenant with the records that routes through identities rest on."""
    chance = random.Random(seed)
    workloads, groups, users = (
        [item.id for item in estate.principals.values() if item.type == kind]
        for kind in ("ServicePrincipal", "Group", "User")
    )
    places = sorted({vault.scope.partition("/providers/")[0] for vault in estate.vaults})
    chance.shuffle(workloads)
    half = len(workloads) // 2
    principals = dict(estate.principals)
    identities, running, applications, owned = [], [], [], []
    for number, name in enumerate(workloads[:half]):
        place = chance.choice(places)
        identity = f"{place}/providers/microsoft.managedidentity/userassignedidentities/id-{number}"
        identities.append(UserAssignedIdentity(identity, name))
        where = place if chance.random() < 0.9 else chance.choice(places)
        machine = f"{where}/providers/{MACHINES}/vm-{number}"
        running.append(ResourceIdentity(machine, MACHINES, None, (identity,), (name,)))
        principals[name] = replace(principals[name], service_principal_type="ManagedIdentity")
    for number, name in enumerate(workloads[half:]):
        applications.append(Application(f"registration-{number}", f"app-{number}", f"App {number}"))
        principals[name] = replace(principals[name], app_id=f"app-{number}", service_principal_type="Application")
        if chance.random() < 0.3:
            owned.append(Ownership(f"registration-{number}", "Application", chance.choice(users), "User"))
    owned.extend(Ownership(group, "Group", chance.choice(users), "User") for group in groups if chance.random() < 0.2)
    administrators = [
        DirectoryRoleAssignment(f"assignment-{number}", GLOBAL_ADMINISTRATOR, chance.choice(users))
        for number in range(5)
    ]
    made = replace(
        estate,
        principals=principals,
        user_assigned_identities=tuple(identities),
        resource_identities=tuple(running),
        applications=tuple(applications),
        ownerships=tuple(owned),
        directory_roles=tuple(administrators),
    )
    return replace(made, listings=(*estate.listings, *_listings(made, groups, workloads)))


def _listings(estate: Estate, groups: list[str], workloads: list[str]) -> Iterator[Listing]:
    """That all of it was read."""
    for item in estate.subscriptions:
        for kind in ("resource_identities", "user_assigned_identities", "delegations"):
            yield Listing(kind, f"/subscriptions/{item.subscription_id}", 0)
    yield Listing("applications", "applications", len(estate.applications))
    yield Listing("directory_role_assignments", "directory", len(estate.directory_roles))
    yield Listing("directory_role_eligibility_schedule_instances", "directory", 0)
    yield Listing("application_permissions", "servicePrincipals/graph", 0)
    of_groups = ("group_owners", "group_eligibility_schedule_instances", "group_assignment_schedule_instances")
    yield from (Listing(kind, f"groups/{name}", 0) for name in groups for kind in of_groups)
    of_workloads = ("service_principal_owners", "service_principal_owned_objects")
    yield from (Listing(kind, f"servicePrincipals/{name}", 0) for name in workloads for kind in of_workloads)
    of_applications = ("application_owners", "application_federated_credentials")
    yield from (Listing(kind, f"applications/{item.id}", 0) for item in estate.applications for kind in of_applications)
    yield from (Listing("federated_credentials", item.resource_id, 0) for item in estate.user_assigned_identities)
