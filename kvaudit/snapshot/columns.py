"""Role assignments, of which a large tenant has millions, read straight into columns.

Most items differ from ones read before in few texts only. What was understood once is remembered by the text that Azure
sent; everything else goes through the collector's parser, so there is one reading of an item.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.role_assignments import parse as parse_assignment
from kvaudit.collectors.role_assignments import principal_of, role_of, scope_of
from kvaudit.model import scopes
from kvaudit.model.assignments import AssignmentsBuilder, Rare, RoleAssignments, packed_name, packed_names
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.merging import merge_listed
from kvaudit.snapshot.reader import Items

Unreadable = Callable[[str, Exception], None]
"""Told of an item that does not parse: the listing's scope, and why."""

_GUID = 36
_NO_NAME = bytes(16)

_ALWAYS = ("scope", "roleDefinitionId", "principalId")
_SOMETIMES = ("principalType", "condition", "createdOn", "description", "delegatedManagedIdentityResourceId")
_NEEDED, _LOOKED_AT = itemgetter(*_ALWAYS), itemgetter(*_ALWAYS, *_SOMETIMES)


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
    """Takes raw role assignments in."""

    def __init__(self, unreadable: Unreadable) -> None:
        self._unreadable = unreadable
        self._builder = builder = AssignmentsBuilder()
        self._scopes = _Remembered(lambda text: builder.scopes.number(scope_of({"scope": text})))
        self._powers = _Remembered(lambda texts: builder.powers.number(_power(*texts)))
        self._principals = _Remembered(lambda text: builder.principals.number(principal_of({"principalId": text})))
        self._types = _Remembered(lambda text: builder.types.number(payload.optional_text({"": text}, "")))
        self._listings = _Remembered(lambda text: builder.listings.number(payload.listed_from(text)))
        self._prefixes = _Remembered(lambda text: builder.prefixes.number(_prefix(text)))
        self._created = _Remembered(lambda text: builder.created.number(payload.shown_text({"": text}, "")))

    def read(self, batches: Iterable[Items]) -> None:
        """Take in raw items, each with the scope that was listed."""
        for froms, items in batches:
            try:
                self._take(froms, items)
            except (AttributeError, KeyError, TypeError, ValueError):
                for scope, raw in zip(froms, items, strict=True):
                    self._parse(raw, scope)

    def _take(self, froms: Sequence[str], items: Sequence[Any]) -> None:
        """Take in usual items together, column by column. Raises, and takes none, where one of them is not usual."""
        ids = [raw["id"] for raw in items]
        scopes_, roles, principals, types, conditions, created, described, delegated = zip(
            *_values([raw["properties"] for raw in items]), strict=True
        )
        ends = [text[-_GUID:] for text in ids]
        together = packed_names(ends)
        names = [packed_name(text) for text in ends] if together is None else ends
        new = (
            _numbers(self._scopes, scopes_),
            _numbers(self._powers, zip(roles, conditions, strict=True)),
            _numbers(self._principals, principals),
            _numbers(self._types, types),
            _numbers(self._listings, froms),
            _numbers(self._created, created),
            _numbers(self._prefixes, [text[:-_GUID] if name else text for text, name in zip(ids, names, strict=True)]),
        )
        if described.count(None) + delegated.count(None) < 2 * len(items):
            begin = len(self._builder.columns.scopes)
            rare = {
                begin + place: Rare(payload.shown_text({"": text}, ""), payload.optional_text({"": away}, ""))
                for place, (text, away) in enumerate(zip(described, delegated, strict=True))
            }
            self._builder.rare.update((row, item) for row, item in rare.items() if item != Rare(None, None))
        for column, numbers in zip(self._builder.columns[:7], new, strict=True):
            column.extend(numbers)
        self._builder.names.extend(together or b"".join([packed_name(text) or _NO_NAME for text in ends]))

    def _parse(self, raw: Any, scope: str) -> None:
        """Read a whole item by the collector's parser: it is unusual, or cannot be read."""
        try:
            self._builder.add(parse_assignment(raw, scope))
        except (KeyError, TypeError, ValueError) as problem:
            self._unreadable(scope, problem)

    def done(self, kind: str) -> tuple[RoleAssignments, tuple[Gap, ...]]:
        """Every assignment once, and the gaps of those that two listings describe differently."""
        repeated = list(self._repeated())
        if not repeated:
            return self._builder.done(), ()
        unsorted = self._builder.unsorted()
        records, gaps = merge_listed(kind, (unsorted.record(row) for rows in repeated for row in rows))
        for record in records:
            self._builder.add(record)
        return self._builder.done(dropped=(row for rows in repeated for row in rows)), gaps

    def _repeated(self) -> Iterator[list[int]]:
        """The rows of each ID that stands in more than one row."""
        names = memoryview(self._builder.names).cast("Q")
        ends = names[1::2].tolist()
        ordered = sorted(ends)
        twice = {one for one, two in pairwise(ordered) if one == two}
        if not twice:
            return
        unsorted = self._builder.unsorted()
        by_id: dict[str, list[int]] = {}
        for row, end in enumerate(ends):
            if end in twice:
                by_id.setdefault(scopes.fold(unsorted.id(row)), []).append(row)
        yield from (rows for rows in by_id.values() if len(rows) > 1)


def _power(role: Any, condition: Any) -> tuple[str, str | None]:
    return role_of({"roleDefinitionId": role}), payload.optional_text({"condition": condition}, "condition")


def _prefix(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("the ID is no resource ID")
    return text


def _values(properties: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Of each item's properties those that are looked at, in the order of `_LOOKED_AT`; None for those that may be absent."""
    try:
        return list(map(_LOOKED_AT, properties))
    except KeyError:
        return [(*_NEEDED(item), *(item.get(key) for key in _SOMETIMES)) for item in properties]


def _numbers(known: _Remembered, texts: Iterable[Any]) -> list[int]:
    return list(map(known.__getitem__, texts))


def named_in(assignments: RoleAssignments) -> Iterator[tuple[str, str | None, bool]]:
    """Everybody whom assignments name, with each type that they state, and whether it is somebody of another tenant."""
    columns, values = assignments.columns, assignments.values
    away = frozenset(assignments.delegated_rows())
    pairs = zip(columns.principals, columns.types, strict=True)
    home = set(pairs if not away else (pair for row, pair in enumerate(pairs) if row not in away))
    for who, kind in home:
        yield values.principals[who], values.types[kind], False
    for row in away:
        record: RoleAssignment = assignments.record(row)
        yield record.principal_id, record.principal_type, True
