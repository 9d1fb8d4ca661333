"""Records through Resource Graph: a few queries for many subscriptions, before Resource Manager is asked for the rest.

Resource Graph has three ways of being incomplete without saying so, and nothing is called read before they are excluded
(facts azure.md 2.6): it leaves out what the caller may not read, so the caller's own permissions are asked first and every
deny assignment is looked at; it cuts results off, which the client turns into a failure; and whether it holds assignments
on single objects and above the subscriptions is not established, so those come from Resource Manager. A listing that is
finished here is not asked again; whatever is not, Resource Manager is asked for.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from kvaudit.clients.azure import RESOURCE_GRAPH_API_VERSION
from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.assignments_above import read_assignments_above
from kvaudit.collection.control_plane import is_wanted
from kvaudit.collection.delegations import joined
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest, Source
from kvaudit.collection.role_definitions import read_role_definitions
from kvaudit.collection.slim import slim
from kvaudit.collection.together import together
from kvaudit.collection.verifying import compare
from kvaudit.collection.visibility import Visibility, read_visibility
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.management_groups import MANAGEMENT_GROUPS, chain_of
from kvaudit.collectors.resource_graph import (
    ASSIGNMENTS,
    CONTAINERS,
    DELEGATED,
    PROOFS_QUERY,
    RESOURCES,
    TABLES,
    Route,
    Table,
    is_definition,
    is_subscription,
    shows_conditions,
    shows_objects,
    subscription_of_row,
)
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.collectors.vaults import VAULTS
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.model.hierarchy import Subscription

BATCH = 300
"""Subscriptions of one query: more than this is advised against (facts azure.md 2.6: 100, below 300 recommended)."""

_QUERIES_AT_ONCE = 6
"""Queries under way together; 15 in five seconds are allowed at all."""

RESOURCE_GRAPH = "resource-graph"
"""Source of a listing, as the snapshot notes it."""

_OBJECTS = "assignments on single secrets, keys and certificates may be missing in it, and conditions of assignments"

_NOT_KNOWN = "Resource Graph does not know the subscription, and leaves it out of its answers silently"

FROM_GRAPH = frozenset(route.collector.kind for table in TABLES for route in table.routes)
"""Kinds that Resource Graph has."""


@dataclass(slots=True)
class GraphRead:
    """What later parts need of this one.

    Attributes:
        whole: scopes of subscriptions of which every management group above is known.
        is_tree_whole: whether that holds for all of them, so that the tree need not be read.
        above: raw assignments that stand above subscriptions.
        fallbacks: kind and reason -> how many subscriptions Resource Manager is asked about instead.
    """

    whole: set[str] = field(default_factory=set)
    is_tree_whole: bool = False
    above: list[Any] = field(default_factory=list)
    fallbacks: Counter[tuple[str, str]] = field(default_factory=Counter)
    visible: Visibility = field(default_factory=Visibility)


class _Graph:
    """One run through the tables."""

    def __init__(
        self, reading: Reading, request: CollectRequest, subscriptions: Sequence[str], visible: Visibility
    ) -> None:
        self.reading = reading
        self.request = request
        self.subscriptions = sorted(subscriptions)
        self.visible = visible
        self.read = GraphRead()
        self.parents: dict[str, tuple[str, ...]] = {}
        self._slots = asyncio.Semaphore(_QUERIES_AT_ONCE)

    async def table(self, table: Table, subscriptions: Sequence[str]) -> None:
        """Reads one table for subscriptions, batch by batch."""
        todo = {scope: self.routes(table, scope) for scope in subscriptions}
        asked = [scope for scope in subscriptions if todo[scope] or table is CONTAINERS]
        await together(self._batch(table, {scope: todo[scope] for scope in part}) for part in portions(asked, BATCH))

    def routes(self, table: Table, scope: str) -> list[Route]:
        """The kinds of a table that are not finished for a subscription and of which all would be seen.

        Whether Resource Graph knows the subscription at all, its own row among the containers has to tell first.
        """
        routes = [
            route
            for route in table.routes
            if route.collector.feature in self.request.features
            and not self.reading.is_finished(route.collector.kind, scope)
        ]
        known = table is CONTAINERS or scope in self.parents
        seen = [route for route in routes if known and self.visible.sees(scope, route.collector.requires)]
        for route in routes:
            if route not in seen:
                self.fall_back(route.collector, scope, self.visible.reason(scope) if known else _NOT_KNOWN)
        return seen

    async def _batch(self, table: Table, todo: dict[str, list[Route]]) -> None:
        rows = _Rows(self, todo)
        query = table.query([route for routes in todo.values() for route in routes])
        pages = 0
        try:
            async with self._slots:
                async for page in self.reading.azure.resource_graph_rows(
                    query, [scope.rpartition("/")[2] for scope in todo]
                ):
                    pages += 1
                    rows.take(page.items)
        except ReadFailure as problem:
            for scope, routes in todo.items():
                for route in routes:
                    self.fall_back(route.collector, scope, problem.reason, problem)
            return
        await rows.finish(pages)

    def fall_back(self, collector: Collector[Any], scope: str, reason: str, problem: ReadFailure | None = None) -> None:
        """Notes that Resource Graph does not answer for a listing: Resource Manager is asked, or a gap tells it."""
        self.read.fallbacks[collector.kind, reason] += 1
        if self.request.source is Source.RESOURCE_GRAPH:
            doubt = ReadFailure(f"Resource Graph cannot be taken at its word: {reason}", code="NotSeen")
            self.reading.gap(collector, scope, problem or doubt)

    async def rows(self, query: str, subscriptions: Sequence[str]) -> list[Any]:
        """All rows of a small query. Raises ReadFailure."""
        found: list[Any] = []
        for part in portions(subscriptions, BATCH):
            async for rows in self.pages(query, part):
                found += rows
        return found

    async def pages(self, query: str, subscriptions: Sequence[str]) -> AsyncGenerator[Sequence[Any], None]:
        """The rows of a query over one batch, page by page. Raises ReadFailure."""
        async with self._slots:
            async for page in self.reading.azure.resource_graph_rows(
                query, [scope.rpartition("/")[2] for scope in subscriptions]
            ):
                yield page.items


class _Rows:
    """The rows of one batch, sorted into listings as they come."""

    def __init__(self, graph: _Graph, todo: dict[str, list[Route]]) -> None:
        self._graph = graph
        self._todo = todo
        self._counts: Counter[tuple[str, str]] = Counter()
        self._kept: dict[tuple[str, str], list[Any]] = {}
        self._ids: dict[tuple[str, str], set[str]] = {}

    def take(self, rows: Iterable[Any]) -> None:
        """Stores the rows of a page under their kinds and subscriptions."""
        pages: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            scope = subscription_of_row(row)
            if scope not in self._todo:
                continue  # what stands above is read elsewhere
            if is_subscription(row):
                self._graph.parents[scope] = chain_of(row)
                pages.setdefault((MANAGEMENT_GROUPS.kind, scope), []).append(row)
            for route in self._todo[scope]:
                if route.matches(row):
                    pages.setdefault((route.collector.kind, scope), []).append(row)
        for (kind, scope), found in pages.items():
            self._store(kind, scope, found)

    def _store(self, kind: str, scope: str, rows: list[Any]) -> None:
        graph = self._graph
        self._counts[kind, scope] += len(rows)
        if kind == VAULTS.kind:
            rows = [row for row in rows if is_wanted(graph.request, row)]
        self._kept.setdefault((kind, scope), []).extend(slim(kind, row) for row in rows)
        if kind == MANAGEMENT_GROUPS.kind:
            return  # stored with the tree, once it is known to be whole
        if graph.request.verify_with_arm:
            self._ids.setdefault((kind, scope), set()).update(scopes.fold(row["id"]) for row in rows)
        graph.reading.writer.add_page(kind, scope, rows)

    async def finish(self, pages: int) -> None:
        """Calls the listings finished: the query was read to its end, and held the row of each subscription itself."""
        graph, reading = self._graph, self._graph.reading
        for scope in self._todo.keys() - graph.parents.keys():
            for route in self._todo.pop(scope):
                graph.fall_back(route.collector, scope, _NOT_KNOWN)
        if graph.request.verify_with_arm:
            await together(
                compare(reading, route, scope, self._ids.get((route.collector.kind, scope), set()), graph.request)
                for scope, routes in self._todo.items()
                for route in routes
            )
        for scope, routes in self._todo.items():
            for route in routes:
                key = (route.collector.kind, scope)
                _finish(graph, *key, items=self._counts[key], pages=pages)
                reading.remember(*key, self._kept.pop(key, []))
        for scope in self._todo:
            rows = self._kept.get((MANAGEMENT_GROUPS.kind, scope))
            if rows:
                reading.remember(MANAGEMENT_GROUPS.kind, scope, rows)


def portions(items: Sequence[str], size: int) -> Iterable[list[str]]:
    """Items in portions of a size."""
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


async def read_resource_graph(
    reading: Reading, request: CollectRequest, subscriptions: Sequence[Subscription], tenant: str | None
) -> GraphRead:
    """Reads what Resource Graph has of subscriptions.

    Args:
        reading: what the collection shares.
        request: says whether Resource Manager may be asked instead.
        subscriptions: those to be read.
        tenant: folded ID of the caller's tenant, which is the name of its root management group.
    """
    visible = await read_visibility(reading, subscriptions, tenant)
    graph = _Graph(reading, request, [item.scope for item in subscriptions], visible)
    graph.read.visible = visible
    await graph.table(CONTAINERS, graph.subscriptions)
    await graph.table(RESOURCES, graph.subscriptions)
    _finish_tree(graph, tenant)
    known = [scope for scope in graph.subscriptions if scope in graph.parents]
    await together(
        (
            _read_assignments(graph),
            read_role_definitions(reading, graph.rows, known, visible),
            _read_delegations(graph),
        )
    )
    reading.writer.describe(
        fallbacks=[
            {"kind": kind, "reason": reason, "subscriptions": count}
            for (kind, reason), count in sorted(graph.read.fallbacks.items())
        ]
    )
    return graph.read


async def _read_delegations(graph: _Graph) -> None:
    """Lighthouse delegations, of which each is two rows."""
    [route] = DELEGATED.routes
    kind, reading = route.collector.kind, graph.reading
    for part in portions([scope for scope in graph.subscriptions if graph.routes(DELEGATED, scope)], BATCH):
        try:
            rows = await graph.rows(DELEGATED.query(DELEGATED.routes), part)
        except ReadFailure as problem:
            for scope in part:
                graph.fall_back(route.collector, scope, problem.reason, problem)
            continue
        for scope, items in joined(rows, part, is_assignment=route.matches, is_definition=is_definition).items():
            if items is None:
                graph.fall_back(route.collector, scope, "what a delegation gives was not among the rows")
                continue
            reading.writer.add_page(kind, scope, items)
            if graph.request.verify_with_arm:
                seen = {scopes.fold(item["id"]) for item in items}
                await compare(reading, route, scope, seen, graph.request)
            _finish(graph, kind, scope, items=len(items))
            reading.remember(kind, scope, items)


def _finish(graph: _Graph, kind: str, scope: str, *, items: int, pages: int = 1) -> None:
    """Notes that Resource Graph answered a listing to its end."""
    graph.reading.writer.finish_listing(
        kind,
        scope,
        items=items,
        pages=pages,
        api_version=RESOURCE_GRAPH_API_VERSION,
        asked_at=graph.reading.now(),
        source=RESOURCE_GRAPH,
    )


def _finish_tree(graph: _Graph, tenant: str | None) -> None:
    """The tree of management groups, when the rows of the subscriptions tell all of it."""
    root = f"{scopes.MANAGEMENT_GROUP_PREFIX}{tenant}"
    graph.read.whole = {scope for scope, chain in graph.parents.items() if chain and chain[-1] == root}
    graph.read.is_tree_whole = not set(graph.subscriptions) - graph.read.whole
    if not graph.read.is_tree_whole or graph.reading.is_finished(MANAGEMENT_GROUPS.kind, root):
        return
    rows = [row for scope in graph.subscriptions for row in graph.reading.recall(MANAGEMENT_GROUPS.kind, scope) or ()]
    writer = graph.reading.writer
    writer.add_page(MANAGEMENT_GROUPS.kind, root, rows)
    _finish(graph, MANAGEMENT_GROUPS.kind, root, items=len(rows))


async def _read_assignments(graph: _Graph) -> None:
    """Assignments of the subscriptions for which Resource Graph, with what is read above them, is complete."""
    kind = ROLE_ASSIGNMENTS.kind
    waiting = [scope for scope in graph.subscriptions if not graph.reading.is_finished(kind, scope)]
    for scope in [scope for scope in waiting if scope not in graph.read.whole]:
        graph.fall_back(ROLE_ASSIGNMENTS, scope, "which management groups stand above the subscription is not known")
    waiting = [scope for scope in waiting if scope in graph.read.whole]
    blind = _with_vaults(graph, waiting)
    if blind and not await _shows_all(graph, waiting):
        if graph.request.source is Source.RESOURCE_GRAPH:
            _tell_objects(graph, blind)
        else:
            for scope in blind:
                graph.fall_back(ROLE_ASSIGNMENTS, scope, _OBJECTS)
            waiting = [scope for scope in waiting if scope not in blind]
    above, unread = await read_assignments_above(graph.reading, {scope: graph.parents[scope] for scope in waiting})
    graph.read.above = above
    for scope in unread:
        graph.fall_back(ROLE_ASSIGNMENTS, scope, "the assignments above the subscription could not be read")
    waiting = [scope for scope in waiting if scope not in unread]
    await graph.table(ASSIGNMENTS, waiting)


def _with_vaults(graph: _Graph, subscriptions: Iterable[str]) -> set[str]:
    """Subscriptions that hold a vault, or may: only there an assignment can stand on an object."""
    return {scope for scope in subscriptions if graph.reading.recall(VAULTS.kind, scope) != []}


async def _shows_all(graph: _Graph, subscriptions: Sequence[str]) -> bool:
    """Whether there is proof that assignments on objects are shown, and conditions. One row of each is enough."""
    objects = conditions = False
    try:
        for part in portions(subscriptions, BATCH):
            async with aclosing(graph.pages(PROOFS_QUERY, part)) as pages:
                async for rows in pages:
                    objects, conditions = objects or shows_objects(rows), conditions or shows_conditions(rows)
                    if objects and conditions:
                        return True
    except ReadFailure:
        pass  # then Resource Manager is asked, or the gap below is told
    return False


def _tell_objects(graph: _Graph, subscriptions: Iterable[str]) -> None:
    for scope in sorted(subscriptions):
        graph.reading.writer.add_gap(
            Gap(
                ROLE_ASSIGNMENTS.kind,
                scope,
                "whether Resource Graph has assignments on single secrets, keys and certificates, and all conditions of "
                "assignments, is not established; --source auto reads them from Resource Manager",
                code="ObjectScopesNotSeen",
                asked_at=graph.reading.now(),
            )
        )
