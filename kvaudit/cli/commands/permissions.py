"""`kvaudit permissions [--feature NAME]... [--role-json]`."""

import click

from kvaudit.cli.form import Command
from kvaudit.cli.options import answer_options, feature_option, option, stream_options
from kvaudit.cli.output import print_answer
from kvaudit.report.json_lines import json_text

_PLANES = {
    "arm": "Azure actions (the built-in role Reader holds them all)",
    "graph": "Microsoft Graph permissions",
    "vault": "Data actions or access-policy permissions (only for --objects=vault)",
}


@click.command("permissions", cls=Command)
@option("--role-json", is_flag=True, help="A custom role for `az role definition create --role-definition @-`.")
@option("--scope", "scopes", metavar="ID", multiple=True, help="Where the custom role may be assigned. Repeatable.")
@feature_option
@answer_options
@stream_options
def command(
    *,
    role_json: bool,
    scopes: tuple[str, ...],
    features: tuple[str, ...],
    output: str,
    query: str | None,
    **_voice: bool,
) -> None:
    """What kvaudit itself needs to be allowed to read, and for which records.

    Without one of them the audit still runs: what could not be read is shown as a gap that names the permission.
    """
    from kvaudit.app.permissions import features_of, permission_shapes, role_shape

    chosen = features_of(features)
    if role_json:
        click.echo(json_text(role_shape(scopes or ("/subscriptions/SUBSCRIPTION_ID",), chosen), indent=2))
        return
    shapes = permission_shapes(chosen)
    lines: list[str] = []
    for plane, title in _PLANES.items():
        needs: dict[str, list[str]] = {}
        for shape in shapes:
            for need in shape["requires"] if shape["plane"] == plane else ():
                needs.setdefault(need, []).append(shape["kind"])
        if not needs:
            continue
        lines.extend(
            (title, *(f"  {need}  ({', '.join(sorted(set(kinds)))})" for need, kinds in sorted(needs.items())), "")
        )
    print_answer(shapes, output=output, query=query, lines=lines)
