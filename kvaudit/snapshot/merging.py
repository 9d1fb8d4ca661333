"""One record out of what several listings returned of it.

An assignment above a subscription comes with every subscription's listing, so the same record is read many times. The
result does not depend on the order of reading: listings run side by side, and two runs must agree.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

from kvaudit.model import scopes
from kvaudit.model.authorization import DenyAssignment, RoleAssignment, ScheduleInstance
from kvaudit.model.gaps import Gap

Record = TypeVar("Record")
Listed = TypeVar("Listed", RoleAssignment, DenyAssignment, ScheduleInstance)

CHANGED = "ChangedWhileReading"
"""Code of the gap of a record that differed between two listings."""


class Merged(Generic[Record]):
    """Records by ID, each once.

    Args:
        kind: the collector's kind, for gaps.
        place: where a record lies, for gaps.
        prefer: which of two different records to keep where one says more; the rest is decided by their text.
    """

    def __init__(
        self, kind: str, place: Callable[[Record], str], prefer: Callable[[Record], int] = lambda _: 0
    ) -> None:
        self._kind = kind
        self._place = place
        self._prefer = prefer
        self._found: dict[str, Record] = {}
        self._changed: set[str] = set()

    def add(self, key: str, record: Record) -> None:
        """Take a record in by its folded ID."""
        old = self._found.get(key)
        if old is None:
            self._found[key] = record
        elif old != record:
            if self._prefer(old) == self._prefer(record):
                self._changed.add(key)
            self._found[key] = max(old, record, key=lambda item: (self._prefer(item), repr(item)))

    def records(self) -> tuple[Record, ...]:
        """The records in the order of their IDs."""
        return tuple(self._found[key] for key in sorted(self._found))

    def by_id(self) -> dict[str, Record]:
        """The records by folded ID, in its order."""
        return {key: self._found[key] for key in sorted(self._found)}

    def gaps(self) -> Iterator[Gap]:
        """One for each record that changed while it was read: which of the two holds is not known."""
        for key in sorted(self._changed):
            reason = "a record changed while it was read: two listings describe it differently"
            yield Gap(self._kind, self._place(self._found[key]), reason, code=CHANGED, retryable=True)


def merge_listed(kind: str, records: Iterable[Listed]) -> tuple[tuple[Listed, ...], tuple[Gap, ...]]:
    """Records that know which listings returned them, each once with the union of these scopes; and the gaps."""
    merged: Merged[Listed] = Merged(kind, lambda item: item.scope)
    listed: dict[str, set[str] | frozenset[str]] = {}
    for record in records:
        key = scopes.fold(record.id)
        known = listed.get(key)
        if known is None:
            listed[key] = record.listed_from
        elif not record.listed_from <= known:
            if isinstance(known, frozenset):
                listed[key] = known = set(known)
            known |= record.listed_from
        merged.add(key, record)
    found: list[Any] = []
    shared: dict[frozenset[str], frozenset[str]] = {}  # what one listing returns, others return together
    for key, record in merged.by_id().items():
        froms = frozenset(listed[key])
        if record.listed_from != froms:
            record = replace(record, listed_from=shared.setdefault(froms, froms))  # noqa: PLW2901
        found.append(record)
    return tuple(found), tuple(merged.gaps())


def telling_first(gap: Gap) -> tuple[str, str, bool, str, str, str]:
    """The order of gaps: of those of one kind and scope the one that has the service's answer comes first."""
    return gap.kind, scopes.fold(gap.scope), gap.status is None, gap.code or "", gap.reason, gap.scope
