"""Principals as small numbers, so that sets of them fit roaring bitmaps."""

from collections.abc import Callable, Iterable

from pyroaring import BitMap

from kvaudit.access.directory import Directory

NOBODY = -1
"""The number of an application registration: grants to it are worth nothing, so it is in no set."""


class Numbers:
    """Numbers of folded object IDs, given in the order of asking.

    Args:
        directory: tells application registrations.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[str, int] = {}
        self.ids: list[str] = []

    def of(self, principal_id: str) -> int:
        """The number of an ID, or `NOBODY`."""
        number = self._known.get(principal_id)
        if number is None:
            if self._directory.type_of(principal_id) == "Application":
                number = NOBODY
            else:
                number = len(self.ids)
                self.ids.append(principal_id)
            self._known[principal_id] = number
        return number

    def set_of(self, principals: Iterable[str]) -> BitMap:
        """The set of some IDs, application registrations left out."""
        return BitMap(number for number in map(self.of, principals) if number != NOBODY)


class Filter:
    """The principals that satisfy a condition, each asked once.

    Args:
        numbers: the numbers that sets are made of.
        holds: the condition, by folded ID.
    """

    def __init__(self, numbers: Numbers, holds: Callable[[str], bool]) -> None:
        self._numbers = numbers
        self._holds = holds
        self._asked = 0
        self._found = BitMap()

    def is_empty(self) -> bool:
        """Whether nobody satisfies it."""
        self._catch_up()
        return not self._found

    def of(self, principals: BitMap) -> BitMap:
        """Those of a set that satisfy it."""
        if not principals:
            return principals
        self._catch_up()
        return principals & self._found

    def _catch_up(self) -> None:
        ids = self._numbers.ids
        if self._asked < len(ids):
            fresh = range(self._asked, len(ids))
            self._found.update(number for number in fresh if self._holds(ids[number]))
            self._asked = len(ids)
