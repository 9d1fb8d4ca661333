"""`kvaudit access --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.form import Command
from kvaudit.cli.messages import note, warn
from kvaudit.cli.options import from_option, option, stream_options
from kvaudit.errors import ExitCode


@click.command("access", cls=Command)
@from_option()
@option("--expand-groups", is_flag=True, help="Every member too, not only the holders that records name.")
@option(
    "--format",
    "format_name",
    type=click.Choice(("ndjson", "csv", "parquet")),
    default="ndjson",
    show_default=True,
    help="File format; parquet needs the extra kvaudit[sql].",
)
@option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write here instead of stdout.")
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    snapshot: Path,
    expand_groups: bool,
    format_name: str,
    out: Path | None,
    **voice: bool,
) -> None:
    """Export every holder of access: one row per vault (or object) and principal, with the records that say so.

    Exit 4 when an operation in a row is unknown; what could not be read and might hide holders or vaults is a row too.
    """
    from kvaudit.app.access_export import export_access
    from kvaudit.app.settings import Voice

    code = export_access(snapshot, Voice(**voice), format_name=format_name, expand_groups=expand_groups, out=out)
    if not voice["quiet"]:
        if out is not None:
            note(f"wrote {out}")
        if code is ExitCode.INCOMPLETE:
            warn("some operations are unknown, because something was not read; each row names what")
    ctx.exit(code)
