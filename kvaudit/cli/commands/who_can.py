"""`kvaudit who-can OPERATION --vault NAME --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.options import answer_options, from_option, option, stream_options
from kvaudit.cli.output import print_answer


@click.command("who-can")
@click.argument("operation")
@option("--vault", required=True, metavar="NAME", help="Name or resource ID of the vault.")
@option("--object", "object_text", metavar="KIND/NAME", help="One object of it, such as secrets/db-password.")
@option("--expand-groups", is_flag=True, help="Every member too, not only the groups that records name.")
@from_option()
@answer_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    operation: str,
    vault: str,
    object_text: str | None,
    expand_groups: bool,
    snapshot: Path,
    output: str,
    query: str | None,
    **_voice: bool,
) -> None:
    """Who may do OPERATION (such as secrets/get) on a vault, and which record says so.

    Exit 0 when the answer is complete, 4 when an answer given is unknown or something that could not be read could add one.
    """
    from kvaudit.app.questions import ask_who_can

    answered = ask_who_can(snapshot, operation, vault=vault, object_text=object_text, expand_groups=expand_groups)
    print_answer(answered.data, output=output, query=query, lines=answered.lines)
    ctx.exit(answered.exit_code)
