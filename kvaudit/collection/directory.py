"""Names, kinds and memberships of the principals that records name, from Microsoft Graph."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kvaudit.clients.azure import BatchAnswer
from kvaudit.clients.failures import RETRYABLE_STATUSES, ReadFailure, failure_of_answer
from kvaudit.clients.paging import Page
from kvaudit.clients.read_only import BATCH_LIMIT
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
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

_ROUNDS_OF_WAITING = 6
"""How often parts of a batch that Graph throttled, or failed on, are asked again."""

_LONGEST_PAUSE = 30.0
"""Seconds between two rounds at most."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Take = Callable[[str, BatchAnswer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Questions about many IDs, one part of a batch each.

    Attributes:
        collector: what is read.
        scope: of the listing of one ID.
        take: stores an answer.
    """

    collector: Collector[Any]
    scope: Callable[[str], str]
    take: Take

    def url(self, item: str) -> str:
        """The part's URL, relative to `/v1.0` as batches want it."""
        path = self.collector.path.replace("{scope}", self.scope(item)).removeprefix("/v1.0")
        query = "&".join(f"{name}={value}" for name, value in self.collector.query.items())
        return f"{path}?{query}" if query else path


async def read_directory(reading: Reading, named: frozenset[str], groups: frozenset[str]) -> None:
    """Reads who the named principals are, the members of their groups, and the groups of every service principal.

    Args:
        reading: what the collection shares.
        named: folded IDs of every principal that a record names. One that is no GUID cannot be looked up.
        groups: those that a record calls a group: asked for members also when their names could not be read.
    """
    found, asked = await _read_principals(reading, sorted(item for item in named if _ID.fullmatch(item)))
    await _read_deleted(reading, sorted(asked - set(found)))
    holders = {item for item, raw in found.items() if _type_of(raw) == "Group"}
    holders |= {item for item in groups - asked if _ID.fullmatch(item)}
    if not holders:
        return
    if found or asked or not _is_closed(reading):
        await together((_read_members(reading, sorted(holders)), _read_service_principals(reading)))
        return
    # Without any answer from the directory each group would be refused the same way: one gap a kind says it.
    why = ReadFailure("Microsoft Graph did not let the directory be read; nobody was asked who is in which group")
    reading.gap(GROUP_MEMBERS, "groups", why)
    reading.gap(SERVICE_PRINCIPAL_GROUPS, "servicePrincipals", why)


def _is_closed(reading: Reading) -> bool:
    return PRINCIPALS.kind in reading.refused_kinds


def _type_of(raw: Any) -> str | None:
    """The principal type of a directory object, or None where it cannot be told; the loader tells an unreadable one."""
    try:
        return object_type(raw)
    except (KeyError, TypeError, ValueError):
        return None


def _ids_of(items: Iterable[Any]) -> list[str]:
    """Folded IDs of directory objects, each once, in order."""
    texts = (item.get("id") for item in items if isinstance(item, dict))
    folded = (text.casefold() for text in texts if isinstance(text, str))
    return list(dict.fromkeys(item for item in folded if _ID.fullmatch(item)))


async def _read_principals(reading: Reading, ids: Sequence[str]) -> tuple[dict[str, Any], set[str]]:
    """What Graph says of IDs, and the IDs that it was asked about to the end."""

    async def read(portion: Sequence[str]) -> tuple[dict[str, Any], Sequence[str]]:
        async def pages() -> AsyncIterator[Page]:
            answer = await reading.azure.graph_post(PRINCIPALS.path, {"ids": list(portion)})
            items = answer.get("value") if isinstance(answer, dict) else None
            if not isinstance(items, list):
                raise ReadFailure("Microsoft Graph answered no list", status=200, code="UnexpectedAnswer")
            yield Page(items)

        scope = batch_scope(portion)
        items = await reading.store(PRINCIPALS, scope, pages())
        known = {
            item["id"].casefold(): item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)
        }
        return known, portion if reading.is_finished(PRINCIPALS.kind, scope) else ()

    found: dict[str, Any] = {}
    asked: set[str] = set()
    for known, complete in await together(map(read, _portions(ids, GET_BY_IDS_LIMIT))):
        found |= known
        asked.update(complete)
    return found, asked


def _portions(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
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

    await _in_batches(reading, _Batch(DELETED_PRINCIPALS, deleted_scope, take), ids)


async def _read_members(reading: Reading, groups: Sequence[str]) -> None:
    """Direct members of groups, then of the groups in them, each group once."""
    seen = set(groups)
    waiting = list(groups)
    while waiting:
        inner: list[str] = []

        async def take(group: str, answer: BatchAnswer, into: list[str] = inner) -> None:
            items = await _store_part(reading, GROUP_MEMBERS, members_scope(group), answer)
            into += _ids_of(item for item in items if _type_of(item) == "Group")

        # A resumed run takes the members of groups that are finished from the snapshot: groups in them may not be.
        for group in (item for item in waiting if reading.is_finished(GROUP_MEMBERS.kind, members_scope(item))):
            stored = reading.writer.stored_items(GROUP_MEMBERS.kind, members_scope(group))
            inner += _ids_of(item for item in stored if _type_of(item) == "Group")
        await _in_batches(reading, _Batch(GROUP_MEMBERS, members_scope, take), waiting)
        waiting = [item for item in dict.fromkeys(inner) if item not in seen]
        seen.update(waiting)


async def _read_service_principals(reading: Reading) -> None:
    """Every service principal and the groups it is in: v1.0 leaves them out of the members of groups (azure.md 2.1)."""
    pages = reading.azure.graph_pages(SERVICE_PRINCIPALS.path, query=SERVICE_PRINCIPALS.query)
    items = await reading.store(SERVICE_PRINCIPALS, "servicePrincipals", pages)

    async def take(principal_id: str, answer: BatchAnswer) -> None:
        await _store_part(reading, SERVICE_PRINCIPAL_GROUPS, groups_scope(principal_id), answer)

    await _in_batches(reading, _Batch(SERVICE_PRINCIPAL_GROUPS, groups_scope, take), _ids_of(items))


async def _store_part(reading: Reading, collector: Collector[Any], scope: str, answer: BatchAnswer) -> list[Any]:
    """Stores the listing that one part of a batch began, following its next link."""
    body = answer.body if isinstance(answer.body, dict) else {}
    if answer.status != 200 or not isinstance(body.get("value"), list):
        _part_gap(reading, collector, scope, answer)
        return []

    async def pages() -> AsyncIterator[Page]:
        yield Page(body["value"])
        if body.get("@odata.nextLink") is not None:
            path = collector.path.replace("{scope}", scope)
            async for page in reading.azure.graph_pages(path, link=body["@odata.nextLink"]):
                yield page

    return await reading.store(collector, scope, pages(), expected=True)


def _part_gap(reading: Reading, collector: Collector[Any], scope: str, answer: BatchAnswer) -> None:
    reading.gap(collector, scope, failure_of_answer(answer.status, answer.body, host="Microsoft Graph"))
    reading.done(collector.kind)


async def _in_batches(reading: Reading, batch: _Batch, ids: Sequence[str]) -> None:
    """Asks about every ID that is not finished, 20 to a request."""
    todo = [item for item in ids if not reading.is_finished(batch.collector.kind, batch.scope(item))]
    reading.expect(batch.collector.kind, len(todo))
    await together(_one_batch(reading, batch, portion) for portion in _portions(todo, BATCH_LIMIT))


async def _one_batch(reading: Reading, batch: _Batch, ids: Sequence[str]) -> None:
    """Asks one request; parts that were throttled or failed are asked again after the wait that Graph names."""
    waiting = list(ids)
    for attempt in range(_ROUNDS_OF_WAITING + 1):
        try:
            async with reading.slot:
                answers = await reading.azure.graph_batch(
                    {str(index): batch.url(item) for index, item in enumerate(waiting)}
                )
        except ReadFailure as problem:
            for item in waiting:
                reading.gap(batch.collector, batch.scope(item), problem)
                reading.done(batch.collector.kind)
            return
        again: list[str] = []
        pause = 0.0
        for index, item in enumerate(waiting):
            # Graph may leave a part out of its answer when it is busy.
            answer = answers.get(str(index), BatchAnswer(503, None, None))
            if answer.status in RETRYABLE_STATUSES and attempt < _ROUNDS_OF_WAITING:
                again.append(item)
                pause = max(pause, min(answer.retry_after or 2.0**attempt, _LONGEST_PAUSE))
            else:
                await batch.take(item, answer)
        if not again:
            return
        waiting = again
        await asyncio.sleep(pause)
