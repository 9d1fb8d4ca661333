"""`kvaudit roles [OPERATION]...`."""

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import answer_options, stream_options
from kvaudit.cli.output import print_answer


@click.command("roles", cls=Command)
@click.argument("operations", metavar="[OPERATION]...", nargs=-1, cls=Argument)
@answer_options
@stream_options
def command(*, operations: tuple[str, ...], output: str, query: str | None, **_voice: bool) -> None:
    """The smallest built-in role (or roles) for operations, what it gives beyond, and a custom role where none fits.

    What opens secret values, uses keys or cannot be undone weighs more than what only reads names.

    Without an operation: every built-in role that gives something on the data plane of key vaults. Needs no snapshot.
    """
    from kvaudit.app.roles import ask_roles, list_roles

    if operations:
        data, lines, rows = ask_roles(operations)
        print_answer(data, output=output, query=query, lines=lines, rows=rows)
    else:
        listed, lines = list_roles()
        print_answer(listed, output=output, query=query, lines=lines)
