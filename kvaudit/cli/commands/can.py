"""`kvaudit can PRINCIPAL OPERATION VAULT --from DIR`."""

from pathlib import Path

import click

from kvaudit.cli.options import answer_options, from_option, option, stream_options
from kvaudit.cli.output import print_answer

_ANSWERS = ("allowed", "conditional", "denied", "unknown")


@click.command("can")
@click.argument("principal")
@click.argument("operation")
@click.argument("vault")
@option("--object", "object_text", metavar="KIND/NAME", help="One object of the vault, such as secrets/db-password.")
@option("--expect", type=click.Choice(_ANSWERS), help="Exit 0 when this is the answer, else 3.")
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
    **_voice: bool,
) -> None:
    """May PRINCIPAL do OPERATION on VAULT, and why.

    PRINCIPAL is an object ID, application ID, user principal name, display name or the resource ID of a managed identity.
    The answer is allowed, conditional, denied or unknown; it is about authorisation, network and disabled objects are told beside it.
    """
    from kvaudit.app.questions import ask_can

    answered = ask_can(snapshot, principal, operation, vault, object_text=object_text, expect=expect)
    print_answer(answered.data, output=output, query=query, lines=answered.lines)
    ctx.exit(answered.exit_code)
