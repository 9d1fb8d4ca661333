"""The form of a command line: what is missing from it and what cannot be is told at once, where click ends at the first."""

from collections.abc import Mapping
from typing import Any

import click

from kvaudit.cli.option_words import Looked, look_at, without_help

_MISTAKES = "kvaudit.mistakes"
"""Under this name a context keeps what is wrong with its parameters."""


class _Gathering(click.Parameter):
    """A parameter whose mistake waits for those of the others."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """As click, but a mistake is kept for `Command`, which tells it."""
        try:
            return super().handle_parse_result(ctx, opts, args)
        except click.UsageError as problem:
            if not isinstance(ctx.command, Command):
                raise
            ctx.meta.setdefault(_MISTAKES, []).append(problem)
            return None, args


class Option(_Gathering, click.Option):
    """An option whose environment variable holds several values with commas between them: names may hold blanks."""

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """As click, which would cut at every blank."""
        text = self.resolve_envvar_value(ctx)
        if self.multiple and text is not None:
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return super().value_from_envvar(ctx)


class Argument(_Gathering, click.Argument):
    """An argument, as click's."""


class Command(click.Command):
    """A command that tells all mistakes of its parameters together."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click. Raises one mistake as it is, several as one UsageError."""
        looked = look_at(ctx, args)
        if not looked.mistakes:
            mistakes, rest = self._parsed(ctx, args)
        else:
            rest = []
            mistakes = [*looked.mistakes, *self._others(ctx, looked)]
        if len(mistakes) == 1:
            raise mistakes[0]
        if mistakes:
            # What a choice offers stands on lines of its own.
            lines = [line for item in mistakes for line in _indented(item.format_message())]
            raise click.UsageError("\n".join((f"{len(mistakes)} mistakes", *lines)), ctx)
        return rest

    def _parsed(self, ctx: click.Context, args: list[str]) -> tuple[list[click.UsageError], list[str]]:
        """The mistakes that click finds, and what it leaves of the words."""
        rest: list[str] = []
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as problem:
            ctx.meta.setdefault(_MISTAKES, []).append(problem)
        mistakes: list[click.UsageError] = ctx.meta.pop(_MISTAKES, [])
        return mistakes, rest

    def _others(self, ctx: click.Context, looked: Looked) -> list[click.UsageError]:
        """What is wrong beside unknown options, whether the words behind those are their values or not."""
        if not looked.words and isinstance(self, click.Group):
            return []  # click would print the help of a group that is called with nothing
        found, _ = self._parsed(ctx, without_help(ctx, looked.words))
        if looked.words != looked.without_values:
            sure, _ = self._parsed(ctx, without_help(ctx, looked.without_values))
            told = {item.format_message() for item in sure}
            found = [item for item in found if item.format_message() in told]
        return [item for item in found if not _follows(item, looked)]


def _follows(mistake: click.UsageError, looked: Looked) -> bool:
    """Whether an option is only called missing because its name was misspelt or its value forgotten."""
    if not isinstance(mistake, click.MissingParameter) or mistake.param is None:
        return False
    return not looked.options.isdisjoint(mistake.param.opts)


class Group(Command, click.Group):
    """A group of commands that has options of its own."""


def _indented(message: str) -> list[str]:
    first, *more = message.splitlines() or [""]
    return [f"  {first}", *(f"    {line.strip()}" for line in more)]
