"""What stands at a scope, added to what stands above it: the sets and counters that many vaults share (`kvaudit.access.bulk`)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from kvaudit.access.counting import Effect, Tally
from kvaudit.access.grants import Record
from kvaudit.access.numbering import NOBODY
from kvaudit.model.authorization import DenyAssignment

Sets = tuple[BitMap, BitMap, BitMap]
"""Principals whose own records allow, allow on a condition, or may allow an operation; nobody stands in two."""


@dataclass(slots=True)
class Node:
    """What the records of a scope and of everything above it add up to.

    Attributes:
        parent: the node above, None at the root.
        sets, counts: by the numbers of `Effects`.
        names: the numbers of those whom records name here.
        turning: records whose effect turns on the vault's name, and whether their scope is broad.
        denies: the deny assignments that stand here or above; those that only audit are left out.
        strays: data-plane records whose principal is not simply there in the directory.
        broad: what single records of broad scopes give of the data plane.
        odd: whether a record may or may not stand above, so that nothing is counted here.
        has_gap: whether the role of one of these records was not read.
        hides: whether a group that they name may have members whom nobody saw.
        touched: the triples of sets that differ from the parent's, one bit for each (see `Effects`).
        tallies: what was counted of the sets, by the number of the question: None where it is not certain.
    """

    parent: "Node | None"
    sets: list[BitMap]
    counts: list[int]
    names: Sequence[int] = ()
    turning: tuple[tuple[Record, bool], ...] = ()
    denies: tuple[DenyAssignment, ...] = ()
    strays: tuple[Record, ...] = ()
    broad: frozenset[int] = frozenset()
    odd: bool = False
    has_gap: bool = False
    hides: bool = False
    touched: int = -1
    children: dict[str, "Node"] = field(default_factory=dict)
    tallies: dict[int, Tally | None] = field(default_factory=dict)
    everybody: BitMap | None = None

    @property
    def named(self) -> BitMap:
        """Everybody whom records name here or above. Few ask: only deny assignments make it matter."""
        if self.everybody is None:
            above = self.parent.named if self.parent else BitMap()
            self.everybody = above | BitMap(number for number in self.names if number != NOBODY)
        return self.everybody


class Adding:
    """A node that is being added to: what does not change is shared with the parent."""

    def __init__(self, parent: Node) -> None:
        self._parent = parent
        self._sets: dict[int, list[int]] = {}
        self._counts: dict[int, int] = {}
        self._has_gap = parent.has_gap
        self.hides = parent.hides
        self._broad: set[int] = set()
        self._touched = 0
        self._turning: list[tuple[Record, bool]] = []
        self.names: list[int] = []
        self.strays: list[Record] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added: who is named at all is added with what he is given."""
        return not self.names

    def take(self, record: Record, number: int, effect: Effect | None, *, broad: bool) -> None:
        """Add a record; without an effect it turns on the vault."""
        self.names.append(number)
        if effect is None:
            self._turning.append((record, broad))
        else:
            self.add(effect, number, broad=broad)

    def add(self, effect: Effect | None, number: int, *, broad: bool) -> None:
        """Add what one record gives to the principal of a number."""
        if effect is None:
            return
        if effect.has_gap:
            self._has_gap = True
        if number == NOBODY:
            return
        self._touched |= effect.touches
        sets, counts = self._sets, self._counts
        for index in effect.sets:
            if index in sets:
                sets[index].append(number)
            else:
                sets[index] = [number]
        for index, more in effect.counts:
            counts[index] = counts.get(index, 0) + more
        if broad and effect.gives:
            self._broad.add(effect.gives)

    def node(self) -> Node:
        """The node."""
        parent = self._parent
        sets, counts = parent.sets, parent.counts
        if self._sets:
            sets = sets.copy()
            for index, numbers in self._sets.items():
                sets[index] = widened = sets[index].copy()
                widened.update(numbers)
        if self._counts:
            counts = counts.copy()
            for index, more in self._counts.items():
                counts[index] += more
        return Node(
            parent,
            sets,
            counts,
            self.names,
            (*parent.turning, *self._turning) if self._turning else parent.turning,
            parent.denies,
            (*parent.strays, *self.strays) if self.strays else parent.strays,
            parent.broad | self._broad if self._broad else parent.broad,
            parent.odd,
            self._has_gap,
            self.hides,
            self._touched,
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
