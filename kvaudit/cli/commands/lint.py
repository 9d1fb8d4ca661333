"""`kvaudit lint PATH...`."""

from pathlib import Path

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import SomePath, fail_on_option, option, stream_options


@click.command("lint", cls=Command)
@click.argument("paths", nargs=-1, required=True, type=SomePath(path_type=Path), metavar="PATH...", cls=Argument)
@option(
    "--report",
    "reports",
    metavar="FORMAT=PATH",
    multiple=True,
    help="Write one report: json, sarif, junit, github, azure-pipelines or markdown. PATH - is stdout. Repeatable.",
)
@option(
    "--no-bicep-compiler",
    is_flag=True,
    help="Read Bicep files by their syntax alone, though there is a `bicep` compiler on PATH.",
)
@fail_on_option
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    paths: tuple[Path, ...],
    reports: tuple[str, ...],
    no_bicep_compiler: bool,
    fail_on: str,
    quiet: bool,
    verbose: bool,
    debug: bool,
    no_color: bool,
) -> None:
    """Judge templates, scripts and dependency files before they are deployed.

    Finds what breaks on 2027-02-27, what changes a vault's permission model silently, and what the audit would find after
    the deployment. A line `kvaudit:ignore=RULE reason` silences a rule in the line below it, or in its own.
    """
    from kvaudit.app.lint import lint_paths
    from kvaudit.app.settings import Voice

    voice = Voice(quiet=quiet, verbose=verbose, debug=debug, no_color=no_color)
    code = lint_paths(paths, reports=reports, fail_on=fail_on, voice=voice, compile_bicep=not no_bicep_compiler)
    ctx.exit(code)
