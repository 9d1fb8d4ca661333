"""Items that an earlier run saw of listings which it could not finish, and which fail again.

What was seen is evidence, and asking again must not make a snapshot poorer: where a listing fails earlier than the last
time, the items that are missing now come back. A listing that is read to its end, or not asked any more, gets nothing back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from kvaudit.model import scopes
from kvaudit.snapshot import layout
from kvaudit.snapshot.layout import ListingKey


class Leftovers:
    """Lines of unfinished listings, by listing."""

    def __init__(self) -> None:
        self._lines: defaultdict[ListingKey, list[bytes]] = defaultdict(list)
        self._failed: defaultdict[str, set[str]] = defaultdict(set)

    def keep(self, key: ListingKey, line: bytes) -> None:
        """Takes a line of an earlier run, with its newline."""
        self._lines[key].append(line)

    def failed(self, kind: str, scope: str) -> None:
        """Notes that this run could not read a listing, or everything of the kind below a scope."""
        self._failed[kind].add(scopes.fold(scope))

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of which something may come back."""
        return frozenset(kind for kind, scope in self._lines if self._is_failed(kind, scope))

    def missing(self, kind: str, there: Iterable[tuple[str, bytes]]) -> Iterator[tuple[ListingKey, bytes]]:
        """The lines that come back.

        Args:
            kind: one of `kinds`.
            there: scope and line of every item of the kind that the snapshot holds now. One with the same ID is newer.
        """
        wanted = {key: lines for key, lines in self._lines.items() if key[0] == kind and self._is_failed(*key)}
        known: defaultdict[ListingKey, set[str | bytes]] = defaultdict(set)
        for scope, line in there:
            key = layout.listing_key(kind, scope)
            if key in wanted:
                known[key].add(_identity(line))
        for key, lines in wanted.items():
            for line in lines:
                if _identity(line) not in known[key]:
                    known[key].add(_identity(line))
                    yield key, line

    def _is_failed(self, kind: str, scope: str) -> bool:
        return any(scopes.is_within(scope, place) for place in self._failed[kind])


def _identity(line: bytes) -> str | bytes:
    """The ID of a line's item; the line itself where it has none."""
    _, item = layout.decode_item(line)
    identifier = item.get("id") if isinstance(item, dict) else None
    return scopes.fold(identifier) if isinstance(identifier, str) else line.rstrip(b"\n")
