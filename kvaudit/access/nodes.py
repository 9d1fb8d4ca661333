"""What stands at a scope, added to what stands above it (`kvaudit.access.bulk`).

A node keeps what the records of its scope add, and to whom. Sets and counters are made of that when somebody asks for one:
most vaults are asked for few, and a scope that adds nothing to a set shares the one above.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from kvaudit.access.counting import Effect, Tally
from kvaudit.access.grants import Record
from kvaudit.access.member_sets import MemberSets
from kvaudit.access.numbering import NOBODY
from kvaudit.model.authorization import DenyAssignment

if TYPE_CHECKING:
    from kvaudit.access.holders import HolderCounts, Holders

Sets = tuple[BitMap, BitMap, BitMap]
"""Principals whose own records allow, allow on a condition, or may allow something. Shared: not to be changed."""


class Members(NamedTuple):
    """Members of groups.

    Attributes:
        within: those of groups at broad scopes, of whom there may be a hundred thousand: the set is shared below.
        more: those of groups below, some of whom may be in `within`.
        counted: how many are in `within`: users, and everybody.
        users, everybody: how many are in either.
    """

    within: BitMap
    more: BitMap
    counted: tuple[int, int]
    users: int
    everybody: int


Counts = tuple[int, int, int]
"""Records with these three answers."""

_STEP = 100
"""Levels that are worked out at once where a tree is deeper than that, which only a damaged one is."""
_EMPTY = BitMap()
_NO_SETS: Sets = (_EMPTY, _EMPTY, _EMPTY)
_NO_MEMBERS = Members(_EMPTY, _EMPTY, (0, 0), 0, 0)
_NO_COUNTS: Counts = (0, 0, 0)
_NOTHING: Mapping[Effect, list[int]] = {}


_PLACES = tuple(tuple(place for place in range(3) if bits >> place & 1) for bits in range(8))
"""The places of the bits that are set."""

_FEW = 4
"""Numbers that are put into a copy of a set one by one; more are made a set themselves first."""


def _with(known: BitMap, numbers: list[int]) -> BitMap:
    """A set with some numbers: the same one where it has them, as most vaults add one or two at most."""
    fresh = [number for number in numbers if number not in known]
    if not fresh:
        return known
    if len(fresh) > _FEW:
        return known | BitMap(fresh)
    found = known.copy()
    for number in fresh:
        found.add(number)
    return found


class Node:
    """What the records of a scope and of everything above it add up to.

    There is one for each vault with records of its own, so nothing is made before somebody asks for it.

    Attributes:
        parent: the node above, None at the root.
        depth: how many nodes are above.
        step: the nearest node above whose depth is a multiple of `_STEP` and not 0, or None.
        given: what the records here add -> the numbers of those to whom they add it, one for each record.
        touched: the triples of sets that differ from the parent's, one bit for each (see `Effects`).
        turning: records whose effect turns on the vault's name, and whether their scope is broad.
        unsettled: the numbers of those whom the records that turn on the vault name here.
        denies: the deny assignments that stand here or above.
        strays: data-plane records whose principal is not simply there in the directory.
        odd: whether a record may or may not stand above, so that nothing is counted here.
        has_gap: whether the role of one of these records was not read.
        hides: whether a group that they name may have members whom nobody saw.
        children: the nodes below that are kept, by scope.
        tallies: what was counted of the sets, by the number of the question: None where it is not certain.
        holders: the same by who counts holders.
        is_broad: whether it is of one of `counting.BROAD`.
    """

    __slots__ = (
        "_apart", "_broad", "_counts", "_members", "_named", "_sets", "children", "denies", "depth", "given", "has_gap", "hides", "holders", "is_broad", "odd", "parent", "step", "strays",
        "tallies", "touched", "turning", "unsettled",
    )  # fmt: skip

    def __init__(
        self, parent: "Node | None" = None, given: Mapping[Effect, list[int]] = _NOTHING, *, is_broad: bool = True
    ) -> None:
        self.is_broad = is_broad
        self.depth: int = parent.depth + 1 if parent else 0
        self.step: Node | None = (
            (parent if parent.depth and not parent.depth % _STEP else parent.step) if parent else None
        )
        self.parent = parent
        self.given = given
        self.touched = 0
        for effect in given:
            self.touched |= effect.touches
        self.turning: tuple[tuple[Record, bool], ...] = parent.turning if parent else ()
        self.unsettled: Sequence[int] = ()
        self.denies: tuple[DenyAssignment, ...] = parent.denies if parent else ()
        self.strays: tuple[Record, ...] = parent.strays if parent else ()
        self.odd: bool = parent.odd if parent else False
        self.has_gap: bool = parent.has_gap if parent else False
        self.hides: bool = parent.hides if parent else False
        self.children: dict[str, Node] = {}
        self.tallies: dict[int, Tally | None] = {}
        self.holders: dict[HolderCounts, Holders | None] = {}
        self._sets: dict[int, Sets] = {}
        self._apart: dict[int, Sets] | None = None
        self._counts: dict[int, Counts] | None = None
        self._members: dict[int, Members] | None = None
        self._broad: frozenset[int] | None = None
        self._named: BitMap | None = None

    def _far_above(self) -> "list[Node]":
        """Nodes in steps from the top down, none where a tree is as deep as Azure's: asked first, nothing recurs through a deep one."""
        found, node = list[Node](), self.step
        while node is not None:
            found.append(node)
            node = node.step
        return found[::-1]

    def sets(self, triple: int) -> Sets:
        """The three sets of a triple (see `Effects`). Somebody may stand in two of them."""
        found = self._sets.get(triple)
        if found is None:
            for node in self._far_above() if self.step else ():
                node.sets(triple)
            found = self.parent.sets(triple) if self.parent else _NO_SETS
            if self.touched >> triple & 1:
                found = self._widened(found, triple)
            self._sets[triple] = found
        return found

    def _widened(self, above: Sets, triple: int) -> Sets:
        more: list[list[int] | None] = [None, None, None]
        for effect, numbers in self.given.items():
            places = effect.sets >> 3 * triple & 7
            for place in _PLACES[places] if places else ():
                known = more[place]
                more[place] = numbers if known is None else known + numbers
        one, two, three = more
        return (
            _with(above[0], one) if one else above[0],
            _with(above[1], two) if two else above[1],
            _with(above[2], three) if three else above[2],
        )

    def apart(self, triple: int) -> Sets:
        """The same with everybody in one of them alone: by how surely his records give it."""
        found = self.sets(triple)
        allowed, conditional, unknown = found
        if not conditional and not unknown:
            return found
        if self._apart is None:
            self._apart = {}
        known = self._apart.get(triple)
        if known is None:
            conditional = conditional - allowed
            known = self._apart[triple] = allowed, conditional, unknown - allowed - conditional
        return known

    def counts(self, triple: int) -> Counts:
        """How many records give what a triple of counters counts."""
        if self._counts is None:
            self._counts = {}
        found = self._counts.get(triple)
        if found is None:
            for node in self._far_above() if self.step else ():
                node.counts(triple)
            found = self.parent.counts(triple) if self.parent else _NO_COUNTS
            if self.touched >> triple & 1:
                more = list(found)
                for effect, numbers in self.given.items():
                    for place, each in effect.counts:
                        if place // 3 == triple:
                            more[place % 3] += each * len(numbers)
                found = (more[0], more[1], more[2])
            self._counts[triple] = found
        return found

    def members(self, triple: int, known: MemberSets) -> Members:
        """Everybody who is in a group of the first set of a triple."""
        if self._members is None:
            self._members = {}
        found = self._members.get(triple)
        if found is None:
            for node in self._far_above() if self.step else ():
                node.members(triple, known)
            found = self.parent.members(triple, known) if self.parent else _NO_MEMBERS
            if self.touched >> triple & 1:
                found = self._with_members(found, triple, known)
            self._members[triple] = found
        return found

    def _with_members(self, above: Members, triple: int, known: MemberSets) -> Members:
        new = known.everyone_in_any(
            number for effect, numbers in self.given.items() if effect.sets >> 3 * triple & 1 for number in numbers
        )
        if not new:
            return above
        more = above.more | new if above.more else new
        within, counted = above.within, above.counted
        if self.is_broad:
            within, more = within | more, _EMPTY
            counted = within.intersection_cardinality(known.users), len(within)
        users = counted[0] + (more & known.users).difference_cardinality(within)
        return Members(within, more, counted, users, counted[1] + more.difference_cardinality(within))

    @property
    def broad(self) -> frozenset[int]:
        """What single grants of broad scopes give of the data plane."""
        if self._broad is None:
            for node in self._far_above():
                _ = node.broad
            above = self.parent.broad if self.parent else frozenset()
            here = {mask for effect in self.given for mask in effect.broad}
            self._broad = above | here if here else above
        return self._broad

    @property
    def named(self) -> BitMap:
        """Everybody whom records name here or above. Few ask: only deny assignments make it matter."""
        if self._named is None:
            for node in self._far_above():
                _ = node.named
            above = self.parent.named if self.parent else _EMPTY
            here = BitMap(self.unsettled)
            for numbers in self.given.values():
                here.update(numbers)
            self._named = above | here
        return self._named


class Adding:
    """A node that is being added to: what does not change is shared with the parent."""

    def __init__(self, parent: Node) -> None:
        self._parent = parent
        self.hides = parent.hides
        self.has_gap = parent.has_gap
        self.given: dict[Effect, list[int]] = {}
        self.strays: list[Record] = []
        self.turning: list[tuple[Record, bool]] = []
        self._unsettled: list[int] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added."""
        parent = self._parent
        found = self.given or self.strays or self.turning
        return not found and self.has_gap is parent.has_gap and self.hides is parent.hides

    def turn(self, record: Record, number: int, *, broad: bool) -> None:
        """Add a record whose effect turns on the vault, for the principal of a number."""
        self.turning.append((record, broad))
        if number != NOBODY:
            self._unsettled.append(number)

    def add(self, effect: Effect | None, number: int) -> None:
        """Add what one record gives to the principal of a number."""
        if effect is None:
            return
        if effect.has_gap:
            self.has_gap = True
        if number == NOBODY:
            return
        if effect in self.given:
            self.given[effect].append(number)
        else:
            self.given[effect] = [number]

    def node(self, *, is_broad: bool = False) -> Node:
        """The node, at one of `counting.BROAD` or below."""
        node = Node(self._parent, self.given, is_broad=is_broad)
        if self.turning:
            node.turning = (*node.turning, *self.turning)
            node.unsettled = self._unsettled
        if self.strays:
            node.strays = (*node.strays, *self.strays)
        node.has_gap, node.hides = self.has_gap, self.hides
        return node
