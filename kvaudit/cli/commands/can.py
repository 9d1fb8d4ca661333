"""`kvaudit can PRINCIPAL OPERATION VAULT --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.messages import complain
from kvaudit.cli.options import answer_options, from_option, option, stream_options
from kvaudit.cli.output import print_answers

_ANSWERS = ("allowed", "conditional", "denied", "unknown")


@click.command("can", cls=Command)
@click.argument("principal", cls=Argument)
@click.argument("operation", cls=Argument)
@click.argument("vault", cls=Argument)
@option("--object", "object_text", metavar="KIND/NAME", help="One object of the vault, such as secrets/db-password.")
@option("--expect", type=click.Choice(_ANSWERS), help="Exit 0 when this is the answer (to each operation), else 3.")
@from_option()
@answer_options
@stream_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    principal: str,
    operation: str,
    vault: str,
    object_text: str | None,
    expect: str | None,
    snapshot: Path,
    output: str,
    query: str | None,
    **voice: bool,
) -> None:
    """May PRINCIPAL do OPERATION on VAULT, and why.

    PRINCIPAL is an object ID, application ID, user principal name, display name or the resource ID of a managed identity.
    Several operations are separated by commas: secrets/get,secrets/list.

    The answer is allowed, conditional, denied or unknown; it is about authorisation, network and disabled objects are told
    beside it. Exit 4 when it is unknown; with --expect only 0 and 3, and a line on stderr for each other answer.
    """
    from kvaudit.app.questions import ask_can
    from kvaudit.app.settings import Voice

    answers = ask_can(snapshot, principal, (operation,), vault, Voice(**voice), object_text=object_text, expect=expect)
    print_answers(answers, output=output, query=query)
    for line in answers.complaints:
        complain(line)
    ctx.exit(answers.exit_code())
