"""`kvaudit collect --snapshot DIR`."""

from pathlib import Path
from typing import Any

import click

from kvaudit.cli.form import Command
from kvaudit.cli.options import SomePath, cloud_options, option, scope_options, stream_options
from kvaudit.errors import UsageError


@click.command("collect", cls=Command)
@option(
    "--snapshot",
    "folder",
    type=SomePath(path_type=Path, file_okay=False),
    metavar="DIR",
    help="New folder for the snapshot.",
)
@option(
    "--dry-run", is_flag=True, help="Only say what would be asked, in how many requests and with which permissions."
)
@option(
    "--resume",
    is_flag=True,
    help="Go on where a collection was cut off, or ask again for what failed; what was read is not read again.",
)
@scope_options
@cloud_options
@stream_options
@click.pass_context
def command(ctx: click.Context, /, *, folder: Path | None, resume: bool, dry_run: bool, **given: Any) -> None:
    """Read a tenant into a snapshot folder, to be judged and asked later. Reads only, and never a secret's value.

    Exit 4 when something could not be read: the snapshot then says what, why, and which permission would help.
    """
    from kvaudit.app.collect import collect_command
    from kvaudit.app.connecting import connection_of, request_of, voice_of
    from kvaudit.app.mistakes import Mistakes
    from kvaudit.app.plan import plan_command

    mistakes = Mistakes()
    request = mistakes.of(lambda: request_of(given))
    connection = mistakes.of(lambda: connection_of(given))
    if folder is None and not dry_run:
        mistakes.add(UsageError("there is no folder to write to", hint="Name a new one: --snapshot DIR."))
    mistakes.tell()
    if folder is None or dry_run:
        ctx.exit(plan_command(request.value, connection.value, voice_of(given)))
    ctx.exit(collect_command(folder, request.value, connection.value, voice_of(given), resume=resume))
