"""Memberships as columns: the largest tenants have millions, and a record for each would take gigabytes."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import accumulate, repeat
from typing import overload

from kvaudit.model.directory import Membership
from kvaudit.model.lists import MadeOnDemand

_TYPE_BITS = 16
_TYPE = (1 << _TYPE_BITS) - 1


class Memberships(Sequence[Membership]):
    """Direct memberships, each once, sorted by group, member and type. Made by `MembershipsBuilder`.

    Args:
        names: every folded object ID that occurs, sorted; its place is its number.
        types: every member type that occurs, sorted, None first.
        groups: numbers of the groups that have members, sorted.
        starts: where the members of each begin in `members`, and at last where all end.
        members: for each membership the member's number and its type's, packed.
    """

    def __init__(
        self,
        names: Sequence[str],
        types: Sequence[str | None],
        groups: Sequence[int],
        starts: Sequence[int],
        members: Sequence[int],
    ) -> None:
        self.names = names
        self.types = types
        self.groups = groups
        self.starts = starts
        self.packed = members

    @classmethod
    def of(cls, records: Sequence[Membership]) -> "Memberships":
        """The same memberships as columns."""
        if isinstance(records, Memberships):
            return records
        builder = MembershipsBuilder()
        for item in records:
            builder.add(item)
        return builder.done()

    def __len__(self) -> int:
        return len(self.packed)

    def __iter__(self) -> Iterator[Membership]:
        names, types = self.names, self.types
        for place, group in enumerate(self.groups):
            name = names[group]
            for item in self.packed[self.starts[place] : self.starts[place + 1]]:
                yield Membership(name, names[item >> _TYPE_BITS], types[item & _TYPE])

    @overload
    def __getitem__(self, index: int) -> Membership: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Membership]: ...
    def __getitem__(self, index: int | slice) -> Membership | Sequence[Membership]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(_same, self, other))

    def __hash__(self) -> int:
        return hash((len(self), len(self.names)))

    def __repr__(self) -> str:
        return f"Memberships({list(self)!r})"

    @cached_property
    def _place(self) -> dict[str, int]:
        return {self.names[group]: place for place, group in enumerate(self.groups)}

    @cached_property
    def _number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def by_group(self) -> Mapping[str, list[str]]:
        """Group -> its direct members, sorted."""
        return MadeOnDemand(self._place, self._members_at)

    @cached_property
    def by_member(self) -> Mapping[str, list[str]]:
        """Member -> the groups that it stands in directly, sorted."""
        starts, _ = self._upwards
        places = {name: number for name, number in self._number.items() if starts[number] < starts[number + 1]}
        return MadeOnDemand(places, self._groups_of)

    def numbers_in(self, group: str) -> Iterator[int]:
        """The numbers of a group's direct members."""
        place = self._place.get(group)
        return iter(()) if place is None else (item >> _TYPE_BITS for item in self._slice(place))

    def group_names(self) -> Iterator[str]:
        """The groups that have members."""
        return (self.names[group] for group in self.groups)

    def packed_of(self, group: str) -> list[int]:
        """The direct members of a group: for each its number in `names`, and 16 bits of its type's in `types`."""
        place = self._place.get(group)
        return [] if place is None else list(self._slice(place))

    def members_and_types(self) -> Iterator[tuple[str, str | None]]:
        """Everybody who is a member, with each type that memberships state."""
        for item in set(self.packed):
            yield self.names[item >> _TYPE_BITS], self.types[item & _TYPE]

    @cached_property
    def type_of_member(self) -> Mapping[str, str]:
        """Member -> the type that its memberships state; where they differ, the last one's."""
        found: dict[int, int] = {}
        for item in set(self.packed):
            number, kind = item >> _TYPE_BITS, item & _TYPE
            if self.types[kind] is not None and found.get(number, -1) < kind:
                found[number] = kind
        return {self.names[number]: self.types[kind] or "" for number, kind in found.items()}

    def nested(self, counts: Callable[[str], bool]) -> Mapping[str, list[str]]:
        """Group -> those of its direct members that count, sorted; groups without any are left out."""
        names = self.names
        wanted = {number for number, name in enumerate(names) if counts(name)}
        table = {}
        for place, group in enumerate(self.groups):
            found = wanted.intersection([item >> _TYPE_BITS for item in self._slice(place)])
            if found:
                table[names[group]] = [names[number] for number in sorted(found)]
        return table

    def by_group_and_type(self) -> Iterator[tuple[str, str | None, Callable[[], list[str]]]]:
        """Every group with each type of its direct members, and what makes the list of these."""
        names = self.names
        for place, group in enumerate(self.groups):
            edges = self._slice(place)
            for kind in sorted({item & _TYPE for item in edges}):
                yield (
                    names[group],
                    self.types[kind],
                    partial(_of_type, names, edges, kind),
                )

    def _slice(self, place: int) -> Sequence[int]:
        return self.packed[self.starts[place] : self.starts[place + 1]]

    def _members_at(self, place: int) -> list[str]:
        names = self.names
        return list(dict.fromkeys(names[item >> _TYPE_BITS] for item in self._slice(place)))

    def _groups_of(self, number: int) -> list[str]:
        starts, groups = self._upwards
        names = self.names
        return list(dict.fromkeys(names[item] for item in groups[starts[number] : starts[number + 1]]))

    @cached_property
    def _upwards(self) -> tuple[Sequence[int], Sequence[int]]:
        """The same edges by member: where the groups of each begin, and the groups."""
        counts = array("I", repeat(0, len(self.names) + 1))
        for item in self.packed:
            counts[(item >> _TYPE_BITS) + 1] += 1
        starts = array("I", accumulate(counts))
        free = starts[:]
        groups = array("I", repeat(0, len(self.packed)))
        for place, group in enumerate(self.groups):
            for item in self._slice(place):
                number = item >> _TYPE_BITS
                groups[free[number]] = group
                free[number] += 1
        return starts, groups


class MembershipsBuilder:
    """Takes memberships in any order, repeats included."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str | None], int] = {}
        self._edges: dict[str, array[int]] = {}

    def number(self, member: str, kind: str | None) -> int:
        """The number of a member with a type, while building: what `edges_of` holds."""
        return self._numbers.setdefault((member, kind), len(self._numbers))

    def edges_of(self, group: str) -> "array[int]":
        """The numbers of a group's members, to be added to."""
        found = self._edges.get(group)
        if found is None:
            found = self._edges[group] = array("I")
        return found

    def add(self, item: Membership) -> None:
        """Take in one membership."""
        self.edges_of(item.group).append(self.number(item.member, item.member_type))

    def done(self) -> Memberships:
        """All of them, sorted, each once."""
        names = sorted({*self._edges, *(member for member, _ in self._numbers)})
        types = sorted({None, *(kind for _, kind in self._numbers)}, key=lambda kind: (kind is not None, kind or ""))
        place = {name: number for number, name in enumerate(names)}
        type_place = {kind: number for number, kind in enumerate(types)}
        packed = [place[member] << _TYPE_BITS | type_place[kind] for member, kind in self._numbers]
        ordered = sorted(packed)
        ranks = {item: rank for rank, item in enumerate(ordered)}
        rank_of = [ranks[item] for item in packed]  # small numbers are sorted faster than packed ones
        groups, starts, members = array("I"), array("Q", [0]), array("Q")
        for group in sorted(self._edges):
            found = sorted(set(map(rank_of.__getitem__, self._edges.pop(group))))
            if found:
                members.extend(map(ordered.__getitem__, found))
                groups.append(place[group])
                starts.append(len(members))
        return Memberships(names, types, groups, starts, members)


def _of_type(names: Sequence[str], edges: Sequence[int], kind: int) -> list[str]:
    return [names[item >> _TYPE_BITS] for item in edges if item & _TYPE == kind]


def _same(one: Membership, other: object) -> bool:
    return one == other
