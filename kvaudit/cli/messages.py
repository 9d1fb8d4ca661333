"""Messages for a person, on stderr: what happened, why, and what to do next."""

import click

from kvaudit.report.text import line_safe


def shown(text: str, *, limit: int = 2000) -> str:
    """Text of unknown origin made safe for one line of a terminal or a build log; longer than `limit` is cut with a mark."""
    return line_safe(text, limit=limit)


def error(message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
    """Prints an error: the message, its details one a line, and what to do next."""
    click.echo(click.style("error: ", fg="red", bold=True) + shown(message), err=True)
    for detail in details:
        click.echo(f"  {shown(detail)}", err=True)
    if hint:
        click.echo(click.style("hint: ", fg="cyan", bold=True) + shown(hint), err=True)


def warn(message: str) -> None:
    """Prints a warning, one line."""
    click.echo(click.style("warning: ", fg="yellow", bold=True) + shown(message), err=True)


def note(message: str) -> None:
    """Prints a line of information on stderr."""
    click.echo(shown(message), err=True)
