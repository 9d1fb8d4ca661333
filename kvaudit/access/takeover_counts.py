"""Counts who gains access by acting as an identity that has it, as `escalation.gains.Gains` tells it, without a product of both.

Who can act as an identity is a set that is made once for each place (`escalation.actors`); what its holders may do is one mask for
each role. So a vault is a dozen unions: of those who can act as the identities that hold the same, less those who hold it too.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyroaring import BitMap

from kvaudit.access.escalation.actors import Actors
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.takeover import Takeovers
from kvaudit.access.member_sets import MemberSets
from kvaudit.access.nodes import Node
from kvaudit.access.numbering import Numbers
from kvaudit.model.answers import Answer

_EMPTY = BitMap()
_KEPT = 200_000
"""Places and identities whose sets are kept."""
_NODES = 256
"""Scopes of which it is kept who holds what."""

Mask = tuple[int, int]
"""Operations that somebody holds for certain, and in any way."""

Holders = Mapping[int, Mask]
"""What each holds by the records that name it."""

_NOTHING: Mask = (0, 0)


class GainTally(NamedTuple):
    """Who gains access to a vault, counted.

    Attributes:
        certain: principals who gain something for certain.
        targets: identities by which they do.
        everybody: principals who gain something, how surely ever.
    """

    certain: int
    targets: int
    everybody: int


class TakeoverCounts:
    """Counts for the vaults of one estate where memberships and grants are certain: who asks has seen to that.

    Args:
        takeovers: who can act as whom.
        numbers: what sets are made of.
        members: who is in which group.
    """

    def __init__(self, takeovers: Takeovers, numbers: Numbers, members: MemberSets) -> None:
        self._takeovers = takeovers
        self._numbers = numbers
        self._members = members
        self._of_actors: Kept[Actors, tuple[BitMap, BitMap]] = Kept(_KEPT)
        self._of_target: Kept[int, tuple[BitMap, BitMap]] = Kept(_KEPT)
        self._targets: Kept[int, BitMap] = Kept(_KEPT)
        self._holders: Kept[Node, Holders] = Kept(_NODES)

    def holders(self, node: Node) -> Holders:
        """What everybody holds whom records name at a scope or above it."""
        pending = list[Node]()
        above: Node | None = node
        found: Holders | None = None
        while above is not None and (found := self._holders.get(above)) is None:
            pending.append(above)
            above = above.parent
        for item in reversed(pending):
            found = _with(found or {}, item)
            if item is not node:  # vaults are asked about once
                self._holders.put(item, found)
        return found or {}

    def tally(self, holders: Holders, *, by_token: bool) -> GainTally | None:
        """Who gains access to a vault; None where that hangs on what nobody saw.

        Args:
            holders: what everybody holds there whom records name.
            by_token: whether what a principal has through groups hangs on its token naming them all (access policies).
        """
        by_mask: dict[Mask, list[int]] = {}
        for number, mask in holders.items():
            by_mask.setdefault(mask, []).append(number)
        below = [(mask, BitMap.union(*map(self._targets_of, found))) for mask, found in by_mask.items()]
        targets = [(mask, found, *self._together(found)) for mask, found in _parts(below)]
        people = BitMap.union(_EMPTY, *(possible for *_, possible in targets))
        if not people:
            return GainTally(0, 0, 0)
        everyone = BitMap.union(people, *(found for _, found in below))
        if self._members.has_unasked(everyone) or (by_token and self._members.has_of_many_groups(everyone)):
            return None
        holding = list(_parts((mask, self._among(found, people)) for mask, found in by_mask.items()))
        gaining, anyhow, identities = BitMap(), BitMap(), 0
        for mask, found, certain, possible in targets:
            anyhow |= possible - _not_more(mask, holding, surely=False)
            if mask[0]:
                holders_too = _not_more(mask, holding, surely=True)
                gaining |= certain - holders_too
                identities += self._of_certain(found, holders_too)
        return GainTally(len(gaining), identities, len(anyhow))

    def _together(self, targets: BitMap) -> tuple[BitMap, BitMap]:
        """Those who can act as any of some identities for certain, and in any way."""
        found = [self._can(target) for target in targets]
        return BitMap.union(_EMPTY, *(item[0] for item in found)), BitMap.union(_EMPTY, *(item[1] for item in found))

    def _of_certain(self, targets: BitMap, without: BitMap) -> int:
        """As how many of some identities somebody can act for certain, some people left out."""
        return sum(not self._can(target)[0].issubset(without) for target in targets)

    def _targets_of(self, holder: int) -> BitMap:
        """A holder and those in it, as far as somebody can act as them."""
        found = self._targets.get(holder)
        if found is None:
            numbers = self._numbers.set_of(self._takeovers.targets(self._numbers.ids[holder]))
            found = self._targets.put(holder, BitMap(number for number in numbers if self._can(number)[1]))
        return found

    def _can(self, target: int) -> tuple[BitMap, BitMap]:
        """Those who can act as an identity for certain, and those who can in any way."""
        found = self._of_target.get(target)
        if found is None:
            parts = [self._sets(item) for item in self._takeovers.actors(self._numbers.ids[target])]
            itself = BitMap([target])
            certain = BitMap.union(_EMPTY, *(part[0] for part in parts)) - itself
            possible = BitMap.union(_EMPTY, *(part[1] for part in parts)) - itself
            found = self._of_target.put(target, (possible if certain == possible else certain, possible))
        return found

    def _sets(self, actors: Actors) -> tuple[BitMap, BitMap]:
        """The same of some actors; shared, not to be changed."""
        found = self._of_actors.get(actors)
        for item in () if found else actors.downwards():
            known = self._of_actors.get(item)
            found = known or self._of_actors.put(item, self._changed(item.own, *(found or (_EMPTY, _EMPTY))))
        return found or (_EMPTY, _EMPTY)

    def _changed(self, own: Mapping[str, Answer], certain: BitMap, possible: BitMap) -> tuple[BitMap, BitMap]:
        allowed = self._numbers.set_of(name for name, answer in own.items() if answer is Answer.ALLOWED)
        denied = self._numbers.set_of(name for name, answer in own.items() if answer is Answer.DENIED)
        changed = self._numbers.set_of(own)
        return certain - changed | allowed, possible - denied | (changed - denied)

    def _among(self, holders: Iterable[int], people: BitMap) -> BitMap:
        """Those of some people who are holders or in groups that are."""
        numbers = BitMap(holders)
        inside = [self._members.everyone_in_any((group,)) & people for group in numbers & self._members.groups]
        return BitMap.union(numbers & people, *inside)


def _with(above: Holders, node: Node) -> Holders:
    """What everybody holds above a scope, and what the records at the scope give."""
    if not node.given:
        return above
    found = dict(above)
    for effect, numbers in node.given.items():
        for number in numbers if effect.gives else ():
            allows, gives = found.get(number, _NOTHING)
            found[number] = allows | effect.allows, gives | effect.gives
    return found


def _parts(sets: Iterable[tuple[Mask, BitMap]]) -> list[tuple[Mask, BitMap]]:
    """Principals parted by what all sets in which they are give together; every set gives what its mask says."""
    parts: list[tuple[Mask, BitMap]] = []
    for (allows, gives), found in sets:
        left, fresh = found, list[tuple[Mask, BitMap]]()
        for mask, part in parts:
            both = part & left
            if both:
                fresh.append(((mask[0] | allows, mask[1] | gives), both))
                left = left - both
            rest = part - both
            if rest:
                fresh.append((mask, rest))
        parts = [*fresh, ((allows, gives), left)] if left else fresh
    return parts


def _not_more(mask: Mask, holding: Iterable[tuple[Mask, BitMap]], *, surely: bool) -> BitMap:
    """Those who hold all of a mask: what it gives for certain, and unless only that is asked what it gives in any way."""
    allows, gives = mask
    found = [people for (sure, somehow), people in holding if not allows & ~sure and (surely or not gives & ~somehow)]
    return BitMap.union(_EMPTY, *found)
