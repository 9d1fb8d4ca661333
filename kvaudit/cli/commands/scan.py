"""`kvaudit scan`."""

from pathlib import Path
from typing import Any

import click

from kvaudit.cli.form import Command
from kvaudit.cli.options import (
    SomePath,
    cloud_options,
    fail_on_option,
    from_option,
    option,
    report_options,
    scope_options,
    stream_options,
)


def _refuse_scope(ctx: click.Context) -> None:
    """What was collected cannot be narrowed afterwards: a scope beside --from would be ignored silently."""
    asks = (
        "tenant",
        "subscriptions",
        "management_groups",
        "resource_groups",
        "vaults",
        "no_objects",
        "features",
        "kept",
    )
    typed = {name for name in asks if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE}
    names = [item.opts[0] for item in ctx.command.params if item.name in typed]
    if names:
        raise click.UsageError(
            f"{', '.join(names)} cannot stand beside --from, which judges all that was collected.", ctx
        )


@click.command("scan", cls=Command)
@scope_options
@report_options
@option(
    "--snapshot",
    "kept",
    type=SomePath(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the snapshot in this new folder.",
)
@from_option(required=False)
@option(
    "--probe",
    "probes",
    is_flag=True,
    help="Afterwards ask every vault what you may do there, by calls that change nothing, and compare; exit 3 where it differs. "
    "With --out, probe.json too.",
)
@option(
    "--dry-run", is_flag=True, help="Only say what would be asked, in how many requests and with which permissions."
)
@option("--yes", is_flag=True, help="With --probe: do not ask before more than 20 vaults are probed.")
@fail_on_option
@cloud_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    out: Path | None,
    reports: tuple[str, ...],
    kept: Path | None,
    snapshot: Path | None,
    fail_on: str,
    probes: bool,
    yes: bool,
    dry_run: bool,
    **given: Any,
) -> None:
    """Read a tenant, judge it and write reports. Reads only, and never a secret's value.

    With neither --out nor --report it prints the summary and keeps nothing.
    """
    from kvaudit.app.connecting import connection_of, request_of, voice_of
    from kvaudit.app.mistakes import Mistakes
    from kvaudit.app.plan import plan_command
    from kvaudit.app.reports import report_files
    from kvaudit.app.scan import scan, scan_from
    from kvaudit.app.scan_probe import ScanProbe
    from kvaudit.snapshot.reader import open_snapshot

    voice = voice_of(given)
    probing = ScanProbe(yes, lambda question: click.confirm(question, err=True)) if probes else None
    if snapshot is not None:
        _refuse_scope(ctx)
        if dry_run:
            raise click.UsageError("--dry-run cannot stand beside --from, which asks nothing.", ctx)
    mistakes = Mistakes()
    connection = mistakes.of(lambda: connection_of(given))
    mistakes.of(lambda: report_files(out, reports))
    if snapshot is not None:
        mistakes.of(lambda: open_snapshot(snapshot))
        mistakes.tell()
        ctx.exit(
            scan_from(snapshot, connection.value, voice, out=out, reports=reports, fail_on=fail_on, probing=probing)
        )
    request = mistakes.of(lambda: request_of(given))
    mistakes.tell()
    if dry_run:
        ctx.exit(plan_command(request.value, connection.value, voice))
    ctx.exit(
        scan(
            request.value,
            connection.value,
            voice,
            out=out,
            reports=reports,
            snapshot=kept,
            fail_on=fail_on,
            probing=probing,
        )
    )
