"""Role assignments as columns: the largest tenants have millions, and a record for each would take gigabytes.

A record is made when it is looked at. Texts that many assignments share (scopes, roles, conditions, principals, the part of
the ID before the name) are kept once, and a name that is a GUID takes its 16 bytes.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.packing import BEFORE_NAME, POOLED, WHOLE, Numbered, Pool, Prefixes, Times, packed_name
from kvaudit.model.rows import by_number, in_order, moved, pairs_in, renumber

Power = tuple[str, str | None]
"""A role's folded GUID and the assignment's condition: what decides what the assignment gives."""

_GUID = 16

_FOLDED_BEFORE_NAME = BEFORE_NAME.lower()


class Rare(NamedTuple):
    """What few assignments have."""

    description: str | None
    delegated_managed_identity_resource_id: str | None


class Columns(NamedTuple):
    """One number or name for each assignment, row by row.

    Attributes:
        scopes, powers, principals, types, listings: numbers of pooled values.
        created: numbers of times.
        prefixes: numbers of the parts of IDs before the name; of a whole ID where the name is no GUID in lower case.
        names: 16 bytes for each row; zeros where the prefix is the whole ID.
    """

    scopes: "array[int]"
    powers: "array[int]"
    principals: "array[int]"
    types: "array[int]"
    listings: "array[int]"
    created: "array[int]"
    prefixes: "array[int]"
    names: bytes | bytearray


class Values(NamedTuple):
    """The pooled values of `Columns`."""

    scopes: Sequence[str]
    powers: Sequence[Power]
    principals: Sequence[str]
    types: Sequence[str | None]
    listings: Sequence[frozenset[str]]
    created: Numbered[str | None]
    prefixes: Numbered[str]


class RoleAssignments(Sequence[RoleAssignment]):
    """Role assignments, sorted by scope and ID. Made by `AssignmentsBuilder`.

    Args:
        columns: sorted by scope.
        values: what their numbers stand for.
        rare: by row.
        starts: scope -> its first row and the row after its last.
    """

    def __init__(
        self, columns: Columns, values: Values, rare: Mapping[int, Rare], starts: Mapping[str, tuple[int, int]]
    ) -> None:
        self.columns = columns
        self.values = values
        self.rare = rare
        self.starts = starts

    @classmethod
    def of(cls, records: Sequence[RoleAssignment]) -> "RoleAssignments":
        """The same assignments as columns."""
        if isinstance(records, RoleAssignments):
            return records
        builder = AssignmentsBuilder()
        for item in records:
            builder.add(item)
        return builder.done()

    def knowing(self, types: Mapping[str, str | None]) -> "RoleAssignments":
        """The same as part of a whole whose assignments state these types, of principals that others name too."""
        part = RoleAssignments(self.columns, self.values, self.rare, self.starts)
        part.__dict__["recorded_types"] = types  # where `cached_property` keeps what it worked out
        return part

    def __len__(self) -> int:
        return len(self.columns.scopes)

    def __iter__(self) -> Iterator[RoleAssignment]:
        return map(self.record, range(len(self)))

    @overload
    def __getitem__(self, index: int) -> RoleAssignment: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RoleAssignment, ...]: ...
    def __getitem__(self, index: int | slice) -> RoleAssignment | tuple[RoleAssignment, ...]:
        rows = range(len(self))[index]
        return self.record(rows) if isinstance(rows, int) else tuple(map(self.record, rows))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return False
        return all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((len(self), *self.values.principals[:8]))

    def __repr__(self) -> str:
        return f"RoleAssignments({tuple(self)!r})"

    def rows_at(self, scope: str) -> range:
        """The rows of the assignments at exactly a folded scope."""
        return range(*self.starts.get(scope, (0, 0)))

    def at(self, scope: str) -> tuple[RoleAssignment, ...]:
        """The assignments at exactly a folded scope, by ID."""
        return tuple(map(self.record, self.rows_at(scope)))

    def id(self, row: int) -> str:
        """The ID of a row, as Azure sent it."""
        prefix = self.values.prefixes[self.columns.prefixes[row]]
        name = self.columns.names[row * _GUID : (row + 1) * _GUID]
        if not any(name):
            return prefix
        text = name.hex()
        return f"{prefix}{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def record(self, row: int) -> RoleAssignment:
        """The assignment of a row."""
        columns, values = self.columns, self.values
        role, condition = values.powers[columns.powers[row]]
        description, delegated = self.rare.get(row, (None, None))
        return RoleAssignment(
            self.id(row),
            values.scopes[columns.scopes[row]],
            role,
            values.principals[columns.principals[row]],
            values.types[columns.types[row]],
            condition,
            description,
            values.created[columns.created[row]],
            delegated,
            values.listings[columns.listings[row]],
        )

    def by_ids(self, ids: Collection[str]) -> Mapping[str, RoleAssignment]:
        """Those of some IDs in lower case that there are. An assignment mostly stands at the scope that its ID begins with."""
        found: dict[str, RoleAssignment] = {}
        missing = set()
        for wanted in ids:
            near = self.at(wanted.rpartition(_FOLDED_BEFORE_NAME)[0] or "/")
            same = next((item for item in near if item.id.casefold() == wanted), None)
            if same is None:
                missing.add(wanted)
            else:
                found[wanted] = same
        if missing:
            for row in range(len(self)):
                folded = self.id(row).casefold()
                if folded in missing:
                    found[folded] = self.record(row)
        return found

    def everybody(self) -> Iterator[str]:
        """The principals that assignments name, some of them again."""
        return (self.values.principals[who] for who, _ in self._pairs)

    def delegated_rows(self) -> Iterator[int]:
        """The rows of managed identities of another tenant (Lighthouse)."""
        return (row for row, item in self.rare.items() if item.delegated_managed_identity_resource_id is not None)

    @cached_property
    def _pairs(self) -> tuple[tuple[int, int], ...]:
        """Every principal with each type that its assignments state, by number."""
        return pairs_in(self.columns.principals, self.columns.types)

    @cached_property
    def home_pairs(self) -> tuple[tuple[int, int], ...]:
        """Those of assignments that name a principal of this tenant: the numbers of principals and types."""
        away = frozenset(self.delegated_rows())
        if not away:
            return self._pairs
        pairs = zip(self.columns.principals, self.columns.types, strict=True)
        return tuple(sorted({pair for row, pair in enumerate(pairs) if row not in away}))

    @cached_property
    def recorded_types(self) -> Mapping[str, str | None]:
        """Every principal -> the type that its assignments state; where they differ, the last one's."""
        types = self.values.types
        whos = [who for who, _ in self._pairs]
        if len(set(whos)) == len(whos):  # nearly always
            stated = [types[kind] or None for _, kind in self._pairs]
            return dict(zip(map(self.values.principals.__getitem__, whos), stated, strict=True))
        found: dict[int, int] = {}
        several = set()
        for who, kind in self._pairs:
            if types[kind]:
                if who in found:
                    several.add(who)
                found[who] = kind
            else:
                found.setdefault(who, kind)
        if several:
            pairs = zip(self.columns.principals, self.columns.types, strict=True)
            found.update((who, kind) for who, kind in pairs if who in several and types[kind])
        return {self.values.principals[who]: types[kind] or None for who, kind in found.items()}

    @cached_property
    def principals_at_home(self) -> frozenset[str]:
        """Everybody whom an assignment names as a principal of this tenant."""
        return frozenset(self.values.principals[who] for who, _ in self.home_pairs)


class AssignmentsBuilder:
    """Takes assignments in any order, each once.

    Attributes:
        place_scopes: the number of the scope of each of `prefixes.places`.
    """

    def __init__(self) -> None:
        self.scopes: Pool[str] = Pool()
        self.powers: Pool[Power] = Pool()
        self.principals: Pool[str] = Pool()
        self.types: Pool[str | None] = Pool()
        self.listings: Pool[frozenset[str]] = Pool()
        self.created = Times()
        self.prefixes = Prefixes()
        self.place_scopes = array("I")
        self.names = bytearray()
        self.columns = Columns._make([*(array(kind) for kind in "IIIIIQI"), self.names])
        self.rare: dict[int, Rare] = {}

    @property
    def pools(self) -> "tuple[Pool[Any], ...]":
        """The pools of the first columns, in their order."""
        return self.scopes, self.powers, self.principals, self.types, self.listings

    def add(self, item: RoleAssignment) -> None:
        """Take in one assignment."""
        columns = self.columns
        description, delegated = item.description, item.delegated_managed_identity_resource_id
        if description is not None or delegated is not None:
            self.rare[len(columns.scopes)] = Rare(description, delegated)
        columns.scopes.append(self.scopes.number(item.scope))
        columns.powers.append(self.powers.number((item.role, item.condition)))
        columns.principals.append(self.principals.number(item.principal_id))
        columns.types.append(self.types.number(item.principal_type))
        columns.listings.append(self.listings.number(item.listed_from))
        columns.created.append(self.created.number(item.created_on))
        self.add_id(item.id)

    def add_id(self, text: str) -> None:
        """Take in the ID of the assignment that is being added."""
        name = text[-36:]
        packed = packed_name(name)
        self.columns.prefixes.append(self.prefix(text[:-36] if packed else text))
        self.names.extend(packed or bytes(_GUID))

    def prefix(self, text: str) -> int:
        """The number of what stands before a name, or of a whole ID."""
        return WHOLE + self.prefixes.whole.number(text)

    def place(self, spelled: str, scope: str) -> int:
        """The number of what usually stands before the names at a scope. Asked once for each spelling of it."""
        places = self.prefixes.places
        places.append(scope if spelled == scope else spelled)
        self.place_scopes.append(self.scopes.number(scope))
        return len(places) - 1

    def take(self, rows: "AssignmentsBuilder", places: Sequence[int]) -> None:
        """Take in what another builder took in, in its order.

        Args:
            rows: the other one.
            places: what is here the number of each of its `prefixes.places`, see `place`.
        """
        begin = len(self.columns.scopes)
        self.rare.update((begin + row, item) for row, item in rows.rare.items())
        for column, other, mine, known in zip(self.columns[:5], rows.columns[:5], self.pools, rows.pools, strict=True):
            renumber(column, other, list(map(mine.number, known.values)).__getitem__)
        times = list(map(self.created.others.number, rows.created.others.values))
        renumber(
            self.columns.created,
            rows.columns.created,
            lambda number: number if number < POOLED else POOLED + times[number - POOLED],
        )
        whole = list(map(self.prefix, rows.prefixes.whole.values))
        renumber(
            self.columns.prefixes,
            rows.columns.prefixes,
            lambda number: places[number] if number < WHOLE else whole[number - WHOLE],
        )
        self.names += rows.names

    def unsorted(self) -> RoleAssignments:
        """What was taken in so far, row by row; it cannot be asked by scope."""
        return RoleAssignments(self.columns, self._values(), self.rare, {})

    def done(self, dropped: Iterable[int] = ()) -> RoleAssignments:
        """All of them but some rows, sorted by scope and folded ID. Takes what was taken in apart."""
        self._forget()
        scopes, names = self.scopes.values, bytes(self.names)
        self.names.clear()
        gone = frozenset(dropped)
        by_scope, ends = by_number(self.columns.scopes, len(scopes))
        order = array("I")
        starts: dict[str, tuple[int, int]] = {}
        for scope in sorted(range(len(scopes)), key=scopes.__getitem__):
            rows: Sequence[int] = by_scope[ends[scope - 1] if scope else 0 : ends[scope]]
            if gone:
                rows = [row for row in rows if row not in gone]
            if rows:
                starts[scopes[scope]] = (len(order), len(order) + len(rows))
                order.extend(rows if len(rows) == 1 and not gone else array("I", self._by_id(rows, names)))
        del by_scope, ends
        rare = {place: self.rare[row] for place, row in enumerate(order) if row in self.rare} if self.rare else {}
        ordered = in_order(names, order)
        del names
        columns = [moved(column, order) for column in self.columns[:7]]
        return RoleAssignments(Columns._make([*columns, ordered]), self._values(), rare, starts)

    def _values(self) -> Values:
        return Values(
            self.scopes.values,
            self.powers.values,
            self.principals.values,
            self.types.values,
            self.listings.values,
            self.created,
            self.prefixes,
        )

    def _forget(self) -> None:
        """Let go of what only taking in needs."""
        for pool in (*self.pools, self.created.others, self.prefixes.whole):
            pool.numbers = {}
        self.place_scopes = array("I")

    def _by_id(self, rows: Sequence[int], names: bytes) -> list[int]:
        """Rows in the order of their folded IDs."""
        numbers, texts = self.columns.prefixes, self.prefixes
        prefixes = [numbers[row] for row in rows]
        if prefixes.count(prefixes[0]) == len(prefixes):
            return sorted(rows, key=lambda row: names[row * _GUID : (row + 1) * _GUID])
        return sorted(rows, key=lambda row: (texts[numbers[row]].casefold(), names[row * _GUID : (row + 1) * _GUID]))
