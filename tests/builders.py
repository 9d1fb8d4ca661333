"""Small estates for tests, in the words of the story: who holds what, where.

    anna = user("anna")
    readers = group("readers", anna)
    app = vault("kv-app")
    estate(app, readers, assignment("Key Vault Secrets User", readers, app))

Everything that is not said is healthy: a vault uses Azure RBAC, has purge protection and a closed network; every listing
was read to its end. IDs are fictional and follow from names: four hexadecimal digits, repeated.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from kvaudit.model.authorization import (
    DenyAssignment,
    DenyPrincipal,
    Permission,
    RoleAssignment,
    RoleDefinition,
    ScheduleInstance,
)
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.identities import (
    Application,
    ApplicationPermission,
    Delegation,
    DirectoryRoleAssignment,
    FederatedCredential,
    GroupScheduleInstance,
    Ownership,
    ResourceIdentity,
    UserAssignedIdentity,
)
from kvaudit.model.roles import builtin_roles
from kvaudit.model.scopes import MANAGEMENT_GROUP_PREFIX, fold
from kvaudit.model.vaults import (
    AccessPolicy,
    NetworkAcls,
    ObjectRef,
    PermissionModel,
    PermissionModelSource,
    Vault,
    VaultObject,
)

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "99999999-9999-9999-9999-999999999999"
SUBSCRIPTION_ID = "22222222-2222-2222-2222-222222222222"
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
RESOURCE_GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-app"

OPEN_NETWORK: dict[str, Any] = {"public_network_access": "Enabled", "network_acls": None}


def guid(name: str) -> str:
    """The fictional ID that follows from a name; a name that is an ID already stays."""
    if name.count("-") == 4 and len(name) == 36:
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:4]
    return "-".join(digits * length for length in (2, 1, 1, 1, 3))


def management_group(name: str) -> str:
    """The folded scope of a management group."""
    return f"{MANAGEMENT_GROUP_PREFIX}{name.casefold()}"


@dataclass(frozen=True)
class Group:
    """A group with its direct members."""

    principal: Principal
    members: tuple[Membership, ...]
    is_read: bool

    @property
    def id(self) -> str:
        return self.principal.id


Who = Principal | Group | str
Place = Vault | str


def _id(who: Who) -> str:
    return guid(who) if isinstance(who, str) else who.id


def _type(who: Who) -> str | None:
    if isinstance(who, Group):
        return "Group"
    return who.type if isinstance(who, Principal) else None


def _scope(place: Place) -> str:
    return place.scope if isinstance(place, Vault) else fold(place)


def vault(name: str = "kv-app", *policies: AccessPolicy, rbac: bool | None = None, **changes: Any) -> Vault:
    """A vault. It uses access policies when it is given any, else Azure RBAC; `rbac` says otherwise."""
    model = (
        PermissionModel.AZURE_RBAC if (rbac if rbac is not None else not policies) else PermissionModel.ACCESS_POLICIES
    )
    settings: dict[str, Any] = {
        "id": f"{RESOURCE_GROUP}/providers/Microsoft.KeyVault/vaults/{name}",
        "name": name,
        "location": "westeurope",
        "tenant_id": TENANT,
        "vault_uri": f"https://{name}.vault.azure.net/",
        "permission_model": model,
        "permission_model_source": PermissionModelSource.EXPLICIT,
        "access_policies": policies,
        "enable_soft_delete": True,
        "soft_delete_retention_in_days": 90,
        "enable_purge_protection": True,
        "public_network_access": "Disabled",
        "network_acls": NetworkAcls("AzureServices", "Deny"),
    }
    return Vault(**(settings | changes))


def unread_vault(name: str = "kv-app") -> Vault:
    """A vault of which only the ID is known."""
    return Vault(id=vault(name).id, name=name)


def policy(who: Who, *, tenant: str | None = TENANT, application: str | None = None, **kinds: str) -> AccessPolicy:
    """An access policy; permissions by kind as words: `policy(anna, secrets="get list", keys="all")`."""
    return AccessPolicy(tenant, _id(who), application, **{kind: tuple(words.split()) for kind, words in kinds.items()})


def user(name: str, **changes: Any) -> Principal:
    """A user of the tenant."""
    return _principal(name, "User", {"user_type": "Member", "account_enabled": True} | changes)


def guest(name: str, **changes: Any) -> Principal:
    """A guest user."""
    return user(name, user_type="Guest", **changes)


def workload(name: str, **changes: Any) -> Principal:
    """A managed identity."""
    return _principal(name, "ServicePrincipal", {"service_principal_type": "ManagedIdentity"} | changes)


def orphan(name: str) -> Principal:
    """A principal that the directory answered not to hold."""
    return Principal(guid(name), state=PrincipalState.NOT_FOUND)


def _principal(name: str, kind: str, changes: Mapping[str, Any]) -> Principal:
    return replace(Principal(guid(name), kind, display_name=name), **changes)


def group(name: str, *members: Who, is_read: bool = True, **changes: Any) -> Group:
    """A group with direct members; `is_read=False` when its member list could not be read."""
    principal = _principal(name, "Group", changes)
    return Group(principal, tuple(Membership(principal.id, _id(item), _type(item)) for item in members), is_read)


@cache
def builtin_guid(name: str) -> str:
    """The folded GUID of a built-in role."""
    return {item.role_name: guid for guid, item in builtin_roles().items()}[name]


def role(name: str, **changes: Any) -> RoleDefinition:
    """A custom role: `role("reader", data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",))`."""
    return RoleDefinition(
        id=f"/providers/Microsoft.Authorization/roleDefinitions/{guid(name)}",
        name=guid(name),
        role_name=name,
        role_type="CustomRole",
        permissions=(Permission(**changes),),
    )


def _role_guid(named: RoleDefinition | str) -> str:
    if isinstance(named, RoleDefinition):
        return named.name
    return named if named.count("-") == 4 and len(named) == 36 else builtin_guid(named)


def assignment(named: RoleDefinition | str, who: Who, at: Place = SUBSCRIPTION, **changes: Any) -> RoleAssignment:
    """A role assignment: a role by name (built-in), definition or ID, to somebody, at a vault or a scope."""
    settings = _assigned("roleAssignments", named, who, at)
    return RoleAssignment(**(settings | {"listed_from": frozenset({SUBSCRIPTION})} | changes))


def eligible(named: RoleDefinition | str, who: Who, at: Place = SUBSCRIPTION, **changes: Any) -> ScheduleInstance:
    """An eligible role assignment of PIM."""
    settings = _assigned("roleEligibilityScheduleInstances", named, who, at)
    defaults = {"eligible": True, "member_type": "Direct", "listed_from": frozenset({SUBSCRIPTION})}
    return ScheduleInstance(**(settings | defaults | changes))


def _assigned(kind: str, named: RoleDefinition | str, who: Who, at: Place) -> dict[str, Any]:
    scope, guid_of_role = _scope(at), _role_guid(named)
    above = "" if scope == "/" else scope
    return {
        "id": f"{above}/providers/Microsoft.Authorization/{kind}/{guid(f'{kind} {scope} {guid_of_role} {_id(who)}')}",
        "scope": scope,
        "role": guid_of_role,
        "principal_id": _id(who),
        "principal_type": _type(who),
    }


def deny(who: Who, at: Place, *, effect: str | None = "enforced", **permission: Any) -> DenyAssignment:
    """A deny assignment on actions or data actions for one principal."""
    name = guid(f"deny {_scope(at)} {_id(who)}")
    return DenyAssignment(
        id=f"{_scope(at)}/providers/Microsoft.Authorization/denyAssignments/{name}",
        name=name,
        scope=_scope(at),
        permissions=(Permission(**permission),),
        principals=(DenyPrincipal(_id(who), _type(who)),),
        effect=effect,
        listed_from=frozenset({SUBSCRIPTION}),
    )


def secret(place: Vault, name: str) -> VaultObject:
    """A secret of a vault, by name."""
    return VaultObject(place.scope, ObjectRef("secrets", name), enabled=True)


def gap(kind: str, at: Place = SUBSCRIPTION, **changes: Any) -> Gap:
    """Something that could not be read."""
    scope = at.id if isinstance(at, Vault) else at
    return replace(Gap(kind, scope, "the caller may not read it", status=403, code="AuthorizationFailed"), **changes)


Item = (
    Vault
    | Principal
    | Group
    | RoleDefinition
    | RoleAssignment
    | ScheduleInstance
    | DenyAssignment
    | VaultObject
    | HierarchyNode
    | Gap
    | Application
    | ApplicationPermission
    | Delegation
    | DirectoryRoleAssignment
    | FederatedCredential
    | GroupScheduleInstance
    | Ownership
    | ResourceIdentity
    | UserAssignedIdentity
)

_FIELDS: dict[type, str] = {
    Vault: "vaults",
    RoleAssignment: "role_assignments",
    ScheduleInstance: "schedule_instances",
    DenyAssignment: "deny_assignments",
    VaultObject: "objects",
    HierarchyNode: "hierarchy",
    Gap: "gaps",
    Application: "applications",
    ApplicationPermission: "application_permissions",
    Delegation: "delegations",
    DirectoryRoleAssignment: "directory_roles",
    FederatedCredential: "federated_credentials",
    GroupScheduleInstance: "group_schedule_instances",
    Ownership: "ownerships",
    ResourceIdentity: "resource_identities",
    UserAssignedIdentity: "user_assigned_identities",
}


def estate(*items: Item, **changes: Any) -> Estate:
    """An estate of one subscription from records of any kind; what no gap names was read to its end."""
    fields: dict[str, list[Any]] = {name: [] for name in _FIELDS.values()}
    principals: dict[str, Principal] = {}
    groups = [item for item in items if isinstance(item, Group)]
    for item in items:
        if type(item) in _FIELDS:
            fields[_FIELDS[type(item)]].append(item)
        elif isinstance(item, Principal):
            principals[item.id] = item
    principals |= {item.id: item.principal for item in groups}
    settings: dict[str, Any] = {
        "tenant_id": TENANT,
        "collected_at": "2026-11-24T06:00:00Z",
        "subscriptions": (Subscription(SUBSCRIPTION_ID, "Applications", TENANT, "Enabled"),),
        "role_definitions": {item.name: item for item in items if isinstance(item, RoleDefinition)},
        "principals": principals,
        "memberships": tuple(edge for item in groups for edge in item.members),
        "member_of": _asked(principals, groups),
        "listings": _listings(fields["gaps"], groups),
    }
    return Estate(**({name: tuple(values) for name, values in fields.items()} | settings | changes))


def _asked(principals: Mapping[str, Principal], groups: Iterable[Group]) -> dict[str, tuple[str, ...]]:
    """Service principals asked for their groups: the list of a group's members leaves them out in Graph v1.0."""
    above: dict[str, set[str]] = {}
    for item in groups:
        for edge in item.members:
            above.setdefault(edge.member, set()).add(edge.group)

    def climb(member: str, found: set[str]) -> set[str]:
        for parent in above.get(member, set()) - found:
            found.add(parent)
            climb(parent, found)
        return found

    return {
        item.id: tuple(sorted(climb(item.id, set()))) for item in principals.values() if item.type == "ServicePrincipal"
    }


def _listings(gaps: Iterable[Gap], groups: Iterable[Group]) -> tuple[Listing, ...]:
    asked = [
        *((kind, SUBSCRIPTION) for kind in ("vaults", "role_assignments", "role_definitions", "deny_assignments")),
        *((f"role_{kind}_schedule_instances", SUBSCRIPTION) for kind in ("eligibility", "assignment")),
        ("service_principals", "servicePrincipals"),
        *(("group_members", f"groups/{item.id}") for item in groups if item.is_read),
    ]
    failed = {(item.kind, fold(item.scope)) for item in gaps}
    return tuple(Listing(kind, scope, 0) for kind, scope in asked if (kind, fold(scope)) not in failed)
