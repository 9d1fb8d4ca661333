"""Everybody who is in a group for certain, as sets of numbers: what `Directory.chains_down` tells, without the chains.

A group of a hundred thousand members takes some kilobytes, and a vault that a dozen of them can read costs a dozen unions.
"""

from functools import cached_property

from pyroaring import BitMap

from kvaudit.access.directory import Directory
from kvaudit.access.numbering import Numbers
from kvaudit.model.directory import PrincipalState
from kvaudit.model.estate import Estate


class MemberSets:
    """Members of groups, through groups in groups. What PIM for Groups says is not looked at: see `are_whole`.

    Args:
        estate: the memberships.
        directory: tells who is no group, who is deleted, and which groups stand below which.
        numbers: what sets are made of; the first are those of `Memberships.names`.
    """

    def __init__(self, estate: Estate, directory: Directory, numbers: Numbers) -> None:
        self._estate = estate
        self._directory = directory
        self._numbers = numbers
        self._everyone: dict[int, BitMap] = {}
        self._direct: dict[str, BitMap] = {}

    @property
    def are_whole(self) -> bool:
        """Whether memberships alone tell who is in a group: no schedule instance of PIM for Groups says otherwise."""
        return not self._estate.group_schedule_instances

    @cached_property
    def groups(self) -> BitMap:
        """The groups that have members."""
        columns = self._estate.membership_columns
        asked = {group for groups in self._estate.member_of.values() for group in groups}
        return BitMap(columns.groups) | self._numbers.set_of(asked)

    @cached_property
    def users(self) -> BitMap:
        """The users among the members of groups."""
        names = self._estate.membership_columns.names
        return BitMap([number for number, name in enumerate(names) if self._directory.type_of(name) == "User"])

    @cached_property
    def _registrations(self) -> BitMap:
        """Application registrations: they are in no group, whatever a list says."""
        names = self._estate.membership_columns.names
        return BitMap([number for number, name in enumerate(names) if self._directory.type_of(name) == "Application"])

    @cached_property
    def _asked(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for principal_id, groups in self._estate.member_of.items():
            for group in groups:
                table.setdefault(group, []).append(principal_id)
        return table

    def everyone_in(self, groups: BitMap) -> BitMap:
        """Everybody who is in any of some groups. Numbers that are no group count as an empty one."""
        found = [self._everyone_below(number) for number in groups & self.groups]
        return BitMap.union(*found) if found else BitMap()

    def _everyone_below(self, number: int) -> BitMap:
        known = self._everyone.get(number)
        if known is None:
            group = self._numbers.ids[number]
            parts = [
                self._members(item) for item in (group, *self._directory.groups_below(group)) if self._is_live(item)
            ]
            known = BitMap.union(*parts) if parts else BitMap()
            known.discard(number)
            self._everyone[number] = known = known - self._registrations
        return known

    def _members(self, group: str) -> BitMap:
        if group not in self._direct:
            listed = BitMap(self._estate.membership_columns.numbers_in(group))
            self._direct[group] = listed | self._numbers.set_of(self._asked.get(group, ()))
        return self._direct[group]

    def _is_live(self, group: str) -> bool:
        return self._directory.principal(group).state is not PrincipalState.DELETED_RESTORABLE
