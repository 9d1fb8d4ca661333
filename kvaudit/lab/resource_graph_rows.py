"""The rows of Azure Resource Graph that one caller sees: types in lower case, ids as they are, no row it may not read."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.evaluator import decide_control
from kvaudit.lab.http import Caller
from kvaudit.lab.records import scopes_over
from kvaudit.lab.world import World

_GROUP_PREFIX = "/providers/microsoft.management/managementgroups/"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query asks about.

    Attributes:
        subscriptions: folded ids of the subscriptions the caller sees within the request.
        groups: folded names of the management groups of the request.
        authorization: value of `authorizationScopeFilter`, casefolded.
    """

    subscriptions: tuple[str, ...]
    groups: tuple[str, ...]
    authorization: str


class Reader:
    """The read permissions of one caller, remembered for one query."""

    def __init__(self, world: World, caller: Caller) -> None:
        self._world = world
        self._caller = caller
        self._known: dict[tuple[str, str], bool] = {}

    def may(self, action: str, scope: str) -> bool:
        """Whether the caller may do this action on the scope.

        Without deny assignments a grant on the subscription settles everything below it, which is asked once.
        """
        parts = scope.split("/")
        below = len(parts) > 3 and parts[1] == "subscriptions" and not self._world.estate.deny_assignments
        if below and self.may(action, "/".join(parts[:3])):
            return True
        if (action, scope) not in self._known:
            self._known[action, scope] = decide_control(self._world, self._caller, action, scope).allowed
        return self._known[action, scope]


def rows(world: World, caller: Caller, table: str, scope: Scope) -> Iterator[Raw]:
    """The rows of a table."""
    reader = Reader(world, caller)
    if table == "resources":
        yield from _resources(world, reader, scope)
    elif table == "resourcecontainers":
        yield from _containers(world, reader, scope)
    elif table == "authorizationresources":
        yield from _assignments(world, reader, scope)
        yield from _definitions(world, reader)
        yield from _classic_administrators(world, reader, scope)
    elif table == "managedserviceresources":
        yield from _delegations(world, reader, scope)


def _resources(world: World, reader: Reader, scope: Scope) -> Iterator[Raw]:
    wanted = set(scope.subscriptions)
    for store in (world.estate.vaults, world.estate.other_resources):
        for key, raw in store.items():
            parts = key.split("/")
            kind = str(raw.get("type") or "Microsoft.KeyVault/vaults")
            if len(parts) > 2 and parts[2] in wanted and reader.may(f"{kind}/read", key):
                yield _resource(world, raw, kind, parts)


def _resource(world: World, raw: Raw, kind: str, parts: list[str]) -> Raw:
    subscription = world.estate.subscriptions.get(parts[2], {})
    return {
        "id": raw["id"],
        "name": raw.get("name"),
        "type": kind.casefold(),
        "tenantId": subscription.get("tenantId") or world.estate.home_tenant,
        "kind": raw.get("kind") or "",
        "location": raw.get("location"),
        "resourceGroup": parts[4] if len(parts) > 4 else "",
        "subscriptionId": parts[2],
        "managedBy": raw.get("managedBy") or "",
        "sku": raw.get("sku"),
        "plan": None,
        "properties": raw.get("properties") or {},
        "tags": raw.get("tags"),
        "identity": raw.get("identity"),
        "zones": None,
        "extendedLocation": None,
    }


def _containers(world: World, reader: Reader, scope: Scope) -> Iterator[Raw]:
    for key in scope.subscriptions:
        if reader.may("Microsoft.Resources/subscriptions/read", f"/subscriptions/{key}"):
            yield _subscription(world, key)
    for key, raw in world.estate.resource_groups.items():
        parts = key.split("/")
        if parts[2] in scope.subscriptions and reader.may("Microsoft.Resources/subscriptions/resourceGroups/read", key):
            yield _container(world, raw, "microsoft.resources/subscriptions/resourcegroups", parts[2]) | {
                "resourceGroup": parts[4]
            }
    for key in _groups_in(world, scope):
        if reader.may("Microsoft.Management/managementGroups/read", _GROUP_PREFIX + key):
            yield _management_group(world, key)


def _subscription(world: World, key: str) -> Raw:
    raw = world.estate.subscriptions[key]
    chain = _ancestors(world, world.estate.subscription_parent.get(key))
    properties = {
        "state": raw.get("state", "Enabled"),
        "subscriptionPolicies": raw.get("subscriptionPolicies"),
        "managementGroupAncestorsChain": [
            {"name": group["name"], "displayName": group["displayName"]} for group in chain
        ],
    }
    shown = _container(world, raw, "microsoft.resources/subscriptions", key)
    return shown | {"name": raw.get("displayName"), "properties": properties}


def _management_group(world: World, key: str) -> Raw:
    raw = world.estate.management_groups[key]
    chain = _ancestors(world, fold(raw["parent"]) if raw.get("parent") else None)
    details: Raw = {
        "managementGroupAncestors": [group["name"] for group in chain],
        "managementGroupAncestorsChain": [
            {"name": group["name"], "displayName": group["displayName"]} for group in chain
        ],
    }
    if chain:
        details["parent"] = {name: chain[0][name] for name in ("id", "name", "displayName")}
    tenant = raw.get("tenantId") or world.estate.home_tenant
    shown = _container(world, raw, "microsoft.management/managementgroups", "")
    return shown | {"properties": {"displayName": raw["displayName"], "tenantId": tenant, "details": details}}


def _container(world: World, raw: Raw, kind: str, subscription: str) -> Raw:
    tenant = raw.get("tenantId") or world.estate.subscriptions.get(subscription, {}).get("tenantId")
    return {
        "id": raw["id"],
        "name": raw.get("name"),
        "type": kind,
        "tenantId": tenant or world.estate.home_tenant,
        "location": raw.get("location") or "",
        "resourceGroup": "",
        "subscriptionId": subscription,
        "properties": raw.get("properties") or {},
        "tags": raw.get("tags"),
    }


def _ancestors(world: World, name: str | None) -> list[Raw]:
    """Management groups from the nearest to the root."""
    chain: list[Raw] = []
    while name is not None and name in world.estate.management_groups:
        raw = world.estate.management_groups[name]
        if raw in chain:
            break
        chain.append(raw)
        name = fold(raw["parent"]) if raw.get("parent") else None
    return chain


def _groups_in(world: World, scope: Scope) -> list[str]:
    """Management groups within the request: those named and below them, or all for a tenant-wide request."""
    if not scope.groups:
        return list(world.estate.management_groups)
    wanted = {_GROUP_PREFIX + name for name in scope.groups}
    return [key for key in world.estate.management_groups if wanted & set(scopes_over(world, _GROUP_PREFIX + key))]


def _assignments(world: World, reader: Reader, scope: Scope) -> Iterator[Raw]:
    bases = [f"/subscriptions/{key}" for key in scope.subscriptions]
    roots = [_GROUP_PREFIX + name for name in scope.groups] or bases
    below = set(bases) | {_GROUP_PREFIX + key for key in (_groups_in(world, scope) if scope.groups else ())}
    above = {over for root in roots for over in scopes_over(world, root)} - set(roots)
    action = "Microsoft.Authorization/roleAssignments/read"
    inherits = any(reader.may(action, base) for base in bases)
    for raw in world.estate.role_assignments.values():
        at = fold(raw["properties"]["scope"])
        if not _selected(at, scope.authorization, set(roots), below, above):
            continue
        if _is_object_scope(at) and not world.resource_graph_has_object_scopes:
            continue
        # What lies above is inherited: whoever may read assignments below sees it, as in a listing by Resource Manager.
        if reader.may(action, at) or (at in above and inherits):
            yield _authorization(world, _shown(world, raw), "microsoft.authorization/roleassignments", at)


def _shown(world: World, raw: Raw) -> Raw:
    """An assignment as Resource Graph has it: without its description (Azure/enterprise-azure-policy-as-code 1126)."""
    hidden = {"description"} | (set() if world.resource_graph_has_conditions else {"condition", "conditionVersion"})
    return raw | {"properties": {name: value for name, value in raw["properties"].items() if name not in hidden}}


def _selected(at: str, wanted: str, roots: set[str], below: set[str], above: set[str]) -> bool:
    exact, higher = at in roots, at in above
    lower = not exact and (at in below or "/".join(at.split("/")[:3]) in below)
    if wanted == "atscopeexact":
        return exact
    if wanted == "atscopeandabove":
        return exact or higher
    if wanted == "atscopeaboveandbelow":
        return exact or higher or lower
    return exact or lower


def _is_object_scope(at: str) -> bool:
    """Whether a scope lies below a vault.

    Whether Resource Graph lists such assignments is not established (facts azure.md 2.6). The lab leaves them out unless
    told otherwise: a client that takes Resource Graph for complete is found out here rather than in a real tenant.
    """
    parts = at.split("/")
    return len(parts) > 9 and parts[7] == "vaults"


def _definitions(world: World, reader: Reader) -> Iterator[Raw]:
    """Role definitions: built-in ones for everybody, custom ones for who may read them where they can be assigned."""
    for raw in world.estate.role_definitions.values():
        properties = raw["properties"]
        scopes = [fold(scope) for scope in properties.get("assignableScopes") or ["/"]]
        action = "Microsoft.Authorization/roleDefinitions/read"
        if scopes == ["/"] or any(reader.may(action, scope) for scope in scopes):
            yield _authorization(world, raw, "microsoft.authorization/roledefinitions", "/")


def _classic_administrators(world: World, reader: Reader, scope: Scope) -> Iterator[Raw]:
    for key in scope.subscriptions:
        base = f"/subscriptions/{key}"
        if reader.may("Microsoft.Authorization/classicAdministrators/read", base):
            for raw in world.estate.classic_administrators.get(key, ()):
                yield _authorization(world, raw, "microsoft.authorization/classicadministrators", base)


def _delegations(world: World, reader: Reader, scope: Scope) -> Iterator[Raw]:
    """Registration assignments, which name their definition, and the definitions, which say who gets what."""
    for key, raw in world.estate.delegations.items():
        at = key.rpartition("/providers/microsoft.managedservices/")[0]
        if at.split("/")[2] not in scope.subscriptions:
            continue
        definition = raw["properties"].get("registrationDefinition") or {}
        plain = {name: value for name, value in raw["properties"].items() if name != "registrationDefinition"}
        if reader.may("Microsoft.ManagedServices/registrationAssignments/read", at):
            yield _authorization(
                world, raw | {"properties": plain}, "microsoft.managedservices/registrationassignments", at
            )
        if definition.get("id") and reader.may("Microsoft.ManagedServices/registrationDefinitions/read", at):
            yield _authorization(world, definition, "microsoft.managedservices/registrationdefinitions", at)


def _authorization(world: World, raw: Raw, kind: str, at: str) -> Raw:
    parts = at.split("/")
    return {
        "id": raw["id"],
        "name": raw.get("name") or str(uuid.UUID(int=0)),
        "type": kind,
        "tenantId": world.estate.home_tenant,
        "kind": "",
        "location": "global",
        "resourceGroup": parts[4] if len(parts) > 4 and parts[1] == "subscriptions" else "",
        "subscriptionId": parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else "",
        "properties": raw["properties"],
    }
