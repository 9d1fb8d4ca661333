"""Names, kinds and memberships of the principals that records name, from Microsoft Graph."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from kvaudit.clients.azure import BatchAnswer
from kvaudit.clients.failures import ReadFailure, failure_of_answer
from kvaudit.clients.paging import Page
from kvaudit.clients.read_only import BATCH_LIMIT
from kvaudit.collection.listing import Reading
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.directory import (
    DELETED_PRINCIPALS,
    GET_BY_IDS_LIMIT,
    GROUP_MEMBERS,
    PRINCIPALS,
    SERVICE_PRINCIPAL_GROUPS,
    SERVICE_PRINCIPALS,
    batch_scope,
    deleted_scope,
    groups_scope,
    members_scope,
    object_type,
)

_ROUNDS_OF_WAITING = 4
"""How often parts of a batch that Graph throttled are asked again."""

Take = Callable[[str, BatchAnswer], Awaitable[None]]


async def read_directory(reading: Reading, named: frozenset[str]) -> None:
    """Reads who the named principals are, the members of their groups, and the groups of every service principal."""
    found, complete = await _read_principals(reading, named)
    await _read_deleted(reading, sorted(complete - set(found)))
    groups = [item["id"].casefold() for item in found.values() if object_type(item) == "Group"]
    if groups:
        await asyncio.gather(_read_members(reading, groups), _read_service_principals(reading))


async def _read_principals(reading: Reading, named: frozenset[str]) -> tuple[dict[str, Any], set[str]]:
    """What Graph says of the named IDs, and the IDs that it was asked about successfully."""
    found: dict[str, Any] = {}
    complete: set[str] = set()
    for ids in _portions(sorted(named), GET_BY_IDS_LIMIT):
        scope = batch_scope(ids)

        async def pages(portion: Sequence[str] = ids) -> AsyncIterator[Page]:
            answer = await reading.azure.graph_post(PRINCIPALS.path, {"ids": list(portion)})
            items = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise ReadFailure("Microsoft Graph answered no list", status=200, code="UnexpectedAnswer")
            yield Page(items)

        items = await reading.store(PRINCIPALS, scope, pages())
        if reading.is_finished(PRINCIPALS.kind, scope):
            complete.update(ids)
        found |= {
            item["id"].casefold(): item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)
        }
    return found, complete


def _portions(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    iterator = iter(items)
    while portion := list(islice(iterator, size)):
        yield portion


async def _read_deleted(reading: Reading, ids: Sequence[str]) -> None:
    """Whether principals that Graph does not know can be restored. 404 is an answer: they cannot."""

    async def take(principal_id: str, answer: BatchAnswer) -> None:
        scope = deleted_scope(principal_id)
        if answer.status in {200, 404}:
            items = [answer.body] if answer.status == 200 else []
            reading.writer.add_page(DELETED_PRINCIPALS.kind, scope, items)
            reading.writer.finish_listing(
                DELETED_PRINCIPALS.kind, scope, items=len(items), pages=1, asked_at=reading.now()
            )
            reading.done(DELETED_PRINCIPALS.kind)
        else:
            _part_gap(reading, DELETED_PRINCIPALS, scope, answer)

    await _in_batches(reading, DELETED_PRINCIPALS, ids, lambda item: f"/{deleted_scope(item)}", deleted_scope, take)


async def _read_members(reading: Reading, groups: Sequence[str]) -> None:
    """Direct members of groups, then of the groups in them, each group once."""
    seen = set(groups)
    waiting = list(groups)

    while waiting:
        nested: list[str] = []

        async def take(group: str, answer: BatchAnswer, into: list[str] = nested) -> None:
            items = await _store_part(reading, GROUP_MEMBERS, members_scope(group), answer)
            for item in items:
                if isinstance(item, dict) and isinstance(item.get("id"), str) and object_type(item) == "Group":
                    inner = item["id"].casefold()
                    if inner not in seen:
                        seen.add(inner)
                        into.append(inner)

        await _in_batches(
            reading, GROUP_MEMBERS, waiting, lambda item: f"/groups/{item}/members?$top=999", members_scope, take
        )
        waiting = nested


async def _read_service_principals(reading: Reading) -> None:
    """Every service principal and the groups it is in: v1.0 leaves them out of the members of groups (azure.md 2.1)."""
    pages = reading.azure.graph_pages(SERVICE_PRINCIPALS.path, query=SERVICE_PRINCIPALS.query)
    items = await reading.store(SERVICE_PRINCIPALS, "servicePrincipals", pages)
    ids = [item["id"].casefold() for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]

    async def take(principal_id: str, answer: BatchAnswer) -> None:
        await _store_part(reading, SERVICE_PRINCIPAL_GROUPS, groups_scope(principal_id), answer)

    url = "/servicePrincipals/{}/transitiveMemberOf?$top=999"
    await _in_batches(reading, SERVICE_PRINCIPAL_GROUPS, ids, url.format, groups_scope, take)


async def _store_part(reading: Reading, collector: Collector[Any], scope: str, answer: BatchAnswer) -> list[Any]:
    """Stores the listing that one part of a batch began, following its next link."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status != 200 or not isinstance(body.get("value"), list):
        _part_gap(reading, collector, scope, answer)
        return []

    async def pages() -> AsyncIterator[Page]:
        yield Page(body["value"])
        link = body.get("@odata.nextLink")
        if isinstance(link, str):
            async for page in reading.azure.graph_pages(collector.path.replace("{scope}", scope), link=link):
                yield page

    return await reading.store(collector, scope, pages(), expected=True)


def _part_gap(reading: Reading, collector: Collector[Any], scope: str, answer: BatchAnswer) -> None:
    reading.gap(collector, scope, failure_of_answer(answer.status, answer.body, host="Microsoft Graph"))
    reading.done(collector.kind)


async def _in_batches(
    reading: Reading,
    collector: Collector[Any],
    ids: Sequence[str],
    url: Callable[[str], str],
    scope: Callable[[str], str],
    take: Take,
) -> None:
    """Asks about every ID, 20 to a request; parts that were throttled are asked again after the wait that Graph names."""
    todo = [item for item in ids if not reading.is_finished(collector.kind, scope(item))]
    reading.expect(collector.kind, len(todo))
    await asyncio.gather(
        *(_one_batch(reading, collector, portion, url, scope, take) for portion in _portions(todo, BATCH_LIMIT))
    )


async def _one_batch(
    reading: Reading,
    collector: Collector[Any],
    ids: Sequence[str],
    url: Callable[[str], str],
    scope: Callable[[str], str],
    take: Take,
) -> None:
    waiting = list(ids)
    for attempt in range(_ROUNDS_OF_WAITING + 1):
        try:
            answers = await reading.azure.graph_batch({str(index): url(item) for index, item in enumerate(waiting)})
        except ReadFailure as problem:
            for item in waiting:
                reading.gap(collector, scope(item), problem)
                reading.done(collector.kind)
            return
        again: list[str] = []
        pause = 0.0
        for index, item in enumerate(waiting):
            answer = answers.get(str(index), BatchAnswer(429, None, None))
            if answer.status in {429, 503} and attempt < _ROUNDS_OF_WAITING:
                again.append(item)
                pause = max(pause, min(answer.retry_after or 2.0**attempt, 30.0))
            else:
                await take(item, answer)
        if not again:
            return
        waiting = again
        await asyncio.sleep(pause)
