"""`kvaudit demo`."""

from pathlib import Path

import click

from kvaudit.cli.form import Command
from kvaudit.cli.options import SomePath, option, stream_options


@click.command("demo", cls=Command)
@option(
    "--out",
    type=SomePath(path_type=Path, file_okay=False),
    default="kvaudit-demo",
    show_default=True,
    metavar="DIR",
    help="Where the reports go.",
)
@stream_options
@click.pass_context
def command(ctx: click.Context, /, *, out: Path, quiet: bool, verbose: bool, debug: bool, no_color: bool) -> None:
    """A full audit of the sample tenant Contoso on the embedded lab. No Azure account is needed, nothing leaves this machine."""
    from kvaudit.app.demo import demo
    from kvaudit.app.settings import Voice

    ctx.exit(demo(out, Voice(quiet, verbose, debug, no_color)))
