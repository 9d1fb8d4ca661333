"""Messages for a person, on stderr: what happened, why, and what to do next."""

import os

import click

from kvaudit.report.text import line_safe


def shown(text: str, *, limit: int = 2000) -> str:
    """Text of unknown origin made safe for one line of a terminal or a build log; longer than `limit` is cut with a mark."""
    return line_safe(text, limit=limit)


def _echo(text: str) -> None:
    """A line on stderr: in colour where a person can see it and did not refuse it (https://no-color.org)."""
    click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)


def error(message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
    """Prints an error: the message, its details one a line, and what to do next."""
    _echo(click.style("error: ", fg="red", bold=True) + shown(message))
    for detail in details:
        _echo(f"  {shown(detail)}")
    if hint:
        _echo(click.style("hint: ", fg="cyan", bold=True) + shown(hint))


def warn(message: str) -> None:
    """Prints a warning, one line."""
    _echo(click.style("warning: ", fg="yellow", bold=True) + shown(message))


def note(message: str) -> None:
    """Prints a line of information on stderr."""
    _echo(shown(message))


def complain(message: str) -> None:
    """Prints one line for a build's log: an expectation was not met."""
    _echo(click.style("failed: ", fg="red", bold=True) + shown(message))
