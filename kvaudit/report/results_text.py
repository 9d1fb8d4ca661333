"""Results for a terminal: what could not be read first, then findings by file, then one line that counts."""

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


def render(results: Results, console: Console, *, verbose: bool = False) -> None:
    """Prints the results.

    Args:
        verbose: show silenced findings and every undecided verdict.
    """
    for text in results.incomplete:
        console.print(Text.assemble(("not read  ", "bold yellow"), line_safe(text, limit=500)), soft_wrap=True)
    if results.incomplete:
        console.print()
    shown = sorted(
        (item for item in results.results if item.verdict is Verdict.FAIL and (verbose or item.silenced is None)),
        key=lambda item: (item.place.file or item.place.subject, item.place.line, item.severity.rank, item.rule_id),
    )
    for name, items in groupby(shown, key=lambda item: item.place.file or item.place.subject):
        console.print(Text(line_safe(name, limit=300), style="bold"), soft_wrap=True)
        for item in items:
            _finding(item, console)
        console.print()
    _unknown(results, console, verbose=verbose)
    _beyond(results, console, verbose=verbose)
    console.print(_counts(results), soft_wrap=True)


def _finding(item: Result, console: Console) -> None:
    place = f"{item.place.line}:{item.place.column}" if item.place.line else ""
    head = Text.assemble(
        (f"  {place:>8}  ", "dim"),
        (f"{item.severity.value:<8}", "dim" if item.silenced else STYLES[item.severity]),
        f"  {item.rule_id}",
    )
    console.print(head, soft_wrap=True)
    console.print(_indented(f"{item.place.subject}: {item.message}"))
    if item.silenced is not None:
        console.print(_indented(f"ignored: {item.silenced}", style="dim"))
    elif item.fix:
        console.print(_indented(f"fix: {item.fix}", style="green"))
        for line in item.texts.get("az", "").splitlines():
            # Whole, so that it can be copied.
            console.print(Text(f"            {line_safe(line)}", style="dim"), soft_wrap=True)


def _indented(text: str, *, style: str = "") -> Padding:
    return Padding(Text(line_safe(text, limit=1000), style=style, overflow="fold"), (0, 0, 0, 12), expand=False)


def _unknown(results: Results, console: Console, *, verbose: bool) -> None:
    unknown = results.unknown()
    if not unknown:
        return
    console.print(Text(f"{counted(len(unknown), 'verdict')} cannot be given before the deployment:", style="bold"))
    kept = unknown if verbose else unknown[:MOST_UNKNOWN]
    for item in kept:
        where = f"{item.place.file}:{item.place.line}" if item.place.file else item.place.subject
        console.print(Text(f"  {line_safe(f'{where}  {item.rule_id}: {item.message}', limit=500)}"), soft_wrap=True)
    if len(kept) < len(unknown):
        console.print(Text(f"  … and {len(unknown) - len(kept)} more (--verbose shows them)", style="dim"))
    console.print()


def _beyond(results: Results, console: Console, *, verbose: bool) -> None:
    if not results.beyond:
        return
    console.print(Text(f"{counted(len(results.beyond), 'part')} not looked into:", style="bold"))
    for text in results.beyond if verbose else results.beyond[:MOST_BEYOND]:
        console.print(Text(f"  {line_safe(text, limit=300)}"), soft_wrap=True)
    if len(results.beyond) > MOST_BEYOND and not verbose:
        console.print(Text(f"  … and {len(results.beyond) - MOST_BEYOND} more (--verbose shows them)", style="dim"))
    console.print()


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
