"""`collect`: one run against Azure into a snapshot folder. Shared by `scan` and `demo`."""

import asyncio
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kvaudit import __version__
from kvaudit.app.clock import now
from kvaudit.app.interrupting import end_politely
from kvaudit.app.predicting import predictor
from kvaudit.app.progress import CollectionProgress
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.statistics import added, show_statistics, table_of
from kvaudit.app.terminal import console_for
from kvaudit.clients.session import open_azure
from kvaudit.collection.collect import collect
from kvaudit.collection.objects import MayList
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.errors import ExitCode, InterruptedRunError, UsageError
from kvaudit.snapshot.manifest import read_manifest
from kvaudit.snapshot.reader import Snapshot, open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter, is_snapshot

_ALERTS = (
    "warning: asking many vaults' own endpoints can raise alerts of Defender for Key Vault (a high volume of operations, "
    "access to an unusual number of vaults) and is logged by each; --objects reads names from Resource Manager instead"
)
"""facts azure.md 6.2."""


def collect_snapshot(
    path: Path,
    request: CollectRequest,
    connection: Connection,
    voice: Voice,
    *,
    resume: bool = False,
    environ: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Reads what was asked into a snapshot folder. Answers what it cost, as the manifest has it (`requests`).

    Args:
        resume: whether to go on with a collection that was cut off, or to ask again for what failed in a complete one.
        environ: environment variables instead of the process's own (the embedded lab).

    Raises:
        CredentialError, ScopeError, SnapshotError, OutputError: see their rooms. The folder then says that it is
            incomplete, and is removed when nothing was read into it.
        KeyboardInterrupt: Ctrl-C; what was read so far is kept and says that it is incomplete.
    """
    if request.objects is Objects.VAULT and not voice.quiet:
        console_for("stderr", voice).print(_ALERTS, soft_wrap=True)
    if resume:
        _refuse_another_request(path, request)
        writer = SnapshotWriter.resume(path)
    else:
        header = {
            "tool_version": __version__,
            "cloud": connection.cloud.name,
            "started_at": now(),
            "scope": request.scope(),
        }
        writer = SnapshotWriter.create(path, header=header)
    complete = False
    try:
        predict = predictor(path, writer)
        statistics = asyncio.run(_run(writer, request, connection, voice, environ, predict))
        complete = True
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None  # a polite kill ends the run as Ctrl-C does
    finally:
        writer.close(complete=complete, ended_at=now())
    return statistics


def _refuse_another_request(path: Path, request: CollectRequest) -> None:
    """A snapshot says what was asked for; with the answers to something else in it, it would not be true."""
    begun, now_asked = read_manifest(path).content.get("scope"), request.scope()
    if begun is not None and begun != now_asked:
        told = "; ".join(f"{name} {', '.join(values)}" for name, values in begun.items()) or "everything"
        raise UsageError(
            f"{path} was begun with other options: {told}",
            hint="Give --resume the same scope options as before, or collect into a new folder.",
        )


async def _run(
    writer: SnapshotWriter,
    request: CollectRequest,
    connection: Connection,
    voice: Voice,
    environ: Mapping[str, str] | None,
    predict: Callable[[str | None], MayList],
) -> dict[str, dict[str, Any]]:
    console = console_for("stderr", voice)
    end_politely()
    async with open_azure(
        connection.cloud,
        auth=connection.auth,
        tenant=connection.tenant,
        environ=environ,
        time_budget=request.time_budget,
        prompt=lambda text: console.print(text, soft_wrap=True),
    ) as azure:
        with CollectionProgress(voice) as progress:
            await collect(azure, request, writer, progress=progress, now=now, predict=predict)
        table = added(writer.header.get("requests"), table_of(azure.statistics, azure.pace.waited))
        writer.describe(requests=table)
        return table


def collect_command(
    path: Path, request: CollectRequest, connection: Connection, voice: Voice, *, resume: bool
) -> ExitCode:
    """`kvaudit collect`: collects, and says on stderr what was read and what was not.

    Returns:
        INCOMPLETE when anything could not be read, else OK.

    Raises:
        InterruptedRunError: Ctrl-C after something was read; the folder can be gone on with.
    """
    try:
        statistics = collect_snapshot(path, request, connection, voice, resume=resume)
    except KeyboardInterrupt as stop:
        if not is_snapshot(path):
            raise
        raise InterruptedRunError(
            f"interrupted; {path} holds what was read so far, and says that it is incomplete",
            hint=f"Go on with `kvaudit collect --resume --snapshot {shlex.quote(str(path))}` and the same options.",
        ) from stop
    snapshot = open_snapshot(path)
    gaps = snapshot.gaps()
    if not voice.quiet:
        console = console_for("stderr", voice)
        requests = sum(item["requests"] for item in statistics.values())
        vaults = sum(listing.stored for listing in snapshot.listings() if listing.kind == "vaults")
        console.print(
            f"wrote {path}: {vaults} vaults, {len(snapshot.listings())} listings, {len(gaps)} gaps, {requests} requests",
            soft_wrap=True,
        )
        tell_source(snapshot, voice)
        if voice.verbose:
            show_statistics(statistics, voice)
    return ExitCode.INCOMPLETE if gaps else ExitCode.OK


def tell_source(snapshot: Snapshot, voice: Voice) -> None:
    """Says on stderr when records came from Resource Graph, which follows changes with a delay (facts azure.md 2.6)."""
    if any(listing.source for listing in snapshot.listings()):
        console_for("stderr", voice).print(
            "read through Resource Graph, which may lag behind changes; --source arm asks Resource Manager alone",
            soft_wrap=True,
        )
