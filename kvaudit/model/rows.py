"""Columns of numbers, millions of rows long: counted, ordered and moved a bounded number of rows at a time."""

from array import array
from collections import Counter
from collections.abc import Callable
from itertools import accumulate, compress, count

GUID = 16
"""Bytes of a name."""

_TOGETHER = 1 << 16
"""Rows that are moved together: a list of all their numbers would take more memory than the columns."""


def pairs_in(ones: "array[int]", others: "array[int]") -> tuple[tuple[int, int], ...]:
    """Each pair of numbers that stand in one row, once, sorted: what they stand for then lies side by side in memory."""
    if not ones:
        return ()
    width = max(others) + 1
    size = (max(ones) + 1) * width
    if size > 16 * len(ones):
        return tuple(sorted(set(zip(ones, others, strict=True))))
    met = bytearray(size)  # a set of all pairs would look for each somewhere else in memory
    for one, other in zip(ones, others, strict=True):
        met[one * width + other] = 1
    return tuple([divmod(pair, width) for pair in compress(count(), met)])


def by_number(column: "array[int]", numbers: int) -> "tuple[array[int], array[int]]":
    """The rows of a column ordered by its numbers, and for each number where its rows end."""
    counts = Counter(column)
    free = array("I", accumulate((counts[number] for number in range(numbers - 1)), initial=0))
    ordered = array("I", bytes(4 * len(column)))
    for row, number in enumerate(column):
        place = free[number]
        ordered[place] = row
        free[number] = place + 1
    return ordered, free


def moved(column: "array[int]", order: "array[int]") -> "array[int]":
    """The numbers of some rows, one after the other. The column is emptied, so that memory holds it once."""
    if len(order) == len(column) and column[1:] == column[:-1]:  # all the same, as where one value is all there is
        return column
    found = array(column.typecode)
    for begin in range(0, len(order), _TOGETHER):
        found.fromlist([column[row] for row in order[begin : begin + _TOGETHER]])
    del column[:]
    return found


def renumber(column: "array[int]", others: "array[int]", number: Callable[[int], int]) -> None:
    """Add numbers of others, each as what it is here."""
    for begin in range(0, len(others), _TOGETHER):
        column.fromlist(list(map(number, others[begin : begin + _TOGETHER])))


def in_order(names: bytes, order: "array[int]") -> bytearray:
    """The names of some rows, one after the other."""
    found = bytearray()
    for begin in range(0, len(order), _TOGETHER):
        rows = order[begin : begin + _TOGETHER]
        found += b"".join([names[row * GUID : (row + 1) * GUID] for row in rows])
    return found
