"""Tallies of nodes: counted from sets, or from the tally of the node above and the few records that a node adds to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from kvaudit.access.counting import Question, Tally
from kvaudit.access.nodes import Node, Sets
from kvaudit.model.estate import Estate

_NO_PLACE = 3
"""Instead of 0, 1 or 2, the places of the three answers."""

_BEST = (_NO_PLACE, 0, 1, 0, 2, 0, 1, 0)
"""The place of the surest answer, by the bits of those that are given."""

_UNCLEAR = 2

Who = Callable[[Estate, str, str | None], bool | None]
"""Whether a principal (folded ID, type) is one of those who are meant; None where that cannot be told."""

Kind = Callable[[int], bool | None]
"""Whether somebody (a number) is one of those who are meant; None where that cannot be told."""


class Asked(NamedTuple):
    """A question, for whose grants it is asked, and what is asked of both again and again: questions are slow to hash."""

    question: Question
    who: Who | None
    number: int
    touched: int
    triples: tuple[int, ...]
    is_of_data: bool
    kind_of: Kind | None


def tally_of(found: Sequence[Sets]) -> Tally:
    """The grants of several operations together, each principal once among the holders."""
    if len(found) == 1:
        allowed, conditional, unknown = map(len, found[0])
        return Tally(allowed, allowed, conditional, conditional, unknown, unknown)
    numbers = []
    for place in range(3):
        sets = [item[place] for item in found if item[place]]
        numbers += [sum(map(len, sets)), len(BitMap.union(*sets)) if sets else 0]
    return Tally(*numbers)


def tally_of_masks(masks: Mapping[int, int], mask: int, kind_of: Kind | None) -> Tally:
    """The same of operations that some principals hold for certain, by their numbers."""
    numbers = [0] * 6
    for number, held in masks.items():
        grants = (held & mask).bit_count()
        kind = kind_of is None or (grants and kind_of(number))
        if grants and kind is not False:
            place = 0 if kind else 2 * _UNCLEAR
            numbers[place] += grants
            numbers[place + 1] += 1
    return Tally(*numbers)


def tally_of_records(node: Node, triple: int) -> Tally:
    """How many records a triple counts, and whom they name."""
    records, (allowed, conditional, unknown) = node.counts(triple), map(len, node.sets(triple))
    return Tally(records[0], allowed, records[1], conditional, records[2], unknown)


def with_records(above: Tally, node: Node, triple: int) -> Tally:
    """The same from the tally of the node above, which must be there."""
    assert node.parent is not None  # noqa: S101 - said above
    numbers, sets = list(above), node.parent.sets(triple)
    fresh: tuple[set[int], set[int], set[int]] = (set(), set(), set())
    for effect, named in node.given.items():
        places = effect.sets >> 3 * triple & 7
        if places:
            for counter, each in effect.counts:
                if counter // 3 == triple:
                    numbers[2 * (counter % 3)] += each * len(named)
            for place in range(3):
                if places >> place & 1:
                    known = sets[place]
                    fresh[place].update(number for number in named if number not in known)
    for place in range(3):
        numbers[2 * place + 1] += len(fresh[place])
    return Tally(*numbers)


def with_grants(
    above: Tally, node: Node, triples: Sequence[int], kind_of: Kind | None, hides: Callable[[int], bool]
) -> Tally | None:
    """The grants of some operations from the tally of the node above, which must be there; None as for `Bulk.tally`.

    Args:
        above: that tally.
        node: the node.
        triples: those of the operations.
        kind_of: whose grants count; None for everybody's.
        hides: whether somebody may hold something through a principal whom nobody saw in it.
    """
    assert node.parent is not None  # noqa: S101 - said above
    if len(triples) == 1:
        return _with_grant(above, node, triples[0], kind_of, hides)
    own: dict[int, list[int]] = {}
    for effect, named in node.given.items():
        given = [_BEST[effect.sets >> 3 * triple & 7] for triple in triples]
        if min(given) < _NO_PLACE:
            for number in named:
                known = own.get(number)
                own[number] = given if known is None else list(map(min, known, given))
    numbers, sets = list(above), [node.parent.sets(triple) for triple in triples]
    for number, given in own.items():
        kind = kind_of is None or kind_of(number)
        if kind is False and 1 not in given:
            continue
        before = [_place(number, found) for found in sets]
        after = list(map(min, before, given))
        if before == after:
            continue
        if 1 in after and hides(number):
            return None
        if kind is not False:
            _count(numbers, before, after, is_clear=bool(kind))
    return Tally(*numbers)


def _with_grant(
    above: Tally, node: Node, triple: int, kind_of: Kind | None, hides: Callable[[int], bool]
) -> Tally | None:
    """The same of one operation."""
    assert node.parent is not None  # noqa: S101 - see `with_grants`
    numbers, found, own = list(above), node.parent.sets(triple), dict[int, int]()
    for effect, named in node.given.items():
        given = _BEST[effect.sets >> 3 * triple & 7]
        for number in named if given < _NO_PLACE else ():
            kind = kind_of is None or kind_of(number)
            if kind is False and given != 1:
                continue
            before = own[number] if number in own else _place(number, found)
            own[number] = min(before, given)
            if given == 1 and before > 1 and hides(number):
                return None
            if given < before and kind is not False:
                for place, one in ((before, -1), (given, 1)):
                    if place < _NO_PLACE:
                        counted = 2 * place if kind else 2 * _UNCLEAR
                        numbers[counted] += one
                        numbers[counted + 1] += one
    return Tally(*numbers)


def _place(number: int, found: Sets) -> int:
    allowed, conditional, unknown = found
    if number in allowed:
        return 0
    if conditional and number in conditional:
        return 1
    return 2 if unknown and number in unknown else _NO_PLACE


def _count(numbers: list[int], before: list[int], after: list[int], *, is_clear: bool) -> None:
    """Count somebody whose operations were held as surely as `before` and are as `after`."""
    for places, one in ((before, -1), (after, 1)):
        for place in range(3):
            grants = places.count(place)
            if grants and is_clear:
                numbers[2 * place] += one * grants
                numbers[2 * place + 1] += one
        if not is_clear:
            grants = len(places) - places.count(_NO_PLACE)
            numbers[2 * _UNCLEAR] += one * grants
            numbers[2 * _UNCLEAR + 1] += one * bool(grants)
