"""Everybody who is in a group for certain, as sets of numbers: what `Directory.chains_down` tells, without the chains.

A group of a hundred thousand members takes some kilobytes, and a vault that a dozen of them can read costs a dozen unions.
"""

from collections.abc import Callable, Iterable
from functools import cached_property

from pyroaring import BitMap

from kvaudit.access.directory import Directory
from kvaudit.access.numbering import Classes, Numbers
from kvaudit.access.verdicts import GROUPS_IN_A_TOKEN
from kvaudit.model.directory import PrincipalState
from kvaudit.model.edges import Memberships
from kvaudit.model.estate import Estate

_EMPTY = BitMap()


def numbered_first(memberships: Memberships) -> list[str]:
    """The IDs that get the first numbers: members by their places in `Memberships.pairs`, then groups that are in no group."""
    return list(dict.fromkeys((*(name for name, _ in memberships.members_and_types()), *memberships.group_names())))


class MemberSets:
    """Members of groups, through groups in groups. What PIM for Groups says is not looked at: see `are_whole`.

    Args:
        estate: the memberships.
        directory: tells who is no group, who is deleted, and which groups stand below which.
        numbers: what sets are made of; the first are those of `numbered_first`.

    Attributes:
        is_unasked: whether one principal (a number) is such a one as `has_unasked` looks for.
    """

    def __init__(self, estate: Estate, directory: Directory, numbers: Numbers) -> None:
        self._estate = estate
        self._columns = estate.membership_columns
        self._directory = directory
        self._numbers = numbers
        self._everyone: dict[int, BitMap] = {}
        self._direct: dict[str, BitMap] = {}
        self._may_be_groups = Classes(numbers, directory.may_be_group)
        self._unasked = Classes(
            numbers, lambda item: directory.may_be_service_principal(item) and not directory.is_certain(item)
        )
        self._of_many_groups = Classes(
            numbers, lambda item: len(directory.groups_over(item)) > GROUPS_IN_A_TOKEN, are_alike=False
        )
        self.is_unasked: Callable[[int], bool] = self._unasked.of
        names = [name for name, _ in self._columns.members_and_types()]
        self._number_of: list[int] | None = None
        if numbers.ids[: len(names)] != names:  # memberships state two types of somebody
            places = {name: number for number, name in enumerate(numbers.ids)}
            self._number_of = [places[name] for name in names]

    @property
    def are_whole(self) -> bool:
        """Whether memberships alone tell who is in a group: no schedule instance of PIM for Groups says otherwise."""
        return not self._estate.group_schedule_instances

    def has_unasked(self, principals: BitMap) -> bool:
        """Whether one of some principals was not asked for its groups, where lists of members may leave it out."""
        return self._unasked.has(True, principals)

    def is_in_many_groups(self, number: int) -> bool:
        """Whether one principal is in more groups than a token names."""
        return self._of_many_groups.of(number)

    def has_of_many_groups(self, principals: BitMap) -> bool:
        """Whether one of some principals is."""
        return self._of_many_groups.has(True, principals)

    def may_be_group(self, number: int) -> bool:
        """Whether others may hold something through one principal."""
        return self._may_be_groups.of(number)

    def may_hold_through(self, principals: BitMap, holders: BitMap) -> bool:
        """Whether one of some principals may be in a group among holders although nothing says so: nobody asked for its groups."""
        return self._may_be_groups.has(True, holders) and self.has_unasked(principals)

    @cached_property
    def groups(self) -> BitMap:
        """The groups that have members. Whatever lists say, nobody is in what the directory knows as something else."""
        named = dict.fromkeys((*self._columns.group_names(), *self._directory.asked_members))
        return self._numbers.set_of(filter(self._directory.may_be_group, named))

    @cached_property
    def users(self) -> BitMap:
        """The users who are in groups."""
        known = BitMap.union(_EMPTY, *self._numbers.ordinary[:1]) & self._members_numbered
        return known | self._of_type("User", self._members_numbered - BitMap.union(_EMPTY, *self._numbers.ordinary))

    @cached_property
    def _applications(self) -> BitMap:
        """The application registrations among members, who are in no group whatever lists say."""
        knows = self._directory.types.knows("Application")
        return self._of_type("Application", self._members_numbered) if knows else _EMPTY

    @cached_property
    def _members_numbered(self) -> BitMap:
        """Everybody who is a member of a group: theirs are the first numbers."""
        return BitMap(range(len({name for name, _ in self._columns.members_and_types()})))

    def _of_type(self, kind: str, among: BitMap) -> BitMap:
        ids, type_of = self._numbers.ids, self._directory.type_of
        return BitMap([number for number in among if type_of(ids[number]) == kind])

    def everyone_in(self, groups: BitMap) -> BitMap:
        """Everybody who is in any of some groups; a number that is no group counts as an empty one. Not to be changed."""
        return self.everyone_in_any(groups & self.groups) if groups else _EMPTY

    def everyone_in_any(self, numbers: Iterable[int]) -> BitMap:
        """The same of few."""
        known, groups = self._everyone, self.groups
        found = [
            known[item] if item in known else self._everyone_below(item)
            for item in numbers
            if item in known or item in groups
        ]
        return BitMap.union(*found) if len(found) > 1 else found[0] if found else _EMPTY

    def _everyone_below(self, number: int) -> BitMap:
        group = self._numbers.ids[number]
        parts = [self._members(item) for item in (group, *self._directory.groups_below(group)) if self._is_live(item)]
        found = BitMap.union(*parts) if len(parts) > 1 else parts[0] if parts else _EMPTY
        if number in found or self._applications:
            found = found - self._applications - BitMap([number])
        self._everyone[number] = found
        return found

    def _members(self, group: str) -> BitMap:
        if group not in self._direct:
            listed = self._columns.set_of(group) or _EMPTY
            if self._number_of is not None:
                listed = BitMap(map(self._number_of.__getitem__, listed))
            asked = self._directory.asked_members.get(group)
            self._direct[group] = listed | self._numbers.set_of(asked) if asked else listed
        return self._direct[group]

    def _is_live(self, group: str) -> bool:
        return self._directory.principal(group).state is not PrincipalState.DELETED_RESTORABLE
