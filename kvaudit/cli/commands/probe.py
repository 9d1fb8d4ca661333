"""`kvaudit probe VAULT...`."""

from pathlib import Path
from typing import Any

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import Duration, SomePath, answer_options, cloud_options, from_option, option, stream_options
from kvaudit.cli.output import print_answer


@click.command("probe", cls=Command)
@click.argument("vaults", nargs=-1, required=True, metavar="VAULT...", cls=Argument)
@from_option(required=False)
@option(
    "--wait",
    type=Duration(),
    metavar="DURATION",
    help="Go on, with growing pauses, until the vaults say what the records say, at most so long, such as 90s or 10m.",
)
@option(
    "--write-canary",
    is_flag=True,
    help="Also write one secret kvaudit-canary-… in each vault, walk it through set, update, delete, recover and purge, and "
    "take it away again. Asks first.",
)
@option(
    "--canary-anyway",
    is_flag=True,
    help="With --write-canary: also where the records do not say that it can be taken away, or purge protection is on.",
)
@option(
    "--journal",
    type=SomePath(path_type=Path, file_okay=False),
    metavar="DIR",
    help="With --write-canary: where canaries are noted until they are gone; the user's state folder when left out.",
)
@option("--yes", is_flag=True, help="Do not ask before more than 20 vaults are probed, or canaries are written.")
@option("--tenant", metavar="ID", help="Tenant to sign in to; the credential's own when left out.")
@answer_options
@cloud_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    vaults: tuple[str, ...],
    snapshot: Path | None,
    wait: float | None,
    write_canary: bool,
    canary_anyway: bool,
    journal: Path | None,
    yes: bool,
    output: str,
    query: str | None,
    **given: Any,
) -> None:
    """Ask vaults what the current identity may do, by calls that change nothing and read no value.

    VAULT is a name, a resource ID or an address. First its name, a connection, TLS, /healthstatus and whose tokens it takes;
    then one call per operation: lists, and reads of random names that cannot exist. Each answer stands beside what the
    records say (--from, or read now), with the reasons where the two differ.

    Exit 3 where a vault says something else than the records, 4 where something could not be probed.
    """
    import os

    from kvaudit.app.canaries import CanaryWish
    from kvaudit.app.connecting import connection_of, voice_of
    from kvaudit.app.mistakes import Mistakes
    from kvaudit.app.probe_lines import probe_json, probe_lines, probe_rows
    from kvaudit.app.probe_targets import targets_of
    from kvaudit.app.probing import ProbeAsked, probe
    from kvaudit.probe.journal import journal_folder
    from kvaudit.snapshot.reader import open_snapshot

    if not write_canary and (canary_anyway or journal is not None):
        raise click.UsageError("--canary-anyway and --journal are about --write-canary, which is missing.", ctx)
    wish = CanaryWish(journal or journal_folder(os.environ), canary_anyway) if write_canary else None
    mistakes = Mistakes()
    connection = mistakes.of(lambda: connection_of(given))
    mistakes.of(lambda: targets_of(vaults, connection.value.cloud))
    if snapshot is not None:
        mistakes.of(lambda: open_snapshot(snapshot))
    mistakes.tell()
    run = probe(
        ProbeAsked(vaults, snapshot, wait, yes, wish),
        connection.value,
        voice_of(given),
        ask=lambda question: click.confirm(question, err=True),
    )
    data = probe_json(run) if output in ("json", "yaml") or query is not None else {}
    print_answer(data, output=output, query=query, lines=tuple(probe_lines(run)), rows=probe_rows(run))
    ctx.exit(run.exit_code)
