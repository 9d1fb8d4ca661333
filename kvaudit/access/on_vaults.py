"""The role assignments that stand on vaults or on objects in them, without making a record of each."""

from collections.abc import Callable, Sequence
from functools import cached_property

from kvaudit.access.roles import RolePower
from kvaudit.model import scopes
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.vaults import Vault


class OnVaults:
    """Assignments by the vault on which they stand.

    Args:
        columns: every assignment.
        among: the places of those principals of the columns that may be strays.
        is_stray: whether a principal (folded ID) is not simply there in the directory.
        power: what a role (folded GUID) holds.
    """

    def __init__(
        self,
        columns: RoleAssignments,
        among: Sequence[int],
        is_stray: Callable[[str], bool],
        power: Callable[[str], RolePower],
    ) -> None:
        self._columns = columns
        self._among = among
        self._is_stray = is_stray
        self._power = power

    def strays(self, vault: Vault) -> Sequence[RoleAssignment]:
        """The assignments on a vault, or on an object in it, whose principal is not simply there in the directory."""
        strays, columns = self._strays, self._columns
        if not strays:
            return ()
        named = columns.columns.principals
        rows = [row for scope in self._scopes(vault) for row in columns.rows_at(scope) if named[row] in strays]
        return [columns.record(row) for row in rows]

    def roles(self, vault: Vault) -> Sequence[RolePower]:
        """What the role of each assignment on a vault, or on an object in it, holds."""
        powers, named = self._powers, self._columns.columns.powers
        return [powers[named[row]] for scope in self._scopes(vault) for row in self._columns.rows_at(scope)]

    @cached_property
    def _powers(self) -> list[RolePower]:
        return [self._power(role) for role, _ in self._columns.values.powers]

    @cached_property
    def _strays(self) -> frozenset[int]:
        """The principals of the columns that are not simply there in the directory."""
        names = self._columns.values.principals
        return frozenset(place for place in self._among if self._is_stray(names[place]))

    def _scopes(self, vault: Vault) -> Sequence[str]:
        """The vault's own scope where records stand at it, and those in it."""
        scope = vault.scope
        own = (scope,) if scope in self._columns.starts else ()
        return (*own, *self._scopes_in[scope]) if scope in self._scopes_in else own

    @cached_property
    def _scopes_in(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for scope in self._columns.starts:
            vault = scopes.vault_of(scope) if scope.count("/") > scopes.SLASHES_IN_VAULT else None
            if vault is not None:
                table.setdefault(vault, []).append(scope)
        return table
