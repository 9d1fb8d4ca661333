"""What stands at a scope, added to what stands above it (`kvaudit.access.bulk`).

A node keeps what the records of its scope add, and to whom. Sets and counters are made of that when somebody asks for one:
most vaults are asked for few, and a scope that adds nothing to a set shares the one above.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from kvaudit.access.counting import Effect, Tally
from kvaudit.access.grants import Record
from kvaudit.access.numbering import NOBODY
from kvaudit.model.authorization import DenyAssignment

Sets = tuple[BitMap, BitMap, BitMap]
"""Principals whose own records allow, allow on a condition, or may allow something. Shared: not to be changed."""

Counts = tuple[int, int, int]
"""Records with these three answers."""

_EMPTY = BitMap()
_NO_SETS: Sets = (_EMPTY, _EMPTY, _EMPTY)
_NO_COUNTS: Counts = (0, 0, 0)


@dataclass(slots=True, eq=False)
class Node:
    """What the records of a scope and of everything above it add up to.

    Attributes:
        parent: the node above, None at the root.
        given: what the records here add -> the numbers of those to whom they add it, one for each record.
        turning: records whose effect turns on the vault's name, and whether their scope is broad.
        denies: the deny assignments that stand here or above; those that only audit are left out.
        strays: data-plane records whose principal is not simply there in the directory.
        odd: whether a record may or may not stand above, so that nothing is counted here.
        has_gap: whether the role of one of these records was not read.
        hides: whether a group that they name may have members whom nobody saw.
        touched: the triples of sets that differ from the parent's, one bit for each (see `Effects`).
        unsettled: the numbers of those whom the records that turn on the vault name here.
        tallies: what was counted of the sets, by the number of the question: None where it is not certain.
    """

    parent: "Node | None" = None
    given: dict[Effect, list[int]] = field(default_factory=dict)
    turning: tuple[tuple[Record, bool], ...] = ()
    denies: tuple[DenyAssignment, ...] = ()
    strays: tuple[Record, ...] = ()
    odd: bool = False
    has_gap: bool = False
    hides: bool = False
    touched: int = 0
    unsettled: Sequence[int] = ()
    children: dict[str, "Node"] = field(default_factory=dict)
    tallies: dict[int, Tally | None] = field(default_factory=dict)
    _sets: dict[int, Sets] = field(default_factory=dict)
    _counts: dict[int, Counts] = field(default_factory=dict)
    _broad: frozenset[int] | None = None
    _named: BitMap | None = None

    def sets(self, triple: int) -> Sets:
        """The three sets of a triple (see `Effects`). Somebody may stand in two of them."""
        found = self._sets.get(triple)
        if found is None:
            found = self.parent.sets(triple) if self.parent else _NO_SETS
            if self.touched >> triple & 1:
                found = self._widened(found, triple)
            self._sets[triple] = found
        return found

    def _widened(self, above: Sets, triple: int) -> Sets:
        more: tuple[list[int], list[int], list[int]] = ([], [], [])
        for effect, numbers in self.given.items():
            places = effect.sets >> 3 * triple & 7
            if places & 1:
                more[0].extend(numbers)
            if places & 2:
                more[1].extend(numbers)
            if places & 4:
                more[2].extend(numbers)
        one, two, three = more
        return (
            above[0].union(BitMap(one)) if one else above[0],
            above[1].union(BitMap(two)) if two else above[1],
            above[2].union(BitMap(three)) if three else above[2],
        )

    def counts(self, triple: int) -> Counts:
        """How many records give what a triple of counters counts."""
        found = self._counts.get(triple)
        if found is None:
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

    @property
    def broad(self) -> frozenset[int]:
        """What single records of broad scopes give of the data plane."""
        if self._broad is None:
            above = self.parent.broad if self.parent else frozenset()
            self._broad = above.union(effect.broad for effect in self.given if effect.broad)
        return self._broad

    @property
    def named(self) -> BitMap:
        """Everybody whom records name here or above. Few ask: only deny assignments make it matter."""
        if self._named is None:
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
        self._turning: list[tuple[Record, bool]] = []
        self._unsettled: list[int] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added."""
        return not self.given and not self._turning and self.has_gap is self._parent.has_gap

    def turn(self, record: Record, number: int, *, broad: bool) -> None:
        """Add a record whose effect turns on the vault, for the principal of a number."""
        self._turning.append((record, broad))
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

    def node(self) -> Node:
        """The node."""
        parent, touched = self._parent, 0
        for effect in self.given:
            touched |= effect.touches
        return Node(
            parent,
            self.given,
            (*parent.turning, *self._turning) if self._turning else parent.turning,
            parent.denies,
            (*parent.strays, *self.strays) if self.strays else parent.strays,
            parent.odd,
            self.has_gap,
            self.hides,
            touched,
            self._unsettled,
        )


def tally_of(found: list[Sets]) -> Tally:
    """The grants of several operations together, each principal once among the holders."""
    if len(found) == 1:
        allowed, conditional, unknown = map(len, found[0])
        return Tally(allowed, allowed, conditional, conditional, unknown, unknown)
    numbers = []
    for place in range(3):
        sets = [item[place] for item in found if item[place]]
        numbers += [sum(map(len, sets)), len(BitMap.union(*sets)) if sets else 0]
    return Tally(*numbers)
