"""`collect`: one run against Azure into a snapshot folder. Shared by `scan` and `demo`."""

import asyncio
import shlex
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kvaudit import __version__
from kvaudit.app.clock import now
from kvaudit.app.progress import CollectionProgress
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for
from kvaudit.clients.session import open_azure
from kvaudit.clients.statistics import Statistics
from kvaudit.collection.collect import collect
from kvaudit.collection.request import CollectRequest
from kvaudit.errors import ExitCode, InterruptedRunError, UsageError
from kvaudit.snapshot.manifest import read_manifest
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import SnapshotWriter, is_snapshot


def collect_snapshot(
    path: Path,
    request: CollectRequest,
    connection: Connection,
    voice: Voice,
    *,
    resume: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Statistics:
    """Reads what was asked into a snapshot folder.

    Args:
        resume: whether to go on with a collection that was cut off, or to ask again for what failed in a complete one.
        environ: environment variables instead of the process's own (the embedded lab).

    Raises:
        CredentialError, ScopeError, SnapshotError, OutputError: see their rooms. The folder then says that it is
            incomplete, and is removed when nothing was read into it.
        KeyboardInterrupt: Ctrl-C; what was read so far is kept and says that it is incomplete.
    """
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
        statistics = asyncio.run(_run(writer, request, connection, voice, environ))
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
) -> Statistics:
    console = console_for("stderr", voice)
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        # Ctrl-C and a polite kill end the run in the same way: the writer closes, and says that it is incomplete.
        with suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
    async with open_azure(
        connection.cloud,
        auth=connection.auth,
        tenant=connection.tenant,
        environ=environ,
        prompt=lambda text: console.print(text, soft_wrap=True),
    ) as azure:
        with CollectionProgress(voice) as progress:
            await collect(azure, request, writer, progress=progress, now=now)
        writer.describe(
            requests={
                name: {
                    "requests": item.requests,
                    "retries": item.retries,
                    "throttled": item.throttled,
                    "failed": item.failed,
                    "bytes": item.bytes,
                }
                for name, item in sorted(azure.statistics.endpoints.items())
            }
        )
        return azure.statistics


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
        vaults = sum(listing.stored for listing in snapshot.listings() if listing.kind == "vaults")
        console.print(
            f"wrote {path}: {vaults} vaults, {len(snapshot.listings())} listings, {len(gaps)} gaps, {statistics.requests} requests",
            soft_wrap=True,
        )
        if voice.verbose:
            show_statistics(statistics, voice)
    return ExitCode.INCOMPLETE if gaps else ExitCode.OK


def show_statistics(statistics: Statistics, voice: Voice) -> None:
    """Requests, retries, failures, bytes and seconds by endpoint, on stderr."""
    console = console_for("stderr", voice)
    console.print(f"{'endpoint':<10}{'requests':>9}{'retries':>9}{'429s':>6}{'failed':>8}{'KB':>9}{'seconds':>9}")
    for name, item in sorted(statistics.endpoints.items()):
        console.print(
            f"{name:<10}{item.requests:>9}{item.retries:>9}{item.throttled:>6}{item.failed:>8}{item.bytes / 1024:>9.0f}{item.seconds:>9.1f}"
        )
