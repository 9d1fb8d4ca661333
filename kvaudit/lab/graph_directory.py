"""The directory as one caller sees it: objects by id, members, groups of an object, and what is hidden from it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kvaudit.lab.estate import fold
from kvaudit.lab.graph_app_roles import APP_ROLES, GRAPH_APP_ID
from kvaudit.lab.graph_permissions import (
    APPLICATION,
    DEVICE,
    DIRECTORY_WIDE,
    GROUP,
    HIDDEN_MEMBERSHIP,
    READERS,
    SERVICE_PRINCIPAL,
    USER,
    limited,
)
from kvaudit.lab.http import Caller
from kvaudit.lab.world import World

Raw = Mapping[str, Any]


class Directory:
    """One tenant's directory through one caller's permissions.

    Built for each request: it holds nothing but references, so that a write to the estate shows at once.
    """

    def __init__(self, world: World, caller: Caller) -> None:
        self._estate = world.estate
        self._world = world
        self._tenant = caller.tenant_id.casefold()
        self.permissions = permissions_of(world, caller)

    def allows(self, any_of: frozenset[str]) -> bool:
        """Whether the caller holds one of these app permissions."""
        return not self.permissions.isdisjoint(any_of)

    def collection(self, object_type: str) -> list[Raw]:
        """Every object of a type in the caller's tenant, in the order of the estate."""
        return [raw for key, raw in self._store(object_type).items() if self._here(key)]

    def _here(self, key: str) -> bool:
        # A token opens the directory of its own tenant; a foreign group or an object of the second tenant is a 404.
        return self._estate.tenant_of(key).casefold() == self._tenant

    def _store(self, object_type: str) -> Mapping[str, Raw]:
        estate = self._estate
        stores: Mapping[str, Mapping[str, Raw]] = {
            USER: estate.users,
            GROUP: estate.groups,
            SERVICE_PRINCIPAL: estate.service_principals,
            APPLICATION: estate.applications,
            DEVICE: estate.devices,
        }
        return stores[object_type]

    def find(self, object_id: str) -> tuple[str, Raw] | None:
        """Type and raw object of an id; None when the directory has no such object."""
        for object_type in READERS:
            raw = self.get(object_type, object_id)
            if raw is not None:
                return object_type, raw
        return None

    def get(self, object_type: str, object_id: str) -> Raw | None:
        """An object of one type by its id."""
        key = fold(object_id)
        raw = self._store(object_type).get(key)
        return raw if raw is not None and self._here(key) else None

    def by_app_id(self, object_type: str, app_id: str) -> Raw | None:
        """A service principal or application by its application id (the alternate key of Graph)."""
        wanted = app_id.casefold()
        return next((raw for raw in self.collection(object_type) if str(raw.get("appId")).casefold() == wanted), None)

    def deleted(self, object_id: str) -> tuple[str, Raw] | None:
        """Type and raw object of a soft-deleted directory object."""
        raw = self._estate.deleted_directory_objects.get(fold(object_id))
        return None if raw is None else (deleted_type(raw), raw)

    def all_deleted(self, object_type: str) -> list[Raw]:
        """The soft-deleted objects of a type."""
        return [raw for raw in self._estate.deleted_directory_objects.values() if deleted_type(raw) == object_type]

    def shown(self, object_type: str, raw: Raw) -> dict[str, Any]:
        """An object inside a collection of mixed types: whole, or id and null fields for a type it may not read."""
        if not self.allows(READERS[object_type]):
            return limited(object_type, raw)
        return {"@odata.type": object_type} | dict(raw)

    def members_readable(self, group: Raw) -> bool:
        """Whether the caller may list this group's members.

        Graph's documents ask Member.Read.Hidden for groups with hidden membership but do not say how the refusal
        looks; a 403 is chosen because it is the answer that cannot be mistaken for an empty group.
        """
        return self._world.hidden_groups_look_empty or self._sees_members(group)

    def _sees_members(self, group: Raw) -> bool:
        return not self._hidden(group) or HIDDEN_MEMBERSHIP in self.permissions

    def _hidden(self, group: Raw) -> bool:
        return group.get("visibility") == "HiddenMembership" or fold(str(group["id"])) in self._estate.hidden_members

    def members(self, group_id: str) -> Iterator[tuple[str, Raw]]:
        """Type and raw object of each direct member that still exists."""
        group = self.get(GROUP, group_id)
        if group is None or self._sees_members(group):
            yield from self._existing(self._world.members_of(group_id))

    def owners(self, object_id: str) -> Iterator[tuple[str, Raw]]:
        """Type and raw object of each owner that still exists."""
        yield from self._existing(self._world.owners_of(object_id))

    def transitive_members(self, group_id: str) -> Iterator[tuple[str, Raw]]:
        """Members through nested groups, each once; the group itself is not its own member even in a cycle."""
        seen = {fold(group_id)}
        queue = [group_id]
        for group in queue:  # the list grows while it is walked: breadth first
            for object_type, raw in self.members(group):
                key = str(raw["id"]).casefold()
                if key in seen:
                    continue
                seen.add(key)
                if object_type == GROUP:
                    queue.append(key)
                yield object_type, raw

    def groups_of(self, object_id: str, *, transitive: bool) -> list[Raw]:
        """The groups that hold an object and whose membership the caller may see.

        Groups with hidden membership are left out without Member.Read.Hidden: checkMemberGroups is documented to
        answer with the readable groups only, and memberOf is taken to do the same.
        """
        wanted = fold(object_id)
        ids = self._world.groups_of(object_id)
        if not transitive:
            ids = frozenset(group for group in ids if wanted in self._world.members_of(group))
        found = [self._estate.groups[group] for group in sorted(ids) if group in self._estate.groups]
        return [raw for raw in found if not self._hidden(raw) or HIDDEN_MEMBERSHIP in self.permissions]

    def _existing(self, ids: Iterable[str]) -> Iterator[tuple[str, Raw]]:
        for object_id in ids:
            found = self.find(object_id)
            if found is not None:
                yield found


def permissions_of(world: World, caller: Caller) -> frozenset[str]:
    """The caller's app permissions; a member user has what every member user has by default.

    Source for users: learn.microsoft.com/entra/fundamentals/users-default-permissions (members read users, groups
    and applications; guests do not).
    """
    key = fold(caller.object_id)
    assigned = world.derive("app permissions", lambda: _assigned_permissions(world), world.estate.app_role_assignments)
    granted = world.estate.graph_permissions.get(key, frozenset[str]()) | assigned.get(key, frozenset())
    user = world.estate.users.get(key)
    if user is not None and user.get("userType", "Member") == "Member":
        return granted | DIRECTORY_WIDE
    return granted


def _assigned_permissions(world: World) -> dict[str, frozenset[str]]:
    """Permissions by folded principal id, from app role assignments on Microsoft Graph's service principal."""
    estate = world.estate
    names = {identity: name for name, identity in APP_ROLES.items()}
    graph = {key for key, raw in estate.service_principals.items() if fold(str(raw.get("appId"))) == GRAPH_APP_ID}
    found: dict[str, frozenset[str]] = {}
    for raw in estate.app_role_assignments.values():
        name = names.get(fold(str(raw.get("appRoleId"))))
        if name is not None and fold(raw["resourceId"]) in graph:
            who = fold(raw["principalId"])
            found[who] = found.get(who, frozenset()) | {name}
    return found


def deleted_type(raw: Raw) -> str:
    """The type of a soft-deleted object: its annotation, or what its properties say."""
    declared = raw.get("@odata.type")
    if isinstance(declared, str) and declared in READERS:
        return declared
    if "servicePrincipalType" in raw:
        return SERVICE_PRINCIPAL
    if "userPrincipalName" in raw:
        return USER
    return APPLICATION if "appId" in raw else GROUP
