"""`kvaudit report --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.form import Command
from kvaudit.cli.options import fail_on_option, from_option, report_options, stream_options


@click.command("report", cls=Command)
@from_option()
@report_options
@fail_on_option
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    snapshot: Path,
    out: Path | None,
    reports: tuple[str, ...],
    fail_on: str,
    quiet: bool,
    verbose: bool,
    debug: bool,
    no_color: bool,
) -> None:
    """Judge a snapshot that was collected before, and write reports. Nothing is asked from Azure."""
    from kvaudit.app.report import report
    from kvaudit.app.settings import Voice

    voice = Voice(quiet=quiet, verbose=verbose, debug=debug, no_color=no_color)
    ctx.exit(report(snapshot, out=out, reports=reports, fail_on=fail_on, voice=voice))
