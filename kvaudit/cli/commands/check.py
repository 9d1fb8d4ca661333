"""`kvaudit check CONTRACTS.yaml --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.options import SomePath, fail_on_option, from_option, option, stream_options


@click.command("check")
@click.argument("contracts", type=SomePath(path_type=Path, dir_okay=False), metavar="CONTRACTS.yaml")
@from_option()
@option(
    "--template",
    "templates",
    type=SomePath(path_type=Path),
    multiple=True,
    metavar="PATH",
    help="Judge as it would be after deploying these files. Repeatable.",
)
@option(
    "--report",
    "reports",
    metavar="FORMAT=PATH",
    multiple=True,
    help="Write one report: json, sarif, junit, github, azure-pipelines or markdown. PATH - is stdout. Repeatable.",
)
@fail_on_option
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    contracts: Path,
    snapshot: Path,
    templates: tuple[Path, ...],
    reports: tuple[str, ...],
    fail_on: str,
    quiet: bool,
    verbose: bool,
    debug: bool,
    no_color: bool,
) -> None:
    """Compare what workloads need with what they hold: what will be 403, what is held beyond need, what must not be held."""
    from kvaudit.app.check import CheckAsked, check
    from kvaudit.app.settings import Voice

    voice = Voice(quiet=quiet, verbose=verbose, debug=debug, no_color=no_color)
    ctx.exit(check(CheckAsked(contracts, snapshot, templates), reports=reports, fail_on=fail_on, voice=voice))
