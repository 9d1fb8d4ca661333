"""`kvaudit rules [show ID]`."""

import click

from kvaudit.cli.form import Argument, Command, Group
from kvaudit.cli.options import answer_options, stream_options
from kvaudit.cli.output import print_answer
from kvaudit.errors import UsageError


@click.group("rules", cls=Group, invoke_without_command=True)
@answer_options
@stream_options
@click.pass_context
def command(ctx: click.Context, /, *, output: str, query: str | None, **_voice: bool) -> None:
    """List the rules with their severity, or show one with why it matters and how to fix it."""
    if ctx.invoked_subcommand is not None:
        return
    from kvaudit.app.rules import rule_shapes

    shapes = rule_shapes()
    width = max(len(shape["id"]) for shape in shapes)
    lines: list[str] = []
    for over, title in (("vaults", "Over vaults (scan, report)"), ("files", "Over files (lint)")):
        lines += ["", title] if lines else [title]
        lines += [
            f"  {shape['severity']:<9} {shape['id']:<{width}}  {shape['title']}"
            for shape in shapes
            if shape["over"] == over
        ]
    print_answer(shapes, output=output, query=query, lines=lines)


@command.command("show", cls=Command)
@click.argument("rule_id", metavar="ID", cls=Argument)
def show(rule_id: str) -> None:
    """The page of one rule: what it finds, why it matters, how to fix it, where it comes from."""
    from kvaudit.app.rules import rule_page

    page = rule_page(rule_id)
    if page is None:
        raise UsageError(f"there is no rule {rule_id!r}", hint="`kvaudit rules` lists them.")
    click.echo(page)
