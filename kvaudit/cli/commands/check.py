"""`kvaudit check CONTRACTS.yaml (--from DIR | --live)`."""

from pathlib import Path
from typing import Any

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import (
    SomePath,
    cloud_options,
    fail_on_option,
    from_option,
    option,
    stream_options,
)
from kvaudit.errors import UsageError


def _is_live(ctx: click.Context, snapshot: Path | None, live: bool) -> bool:
    """Whether to read Azure. An option that was typed wins over one of the environment; two of a kind are refused."""
    if snapshot is None and not live:
        raise UsageError(
            "nothing to check against",
            hint="Give --from DIR for a snapshot, or --live to read what these contracts need from Azure.",
        )
    typed = {
        name
        for name in ("snapshot", "live")
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if snapshot is not None and live and len(typed) != 1:
        raise click.UsageError("--from and --live exclude each other: a snapshot, or Azure as it is now.", ctx)
    return live and typed != {"snapshot"}


@click.command("check", cls=Command)
@click.argument("contracts", type=SomePath(path_type=Path, dir_okay=False), metavar="CONTRACTS.yaml", cls=Argument)
@from_option(required=False)
@option(
    "--live", is_flag=True, help="Read from Azure now: the vaults that the contracts name, and who may do what there."
)
@option("--tenant", metavar="ID", help="With --live: tenant to read; the credential's own when left out.")
@option(
    "--objects",
    type=click.Choice(("arm", "vault")),
    default="arm",
    show_default=True,
    help="With --live, where contracts have patterns of names: list secrets and keys through Resource Manager, or ask the "
    "vaults themselves, for certificates too.",
)
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
@cloud_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    contracts: Path,
    snapshot: Path | None,
    live: bool,
    objects: str,
    templates: tuple[Path, ...],
    reports: tuple[str, ...],
    fail_on: str,
    **given: Any,
) -> None:
    """Compare what workloads need with what they hold: what will be 403, what is held beyond need, what must not be held.

    Exit 3 for findings at --fail-on, 4 when something was not read or whether a contract is kept cannot be told.
    """
    from kvaudit.app.check import CheckAsked, check
    from kvaudit.app.connecting import connection_of, voice_of
    from kvaudit.app.settings import Connection
    from kvaudit.collection.request import Objects

    def against() -> Path | Connection:
        is_live = _is_live(ctx, snapshot, live)
        return connection_of(given) if is_live or snapshot is None else snapshot

    asked = CheckAsked(contracts, against, Objects(objects), templates)
    ctx.exit(check(asked, reports=reports, fail_on=fail_on, voice=voice_of(given)))
