"""Answers that are kept for those who ask next: a tenant has far more vaults times principals than fit in memory."""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Answers by what was asked. What nobody asks for again is forgotten; questions come vault by vault, neighbours together.

    Args:
        most: about how much is kept, twice that at most: the weights of answers, mostly 1 each.
    """

    __slots__ = ("_new", "_old", "_weight", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self._new: dict[Key, tuple[Value, int]] = {}
        self._old: dict[Key, tuple[Value, int]] = {}
        self._weight = 0

    def get(self, key: Key) -> Value | None:
        """The answer that is kept, or None. An answer is never None."""
        found = self._new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> Value:
        """Keep an answer, and return it."""
        if self._weight >= self.most:
            self._old, self._new, self._weight = self._new, {}, 0
        self._new[key] = value, weight
        self._weight += weight
        return value
