"""`kvaudit schema [KIND]`."""

import json

import click

from kvaudit.cli.options import stream_options
from kvaudit.errors import UsageError


@click.command("schema")
@click.argument("kind", required=False)
@stream_options
def command(*, kind: str | None, **_voice: bool) -> None:
    """The JSON Schema of what kvaudit writes: audit (findings.json), access (a line of ndjson), who-can, can; and of contracts.

    Without KIND it lists them. Later versions add keys and never rename one.
    """
    from kvaudit.report.schemas import SCHEMAS

    if kind is None:
        for name, make in SCHEMAS.items():
            click.echo(f"{name:<10}{make()['title']}")
        return
    if kind not in SCHEMAS:
        raise UsageError(f"there is no schema {kind!r}", hint=f"There are {', '.join(SCHEMAS)}.")
    click.echo(json.dumps(SCHEMAS[kind](), indent=2))
