"""`kvaudit contracts infer SOURCE_DIR`."""

from pathlib import Path
from typing import Any

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import SomePath, answer_options, option, stream_options


@click.group("contracts")
def command() -> None:
    """Contracts: what workloads need of their vaults."""


@command.command("infer", cls=Command)
@click.argument("source", type=SomePath(path_type=Path), metavar="SOURCE_DIR", cls=Argument)
@option(
    "--out", type=SomePath(path_type=Path, dir_okay=False), metavar="FILE", help="Write the contracts into this file."
)
@answer_options
@stream_options
@click.pass_context
def infer(
    ctx: click.Context, /, *, source: Path, out: Path | None, output: str, query: str | None, **given: Any
) -> None:
    """Read from application code which operations it needs, and write a first file of contracts.

    Python and configuration (Key Vault references, SecretProviderClass, Spring, Terraform data) are read as they are; C#,
    TypeScript, JavaScript, Java and Go with the extra `code`. Each need has its place and a grade: certain, likely, or
    name only. Nothing is run. Exit code 4: a file was not looked into, so that needs may be missing.
    """
    from kvaudit.app.connecting import voice_of
    from kvaudit.app.infer import draft, exit_code_of, inferred_needs, write_draft
    from kvaudit.cli.output import print_answer
    from kvaudit.contracts.infer.draft import as_json

    voice = voice_of(given)
    found = inferred_needs(source, voice)
    if out is not None:
        write_draft(found, source, out, voice)
    elif output == "table" and query is None:
        click.echo(draft(found, source), nl=False)
    else:
        data = as_json(found)
        print_answer(data, output=output, query=query, rows=data["needs"])
    ctx.exit(exit_code_of(found))
