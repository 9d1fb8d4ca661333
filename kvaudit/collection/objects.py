"""What is read vault by vault: where its logs go; names and attributes of secrets, keys and certificates. Never a value."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from kvaudit.clients.failures import UNREACHED, ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.listing import CONCURRENT_READS, Reading
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.diagnostic_settings import DIAGNOSTIC_SETTINGS
from kvaudit.collectors.vault_objects import CERTIFICATES, KEYS, KEYS_AT_VAULT, SECRETS, SECRETS_AT_VAULT
from kvaudit.model import scopes

SOURCES: dict[Objects, tuple[Collector[Any], ...]] = {
    Objects.NONE: (),
    Objects.ARM: (SECRETS, KEYS),
    Objects.VAULT: (SECRETS_AT_VAULT, KEYS_AT_VAULT, CERTIFICATES),
}


MayList = Callable[[str, str], bool]
"""Whether the records let the caller list objects: (vault ID, kind) -> bool. True also where they do not say."""

NOT_ASKED = "NotAsked"
"""Code of the gap of a vault's list that was not asked, because the records refuse it."""

OVER_LIMIT = "OverLimit"
"""Code of the gap of a vault whose endpoint was not asked, because enough were."""


async def read_objects(
    reading: Reading,
    request: CollectRequest,
    vaults: Sequence[dict[str, Any]],
    *,
    may_list: MayList | None = None,
) -> None:
    """Reads the object lists of every vault through the source that was asked for.

    Args:
        reading: what the collection shares.
        request: says which source, and how many vaults' own endpoints may be asked.
        vaults: raw, each with an ID, no ID twice.
        may_list: where the caller may list: other vaults' endpoints are not asked, which only makes noise there.
    """
    vaults = sorted(vaults, key=lambda vault: scopes.fold(vault["id"]))
    at_vaults = request.objects is Objects.VAULT
    refused = {} if not at_vaults else _refusals(request, vaults, may_list)
    endpoints = {vault["id"]: _Endpoint(reading, vault) for vault in vaults} if at_vaults else {}
    waiting: dict[str, list[Coroutine[Any, Any, Any]]] = {}
    for source in SOURCES[request.objects]:
        todo = [vault for vault in vaults if not reading.is_finished(source.kind, vault["id"])]
        reading.expect(source.kind, len(todo))
        for vault in todo:
            problem = refused.get((source.kind, vault["id"])) or refused.get(("", vault["id"]))
            if problem is not None:
                reading.gap(source, vault["id"], problem)
                reading.done(source.kind)
                continue
            pages = endpoints[vault["id"]].pages(source) if at_vaults else _pages(reading, source, vault)
            place = vault["id"] if at_vaults else f"{source.kind} {vault['id']}"
            waiting.setdefault(place, []).append(reading.store(source, vault["id"], pages, expected=True))
    # Had all vaults their turn at once, a vault's second list would come after every other's first, on a new connection.
    places = asyncio.Semaphore(CONCURRENT_READS)
    await together(_in_turn(reads, places) for reads in waiting.values())


async def _in_turn(reads: Sequence[Coroutine[Any, Any, Any]], places: asyncio.Semaphore) -> None:
    """Reads that follow one another at once: those of a vault's own address share one connection."""
    try:
        async with places:
            for read in reads:
                await read
    finally:
        for read in reads:
            read.close()  # when one raised, the others were never begun


def _refusals(
    request: CollectRequest, vaults: Sequence[dict[str, Any]], may_list: MayList | None
) -> dict[tuple[str, str], ReadFailure]:
    """Lists that are not asked, by kind (empty: all of the vault's) and vault ID."""
    found: dict[tuple[str, str], ReadFailure] = {}
    asked = 0
    for vault in vaults:
        kinds = [source.kind for source in SOURCES[request.objects]]
        denied = [kind for kind in kinds if may_list is not None and not may_list(vault["id"], kind)]
        for kind in denied:
            reason = f"not asked: by the records that were read, the caller may not list {kind} of this vault"
            found[kind, vault["id"]] = ReadFailure(reason, code=NOT_ASKED)
        if len(denied) == len(kinds):
            continue
        asked += 1
        if asked > request.objects_limit:
            reason = f"not asked: the endpoints of {request.objects_limit} vaults were, which is the limit that was set"
            found["", vault["id"]] = ReadFailure(reason, code=OVER_LIMIT)
    return found


class _Endpoint:
    """One vault's own address. Where a list fails, its unauthenticated `/healthstatus` tells the network from the rights."""

    def __init__(self, reading: Reading, vault: dict[str, Any]) -> None:
        properties = vault.get("properties")
        address = properties.get("vaultUri") if isinstance(properties, dict) else None
        self._azure = reading.azure
        self._address = str(address or "")  # as Azure sent it, never built
        self._health: asyncio.Task[bool] | None = None

    async def pages(self, source: Collector[Any]) -> AsyncIterator[Page]:
        """The pages of one list."""
        try:
            async for page in self._azure.vault_pages(self._address, source.path, api_version=source.api_version or ""):
                yield page
        except ReadFailure as problem:
            if problem.status != 403 and problem.code not in UNREACHED:
                raise
            if self._health is None:
                self._health = asyncio.create_task(self._azure.is_vault_reachable(self._address))
            answers = "answers, so the network is open" if await self._health else "does not answer either"
            raise ReadFailure(
                f"{problem.reason}; its /healthstatus {answers}",
                status=problem.status,
                code=problem.code,
                retryable=problem.retryable,
            ) from problem


async def read_diagnostic_settings(reading: Reading, vaults: Sequence[dict[str, Any]]) -> None:
    """Reads which logs of every vault go where.

    Args:
        reading: what the collection shares.
        vaults: raw, each with an ID, no ID twice.
    """
    await together(reading.list_arm(DIAGNOSTIC_SETTINGS, vault["id"]) for vault in vaults)


async def _pages(reading: Reading, source: Collector[Any], vault: dict[str, Any]) -> AsyncIterator[Page]:
    """The pages of one list of Resource Manager."""
    path = source.path.replace("{scope}", vault["id"])
    async for page in reading.azure.arm_pages(path, api_version=source.api_version or ""):
        yield page
