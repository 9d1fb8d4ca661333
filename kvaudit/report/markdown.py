"""Markdown: the summary of a build step, a comment on a pull request."""

import re
from typing import BinaryIO

from kvaudit.report.text import counted, line_safe
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.results import Result, Results

MOST_ROWS = 200
"""Rows shown. GitHub takes a summary of 1 MB."""

_MARKS = re.compile(r"([\\`*_\[\]#!|~@&<>])|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""Signs that make Markdown, a mention or a link of a word."""


def render(results: Results, out: BinaryIO) -> None:
    """Writes the counts, what could not be read, and a table of findings, the worst first."""
    failed, unknown = results.failed(), results.unknown()
    lines = [f"## kvaudit {results.command}: {_headline(results)}", ""]
    if results.incomplete:
        lines += [f"**Not read: {len(results.incomplete)}.** What is below is not the whole truth.", ""]
        lines += [f"- {escaped(text)}" for text in results.incomplete[:MOST_ROWS]]
        lines.append("")
    if results.beyond:
        lines += [f"<details><summary>{counted(len(results.beyond), 'part')} not looked into</summary>", ""]
        lines += [*(f"- {escaped(text)}" for text in results.beyond[:MOST_ROWS]), "", "</details>", ""]
    if failed:
        lines += ["| severity | rule | where | what | fix |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(item) for item in failed[:MOST_ROWS]]
        lines.append("")
        if len(failed) > MOST_ROWS:
            lines += [f"{len(failed) - MOST_ROWS} more findings are not shown.", ""]
    if unknown:
        lines += [f"<details><summary>{counted(len(unknown), 'verdict')} not decided</summary>", ""]
        lines += [f"- `{item.rule_id}` {_where(item)}: {escaped(item.message)}" for item in unknown[:MOST_ROWS]]
        lines += ["", "</details>", ""]
    out.write("\n".join(lines).encode("utf-8", "replace") + b"\n")


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
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};", line_safe(text, limit=500))
