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
            if self._directory.type_of(principal_id) != "Application":
                return self.add(principal_id)
            number = self._known[principal_id] = NOBODY
        return number

    def add(self, principal_id: str) -> int:
        """The number of an ID that is known to be no application registration."""
        number = self._known.get(principal_id)
        if number is None:
            number = self._known[principal_id] = len(self.ids)
            self.ids.append(principal_id)
        return number

    def set_of(self, principals: Iterable[str]) -> BitMap:
        """The set of some IDs, application registrations left out."""
        return BitMap(number for number in map(self.of, principals) if number != NOBODY)


class Filter:
    """The principals that satisfy a condition, and those of whom that cannot be told; each is asked once.

    Args:
        numbers: the numbers that sets are made of.
        holds: the condition, by folded ID; None as an answer: it cannot be told.
    """

    def __init__(self, numbers: Numbers, holds: Callable[[str], bool | None]) -> None:
        self._numbers = numbers
        self._holds = holds
        self._asked = 0
        self._found = BitMap()
        self._unclear = BitMap()

    @property
    def found(self) -> BitMap:
        """Those who satisfy it."""
        self._catch_up()
        return self._found

    @property
    def unclear(self) -> BitMap:
        """Those of whom it cannot be told."""
        self._catch_up()
        return self._unclear

    def _catch_up(self) -> None:
        ids = self._numbers.ids
        for number in range(self._asked, len(ids)):
            answer = self._holds(ids[number])
            if answer:
                self._found.add(number)
            elif answer is None:
                self._unclear.add(number)
        self._asked = len(ids)
