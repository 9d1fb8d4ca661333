"""What the tests of this room share: a collection of a lab into a folder, and what is in it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.session import open_azure
from kvaudit.collection.collect import collect
from kvaudit.collection.request import CollectRequest, Objects, Progress
from kvaudit.lab import Lab
from kvaudit.model.clouds import clouds
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter

NOW = "2026-11-24T08:00:00Z"
FAST = RetrySettings(tries=3, connect_tries=2, first_wait=0.01, longest_wait=0.02, longest_retry_after=1.5, budget=10)
NO_OBJECTS = CollectRequest(objects=Objects.NONE)
AT_THE_VAULTS = CollectRequest(objects=Objects.VAULT)


def unwatched(kind: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def collected(
    lab: Lab,
    folder: Path,
    request: CollectRequest = NO_OBJECTS,
    *,
    identity: str = "auditor",
    resume: bool = False,
    watch: Progress = unwatched,
    flushing: bool = False,
) -> Snapshot:
    """Collects what is asked and opens the snapshot; `flushing`: all is on the disk whenever `watch` is told something."""

    def watched(kind: str, done: int, total: int | None) -> None:
        if flushing:
            writer.flush()
        watch(kind, done, total)

    async def run(writer: SnapshotWriter) -> None:
        environment = lab.environment(identity)
        async with open_azure(
            clouds()["public"], auth="client-secret", tenant=request.tenant, environ=environment, retries=FAST
        ) as azure:
            await collect(azure, request, writer, progress=watched, now=lambda: NOW)

    writer = (
        SnapshotWriter.resume(folder) if resume else SnapshotWriter.create(folder, header={"scope": request.scope()})
    )
    complete = False
    try:
        asyncio.run(run(writer))
        complete = True
    finally:
        writer.close(complete=complete, ended_at=NOW)
    return open_snapshot(folder)


def kinds_of(snapshot: Snapshot) -> set[str]:
    """Kinds of which something was read to its end."""
    return {listing.kind for listing in snapshot.listings()}


def records_of(snapshot: Snapshot, kind: str) -> Counter[bytes]:
    """Every stored item of a kind with the listing it came from, order aside."""
    return Counter(orjson.dumps([scope, item], option=orjson.OPT_SORT_KEYS) for scope, item in snapshot.items(kind))


def raw_of(snapshot: Snapshot, kind: str) -> list[Any]:
    """Every stored item of a kind."""
    return [item for _, item in snapshot.items(kind)]


def names_of(snapshot: Snapshot, kind: str) -> set[str]:
    """Names of the stored items of a kind."""
    return {item["name"] for item in raw_of(snapshot, kind)}
