"""A value that cannot be decided before deployment, and why."""

from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands where a value would: whatever is made of it is unknown too.

    Attributes:
        reason: what is missing, for a person: "parameter vaultName has no default and no value was given".
    """

    reason: str


def known(value: T | Unknown) -> T | None:
    """The value, or None where it is unknown."""
    return None if isinstance(value, Unknown) else value


def unknown_in(value: Any) -> Unknown | None:
    """The first unknown in a value, however deep in lists and objects; None when all of it is known."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Unknown):
            return item
        if isinstance(item, dict):
            waiting.extend(reversed(list(item.values())))
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))
    return None
