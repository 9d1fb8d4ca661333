"""The words of a command line that stand where an option should: unknown ones, and options without their value.

click ends at the first of them, before it has looked at anything else. Here all are found, and taken out of the words, so
that click can tell what else is wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import click


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking at the words of a command.

    Attributes:
        mistakes: each with the option that it is about.
        words: what is left for click. Nobody knows whether the word behind an unknown option is its value: here it is not.
        without_values: the same, where every such word is a value.
        options: names of options that were given, however wrongly, or that an unknown one is taken for: they are not missing.
    """

    mistakes: list[click.UsageError] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    without_values: list[str] = field(default_factory=list)
    options: set[str] = field(default_factory=set)

    def keep(self, *words: str) -> None:
        """These words are for click."""
        self.words.extend(words)
        self.without_values.extend(words)


def look_at(ctx: click.Context, words: Sequence[str]) -> Looked:
    """Looks at every word of a command line up to `--`, or to the name of a command of a group.

    Args:
        ctx: the context of the command whose words these are.
        words: what follows its name.
    """
    known = {
        name: item for item in ctx.command.get_params(ctx) if isinstance(item, click.Option) for name in _names(item)
    }
    looked = Looked()
    left = list(words)
    while left:
        word = left.pop(0)
        ends = word == "--" or (not _is_option(word) and not ctx.allow_interspersed_args)
        if ends:
            looked.keep(word, *left)
            break
        if _is_option(word):
            _look_at_option(ctx, known, looked, word, left)
        else:
            looked.keep(word)
    return looked


def without_help(ctx: click.Context, words: Sequence[str]) -> list[str]:
    """Words without those that print something and end the command: they would hide its mistakes."""
    ending = [item for item in ctx.command.get_params(ctx) if item.is_eager and not item.expose_value]
    names = {name for item in ending for name in item.opts}
    return [word for word in words if word not in names]


def _names(item: click.Option) -> Iterator[str]:
    yield from item.opts
    yield from item.secondary_opts


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _look_at_option(
    ctx: click.Context, known: dict[str, click.Option], looked: Looked, word: str, left: list[str]
) -> None:
    name, given, _ = word.partition("=")
    short = word[:2] in known and not word.startswith("--")
    if name not in known and not short:
        _unknown(ctx, known, looked, name, is_given=bool(given), left=left)
        return
    if name not in known:  # -ofile, -qv: click takes it apart
        looked.keep(word)
        return
    item = known[name]
    if item.is_flag or item.count:
        looked.keep(name)
        if given:
            looked.mistakes.append(click.BadOptionUsage(name, f"Option {name!r} does not take a value.", ctx))
    elif given or _may_stand_alone(item):
        looked.keep(word)
    elif not left or left[0].partition("=")[0] in known:
        looked.options.update(item.opts)
        looked.mistakes.append(click.BadOptionUsage(name, f"Option {name!r} requires an argument.", ctx))
    else:
        looked.keep(word, left.pop(0))


def _may_stand_alone(item: click.Option) -> bool:
    """Whether its value may be left out, as that of `--objects`: what follows is a value unless it is an option."""
    return not item.is_flag and isinstance(item.flag_value, str)


def _unknown(
    ctx: click.Context, known: dict[str, click.Option], looked: Looked, name: str, *, is_given: bool, left: list[str]
) -> None:
    if not name.startswith("--"):
        name = name[:2]
    found = click.NoSuchOption(name, possibilities=[other for other in known if other.startswith("--")])
    near = (found.possibilities or [])[:1]
    said = f"{found.message} Did you mean {near[0]!r}?" if near else found.message
    looked.mistakes.append(click.UsageError(said, ctx))
    looked.options.update(option for other in near for option in known[other].opts)
    if not is_given and left and not _is_option(left[0]):
        looked.words.append(left.pop(0))
