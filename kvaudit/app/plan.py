"""`collect --dry-run` and `scan --dry-run`: what would be asked, in how many requests, and with which permissions."""

import asyncio
import tempfile
from pathlib import Path

from kvaudit.app.clock import now
from kvaudit.app.progress import CollectionProgress
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for
from kvaudit.clients.session import open_azure
from kvaudit.collection.plan import Plan, plan
from kvaudit.collection.request import CollectRequest, Source
from kvaudit.errors import ExitCode
from kvaudit.snapshot.writer import SnapshotWriter


def plan_command(request: CollectRequest, connection: Connection, voice: Voice) -> ExitCode:
    """Prints the plan on stdout. Reads the tree, the subscriptions and their vaults; keeps nothing.

    Raises:
        CredentialError, ScopeError: as the collection itself would.
    """
    with tempfile.TemporaryDirectory(prefix="kvaudit-") as folder:
        writer = SnapshotWriter.create(Path(folder) / "plan", header={})
        try:
            found = asyncio.run(_run(writer, request, connection, voice))
        finally:
            writer.close(complete=False, ended_at=now())
    _show(found, request, voice)
    return ExitCode.OK


async def _run(writer: SnapshotWriter, request: CollectRequest, connection: Connection, voice: Voice) -> Plan:
    console = console_for("stderr", voice)
    async with open_azure(
        connection.cloud,
        auth=connection.auth,
        tenant=connection.tenant,
        prompt=lambda text: console.print(text, soft_wrap=True),
    ) as azure:
        with CollectionProgress(voice) as progress:
            return await plan(azure, request, writer, progress=progress, now=now)


def _show(found: Plan, request: CollectRequest, voice: Voice) -> None:
    console = console_for("stdout", voice)
    width = max(len(read.kind) for read in found.reads)
    for read in found.reads:
        count = "?" if read.requests is None else str(read.requests)
        console.print(f"{read.plane.value:<6} {read.kind:<{width}} {count:>7}  {read.note}", soft_wrap=True)
        console.print(
            f"{'':<6} {'':<{width}} {'':>7}  needs {' and '.join(read.requires) or 'nothing'}", soft_wrap=True
        )
    places = f"requests for {found.subscriptions} subscriptions and {found.vaults} vaults"
    alone = f"at least {found.requests} {places}"
    if request.source is not Source.ARM:
        fewest = min(found.requests, found.requests_with_graph)
        alone = (
            f"at least {fewest} to {found.requests} {places}: the fewer, the more Resource Graph can answer for certain"
        )
    console.print(
        f"{alone}; longer lists take one for every further page, Microsoft Graph takes those marked ?", soft_wrap=True
    )
