"""`-o/--output` and `--query`: how the question commands print on stdout."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from kvaudit.cli.messages import shown
from kvaudit.errors import UsageError
from kvaudit.report.json_lines import json_text
from kvaudit.report.text import line_safe


def print_answer(
    data: Any,
    *,
    output: str,
    query: str | None,
    lines: Sequence[str] = (),
) -> None:
    """Prints data in the chosen format; `table` without a query prints the sentences.

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
        for row in _rows(data):
            click.echo("\t".join(line_safe(_cell(value)) for value in row))
    elif query is None and lines:
        for line in lines:
            click.echo(shown(line, limit=10_000))
    else:
        _print_table(data)


def _query(query: str, data: Any) -> Any:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, data)
    except JMESPathError as problem:
        raise UsageError(
            f"--query is no JMESPath: {problem}", hint="Example: --query 'answers[].principal_id'"
        ) from problem


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
