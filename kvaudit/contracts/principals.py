"""Which principal a text means: an object ID, an application ID, a name, or the resource ID of a managed identity."""

import re
from collections.abc import Iterable, Mapping

from kvaudit.model import scopes
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PrincipalNames:
    """The names of every principal of an estate, looked up without case.

    Args:
        estate: the records.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._tables: dict[str, Mapping[str, tuple[str, ...]]] = {}

    def meant_by(self, text: str, kind: str | None = None) -> tuple[str, ...]:
        """The folded object IDs of every principal that a text may mean, sorted; empty when none.

        Args:
            text: in any case.
            kind: `object_id`, `app_id`, `display_name`, `user_principal_name` or `resource_id`; any of them when None.
        """
        wanted = text.strip().casefold()
        if kind in (None, "object_id") and wanted in self._estate.principals:
            return (wanted,)
        kinds = [kind] if kind else ["app_id", "display_name", "user_principal_name", "resource_id"]
        found = {item for name in kinds if name != "object_id" for item in self._found(name, wanted)}
        if not found and kind in (None, "object_id") and _GUID.fullmatch(wanted):
            return (wanted,)
        # A registration and its service principal share the application ID; grants to a registration are worth nothing.
        able = {item for item in found if self._estate.principal(item).type != "Application"}
        return tuple(sorted(able or found))

    def _found(self, kind: str, wanted: str) -> tuple[str, ...]:
        if kind == "resource_id":
            wanted = wanted.rstrip("/")
        return self._table(kind).get(wanted, ())

    def _table(self, kind: str) -> Mapping[str, tuple[str, ...]]:
        if kind not in self._tables:
            self._tables[kind] = _by_name(self._named(kind))
        return self._tables[kind]

    def _named(self, kind: str) -> Iterable[tuple[str, str]]:
        principals = self._estate.principals.values()
        if kind == "app_id":
            return self._applications(principals)
        if kind == "display_name":
            return ((item.display_name, item.id) for item in principals if item.display_name)
        if kind == "user_principal_name":
            return ((item.user_principal_name, item.id) for item in principals if item.user_principal_name)
        return self._resources(principals)

    def _applications(self, principals: Iterable[Principal]) -> Iterable[tuple[str, str]]:
        """Application IDs; of a user-assigned identity also the client ID that its resource tells."""
        for item in principals:
            if item.app_id:
                yield item.app_id, item.id
        for identity in self._estate.user_assigned_identities:
            if identity.client_id and identity.principal_id:
                yield identity.client_id, identity.principal_id

    def _resources(self, principals: Iterable[Principal]) -> Iterable[tuple[str, str]]:
        """Managed identities by the resource that they are, or that runs as them."""
        for item in principals:
            for name in item.alternative_names:
                if name.startswith("/"):
                    yield scopes.fold(name), item.id
        for identity in self._estate.user_assigned_identities:
            if identity.principal_id:
                yield identity.resource_id, identity.principal_id
        for resource in self._estate.resource_identities:
            for principal_id in (resource.principal_id, *resource.user_assigned_principals):
                if principal_id:
                    yield resource.resource_id, principal_id


def _by_name(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, set[str]] = {}
    for name, principal_id in pairs:
        table.setdefault(name.casefold(), set()).add(principal_id)
    return {name: tuple(sorted(ids)) for name, ids in table.items()}
