"""The records with routes that reach a place, by whom they name: asked for each principal of each vault."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.powers import Powers
from kvaudit.access.grants import Record
from kvaudit.access.memberships import Way
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes

_KEPT = 50_000
"""Records that are kept by name, as many places, and as many principals with the records that name them."""

Hits = tuple[tuple["Given", tuple[str, ...]], ...]
"""The records over a place that name a principal, each with the groups through which it does."""


@dataclass(eq=False, frozen=True, slots=True)
class Given:
    """A record with routes, and what it gives. Two of them are equal where they are one.

    Attributes:
        powers: before denies.
        placed: whether it reaches the place for certain.
        way: how the principal comes into the group that it names, where it is not in it yet.
    """

    record: Record
    powers: Powers
    placed: bool
    way: Way | None = None


_Table = Mapping[str, tuple[Given, ...]]
"""Folded principal IDs → the records that name them, in their order."""


class RecordsByName:
    """Records of one estate by place and by whom they name. Those that give nothing that routes are made of are left out.

    Args:
        around: where the records are.
        given: what a record gives at its scope and below, before denies.
    """

    def __init__(self, around: Surroundings, given: Callable[[Record], Powers]) -> None:
        self._around = around
        self._given = given
        self._parents = {item.scope: item.parent for item in around.estate.hierarchy}
        self._tables: Kept[tuple[str, str], _Table] = Kept(_KEPT)
        self._places: Kept[str, tuple[_Table, ...]] = Kept(_KEPT)

    def naming(self, principal_id: str, place: str, *, at_place_only: bool = False) -> Hits:
        """The records over a folded scope, or at it only, that name a principal or a group of it; from the root down."""
        chains, found = self._around.directory.chains_up(principal_id), list[tuple[Given, tuple[str, ...]]]()
        ways = self._around.directory.ways_up(principal_id)
        for table in (self._own(place),) if at_place_only else self._over(place):
            found.extend((item, ()) for item in table.get(principal_id, ()))
            hits = table.keys() & chains.keys() if chains else ()
            for name in sorted(hits) if len(hits) > 1 else hits:
                found.extend((item, chains[name]) for item in table[name])
            for name in sorted(table.keys() & ways.keys()) if ways else ():
                way = ways[name]
                found.extend(
                    (Given(item.record, item.powers.awaiting(), item.placed, way), way.chain) for item in table[name]
                )
        return tuple(found)

    def places_over(self, scope: str) -> tuple[str, ...]:
        """Every folded scope whose records reach a folded scope: from `/` down to it. Groups stand above management groups too."""
        above = dict[str, None]()  # in a circle each stands once
        parent = self._parents.get(scope) if scopes.is_management_group(scope) else None
        while parent is not None and parent != scope and parent not in above:
            above[parent] = None
            parent = self._parents.get(parent)
        root, *path = self._around.estate.scopes_over(scope)
        return (root, *reversed(above), *path)

    def _own(self, place: str) -> _Table:
        return self._at(place, scopes.subscription_of(place) or "")

    def _over(self, place: str) -> tuple[_Table, ...]:
        found = self._places.get(place)
        if found is None:
            subscription, chain = scopes.subscription_of(place) or "", self.places_over(place)
            tables = [self._at(scope, subscription) for scope in chain]
            if subscription:
                tables.append(self._beside(subscription, chain))
            found = self._places.put(place, tuple(table for table in tables if table))
        return found

    def _at(self, scope: str, subscription: str) -> _Table:
        is_split = scope == scopes.ROOT and not self._around.estate.is_of_one_tenant
        key = scope, subscription if is_split else ""
        found = self._tables.get(key)
        if found is None:
            found = self._table((record, True) for record in self._around.records.over(scope, subscription))
            self._tables.put(key, found, 1 + len(found))
        return found

    def _beside(self, subscription: str, chain: tuple[str, ...]) -> _Table:
        """What reaches a subscription although the tree of management groups does not say so, or may reach it."""
        key = "beside", subscription
        found = self._tables.get(key)
        if found is None:
            records = self._around.records
            listed = ((record, True) for record in records.listed_below(subscription, chain))
            unplaced = ((record, False) for record in records.unplaced(subscription, chain))
            found = self._table(item for items in (listed, unplaced) for item in items)
            self._tables.put(key, found, 1 + len(found))
        return found

    def _table(self, records: Iterator[tuple[Record, bool]]) -> _Table:
        table: dict[str, list[Given]] = {}
        for record, placed in records:
            powers = self._given(record)
            if powers.any:
                table.setdefault(record.principal_id, []).append(Given(record, powers, placed))
        return {name: tuple(found) for name, found in table.items()}
