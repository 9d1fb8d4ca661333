"""Which records bear on a request: the scopes above a resource, the grants in effect now, the denies.

Only lookups; what the records mean is decided in `evaluator`. The tables are derived anew after every write.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.http import Caller
from kvaudit.lab.instants import runs
from kvaudit.lab.world import World


def scopes_over(world: World, scope: str) -> list[str]:
    """Every scope whose assignments reach a scope: the root, its management groups, and each step of its path."""
    scope = fold(scope)
    chain = ["/"]
    parts = scope.split("/")
    if scope.startswith("/providers/microsoft.management/managementgroups/"):
        return chain + [_group_scope(name) for name in _groups_above(world, parts[4])]
    if len(parts) > 2 and parts[1] == "subscriptions":
        parent = world.estate.subscription_parent.get(parts[2])
        chain += [_group_scope(name) for name in _groups_above(world, parent)]
        chain += ["/".join(parts[:length]) for length in range(3, len(parts) + 1)]
    return chain


def _group_scope(name: str) -> str:
    return f"/providers/microsoft.management/managementgroups/{name}"


def _groups_above(world: World, name: str | None) -> list[str]:
    chain: list[str] = []
    while name is not None and name not in chain:
        chain.append(name)
        parent = world.estate.management_groups.get(name, {}).get("parent")
        name = fold(parent) if parent else None
    return list(reversed(chain))


@dataclass(frozen=True, slots=True)
class Grant:
    """A role assignment, or an active schedule instance that no assignment in the store stands for.

    Attributes:
        key: folded id of the role assignment; None for an instance.
        scope, role, principal: folded.
        raw: the record.
        instances: the schedule instances that the assignment exists by; it ends with them. None for a standing one.
    """

    key: str | None
    scope: str
    role: str
    principal: str
    raw: Raw
    instances: tuple[Raw, ...] | None = None


def _grant(key: str | None, raw: Raw, instances: tuple[Raw, ...] | None) -> Grant:
    properties = raw["properties"]
    role = fold(str(properties["roleDefinitionId"])).rsplit("/", 1)[-1]
    return Grant(key, fold(properties["scope"]), role, fold(properties["principalId"]), raw, instances)


def _by_principal(world: World) -> dict[str, list[Grant]]:
    estate = world.estate
    upheld: dict[str, list[Raw]] = {}
    grants: list[Grant] = []
    for instance in estate.role_assignment_schedule_instances.values():
        origin = instance["properties"].get("originRoleAssignmentId")
        if origin and fold(origin) in estate.role_assignments:
            upheld.setdefault(fold(origin), []).append(instance)
        else:
            grants.append(_grant(None, instance, (instance,)))
    for key, assignment in estate.role_assignments.items():
        grants.append(_grant(key, assignment, tuple(upheld[key]) if key in upheld else None))
    table: dict[str, list[Grant]] = {}
    for grant in grants:
        table.setdefault(grant.principal, []).append(grant)
    return table


def standing_grants(world: World, ids: Iterable[str] | None = None) -> Iterator[Grant]:
    """Grants that exist now: no ended activations. What was just written counts at once, as it does in lists.

    Args:
        ids: folded object ids of the holders; None for everybody.
    """
    estate = world.estate
    table = world.derive(
        "grants", lambda: _by_principal(world), estate.role_assignments, estate.role_assignment_schedule_instances
    )
    now = world.now()
    for principal in table if ids is None else ids:
        for grant in table.get(principal, ()):
            if grant.instances is None or any(is_running(instance, now) for instance in grant.instances):
                yield grant


def effective_grants(world: World, ids: frozenset[str]) -> Iterator[Grant]:
    """Grants of these principals that take effect now: written long enough ago, or deleted not long enough ago."""
    now = world.now()
    for grant in standing_grants(world, ids):
        since = world.effective_from.get(grant.key) if grant.key else None
        if since is None or since <= now:
            yield grant
    for assignment, until in world.lingering:
        grant = _grant(None, assignment, None)
        if now < until and grant.principal in ids:
            yield grant


@dataclass(frozen=True, slots=True)
class DelegatedGrant:
    """A role that a principal of another tenant holds here through Azure Lighthouse.

    Attributes:
        assignment: id of the registration assignment.
        scope, role, principal: folded.
        assignable: folded GUIDs of roles that it may assign to managed identities.
    """

    assignment: str
    scope: str
    role: str
    principal: str
    assignable: frozenset[str]


def delegated_grants(world: World, caller: Caller) -> Iterator[DelegatedGrant]:
    """What the delegations to the caller's tenant give the caller now; just-in-time authorizations are not active."""
    ids = {fold(caller.object_id), *(fold(group) for group in caller.groups)}
    tenant = caller.tenant_id.casefold()
    for scope, definition, identity in _delegations(world):
        if str(definition.get("managedByTenantId")).casefold() != tenant:
            continue
        for authorization in definition.get("authorizations") or []:
            principal = fold(str(authorization.get("principalId")))
            if principal in ids:
                roles = authorization.get("delegatedRoleDefinitionIds") or []
                role = fold(str(authorization.get("roleDefinitionId"))).rsplit("/", 1)[-1]
                assignable = frozenset(fold(str(item)).rsplit("/", 1)[-1] for item in roles)
                yield DelegatedGrant(identity, scope, role, principal, assignable)


def delegates_to(world: World, tenant: str, subscription: str) -> bool:
    """Whether a subscription, or a resource group of it, is delegated to a tenant."""
    base = f"/subscriptions/{fold(subscription)}"
    return any(
        (scope == base or scope.startswith(base + "/"))
        and str(definition.get("managedByTenantId")).casefold() == tenant.casefold()
        for scope, definition, _ in _delegations(world)
    )


def _delegations(world: World) -> list[tuple[str, Raw, str]]:
    """Folded scope, properties of the definition, and id of every registration assignment."""

    def build() -> list[tuple[str, Raw, str]]:
        found = []
        for key, raw in world.estate.delegations.items():
            definition = (raw["properties"].get("registrationDefinition") or {}).get("properties") or {}
            found.append((key.rpartition("/providers/microsoft.managedservices/")[0], definition, str(raw["id"])))
        return found

    return world.derive("delegations", build, world.estate.delegations)


def is_running(instance: Raw, now: datetime) -> bool:
    """Whether a schedule instance of Resource Manager has begun and has not ended."""
    return runs(instance["properties"].get("startDateTime"), instance["properties"].get("endDateTime"), now)


@dataclass(frozen=True, slots=True)
class ByScope:
    """Records of one store by their folded scope.

    Attributes:
        at: folded scope to the folded ids of its records.
        scopes: the scopes, sorted.
    """

    at: Mapping[str, list[str]]
    scopes: list[str]

    def below(self, scope: str) -> Iterator[str]:
        """Scopes under a scope by path; management groups are no part of paths."""
        prefix = scope.rstrip("/") + "/"
        for index in range(bisect_left(self.scopes, prefix), len(self.scopes)):
            if not self.scopes[index].startswith(prefix):
                return
            if self.scopes[index] != scope:
                yield self.scopes[index]


def by_scope(world: World, name: str, store: Mapping[str, Raw]) -> ByScope:
    """The records of a store by scope.

    Args:
        name: of the store, under which the table is kept until the next write.
    """

    def build() -> ByScope:
        table: dict[str, list[str]] = {}
        for key, raw in store.items():
            table.setdefault(fold(raw["properties"]["scope"]), []).append(key)
        return ByScope(table, sorted(table))

    return world.derive(f"scopes of {name}", build, store)


def keys_below(world: World, name: str, store: Mapping[str, Raw], scope: str) -> Iterator[str]:
    """Folded ids of a store that lie under a scope by path, sorted.

    Args:
        name: of the store, under which the sorted ids are kept until the next write.
    """
    keys = world.derive(f"keys of {name}", lambda: sorted(store), store)
    prefix = fold(scope).rstrip("/") + "/"
    for index in range(bisect_left(keys, prefix), len(keys)):
        if not keys[index].startswith(prefix):
            return
        yield keys[index]
