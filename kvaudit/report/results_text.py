"""Results for a terminal: what could not be read first, then findings by file, then one line that counts."""

from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from kvaudit.report.text import counted, line_safe
from kvaudit.rules.judgement import Severity, Verdict
from kvaudit.rules.results import Result, Results

STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}

MOST_BEYOND = 5
"""Parts that were not looked into, shown without `--verbose`."""

MOST_UNKNOWN = 20
"""Undecided verdicts shown; the rest is counted. Report files hold all."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Where lines go: whole to a pipe, where ten thousand of them are written as they stand; styled to a terminal."""

    console: Console
    is_plain: bool

    def line(self, text: Text) -> None:
        """One line, never broken, so that it can be copied."""
        if self.is_plain:
            self.console.file.write(f"{text.plain}\n")
        else:
            self.console.print(text, soft_wrap=True)

    def indented(self, text: str, *, style: str = "") -> None:
        """A sentence, broken at the width of a terminal."""
        safe = Text(line_safe(text, limit=1000), style=style, overflow="fold")
        if self.is_plain:
            self.line(Text(f"{' ' * 12}{safe.plain}"))
        else:
            self.console.print(Padding(safe, (0, 0, 0, 12), expand=False))


def render(results: Results, console: Console, *, verbose: bool = False) -> None:
    """Prints the results.

    Args:
        verbose: show silenced findings and every undecided verdict.
    """
    page = _Page(console, is_plain=not console.is_terminal)
    for text in results.incomplete:
        page.line(Text.assemble(("not read  ", "bold yellow"), line_safe(text, limit=500)))
    if results.incomplete:
        page.line(Text())
    shown = sorted(
        (item for item in results.results if item.verdict is Verdict.FAIL and (verbose or item.silenced is None)),
        key=lambda item: (item.place.file or item.place.subject, item.place.line, item.severity.rank, item.rule_id),
    )
    for name, items in groupby(shown, key=lambda item: item.place.file or item.place.subject):
        page.line(Text(line_safe(name, limit=300), style="bold"))
        for item in items:
            _finding(item, page)
        page.line(Text())
    _unknown(results, page, verbose=verbose)
    _beyond(results, page, verbose=verbose)
    page.line(_counts(results))


def _finding(item: Result, page: _Page) -> None:
    place = f"{item.place.line}:{item.place.column}" if item.place.line else ""
    head = Text.assemble(
        (f"  {place:>8}  ", "dim"),
        (f"{item.severity.value:<8}", "dim" if item.silenced else STYLES[item.severity]),
        f"  {item.rule_id}",
    )
    page.line(head)
    page.indented(f"{item.place.subject}: {item.message}")
    if item.silenced is not None:
        page.indented(f"ignored: {item.silenced}", style="dim")
    elif item.fix:
        page.indented(f"fix: {item.fix}", style="green")
        for line in item.texts.get("az", "").splitlines():
            # Whole, so that it can be copied.
            page.line(Text(f"            {line_safe(line)}", style="dim"))


def _unknown(results: Results, page: _Page, *, verbose: bool) -> None:
    unknown = results.unknown()
    if not unknown:
        return
    when = " before the deployment" if results.command == "lint" else ""
    page.line(Text(f"{counted(len(unknown), 'verdict')} cannot be given{when}:", style="bold"))
    kept = unknown if verbose else unknown[:MOST_UNKNOWN]
    for item in kept:
        where = f"{item.place.file}:{item.place.line}" if item.place.file else item.place.subject
        page.line(Text(f"  {line_safe(f'{where}  {item.rule_id}: {item.message}', limit=500)}"))
    if len(kept) < len(unknown):
        page.line(Text(f"  … and {len(unknown) - len(kept)} more (--verbose shows them)", style="dim"))
    page.line(Text())


def _beyond(results: Results, page: _Page, *, verbose: bool) -> None:
    if not results.beyond:
        return
    page.line(Text(f"{counted(len(results.beyond), 'part')} not looked into:", style="bold"))
    for text in results.beyond if verbose else results.beyond[:MOST_BEYOND]:
        page.line(Text(f"  {line_safe(text, limit=300)}"))
    if len(results.beyond) > MOST_BEYOND and not verbose:
        page.line(Text(f"  … and {len(results.beyond) - MOST_BEYOND} more (--verbose shows them)", style="dim"))
    page.line(Text())


def _counts(results: Results) -> Text:
    failed = results.failed()
    by_severity = [
        f"{number} {severity.value}"
        for severity in Severity
        if (number := sum(item.severity is severity for item in failed))
    ]
    text = f"{counted(len(failed), 'finding')} ({', '.join(by_severity)})" if failed else "nothing found"
    silenced = sum(item.silenced is not None for item in results.results)
    parts = [text, f"{results.counts.get(Verdict.PASS, 0):,} passed"]
    if silenced:
        parts.append(f"{silenced:,} ignored")
    if results.unknown():
        parts.append(f"{len(results.unknown()):,} not decided")
    if results.incomplete:
        parts.append(f"{counted(len(results.incomplete), 'thing')} not read")
    return Text(", ".join(parts), style="bold")
