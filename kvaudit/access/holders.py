"""Who holds one operation, counted scope by scope: what was counted above, and what the few records of a scope change of it.

A vault's own records name some principals, and what stands above it some hundred, with everybody in groups among them. So only
those whom the records name, and whom a group brings in anew, are looked at; sets are made where something below asks for them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from kvaudit.access.member_sets import MemberSets
from kvaudit.access.nodes import Node, Sets
from kvaudit.access.numbering import Classes

_EMPTY = BitMap()


class _Known(NamedTuple):
    """The sets of a node.

    Attributes:
        named: those whom a record gives something, or a deny assignment spares.
        given: those whom a record allows it.
        within, more: members of groups among them, as in `nodes.Members`.
        allowed, conditional, unknown: those named who hold it, also through groups, each in one set.
        waiting, unclear: members of groups that hold it on a condition, and that may hold it.
    """

    named: BitMap
    given: BitMap
    within: BitMap
    more: BitMap
    allowed: BitMap
    conditional: BitMap
    unknown: BitMap
    waiting: BitMap
    unclear: BitMap


class _Change(NamedTuple):
    """What a node adds to the sets of the one above: the first four, and who comes to be conditional or unknown."""

    named: list[int]
    given: list[int]
    joining: BitMap
    allowed: set[int]
    conditional: list[int]
    unknown: list[int]


class Holders:
    """Who holds one operation at a node: principals that records name, each once, also by what they hold through groups.

    Attributes:
        numbers: how many of each class are allowed; the same for those allowed on a condition; for those of whom it is
            unknown; how many users are in groups that are allowed, without those whom records name; how many principals are
            allowed or in groups that are.
        named: how many principals a record gives something there, or a deny assignment spares.
        has_unasked: whether somebody whom a record names was not asked for his groups, where lists of members may leave him out.
    """

    __slots__ = ("_above", "_change", "_known", "has_unasked", "named", "numbers")

    def __init__(
        self,
        numbers: list[int],
        named: int,
        known: _Known | None = None,
        *,
        has_unasked: bool = False,
        above: "Holders | None" = None,
        change: _Change | None = None,
    ) -> None:
        self.numbers = numbers
        self.named = named
        self.has_unasked = has_unasked
        self._known = known
        self._above = above
        self._change = change

    @property
    def known(self) -> _Known:
        """The sets. Shared: not to be changed."""
        if self._known is None:
            assert self._above is not None  # noqa: S101 - made with sets, or with these
            assert self._change is not None  # noqa: S101
            self._known = _changed(self._above.known, self._change)
            self._above = self._change = None
        return self._known


def _changed(above: _Known, change: _Change) -> _Known:
    allowed = change.allowed
    conditional, unknown = above.conditional, above.unknown
    if conditional or change.conditional:
        conditional = conditional - BitMap(allowed) | BitMap(change.conditional)
    if unknown or change.unknown:
        unknown = unknown - BitMap(allowed) | BitMap(change.unknown)
    return _Known(
        above.named | BitMap(change.named) if change.named else above.named,
        above.given | BitMap(change.given) if change.given else above.given,
        above.within,
        above.more | change.joining if change.joining else above.more,
        above.allowed | BitMap(allowed) if allowed else above.allowed,
        conditional,
        unknown,
        above.waiting,
        above.unclear,
    )


class HolderCounts:
    """Counts the holders of one operation at nodes.

    Args:
        members: who is in which group; they must be whole (`MemberSets.are_whole`).
        classes: sorts principals into classes 0, 1, ...
        width: how many classes there are.
        triple: the sets of the operation at a node.
        any_triple: those of `AnyGrant`.
        data: who holds it by records that name him; None where that is not certain.
        spared: those whom the deny assignments of a node exclude, one set for each.
    """

    def __init__(
        self,
        members: MemberSets,
        classes: Classes[int],
        width: int,
        triple: int,
        any_triple: int,
        data: Callable[[Node], Sets | None],
        spared: Callable[[Node], Sequence[BitMap]],
    ) -> None:
        self._members = members
        self._classes = classes
        self._width = width
        self._triple = triple
        self._any_triple = any_triple
        self._touched = 1 << triple | 1 << any_triple
        self._data = data
        self._spared = spared

    def at(self, node: Node) -> Holders | None:
        """The holders at a node; None where they are not certain."""
        if self in node.holders:
            return node.holders[self]
        found = node.holders[self] = self._below(node) if self._adds(node) else self._anew(node)
        return found

    def _adds(self, node: Node) -> bool:
        """Whether a node only adds to the one above: below a subscription nearly all do."""
        return not node.is_broad and node.parent is not None and node.denies is node.parent.denies

    def _below(self, node: Node) -> Holders | None:
        assert node.parent is not None  # noqa: S101 - see `_adds`
        above = self.at(node.parent)
        if above is None or above.has_unasked:
            return self._anew(node)
        if not node.touched & self._touched:
            return above
        giving: list[int] = []
        naming: list[int] = []
        for effect, numbers in node.given.items():
            places = effect.sets >> 3 * self._triple & 7
            if places > 1:  # on a condition, or unclear: few records are
                return self._anew(node)
            if places:
                giving += numbers
            if effect.sets >> 3 * self._any_triple & 1:
                naming += numbers
        return self._added(node, above, giving, naming)

    def _added(self, node: Node, above: Holders, giving: Iterable[int], naming: Iterable[int]) -> Holders | None:
        """What some principals change, to whom records allow it or give anything."""
        known, is_unasked = above.known, self._members.is_unasked
        named = list({number for number in naming if number not in known.named})
        given = list({number for number in giving if number not in known.given})
        if not named and not given:
            return above
        if any(map(is_unasked, named)):
            return self._anew(node)
        joining = self._members.everyone_in_any(given)
        if joining:
            joining = joining - known.more - known.within if known.more else joining - known.within
        allowed = {number for number in given if number not in known.allowed}
        allowed.update(
            number for number in named if number in known.within or number in known.more or number in joining
        )
        if joining and joining.intersect(known.named):
            allowed.update(joining & known.named - known.allowed)
        change = _Change(named, given, joining, allowed, [], [])
        numbers = self._numbers(above.numbers, known, change)
        return Holders(numbers, above.named + len(named), above=above, change=change)

    def _numbers(self, above: list[int], known: _Known, change: _Change) -> list[int]:
        numbers, width, class_of = above.copy(), self._width, self._classes.of
        for number in change.allowed:
            kind = class_of(number)
            numbers[kind] += 1
            if number in known.conditional:
                numbers[width + kind] -= 1
            elif number in known.unknown:
                numbers[2 * width + kind] -= 1
        if known.waiting or known.unclear:
            for number in change.named:
                if number in change.allowed:
                    continue
                if number in known.waiting:
                    change.conditional.append(number)
                    numbers[width + class_of(number)] += 1
                elif number in known.unclear:
                    change.unknown.append(number)
                    numbers[2 * width + class_of(number)] += 1
        self._count_members(numbers, known, change)
        return numbers

    def _count_members(self, numbers: list[int], known: _Known, change: _Change) -> None:
        """How many more are in groups, or are fewer because records name them."""
        users, joining = self._members.users, change.joining
        people = everybody = 0
        for number in change.named:
            if number in users and (number in known.within or number in known.more or number in joining):
                people -= 1
        if joining:
            fresh = joining & users
            people += len(fresh) - fresh.intersection_cardinality(known.named)
            everybody += len(joining) - joining.intersection_cardinality(known.given)
        for number in change.given:
            if number not in known.within and number not in known.more and number not in joining:
                everybody += 1
        numbers[-2] += people
        numbers[-1] += everybody

    def _anew(self, node: Node) -> Holders | None:
        """The same from the sets of a node."""
        members = self._members
        sets = self._data(node)
        if sets is None:
            return None
        given, conditional, unknown = sets
        named, spared = node.sets(self._any_triple)[0], self._spared(node)
        if spared:
            named = BitMap.union(named, *spared)
        within, more, _, people, everybody = node.members(self._triple, members)
        through = named & within
        if more:
            through |= named & more
        beside = len(given) - given.intersection_cardinality(through)  # those who are allowed are among those named
        allowed = given | through
        has_unasked = members.has_unasked(named)
        if has_unasked and members.may_hold_through(named - allowed, BitMap.union(*sets)):
            return None
        waiting, unclear = members.everyone_in(conditional), members.everyone_in(unknown)
        if conditional:
            conditional = (conditional | waiting & named) - allowed
        if unknown:
            unknown = (unknown | unclear & named) - allowed - conditional
        told = through.intersection_cardinality(members.users)  # they are in groups too, and count as named
        numbers = [
            *(number for found in (allowed, conditional, unknown) for number in self._by_class(found)),
            people - told,
            everybody + beside,
        ]
        known = _Known(named, given, within, more, allowed, conditional, unknown, waiting, unclear)
        return Holders(numbers, len(named), known, has_unasked=has_unasked)

    def _by_class(self, among: BitMap) -> list[int]:
        sets = self._classes.sets(among) if among else {}
        return [sets[kind].intersection_cardinality(among) if kind in sets else 0 for kind in range(self._width)]

    def of_masks(self, masks: Mapping[int, int], mask: int) -> list[int] | None:
        """The numbers of a vault on access policies, by what its entries give to whom; None where they are not certain.

        Args:
            masks: what the entries give, by the number of the principal.
            mask: the operation's.
        """
        members, numbers = self._members, [0] * (3 * self._width + 2)
        given = [number for number, held in masks.items() if held & mask]
        within = members.everyone_in_any(given)
        allowed = set(given)
        if within:
            through = [number for number in masks if number in within and number not in allowed]
            if any(map(members.is_in_many_groups, through)):
                return None
            allowed.update(through)
        others = [number for number in masks if number not in allowed]
        if any(map(members.is_unasked, others)) and any(map(members.may_be_group, given)):
            return None
        for number in allowed:
            numbers[self._classes.of(number)] += 1
        if within:
            people = within & members.users
            numbers[-2] = len(people) - sum(1 for number in allowed if number in people)
        numbers[-1] = len(within) + sum(1 for number in allowed if number not in within)
        return numbers
