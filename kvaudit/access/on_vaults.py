"""The role assignments that stand on vaults or on objects in them, without making a record of each."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

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
    """

    def __init__(self, columns: RoleAssignments, among: Sequence[int], is_stray: Callable[[str], bool]) -> None:
        self._columns = columns
        self._among = among
        self._is_stray = is_stray

    def strays(self, vault: Vault) -> Iterator[RoleAssignment]:
        """The assignments on a vault, or on an object in it, whose principal is not simply there in the directory."""
        strays, columns = self._strays, self._columns
        for scope in self._scopes(vault) if strays else ():
            for row in columns.rows_at(scope):
                if columns.columns.principals[row] in strays:
                    yield columns.record(row)

    def roles(self, vault: Vault) -> Iterator[str]:
        """The role of each assignment on a vault, or on an object in it."""
        columns = self._columns
        for scope in self._scopes(vault):
            for row in columns.rows_at(scope):
                yield columns.values.powers[columns.columns.powers[row]][0]

    @cached_property
    def _strays(self) -> frozenset[int]:
        """The principals of the columns that are not simply there in the directory."""
        names = self._columns.values.principals
        return frozenset(place for place in self._among if self._is_stray(names[place]))

    def _scopes(self, vault: Vault) -> Iterator[str]:
        scope = vault.scope
        if scope in self._columns.starts:
            yield scope
        yield from self._scopes_in.get(scope, ())

    @cached_property
    def _scopes_in(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for scope in self._columns.starts:
            vault = scopes.vault_of(scope) if scope.count("/") > scopes.SLASHES_IN_VAULT else None
            if vault is not None:
                table.setdefault(vault, []).append(scope)
        return table
