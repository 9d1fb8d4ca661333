"""The summary on a terminal: what could not be read first, then what matters most, then what to run next.

Readable without colour and at 80 columns. Tenant's text goes through `line_safe`: no escape sequence, reading direction or
build-log command of a name reaches the terminal.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kvaudit.model.answers import Answer
from kvaudit.model.vaults import Vault
from kvaudit.report.access_rows import CSV_ROW_LIMIT
from kvaudit.report.audit import Audit
from kvaudit.report.gap_words import closed_by, grouped, kinds_of, touched_by
from kvaudit.report.grouping import RuleFindings, by_rule
from kvaudit.report.managed_hsms import unassessed_hsms
from kvaudit.report.readers import Kind, Readers
from kvaudit.report.text import counted, line_safe
from kvaudit.rules.judgement import EVIDENCE_KEPT, Severity

_GAPS_SHOWN = 8
_VAULTS_SHOWN = 5
_ROUTES_SHOWN = 2
_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_KINDS = (
    (Kind.PERSON, "person", "people"),
    (Kind.GUEST, "guest", "guests"),
    (Kind.GROUP, "group", "groups"),
    (Kind.WORKLOAD, "workload", "workloads"),
    (Kind.FOREIGN, "from another tenant", "from another tenant"),
    (Kind.UNRESOLVED, "not resolved", "not resolved"),
)


def render_summary(audit: Audit, console: Console) -> None:
    """Prints the summary of an audit.

    Args:
        audit: what to tell.
        console: where to; its width and colours are used, nothing else is assumed of it.
    """
    _header(audit, console)
    _coverage(audit, console)
    _models(audit, console)
    _readers(audit, console)
    _findings(audit, console)
    _next(audit, console)


def _say(console: Console, text: str, style: str = "", indent: int = 2) -> None:
    _print_trimmed(console, Padding(Text(text, style=style), (0, 0, 0, indent), expand=False))


def _say_item(console: Console, text: str) -> None:
    """A line of a list, with a dash that stands alone in its column."""
    item = Table.grid(padding=(0, 1, 0, 0))
    item.add_row("-", Text(text))
    _print_trimmed(console, Padding(item, (0, 0, 0, 2), expand=False))


def _print_trimmed(console: Console, what: Padding) -> None:
    """Prints without the blanks at the end of lines that a log or a diff would show."""
    for line in console.render_lines(what, pad=False):
        text = Text.assemble(*((part.text, part.style or "") for part in line))
        text.rstrip()
        console.print(text, soft_wrap=True)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _print_rows(console: Console, rows: Iterable[Sequence[Text]], numbers: frozenset[int] = frozenset()) -> None:
    """Rows in columns without lines; the last column folds, the others keep their width."""
    table = Table.grid(padding=(0, 2, 0, 0))
    cells = list(rows)
    last = len(cells[0]) - 1 if cells else 0
    for index in range(last + 1):
        justify = "right" if index in numbers else "left"
        table.add_column(no_wrap=index < last, overflow="fold", justify=justify)  # type: ignore[arg-type]
    for row in cells:
        table.add_row(*row)
    _print_trimmed(console, Padding(table, (0, 0, 0, 2), expand=False))


def _header(audit: Audit, console: Console) -> None:
    vaults = audit.estate.vaults
    seen = {vault.subscription_id for vault in vaults} | {item.subscription_id for item in audit.estate.subscriptions}
    console.print(
        Text(f"{counted(len(vaults), 'vault')} in {counted(len(seen), 'subscription')}", style="bold")
        + Text(f"  kvaudit {audit.tool_version}, {audit.generated_at}", style="dim")
    )


def _coverage(audit: Audit, console: Console) -> None:
    _heading(console, "Coverage")
    _tell_listings(audit, console)
    hsms = unassessed_hsms(audit.estate)
    if hsms:
        _say(console, f"{line_safe(hsms)}.", "dim")


def _tell_listings(audit: Audit, console: Console) -> None:
    asked = sum(item.asked for item in audit.coverage.values())
    read = sum(item.read for item in audit.coverage.values())
    if not audit.gaps:
        _say(console, f"Complete: {counted(asked, 'listing')} asked, all read to their end.", "green")
        return
    _say(console, f"Not complete: {read:,} of {counted(asked, 'listing')} read to their end.", "yellow")
    _say(console, f"{counted(len(audit.gaps), 'gap')}. What could not be read is told as unknown, never as passed.")
    groups = grouped(audit)
    for group in groups[:_GAPS_SHOWN]:
        what = f"{line_safe(group.place, limit=80)}: {line_safe(kinds_of(group), limit=250)}"
        _say_item(console, f"{what}, {touched_by(audit, group)}")
        cause = line_safe(group.cause or group.reason, limit=200)
        _say(console, f"{cause}; {line_safe(closed_by(group))}", "dim", 4)
    if len(groups) > _GAPS_SHOWN:
        more = sum(len(group.gaps) for group in groups[_GAPS_SHOWN:])
        _say(console, f"and {counted(more, 'gap')} more in the report", "dim")


def _models(audit: Audit, console: Console) -> None:
    item = audit.readiness
    left = f"{counted(item.days_left, 'day')} left" if item.days_left >= 0 else f"{counted(-item.days_left, 'day')} ago"
    _heading(console, f"Permission models, and 2027-02-27 ({left})")
    rows = (
        ("Azure RBAC", item.azure_rbac, ""),
        ("access policies", item.access_policies, "legacy, still supported"),
        ("access policies, not written down", item.not_explicit, "would be Azure RBAC if made again"),
        ("could not be read", item.unread, ""),
    )
    cells = [
        (Text(f"{number:,}"), Text(name) + (Text(f"  {note}", style="dim") if note else Text()))
        for name, number, note in rows
        if number or name == "Azure RBAC"
    ]
    _print_rows(console, cells, frozenset({0}))
    _say(
        console, "That day every control-plane api-version before 2026-02-01 stops. Vaults and their data stay.", "dim"
    )


def _readers(audit: Audit, console: Console) -> None:
    _heading(console, "Who can read secrets")
    ranked = sorted(audit.estate.vaults, key=lambda vault: (-_openness(audit, vault), vault.name.casefold()))
    if not ranked:
        _say(console, "No vault was found in what was asked.", "yellow")
        return
    rows = [
        (Text(line_safe(vault.name, limit=24)), Text(_sentence(audit.readers.get(vault.scope, Readers()))))
        for vault in ranked[:_VAULTS_SHOWN]
    ]
    _print_rows(console, rows)
    if len(ranked) > _VAULTS_SHOWN:
        _say(console, f"These are the {_VAULTS_SHOWN} most open of {counted(len(ranked), 'vault')}.", "dim")


def _openness(audit: Audit, vault: Vault) -> int:
    readers = audit.readers.get(vault.scope, Readers())
    return readers.total(Answer.ALLOWED) + readers.members


def _sentence(readers: Readers) -> str:
    """`2 people, 1 group (14 people in it), 3 workloads; 1 once activated or on a condition; 2 unknown`."""
    parts = []
    for kind, singular, plural in _KINDS:
        number = readers.of(Answer.ALLOWED, kind)
        if number:
            parts.append(counted(number, singular, plural))
        if number and kind is Kind.GROUP and readers.members:
            parts[-1] += f" ({counted(readers.members, 'person', 'people')} in {'it' if number == 1 else 'them'})"
    clauses = [", ".join(parts) or "nobody"]
    if readers.on_objects:
        clauses.append(f"{readers.on_objects:,} more on single secrets")
    if readers.total(Answer.CONDITIONAL):
        clauses.append(f"{readers.total(Answer.CONDITIONAL):,} once activated or on a condition")
    if readers.total(Answer.UNKNOWN):
        clauses.append(f"{readers.total(Answer.UNKNOWN):,} unknown")
    if readers.hidden:
        clauses.append("a gap may hide more")
    return "; ".join(clauses)


def _findings(audit: Audit, console: Console) -> None:
    groups = by_rule(audit)
    failed = [item for item in groups if item.findings]
    vaults = len({finding.vault.scope for finding in audit.findings})
    _heading(console, f"Findings: {counted(len(audit.findings), 'failure')} on {counted(vaults, 'vault')}")
    if failed:
        _print_rows(console, [cells for item in failed for cells in _rule(item)], frozenset({1}))
    else:
        _say(console, "No rule failed.", "" if audit.unknowns else "green")
    unknown = len(audit.unknowns)
    if unknown:
        verdicts = counted(unknown, "verdict is", "verdicts are")
        _say(console, f"{verdicts} unknown because of gaps: neither passed nor failed.", "yellow")


def _rule(item: RuleFindings) -> Iterator[tuple[Text, Text, Text]]:
    severity = item.rule.severity
    count = Text(counted(len(item.findings), "vault"), style="bold")
    yield Text(severity.value, style=_STYLES[severity]), count, Text(item.rule.title)
    for route in item.routes[:_ROUTES_SHOWN]:
        message = Text(route.lead + line_safe(route.evidence.message, limit=200), style="dim")
        yield Text(), Text(f"{route.vaults:,} by", style="dim"), message
    more = []
    if len(item.routes) > _ROUTES_SHOWN:
        left = counted(len(item.routes) - _ROUTES_SHOWN, "more record that opens", "more records that open")
        more.append(f"and {left} several vaults")
    if item.is_cut and item.routes:
        more.append(f"the first {EVIDENCE_KEPT} records of each vault are counted")
    if more:
        yield Text(), Text(), Text("; ".join(more), style="dim")


def _next(audit: Audit, console: Console) -> None:
    worst = next((item for item in by_rule(audit) if item.findings), None)
    lines = []
    if audit.snapshot_path is None:
        lines.append("kvaudit scan --out audit   keeps the snapshot, and a report for the browser")
    if worst is not None:
        lines.append(f"kvaudit rules show {worst.rule.id}")
    if any(gap.permission for gap in audit.gaps):
        lines.append("kvaudit permissions   what the caller has to hold, for whoever grants it")
    if audit.snapshot_path is not None and audit.estate.vaults:
        widest = max(audit.estate.vaults, key=lambda vault: (_openness(audit, vault), vault.name))
        name, path = (shlex.quote(line_safe(text)) for text in (widest.name, audit.snapshot_path))
        lines.append(f"kvaudit who-can secrets/get --vault {name} --from {path}")
    if audit.access_rows > CSV_ROW_LIMIT:
        lines.append(
            f"kvaudit access --from DIR --format csv   writes {counted(audit.access_rows, 'row')}: too many for --out"
        )
    if lines:
        _heading(console, "Next")
    for line in lines:
        console.print(Text(f"  {line}"), soft_wrap=True)
