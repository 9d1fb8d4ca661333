"""Role assignments, of which a large tenant has millions, read straight into columns.

Most items differ from ones read before in few texts only. What was understood once is remembered by the text that Azure
sent; everything else goes through the collector's parser, so there is one reading of an item.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

from kvaudit.collectors import payload
from kvaudit.collectors.role_assignments import parse as parse_assignment
from kvaudit.collectors.role_assignments import principal_of, role_of, scope_of
from kvaudit.model import scopes
from kvaudit.model.assignments import AssignmentsBuilder, Rare, RoleAssignments
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.gaps import Gap
from kvaudit.model.packing import BEFORE_NAME, packed_name, packed_names, packed_times
from kvaudit.snapshot.merging import merge_listed
from kvaudit.snapshot.reader import Items

if TYPE_CHECKING:
    from pyroaring import BitMap

Unreadable = Callable[[str, Exception], None]
"""Told of an item that does not parse: the listing's scope, and why."""

_GUID = 36

_TOGETHER = 1 << 21
"""Bytes of names that are looked through together."""

_NO_NAME = bytes(16)


class _Remembered(dict[Any, int]):
    """The number of what a text means, worked out when the text is met for the first time.

    Args:
        understand: the collector's reading of one property, and the number of what it found. Raises ValueError.
    """

    def __init__(self, understand: Callable[[Any], int]) -> None:
        self._understand = understand

    def __missing__(self, text: Any) -> int:
        number = self[text] = self._understand(text)
        return number


class AssignmentReader:
    """Takes raw role assignments in.

    Attributes:
        builder: what was taken in so far.
    """

    def __init__(self, unreadable: Unreadable) -> None:
        self._unreadable = unreadable
        self.builder = builder = AssignmentsBuilder()
        self._places = _Remembered(lambda text: builder.place(text, scope_of({"scope": text})))
        self._roles = _Remembered(lambda text: builder.powers.number(_power(text, None)))
        self._powers = _Remembered(lambda texts: builder.powers.number(_power(*texts)))
        self._principals = _Remembered(lambda text: builder.principals.number(principal_of({"principalId": text})))
        self._types = _Remembered(lambda text: builder.types.number(payload.optional_text({"": text}, "")))
        self._listings = _Remembered(lambda text: builder.listings.number(payload.listed_from(text)))

    def read(self, batches: Iterable[Items]) -> None:
        """Take in raw items, each with the scope that was listed."""
        for froms, items in batches:
            try:
                self._take(froms, items)
            except (AttributeError, KeyError, TypeError, ValueError):
                for scope, raw in zip(froms, items, strict=True):
                    self._parse(raw, scope)

    def take(self, rows: AssignmentsBuilder) -> None:
        """Take in what another reader read, after what this one did."""
        self.builder.take(rows, _numbers(self._places, rows.prefixes.places))

    def _take(self, froms: Sequence[str], items: Sequence[Any]) -> None:
        """Take in usual items together, column by column. Raises, and takes none, where one of them is not usual."""
        ids = [raw["id"] for raw in items]
        properties = [raw["properties"] for raw in items]
        ends = [text[-_GUID:] for text in ids]
        together = packed_names(ends)
        texts = [one["scope"] for one in properties]
        places = _numbers(self._places, texts)
        if together is not None and ids == [f"{text}{BEFORE_NAME}{end}" for text, end in zip(texts, ends, strict=True)]:
            prefixes = places
        else:
            prefixes = [self._prefix(*one) for one in zip(ids, texts, ends, places, strict=True)]
        new = (
            list(map(self.builder.place_scopes.__getitem__, places)),
            self._powers_of([one["roleDefinitionId"] for one in properties], _column(properties, "condition")),
            _numbers(self._principals, [one["principalId"] for one in properties]),
            _numbers(self._types, _column(properties, "principalType")),
            _repeating(self._listings, froms),
            self._times(_column(properties, "createdOn")),
            prefixes,
        )
        described = _column(properties, "description")
        delegated = _column(properties, "delegatedManagedIdentityResourceId")
        if described.count(None) + delegated.count(None) < 2 * len(items):
            begin = len(self.builder.columns.scopes)
            rare = {
                begin + place: Rare(payload.shown_text({"": text}, ""), payload.optional_text({"": away}, ""))
                for place, (text, away) in enumerate(zip(described, delegated, strict=True))
            }
            self.builder.rare.update((row, item) for row, item in rare.items() if item != Rare(None, None))
        for column, numbers in zip(self.builder.columns[:7], new, strict=True):
            column.fromlist(numbers)
        self.builder.names.extend(together or b"".join([packed_name(text) or _NO_NAME for text in ends]))

    def _prefix(self, text: str, scope: str, end: str, place: int) -> int:
        """The number of what stands before a name: mostly the scope, and the same words after it."""
        if not text.startswith("/"):
            raise ValueError("the ID is no resource ID")
        if packed_name(end) is None:
            return self.builder.prefix(text)
        return place if text == f"{scope}{BEFORE_NAME}{end}" else self.builder.prefix(text[:-_GUID])

    def _powers_of(self, roles: list[Any], conditions: list[Any]) -> list[int]:
        if conditions.count(None) == len(conditions):
            return _numbers(self._roles, roles)
        known, conditional = self._roles, self._powers
        return [
            known[role] if condition is None else conditional[role, condition]
            for role, condition in zip(roles, conditions, strict=True)
        ]

    def _times(self, texts: list[Any]) -> list[int]:
        number, shown = self.builder.created.number, payload.shown
        if texts.count(texts[0]) == len(texts):
            return [number(shown(texts[0]))] * len(texts)
        return packed_times(texts) or [number(shown(text)) for text in texts]

    def _parse(self, raw: Any, scope: str) -> None:
        """Read a whole item by the collector's parser: it is unusual, or cannot be read."""
        try:
            self.builder.add(parse_assignment(raw, scope))
        except (KeyError, TypeError, ValueError) as problem:
            self._unreadable(scope, problem)

    def done(self, kind: str) -> tuple[RoleAssignments, tuple[Gap, ...]]:
        """Every assignment once, and the gaps of those that two listings describe differently."""
        self._forget()
        repeated = list(self._repeated())
        if not repeated:
            return self.builder.done(), ()
        unsorted = self.builder.unsorted()
        records, gaps = merge_listed(kind, (unsorted.record(row) for rows in repeated for row in rows))
        for record in records:
            self.builder.add(record)
        return self.builder.done(dropped=(row for rows in repeated for row in rows)), gaps

    def _forget(self) -> None:
        """Let go of what was remembered: it takes as much memory as what was read."""
        for known in (self._places, self._roles, self._powers, self._principals, self._types, self._listings):
            known.clear()

    def _repeated(self) -> Iterator[list[int]]:
        """The rows of each ID that stands in more than one row."""
        twice = self._ends_met_twice()
        if not twice:
            return
        unsorted = self.builder.unsorted()
        by_id: dict[str, list[int]] = {}
        row = 0
        for ends in self._ends():
            for place in compress(range(row, row + len(ends)), map(twice.__contains__, ends)):
                by_id.setdefault(scopes.fold(unsorted.id(place)), []).append(place)
            row += len(ends)
        yield from (rows for rows in by_id.values() if len(rows) > 1)

    def _ends_met_twice(self) -> "BitMap":
        """The last four bytes of those names that another name may be equal to: a set of all names would take gigabytes."""
        from pyroaring import BitMap

        seen, twice = BitMap(), BitMap()
        for ends in self._ends():
            here = BitMap(sorted(ends))  # names are random: in any other order it looks for a place for each
            if len(here) < len(ends):
                twice.update(end for end, times in Counter(ends).items() if times > 1)
            twice |= seen & here
            seen |= here
        return twice

    def _ends(self) -> "Iterator[array[int]]":
        """The last four bytes of each name, some rows at a time."""
        names = self.builder.names
        for begin in range(0, len(names), _TOGETHER):
            yield array("I", bytes(names[begin : begin + _TOGETHER]))[3::4]


def _power(role: Any, condition: Any) -> tuple[str, str | None]:
    return role_of({"roleDefinitionId": role}), payload.optional_text({"condition": condition}, "condition")


def _column(properties: Sequence[Any], key: str) -> list[Any]:
    """One property of each item; None where it is absent."""
    try:
        return [item[key] for item in properties]
    except KeyError:
        return [item.get(key) for item in properties]


def _numbers(known: _Remembered, texts: Iterable[Any]) -> list[int]:
    return [known[text] for text in texts]


def _repeating(known: _Remembered, texts: Sequence[Any]) -> list[int]:
    """The same of texts that are often all the same."""
    if texts.count(texts[0]) == len(texts):
        return [known[texts[0]]] * len(texts)
    return _numbers(known, texts)


def named_in(assignments: RoleAssignments) -> Iterator[tuple[str, str | None, bool]]:
    """Everybody whom assignments name, with each type that they state, and whether it is somebody of another tenant."""
    values = assignments.values
    for who, kind in assignments.home_pairs:
        yield values.principals[who], values.types[kind], False
    for row in assignments.delegated_rows():
        record: RoleAssignment = assignments.record(row)
        yield record.principal_id, record.principal_type, True
