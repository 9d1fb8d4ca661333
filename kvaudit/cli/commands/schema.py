"""`kvaudit schema [KIND]`."""

import json

import click

from kvaudit.cli.form import Argument, Command
from kvaudit.cli.options import stream_options
from kvaudit.errors import UsageError


@click.command("schema", cls=Command)
@click.argument("kind", required=False, cls=Argument)
@stream_options
def command(*, kind: str | None, **_voice: bool) -> None:
    """The JSON Schema of what kvaudit writes: audit (findings.json), access (a line of ndjson), who-can, can, explain,
    probe, contracts infer; and of contracts.

    Without KIND it lists them. Later versions add keys and never rename one.
    """
    from kvaudit.app.schemas import schemas

    known = schemas()

    if kind is None:
        for name, make in known.items():
            click.echo(f"{name:<16}{make()['title']}")
        return
    if kind not in known:
        raise UsageError(f"there is no schema {kind!r}", hint=f"There are {', '.join(known)}.")
    click.echo(json.dumps(known[kind](), indent=2))
