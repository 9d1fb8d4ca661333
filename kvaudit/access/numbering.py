"""Principals as small numbers, so that sets of them fit roaring bitmaps."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress, count, repeat
from typing import Generic, TypeVar, cast

from pyroaring import BitMap

from kvaudit.access.directory import Directory
from kvaudit.model.directory import Principal, PrincipalState

NOBODY = -1
"""The number of an application registration: grants to it are worth nothing, so it is in no set."""


_GUEST = "Guest"

SINGLE = frozenset({"User", "ServicePrincipal"})
"""Types of principals through which nobody else holds anything, and which may be given roles."""


class Numbers:
    """Numbers of folded object IDs: those of the memberships first, then the others in the order of asking.

    Args:
        directory: tells application registrations.
        first: IDs whose number is their place here.

    Attributes:
        ids: the ID of each number.
        ordinary: see `sort`.
    """

    def __init__(self, directory: Directory, first: Sequence[str] = ()) -> None:
        self._directory = directory
        self.ids = list(first)
        self.ordinary: tuple[BitMap, ...] = ()
        self._known = dict(zip(first, range(len(first)), strict=True))
        for name in first if directory.types.knows("Application") else ():
            if directory.type_of(name) == "Application":
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

    def sort(self, names: Sequence[str], principals: Mapping[str, Principal], otherwise: int) -> "array[int]":
        """Numbers all people and workloads whom the directory knows at once, and tells whose numbers some IDs are.

        The people in `ordinary`, members of this tenant, are alike in all but their ID; so are the workloads, each of which
        was asked for its groups. `Classes` asks about one of them instead of a hundred thousand.

        Args:
            names: the IDs.
            principals: what the directory knows.
            otherwise: stands for the number of anybody else.

        Returns:
            One number for each of the IDs, side by side: they are asked for millions of times, from all over.
        """
        found, usual = PrincipalState.FOUND, dict[str | None, list[str]]()
        for name, item in principals.items():
            if item.state is found and item.type in SINGLE:
                kind = _GUEST if item.user_type == "Guest" and item.type == "User" else item.type
                if kind in usual:
                    usual[kind].append(name)
                else:
                    usual[kind] = [name]
        single, numbers = dict[str, int](), dict[str | None, list[int]]()
        for item_type, some in usual.items():
            numbers[item_type] = self._all(some)
            single.update(zip(some, numbers[item_type], strict=True))
        are_asked = map(self._directory.is_certain, usual.get("ServicePrincipal", ()))
        workloads = compress(numbers.get("ServicePrincipal", ()), are_asked)
        self.ordinary = (BitMap(numbers.get("User", ())), BitMap(list(workloads)))
        return array("i", map(single.get, names, repeat(otherwise)))

    def _all(self, names: Sequence[str]) -> list[int]:
        """The numbers of IDs that are known to be no application registrations."""
        found = list(map(self._known.get, names))
        fresh = [name for name, number in zip(names, found, strict=True) if number is None] if None in found else []
        self._known.update(zip(fresh, count(len(self.ids)), strict=False))
        self.ids += fresh
        return list(map(self._known.__getitem__, names)) if fresh else cast("list[int]", found)

    def set_of(self, principals: Iterable[str]) -> BitMap:
        """The set of some IDs, application registrations left out."""
        return BitMap(number for number in map(self.of, principals) if number != NOBODY)


Class = TypeVar("Class")


class Classes(Generic[Class]):
    """Principals, sorted into classes; each is asked once, when somebody asks for it, and of `Numbers.ordinary` one of many.

    Args:
        numbers: the numbers that sets are made of.
        class_of: the class of a folded ID.
        are_alike: whether those of each set of `Numbers.ordinary` are of one class.
    """

    def __init__(self, numbers: Numbers, class_of: Callable[[str], Class], *, are_alike: bool = True) -> None:
        self._numbers = numbers
        self._class_of = class_of
        self._are_alike = are_alike
        self._asked = BitMap()
        self._sets: dict[Class, BitMap] = {}
        self._kinds: list[Class] = []
        self._places = bytearray()
        self._is_sorted = False

    def of(self, number: int) -> Class:
        """The class of one principal, for few of whom no sets are made."""
        place = self._places[number] if number < len(self._places) else self._place(number)
        return self._kinds[place - 1] if place else self._kinds[self._place(number) - 1]

    def sets(self, among: BitMap) -> Mapping[Class, BitMap]:
        """The classes of some principals, and others with them."""
        if not among.issubset(self._asked):
            if not self._is_sorted:
                self._sort_ordinary()
            ids = self._numbers.ids
            found: dict[Class, list[int]] = {}
            for number in among - self._asked:
                found.setdefault(self._class_of(ids[number]), []).append(number)
            for kind, numbers in found.items():
                self._sets.setdefault(kind, BitMap()).update(numbers)
            self._asked |= among
        return self._sets

    def _place(self, number: int) -> int:
        """The place of the class of a principal among the classes, counted from one."""
        if not self._is_sorted:
            self._sort_ordinary()
        if number >= len(self._places):
            self._places.extend(bytes(len(self._numbers.ids) - len(self._places)))
        if not self._places[number]:
            self._places[number] = self._place_of(self._class_of(self._numbers.ids[number]))
        return self._places[number]

    def _place_of(self, kind: Class) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind) + 1

    def _sort_ordinary(self) -> None:
        places = bytearray(len(self._numbers.ids))
        for alike in self._numbers.ordinary if self._are_alike else ():
            if alike:
                kind = self._class_of(self._numbers.ids[alike[0]])
                self._sets[kind] = self._sets.get(kind, BitMap()) | alike
                self._asked |= alike
                mark = self._place_of(kind)
                for number in alike:
                    places[number] = mark
        self._places, self._is_sorted = places, True

    def counts(self, among: BitMap) -> dict[Class, int]:
        """How many of some principals are of each class; classes without any are left out."""
        numbers = ((found, members.intersection_cardinality(among)) for found, members in self.sets(among).items())
        return {found: number for found, number in numbers if number}

    def has(self, kind: Class, among: BitMap) -> bool:
        """Whether any of some principals is of a class."""
        found = self.sets(among).get(kind)
        return found is not None and bool(found.intersect(among))
