"""`kvaudit permissions [--role-json]`."""

import json

import click

from kvaudit.cli.options import answer_options, option, stream_options
from kvaudit.cli.output import print_answer

_PLANES = {
    "arm": "Azure actions (the built-in role Reader holds them all)",
    "graph": "Microsoft Graph permissions (for names and group members)",
    "vault": "Data actions or access-policy permissions (only for --objects=vault)",
}


@click.command("permissions")
@option("--role-json", is_flag=True, help="A custom role for `az role definition create --role-definition @-`.")
@option("--scope", "scopes", metavar="ID", multiple=True, help="Where the custom role may be assigned. Repeatable.")
@answer_options
@stream_options
def command(*, role_json: bool, scopes: tuple[str, ...], output: str, query: str | None, **_voice: bool) -> None:
    """What kvaudit itself needs to be allowed to read, and for which records.

    Without one of them the audit still runs: what could not be read is shown as a gap that names the permission.
    """
    from kvaudit.app.permissions import permission_shapes, role_shape

    if role_json:
        click.echo(json.dumps(role_shape(scopes or ("/subscriptions/SUBSCRIPTION_ID",)), indent=2))
        return
    shapes = permission_shapes()
    lines: list[str] = []
    for plane, title in _PLANES.items():
        needs: dict[str, list[str]] = {}
        for shape in shapes:
            for need in shape["requires"] if shape["plane"] == plane else ():
                needs.setdefault(need, []).append(shape["kind"])
        lines.extend(
            (title, *(f"  {need}  ({', '.join(sorted(set(kinds)))})" for need, kinds in sorted(needs.items())), "")
        )
    print_answer(shapes, output=output, query=query, lines=lines)
