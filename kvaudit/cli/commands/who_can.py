"""`kvaudit who-can OPERATION... [--vault NAME]... --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import answer_options, from_option, option, stream_options
from kvaudit.cli.output import print_answers


@click.command("who-can", cls=Command)
@click.argument("operations", metavar="OPERATION...", nargs=-1, required=True, cls=Argument)
@option("--vault", "vaults", metavar="NAME", multiple=True, help="Name or resource ID. Repeatable; all when left out.")
@option("--object", "object_text", metavar="KIND/NAME", help="One object of it, such as secrets/db-password.")
@option("--expand-groups", is_flag=True, help="Every member too, not only the groups that records name.")
@option("--include-escalation", is_flag=True, help="Also who does not hold it and has a route to it (E1 to E30).")
@from_option()
@answer_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    operations: tuple[str, ...],
    vaults: tuple[str, ...],
    object_text: str | None,
    expand_groups: bool,
    include_escalation: bool,
    snapshot: Path,
    output: str,
    query: str | None,
    **voice: bool,
) -> None:
    """Who may do OPERATION (such as secrets/get) on a vault, and which record says so.

    Several operations or vaults are answered vault by vault, in order of their names; -o json then holds the answers in a
    list under `questions`.

    With --include-escalation the routes of those who do not hold it stand apart: under `escalation` in -o json.

    Exit 0 when every answer is complete, 4 when one is unknown or something that could not be read could add one.
    """
    from kvaudit.app.questions import ask_who_can
    from kvaudit.app.settings import Voice

    answers = ask_who_can(
        snapshot,
        operations,
        Voice(**voice),
        vaults=vaults,
        object_text=object_text,
        expand_groups=expand_groups,
        include_escalation=include_escalation,
    )
    print_answers(answers, output=output, query=query, quiet=voice["quiet"])
    ctx.exit(answers.exit_code())
