"""A mapping whose values are made when they are asked for: of millions of records few are looked at."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

Place = TypeVar("Place")
Made = TypeVar("Made")


class MadeOnDemand(Mapping[str, Made]):
    """Values by key, made anew at each look.

    Args:
        places: key -> where the value lies.
        make: makes the value of a place.
    """

    def __init__(self, places: Mapping[str, Place], make: Callable[[Place], Made]) -> None:
        self._places = places
        self._look: Callable[[str], Made] = lambda key: make(places[key])

    def __getitem__(self, key: str) -> Made:
        return self._look(key)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
