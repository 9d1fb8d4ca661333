"""How long one file may take: time of a processor, so that a busy machine does not change what is read."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

MOST_SECONDS = 2
"""Of a processor, for one file, which takes milliseconds; over text that was made to be slow time may grow with the square."""


class Clock:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._ends = time.thread_time() + MOST_SECONDS

    def has_ended(self) -> bool:
        """Whether the time is over."""
        return time.thread_time() > self._ends

    def problem(self) -> str:
        """What to say when it has ended."""
        return f"not understood within {MOST_SECONDS} seconds"

    def each(self, items: Iterable[_T]) -> Iterator[_T]:
        """The items, as long as there is time. Raises ValueError when there is none left."""
        for number, item in enumerate(items):
            if number % 16 == 0 and self.has_ended():
                raise ValueError(self.problem())
            yield item
