"""Which files of a set are read by themselves, and which through those that use them."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def roots(uses: Mapping[T, Sequence[T]]) -> Iterator[T]:
    """What nothing else uses, and of those that use each other in a circle the first, so that everything is read once."""
    used = {target for item, targets in uses.items() for target in targets if target != item}
    reached: set[T] = set()
    for root in [*(item for item in uses if item not in used), *uses]:
        if root in reached:
            continue
        yield root
        waiting = [root]
        while waiting:
            item = waiting.pop()
            if item not in reached:
                reached.add(item)
                waiting.extend(uses.get(item, ()))
