"""Principals as small numbers, so that sets of them fit roaring bitmaps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from pyroaring import BitMap

from kvaudit.access.directory import Directory

NOBODY = -1
"""The number of an application registration: grants to it are worth nothing, so it is in no set."""


class Numbers:
    """Numbers of folded object IDs: those of the memberships first, then the others in the order of asking.

    Args:
        directory: tells application registrations.
        first: IDs whose number is their place here.
    """

    def __init__(self, directory: Directory, first: Sequence[str] = ()) -> None:
        self._directory = directory
        self.ids = list(first)
        self._known = dict(zip(first, range(len(first)), strict=True))
        for name, kind in zip(first, directory.types.of_many(first), strict=True):
            if kind == "Application":
                self._known[name] = NOBODY

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


Class = TypeVar("Class")


class Classes(Generic[Class]):
    """Principals, sorted into classes; each is asked once, when somebody asks for it.

    Args:
        numbers: the numbers that sets are made of.
        class_of: the class of a folded ID.
    """

    def __init__(self, numbers: Numbers, class_of: Callable[[str], Class]) -> None:
        self._numbers = numbers
        self._class_of = class_of
        self._asked = BitMap()
        self._sets: dict[Class, BitMap] = {}

    def sets(self, among: BitMap) -> Mapping[Class, BitMap]:
        """The classes of some principals, and others with them."""
        if not among.issubset(self._asked):
            ids, fresh = self._numbers.ids, among - self._asked
            found: dict[Class, list[int]] = {}
            for number in fresh:
                found.setdefault(self._class_of(ids[number]), []).append(number)
            for kind, numbers in found.items():
                self._sets.setdefault(kind, BitMap()).update(numbers)
            self._asked |= fresh
        return self._sets

    def counts(self, among: BitMap) -> dict[Class, int]:
        """How many of some principals are of each class; classes without any are left out."""
        numbers = ((found, members.intersection_cardinality(among)) for found, members in self.sets(among).items())
        return {found: number for found, number in numbers if number}

    def has(self, kind: Class, among: BitMap) -> bool:
        """Whether any of some principals is of a class."""
        found = self.sets(among).get(kind)
        return found is not None and bool(found.intersect(among))
