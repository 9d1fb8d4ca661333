"""Markdown: the summary of a build step, a comment on a pull request."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import BinaryIO

from kvaudit.report.text import counted, line_safe
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.results import Result, Results

MOST_ROWS = 200
MOST_BYTES = 250_000
"""What one list shows. GitHub takes a summary of 1 MB and drops a longer one whole; there are four lists."""

_MARKS = re.compile(r"([\\`*_\[\]#!|~@&<>$])|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""Signs that make Markdown, a formula, a mention or a link of a word."""

_AFTER_MARKDOWN = frozenset("@#")
"""What GitHub looks for once Markdown has become HTML: its escape alone would be a mention again (github/markup, issue 1168)."""


def render(results: Results, out: BinaryIO) -> None:
    """Writes the counts, what could not be read, and a table of findings, the worst first."""
    failed, unknown = results.failed(), results.unknown()
    lines = [f"## kvaudit {results.command}: {_headline(results)}", ""]
    if results.incomplete:
        lines += [f"**Not read: {len(results.incomplete)}.** What is below is not the whole truth.", ""]
        lines += _kept((f"- {escaped(text)}" for text in results.incomplete), len(results.incomplete))
        lines.append("")
    if results.beyond:
        lines += [f"<details><summary>{counted(len(results.beyond), 'part')} not looked into</summary>", ""]
        lines += _kept((f"- {escaped(text)}" for text in results.beyond), len(results.beyond))
        lines += ["", "</details>", ""]
    if failed:
        lines += ["| severity | rule | where | what | fix |", "| --- | --- | --- | --- | --- |"]
        lines += _kept(map(_row, failed), len(failed), gap="")
        lines.append("")
    if unknown:
        lines += [f"<details><summary>{counted(len(unknown), 'verdict')} not decided</summary>", ""]
        rows = (f"- `{item.rule_id}` {_where(item)}: {escaped(item.message)}" for item in unknown)
        lines += _kept(rows, len(unknown))
        lines += ["", "</details>", ""]
    out.write("\n".join(lines).encode("utf-8", "replace") + b"\n")


def _kept(rows: Iterable[str], number: int, gap: str | None = None) -> list[str]:
    """The first rows of a list, and how many are not shown; `gap` ends a table before that is said."""
    kept: list[str] = []
    room = MOST_BYTES
    for row in islice(rows, MOST_ROWS):
        room -= len(row.encode("utf-8", "replace"))
        if room < 0:
            break
        kept.append(row)
    if len(kept) < number:
        more = f"{number - len(kept):,} more are not shown."
        kept += [f"- {more}"] if gap is None else [gap, more]
    return kept


def _headline(results: Results) -> str:
    number = len(results.failed())
    text = counted(number, "finding") if number else "nothing found"
    silenced = sum(item.silenced is not None for item in results.results)
    parts = [text, f"{results.counts.get(Verdict.PASS, 0):,} passed"]
    if silenced:
        parts.append(f"{silenced:,} ignored")
    if results.unknown():
        parts.append(f"{len(results.unknown()):,} not decided")
    return ", ".join(parts)


def _row(item: Result) -> str:
    fix = escaped(item.fix) if item.fix else ""
    return f"| {item.severity.value} | `{item.rule_id}` | {_where(item)} | {escaped(item.message)} | {fix} |"


def _where(item: Result) -> str:
    subject = escaped(item.place.subject)
    if item.place.file is None:
        return subject
    line = f":{item.place.line}" if item.place.line else ""
    return f"{escaped(item.place.file)}{line} ({subject})"


def escaped(text: str) -> str:
    """Text of unknown origin as plain words of Markdown: no link, no HTML, no mention, no end of a table's cell."""
    return _MARKS.sub(_escape, line_safe(text, limit=500))


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    return f"&#{ord(sign)};&#8203;" if sign in _AFTER_MARKDOWN else f"&#{ord(sign)};"
