"""Messages for a person, on stderr: what happened, why, and what to do next."""

import unicodedata

import click


def shown(text: str, *, limit: int = 2000) -> str:
    r"""Text of unknown origin made safe for one line of a terminal or a build log.

    Control and formatting characters (escape sequences, right-to-left marks, zero-width) become `\\u....`, and the
    openings of build-log commands (`::name::`, `##vso[`) lose their meaning. Longer than `limit` is cut with a mark.
    """
    safe = "".join(
        character
        if unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"
        else f"\\u{ord(character):04x}"
        for character in text[:limit]
    )
    safe = safe.replace("::", ":\u200a:").replace("##", "#\u200a#") if safe.lstrip().startswith(("::", "##")) else safe
    return safe if len(text) <= limit else safe + f" … ({len(text)} characters)"


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
