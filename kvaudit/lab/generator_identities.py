"""Records of who can act as somebody else, drawn at random: owners, credentials, identities of resources, PIM for Groups, Entra
roles, permissions, consents, delegations, locks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.generator_access import BUILT_IN, Draw
from kvaudit.lab.graph_app_roles import APP_ROLES, GRAPH_APP_ID, app_roles
from kvaudit.lab.graph_directory_roles import DIRECTORY_ROLES, directory_roles

_GRAPH = "66666666-6666-6666-6666-999999999901"
_KEY_VAULT = "66666666-6666-6666-6666-999999999902"
_KEY_VAULT_APP_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
_TYPES = ("Microsoft.Compute/virtualMachines", "Microsoft.Web/sites", "Microsoft.Logic/workflows")
_TAKING = (
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
    "User.Read.All",
)
_ENDS = (None, "2036-01-05T08:00:00Z", "2026-02-05T08:00:00Z")
"""Of instances: no end, one far away, one that is past."""


@dataclass(frozen=True, slots=True)
class IdentitySize:
    """How many of each: owners of each group and application, instances of PIM for Groups of each kind, and so on."""

    owners: int = 1
    group_instances: int = 2
    applications: int = 2
    identities: int = 2
    resources: int = 3
    directory_roles: int = 2
    permissions: int = 1
    consents: int = 1
    delegations: int = 1
    locks: int = 1


def add_identities(estate: Estate, draw: Draw, size: IdentitySize, other_tenant: str) -> None:
    """Adds that many records of each kind to an estate that has its directory and its hierarchy.

    Args:
        other_tenant: id of the tenant that delegations go to.
    """
    people = [*estate.users, *estate.service_principals]
    workloads = list(estate.service_principals)
    _add_apis(estate)
    _add_owners(estate, draw, size, people, workloads)
    _add_group_instances(estate, draw, size)
    _add_resources(estate, draw, size, workloads)
    _add_directory_roles(estate, draw, size, people)
    _add_permissions(estate, draw, size, workloads)
    _add_delegations(estate, draw, size, other_tenant)
    for number, scope in enumerate(_some(draw, list(estate.vaults.values()), size.locks), start=1):
        key = f"{scope['id']}/providers/Microsoft.Authorization/locks/lock-{number}"
        level = draw.one(("CanNotDelete", "ReadOnly"))
        estate.locks[fold(key)] = {"id": key, "name": f"lock-{number}", "properties": {"level": level}}


def _some(draw: Draw, items: Sequence[Raw], count: int) -> list[Raw]:
    return [draw.one(items) for _ in range(count)] if items else []


def _names(draw: Draw, items: Sequence[str], count: int) -> list[str]:
    return [draw.one(items) for _ in range(count)] if items else []


def _add_apis(estate: Estate) -> None:
    """The service principals of Microsoft Graph and Azure Key Vault, which every tenant has."""
    for identity, name, app_id in (
        (_GRAPH, "Microsoft Graph", GRAPH_APP_ID),
        (_KEY_VAULT, "Azure Key Vault", _KEY_VAULT_APP_ID),
    ):
        estate.service_principals[identity] = {
            "id": identity,
            "appId": app_id,
            "displayName": name,
            "accountEnabled": True,
            "servicePrincipalType": "Application",
            "alternativeNames": [],
        }
    estate.service_principals[_GRAPH]["appRoles"] = app_roles()


def _add_owners(
    estate: Estate, draw: Draw, size: IdentitySize, people: Sequence[str], workloads: Sequence[str]
) -> None:
    for number, workload in enumerate(workloads[: size.applications], start=1):
        identity = f"88888888-8888-8888-8888-888888{number:06}"
        app_id = estate.service_principals[workload]["appId"]
        estate.applications[identity] = {"id": identity, "appId": app_id, "displayName": f"Workload {number}"}
        if draw.chance(0.5):
            subject = f"repo:contoso/app-{number}:ref:refs/heads/main"
            issuer = "https://token.actions.githubusercontent.com"
            credential: Raw = {"id": f"f{number}", "name": "main", "issuer": issuer, "subject": subject}
            estate.federated_credentials[identity] = [credential | {"audiences": ["api://AzureADTokenExchange"]}]
    for owned in (*estate.groups, *estate.applications, *workloads):
        found = [] if draw.chance(0.5) else _names(draw, people, size.owners)
        if found:
            estate.owners[owned] = list(dict.fromkeys(found))


def _add_group_instances(estate: Estate, draw: Draw, size: IdentitySize) -> None:
    """Eligible and active; a group may be eligible for a group. Service principals cannot be (PIM for Groups)."""
    groups, holders = list(estate.groups), [*estate.users, *estate.groups]
    for store, mark in (
        (estate.group_eligibility_schedule_instances, "e"),
        (estate.group_assignment_schedule_instances, "a"),
    ):
        for number, group in enumerate(_names(draw, groups, size.group_instances), start=1):
            principal, end = draw.one(holders), draw.one(_ENDS)
            if principal == group:
                continue
            identity = f"{group}_{mark}{number}"
            store[identity] = {
                "id": identity,
                "groupId": group,
                "principalId": principal,
                "accessId": draw.one(("member", "member", "owner")),
                "memberType": "direct",
                "startDateTime": "2026-01-05T08:00:00Z",
                "endDateTime": end,
            }


def _add_resources(estate: Estate, draw: Draw, size: IdentitySize, workloads: Sequence[str]) -> None:
    groups = list(estate.resource_groups.values())
    attached: list[Raw] = []
    for number, group in enumerate(_some(draw, groups, size.identities if workloads else 0), start=1):
        principal = draw.one(workloads)
        raw = _resource(group, "Microsoft.ManagedIdentity/userAssignedIdentities", f"id-{number}")
        client = estate.service_principals[principal]["appId"]
        raw["properties"] = {"tenantId": estate.home_tenant, "principalId": principal, "clientId": client}
        estate.other_resources[fold(raw["id"])] = raw
        attached.append(raw)
        if draw.chance(0.5):
            properties = {"issuer": "https://oidc.contoso.example/", "subject": f"system:serviceaccount:app:{number}"}
            key = f"{raw['id']}/federatedIdentityCredentials/cluster"
            credential: Raw = {"id": key, "name": "cluster", "properties": properties | {"audiences": ["api://x"]}}
            estate.identity_federated_credentials[fold(raw["id"])] = [credential]
    for number, group in enumerate(_some(draw, groups, size.resources), start=1):
        raw = _resource(group, draw.one(_TYPES), f"resource-{number}")
        raw["properties"] = {"provisioningState": "Succeeded"}
        identity = _identity(estate, draw, attached, workloads)
        if identity:
            raw["identity"] = identity
        estate.other_resources[fold(raw["id"])] = raw


def _resource(group: Raw, kind: str, name: str) -> Raw:
    return {"id": f"{group['id']}/providers/{kind}/{name}", "name": name, "type": kind, "location": "westeurope"}


def _identity(estate: Estate, draw: Draw, attached: Sequence[Raw], workloads: Sequence[str]) -> Raw | None:
    """What a resource runs as: nothing, a system-assigned identity, user-assigned ones, or both."""
    system = draw.one(workloads) if workloads and draw.chance(0.5) else None
    users = {draw.spelled(raw["id"]): dict(raw["properties"]) for raw in attached if draw.chance(0.4)}
    kinds = (["SystemAssigned"] if system else []) + (["UserAssigned"] if users else [])
    if not kinds:
        return None
    found: Raw = {"type": ", ".join(kinds)}
    if system:
        found |= {"principalId": system, "tenantId": estate.home_tenant}
    return found | ({"userAssignedIdentities": users} if users else {})


def _add_directory_roles(estate: Estate, draw: Draw, size: IdentitySize, people: Sequence[str]) -> None:
    estate.directory_role_definitions |= directory_roles()
    for number, principal in enumerate(_names(draw, people, size.directory_roles), start=1):
        role = draw.one(list(DIRECTORY_ROLES.values()))
        scope = draw.one(("/", "/", "/administrativeUnits/99999999-9999-9999-9999-000000000009"))
        raw: Raw = {
            "id": f"role-{number}",
            "roleDefinitionId": role,
            "principalId": principal,
            "directoryScopeId": scope,
        }
        if draw.chance(0.5):
            estate.directory_role_assignments[raw["id"]] = raw
        else:
            times = {"startDateTime": "2026-01-05T08:00:00Z", "endDateTime": draw.one(_ENDS)}
            estate.directory_role_eligibility_schedule_instances[raw["id"]] = raw | times


def _add_permissions(estate: Estate, draw: Draw, size: IdentitySize, workloads: Sequence[str]) -> None:
    for number, workload in enumerate(_names(draw, workloads, size.permissions), start=1):
        role = APP_ROLES[draw.one(_TAKING)]
        raw: Raw = {"id": f"permission-{number}", "principalId": workload, "resourceId": _GRAPH, "appRoleId": role}
        estate.app_role_assignments[raw["id"]] = raw
    for number, workload in enumerate(_names(draw, workloads, size.consents), start=1):
        who = draw.one((None, *estate.users)) if estate.users else None
        grant: Raw = {"id": f"consent-{number}", "clientId": workload, "resourceId": _KEY_VAULT, "principalId": who}
        grant |= {"consentType": "Principal" if who else "AllPrincipals", "scope": "user_impersonation"}
        estate.oauth2_permission_grants[grant["id"]] = grant


def _add_delegations(estate: Estate, draw: Draw, size: IdentitySize, tenant: str) -> None:
    places = [*estate.subscriptions.values(), *estate.resource_groups.values()]
    for number, place in enumerate(_some(draw, places, size.delegations), start=1):
        base = f"{place['id']}/providers/Microsoft.ManagedServices"
        name = f"d1d1d1d1-d1d1-4d1d-8d1d-{number:012}"
        lines: list[Raw] = [
            {"principalId": f"99999999-9999-9999-9999-{number:06}{index:06}", "roleDefinitionId": draw.one(BUILT_IN)}
            for index in range(2)
        ]
        told: Raw = {"registrationDefinitionName": f"Offer {number}", "managedByTenantId": tenant}
        told |= {"authorizations": lines[:1], "eligibleAuthorizations": lines[1:] if draw.chance(0.5) else []}
        definition = {"id": f"{base}/registrationDefinitions/{name}", "name": name, "properties": told}
        key = f"{base}/registrationAssignments/{name}"
        properties = {"registrationDefinitionId": definition["id"], "registrationDefinition": definition}
        kind = "Microsoft.ManagedServices/registrationAssignments"
        estate.delegations[fold(key)] = {"id": key, "name": name, "type": kind, "properties": properties}
