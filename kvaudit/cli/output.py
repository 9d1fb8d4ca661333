"""`-o/--output` and `--query`: how the question commands print on stdout."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kvaudit.cli.messages import shown, warn
from kvaudit.errors import UsageError
from kvaudit.report.json_lines import json_text
from kvaudit.report.text import counted, line_safe

if TYPE_CHECKING:
    from kvaudit.app.questions import Answers

_NARROWEST = 40
"""Columns below which lines are not broken: the words would be."""

_COMMAND = re.compile(r" *(?:az|kvaudit) [a-z]")


def print_answer(
    data: Any,
    *,
    output: str,
    query: str | None,
    lines: Sequence[str] = (),
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Prints data in the chosen format; `table` without a query prints the sentences.

    Args:
        rows: what `tsv` without a query prints; the data itself, or the first list in it, when None.

    Raises:
        UsageError: the query is no JMESPath.
    """
    if query is not None:
        data = _query(query, data)
    if output == "json":
        click.echo(json_text(data, indent=2))
    elif output == "yaml":
        click.echo(_yaml(data), nl=False)
    elif output == "tsv":
        _print_tsv(_rows(data if rows is None or query is not None else list(rows)))
    elif query is None and lines:
        print_lines(lines)
    else:
        _print_table(data)


def print_answers(answers: "Answers", *, output: str, query: str | None, quiet: bool = False) -> None:
    """Prints the answers to one or several questions, each as soon as it is known.

    One question that the command line named is printed as its own JSON object; else the answers stand in a list under
    `questions`. A query sees that whole document, so that all answers are kept until the last one is known.

    Raises:
        UsageError: the query is no JMESPath.
    """
    if query is None and output == "tsv":
        for item in answers.items:
            _print_tsv(list(row.values()) for row in item.rows)
        missing = len(answers.closing())
        if missing and not quiet:  # rows have no place for it
            warn(f"{counted(missing, 'gap')} may hide answers or change one; -o json tells what was not read")
    elif query is None and output == "table":
        for number, item in enumerate(answers.items):
            print_lines(("", *item.lines) if number else item.lines)
        print_lines(answers.closing())
    elif answers.is_single or query is not None:
        found = [item.data for item in answers.items]
        data = found[0] if answers.is_single else {"questions": found, "gaps": list(answers.gaps)}
        print_answer(data, output=output, query=query)
    elif output == "json":
        _print_json_list(answers)
    else:
        _print_yaml_list(answers)


def _print_json_list(answers: "Answers") -> None:
    click.echo('{\n  "questions": [', nl=False)
    for number, item in enumerate(answers.items):
        click.echo(("," if number else "") + "\n" + textwrap.indent(json_text(item.data, indent=2), "    "), nl=False)
    gaps = textwrap.indent(json_text(list(answers.gaps), indent=2), "  ").lstrip()
    click.echo(f'\n  ],\n  "gaps": {gaps}\n}}')


def _print_yaml_list(answers: "Answers") -> None:
    first = next(answers.items, None)
    click.echo("questions:" if first else "questions: []")
    if first:
        click.echo(_yaml([first.data]), nl=False)
    for item in answers.items:
        click.echo(_yaml([item.data]), nl=False)
    click.echo(_yaml({"gaps": list(answers.gaps)}), nl=False)


def print_lines(lines: Iterable[str]) -> None:
    """Prints sentences; a terminal gets them broken at its width, a pipe whole, so that a line stays a fact.

    A command is never broken: it is there to be copied.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        safe = shown(line, limit=10_000)
        if width is None or len(safe) <= width or width < _NARROWEST or _COMMAND.match(safe):
            click.echo(safe)
        else:
            click.echo("\n".join(_broken(safe, width)))


def _broken(line: str, width: int) -> Iterator[str]:
    """A line in pieces of at most a width; the later ones stand two columns further in."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    yield from textwrap.wrap(
        line.lstrip(" "),
        width=width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _print_tsv(rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        click.echo("\t".join(line_safe(_cell(value)) for value in row))


def compiled_query(query: str) -> Any:
    """A query, read. Raises UsageError where it is no JMESPath."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(query)
    except JMESPathError as problem:
        raise _no_query(problem) from problem


def _query(query: str, data: Any) -> Any:
    from jmespath.exceptions import JMESPathError

    try:
        return compiled_query(query).search(data)
    except JMESPathError as problem:
        raise _no_query(problem) from problem


def _no_query(problem: Exception) -> UsageError:
    said = str(problem).splitlines()[0].rstrip(" :")  # below stands a drawing of the place
    return UsageError(f"--query is no JMESPath: {said}", hint="Example: --query 'answers[].principal_id'")


def _yaml(data: Any) -> str:
    """YAML in ASCII, each value on one line: folded over several, a name could begin one with a build log's command."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes every text that is more than plain words."""

    def text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        suspect = not text.isprintable() or "::" in text or "##" in text
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if suspect else None)

    Dumper.add_representer(str, text_node)
    text: str = yaml.dump(
        data, Dumper=Dumper, sort_keys=False, allow_unicode=False, default_flow_style=False, width=float("inf")
    )
    # Two hashes stand in double quotes only, where this escape means the same.
    return re.sub("#(?=#)", r"\\x23", text)


def _items(data: Any) -> list[Any]:
    """The list that a tabular format shows: the data itself, or the first list in a mapping."""
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping):
        lists = [value for value in data.values() if isinstance(value, list)]
        return lists[0] if lists else [data]
    return [data]


def _rows(data: Any) -> list[list[Any]]:
    return [
        list(item.values()) if isinstance(item, Mapping) else item if isinstance(item, list) else [item]
        for item in _items(data)
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_table(data: Any) -> None:
    items = _items(data)
    if not items:
        return
    heads = list(items[0]) if isinstance(items[0], Mapping) else []
    rows = [[shown(_cell(value), limit=80) for value in row] for row in _rows(data)]
    widths = [
        max(len(str(cell)) for cell in column) for column in zip(*([heads] if heads else []), *rows, strict=False)
    ]
    for row in [*([heads] if heads else []), *rows]:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip())
