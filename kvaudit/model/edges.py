"""Memberships as columns: the largest tenants have millions, and a record for each would take gigabytes."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, partial
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, NamedTuple, overload

from kvaudit.model.directory import Membership
from kvaudit.model.lists import MadeOnDemand

if TYPE_CHECKING:
    from pyroaring import BitMap

TYPE_BITS = 32
"""How many bits of a packed member are its type's number; those above are its own."""

_TYPE = (1 << TYPE_BITS) - 1

_LARGE = 1000
"""A group of more members is asked whether somebody stands in it, and not walked: few groups hold most memberships."""

_FEW = 256
"""About how many groups are asked for one member."""


class _Upwards(NamedTuple):
    """The same edges by member.

    Attributes:
        starts: where the groups of each member begin in `groups`, by its place in `Memberships.pairs`.
        groups: numbers of the groups that are not large.
        large: the number of each other group, and the members in it.
    """

    starts: Sequence[int]
    groups: Sequence[int]
    large: "Sequence[tuple[int, BitMap]]"


class Memberships(Sequence[Membership]):
    """Direct memberships, each once, sorted by group, member and type. Made by `MembershipsBuilder`.

    Args:
        names: every folded object ID that occurs, sorted; its place is its number.
        types: every member type that occurs, sorted, None first.
        pairs: every member with each type that memberships state: its number and its type's, packed; sorted.
        groups: numbers of the groups that have members, sorted.
        starts: where the members of each begin in `members`, and at last where all end.
        members: for each membership the member's place in `pairs`.
    """

    def __init__(
        self,
        names: Sequence[str],
        types: Sequence[str | None],
        pairs: Sequence[int],
        groups: Sequence[int],
        starts: Sequence[int],
        members: "array[int]",
    ) -> None:
        self.names = names
        self.types = types
        self.pairs = pairs
        self.groups = groups
        self.starts = starts
        self.members = members

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
        return len(self.members)

    def __iter__(self) -> Iterator[Membership]:
        known = list(self.members_and_types())
        for place, group in enumerate(self.groups):
            name = self.names[group]
            for item in self._slice(place):
                yield Membership(name, *known[item])

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
    def _member_names(self) -> list[str]:
        """The names of the members of `pairs`."""
        return [self.names[item >> TYPE_BITS] for item in self.pairs]

    @cached_property
    def by_group(self) -> Mapping[str, list[str]]:
        """Group -> its direct members, sorted."""
        return MadeOnDemand(self._place, self._members_at)

    @cached_property
    def by_member(self) -> Mapping[str, list[str]]:
        """Member -> the groups that it stands in directly, sorted."""
        places = {self.names[number]: number for number in {item >> TYPE_BITS for item in self.pairs}}
        return MadeOnDemand(places, self._groups_of)

    def group_names(self) -> Iterator[str]:
        """The groups that have members."""
        return (self.names[group] for group in self.groups)

    def members_of(self, group: str) -> list[int]:
        """The direct members of a group, by their places in `pairs`."""
        place = self._place.get(group)
        return [] if place is None else list(self._slice(place))

    @cached_property
    def sets(self) -> "Sequence[BitMap]":
        """The direct members of each of `groups`, by their places in `pairs`. Not to be changed."""
        from pyroaring import BitMap

        return [BitMap(self._slice(place)) for place in range(len(self.groups))]

    def set_of(self, group: str) -> "BitMap | None":
        """The direct members of one group; None where it has none."""
        place = self._place.get(group)
        return None if place is None else self.sets[place]

    def members_and_types(self) -> Iterator[tuple[str, str | None]]:
        """Everybody who is a member, with each type that memberships state."""
        return ((self.names[item >> TYPE_BITS], self.types[item & _TYPE]) for item in self.pairs)

    @cached_property
    def type_of_member(self) -> Mapping[str, str]:
        """Member -> the type that its memberships state; where they differ, the last one's."""
        return {member: kind for member, kind in self.members_and_types() if kind is not None}

    def nested(self, counts: Callable[[str], bool], but: AbstractSet[str] = frozenset()) -> Mapping[str, list[str]]:
        """Group -> those of its direct members that count, sorted; groups without any are left out.

        Args:
            counts: whether a member counts.
            but: members of which it is known that they do not.
        """
        from pyroaring import BitMap

        members = self._member_names
        chosen = {name for name in set(members) - but if counts(name)}
        wanted = BitMap([place for place, name in enumerate(members) if name in chosen])
        table = {}
        for group, all_members in zip(self.groups, self.sets, strict=True) if wanted else ():
            if all_members.intersect(wanted):
                found = all_members & wanted
                table[self.names[group]] = list(dict.fromkeys(map(members.__getitem__, found)))
        return table

    def by_group_and_type(self) -> Iterator[tuple[str, str | None, Callable[[], list[str]]]]:
        """Every group with each type of its direct members, and what makes the list of these."""
        from pyroaring import BitMap

        of_kind: dict[int, list[int]] = {}
        for place, item in enumerate(self.pairs):
            of_kind.setdefault(item & _TYPE, []).append(place)
        kinds = [(kind, BitMap(places)) for kind, places in sorted(of_kind.items())]
        for place, group in enumerate(self.groups):
            mine = self.sets[place]
            for kind, members in kinds:
                if members.intersect(mine):
                    yield self.names[group], self.types[kind], partial(self._of_type, place, kind)

    def _of_type(self, place: int, kind: int) -> list[str]:
        return [self._member_names[item] for item in self._slice(place) if self.pairs[item] & _TYPE == kind]

    def _slice(self, place: int) -> "array[int]":
        return self.members[self.starts[place] : self.starts[place + 1]]

    def _members_at(self, place: int) -> list[str]:
        return list(dict.fromkeys(map(self._member_names.__getitem__, self._slice(place))))

    def _groups_of(self, number: int) -> list[str]:
        starts, groups, large = self._upwards
        mine = range(bisect_left(self.pairs, number << TYPE_BITS), bisect_left(self.pairs, (number + 1) << TYPE_BITS))
        found = {group for item in mine for group in groups[starts[item] : starts[item + 1]]}
        found.update(group for group, members in large for item in mine if item in members)
        return [self.names[group] for group in sorted(found)]

    @cached_property
    def _upwards(self) -> _Upwards:
        least = max(_LARGE, len(self.members) // _FEW)
        counts = array("I", repeat(0, len(self.pairs) + 1))
        large, small = [], []
        for place, group in enumerate(self.groups):
            if self.starts[place + 1] - self.starts[place] > least:
                large.append((group, self.sets[place]))
                continue
            small.append((place, group))
            for item in self._slice(place):
                counts[item + 1] += 1
        starts = array("I", accumulate(counts))
        free, groups = starts[:], array("I", repeat(0, starts[-1]))
        for place, group in small:
            for item in self._slice(place):
                groups[free[item]] = group
                free[item] += 1
        return _Upwards(starts, groups, large)


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

    def take(self, known: Memberships) -> None:
        """Take in what was built before; nothing else was taken in yet."""
        self._numbers = {pair: number for number, pair in enumerate(known.members_and_types())}
        for place, group in enumerate(known.group_names()):
            self._edges[group] = known.members[known.starts[place] : known.starts[place + 1]]

    def done(self) -> Memberships:
        """All of them, sorted, each once. Takes the edges apart."""
        from pyroaring import BitMap

        names = sorted({*self._edges, *(member for member, _ in self._numbers)})
        types = sorted({None, *(kind for _, kind in self._numbers)}, key=lambda kind: (kind is not None, kind or ""))
        place = {name: number for number, name in enumerate(names)}
        type_place = {kind: number for number, kind in enumerate(types)}
        packed = [place[member] << TYPE_BITS | type_place[kind] for member, kind in self._numbers]
        self._numbers = {}
        pairs = array("Q", sorted(packed))
        ranks = {item: rank for rank, item in enumerate(pairs)}
        rank_of = [ranks[item] for item in packed]
        groups, starts, members = array("I"), array("Q", [0]), array("I")
        for group in sorted(self._edges):
            mine = self._edges.pop(group)
            found = BitMap(array("I", [rank_of[number] for number in mine])).to_array()
            if found:
                members.extend(found)
                groups.append(place[group])
                starts.append(len(members))
        return Memberships(names, types, pairs, groups, starts, members)


def _same(one: Membership, other: object) -> bool:
    return one == other
