"""What the fixed parts of the HTML report say: coverage, gaps, models, totals and one section for each rule."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kvaudit.model.answers import Answer
from kvaudit.model.kinds import kind_words
from kvaudit.model.vaults import PermissionModel
from kvaudit.report.audit import Audit, GapReach
from kvaudit.report.controls import controls_of
from kvaudit.report.escalation_words import not_assessed_line
from kvaudit.report.gap_words import GapGroup, closing, grouped, touched_by, touches
from kvaudit.report.grouping import by_rule
from kvaudit.report.managed_hsms import unassessed_hsms
from kvaudit.report.page_data import PageData
from kvaudit.report.readers import Kind, Readers
from kvaudit.report.readiness import Readiness
from kvaudit.report.rule_pages import page_of
from kvaudit.report.text import counted
from kvaudit.rules.judgement import EVIDENCE_KEPT, Rule, Verdict

_GROUPS_SHOWN = 500
_ROUTES_SHOWN = 10


@dataclass(frozen=True)
class View:
    """The values of `page.html.j2`. Text in it may be the tenant's: the template escapes all of it.

    Attributes:
        hidden_gaps: gaps beyond those shown; findings.json holds all.
        vaults_without_rows: vaults whose rows of access are too many for a page.
        not_assessed: the line that says which records of routes nobody collected, or None.
        managed_hsms: the line that says that managed HSMs are listed only, or None.
    """

    title: str
    scope: tuple[str, ...]
    tool_version: str
    generated_at: str
    collected_at: str | None
    tenant_id: str | None
    vaults: int
    subscriptions: int
    failures: int
    failed_vaults: int
    unknown_verdicts: int
    coverage: tuple[dict[str, Any], ...]
    listings_asked: int
    listings_read: int
    gaps: tuple[dict[str, Any], ...]
    gap_count: int
    hidden_gaps: int
    readiness: Readiness
    bars: tuple[dict[str, Any], ...]
    exposure: dict[str, int]
    rules: tuple[dict[str, Any], ...]
    quiet_rules: tuple[dict[str, Any], ...]
    vaults_without_rows: int
    not_assessed: str | None
    managed_hsms: str | None


def view_of(audit: Audit, page: PageData) -> View:
    """The fixed parts of an audit's page.

    Args:
        audit: what to show.
        page: its data, already built.
    """
    estate = audit.estate
    subscriptions = {vault.subscription_id for vault in estate.vaults}
    subscriptions |= {item.subscription_id for item in estate.subscriptions}
    groups = grouped(audit)
    return View(
        title=f"Who can do what in {counted(len(estate.vaults), 'key vault')}",
        scope=_asked(audit),
        tool_version=audit.tool_version,
        generated_at=_time(audit.generated_at),
        collected_at=_time(estate.collected_at) if estate.collected_at else None,
        tenant_id=estate.tenant_id,
        vaults=len(estate.vaults),
        subscriptions=len(subscriptions),
        failures=len(audit.findings),
        failed_vaults=len({finding.vault.scope for finding in audit.findings}),
        unknown_verdicts=len(audit.unknowns),
        coverage=tuple(
            {"kind": kind_words(kind), "asked": item.asked, "read": item.read, "items": item.items}
            for kind, item in audit.coverage.items()
        ),
        listings_asked=sum(item.asked for item in audit.coverage.values()),
        listings_read=sum(item.read for item in audit.coverage.values()),
        gaps=tuple(_gap_group(audit, group) for group in groups[:_GROUPS_SHOWN]),
        gap_count=len(audit.gaps),
        hidden_gaps=sum(len(group.gaps) for group in groups[_GROUPS_SHOWN:]),
        readiness=audit.readiness,
        bars=_bars(audit.readiness),
        exposure=_exposure(audit),
        rules=_rules(audit),
        quiet_rules=_quiet_rules(audit),
        vaults_without_rows=page.vaults_without_rows,
        not_assessed=not_assessed_line(audit.access.not_assessed()),
        managed_hsms=unassessed_hsms(audit.estate),
    )


def _asked(audit: Audit) -> tuple[str, ...]:
    """What was asked, one kind of scope a line; where objects were listed is no scope."""
    named = {key: values for key, values in audit.scope.items() if values and key != "objects"}
    lines = tuple(f"{key.replace('_', ' ')} {', '.join(values)}" for key, values in named.items())
    return lines or ("everything that the caller can see",)


def _gap_group(audit: Audit, group: GapGroup) -> dict[str, Any]:
    return {
        "place": group.place,
        "scope": group.scope,
        "cause": group.cause,
        "reason": group.reason,
        "reason_of": None if group.is_one_reason else kind_words(group.gaps[0].kind),
        "touches": touched_by(audit, group),
        "gaps": [
            {
                "id": gap.id,
                "kind": kind_words(gap.kind),
                "touches": touches(audit, gap),
                "telling": len(group.gaps) > 1 and audit.reach[gap.id] != GapReach(),
                "permission": gap.permission,
                "closing": closing(gap),
            }
            for gap in group.gaps
        ],
    }


def _time(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z") + (" UTC" if text.endswith("Z") else "")


def _bars(item: Readiness) -> tuple[dict[str, Any], ...]:
    """Parts of the bar of models: name, vaults, and place and width in percent of the bar."""
    parts = (
        ("rbac", "Azure RBAC", item.azure_rbac),
        ("policies", "Access policies, written down", item.access_policies),
        ("implicit", "Access policies, not written down (null or absent)", item.not_explicit),
        ("unread", "Could not be read", item.unread),
    )
    total, at, bars = max(item.total, 1), 0.0, []
    for name, label, number in parts:
        width = 100 * number / total
        bars.append({"name": name, "label": label, "number": number, "x": f"{at:.3f}", "width": f"{width:.3f}"})
        at += width
    return tuple(bars)


def _exposure(audit: Audit) -> dict[str, int]:
    """Vaults by who can read their secrets without a condition."""
    every = [audit.readers.get(vault.scope, Readers()) for vault in audit.estate.vaults]
    people = [item for item in every if item.of(Answer.ALLOWED, Kind.PERSON) or item.members]
    return {
        "people": len(people),
        "guests": sum(1 for item in every if item.of(Answer.ALLOWED, Kind.GUEST)),
        "groups": sum(1 for item in every if item.of(Answer.ALLOWED, Kind.GROUP)),
        "workloads": sum(1 for item in every if item.of(Answer.ALLOWED, Kind.WORKLOAD)),
        "conditional": sum(1 for item in every if item.total(Answer.CONDITIONAL)),
        "unknown": sum(1 for item in every if item.total(Answer.UNKNOWN) or item.hidden),
        "nobody": sum(1 for item in every if not item.counts and not item.hidden),
    }


def _rules(audit: Audit) -> tuple[dict[str, Any], ...]:
    numbers = {rule.id: number for number, rule in enumerate(audit.rules)}
    return tuple(
        {
            "id": item.rule.id,
            "number": numbers[item.rule.id],
            "title": item.rule.title,
            "severity": item.rule.severity.value,
            "failures": len(item.findings),
            "unknowns": len(item.unknowns),
            "page": page_of(item.rule),
            "routes": [
                {"vaults": route.vaults, "message": route.lead + route.evidence.message}
                for route in item.routes[:_ROUTES_SHOWN]
            ],
            "more_routes": max(0, len(item.routes) - _ROUTES_SHOWN),
            "records_counted": EVIDENCE_KEPT if item.is_cut else None,
            "controls": _controls(item.rule, {finding.vault.permission_model for finding in item.findings}),
        }
        for item in by_rule(audit)
    )


def _controls(rule: Rule, models: set[PermissionModel | None]) -> tuple[dict[str, Any], ...]:
    """Controls of a rule by framework and version, with their ids."""
    found = {control for model in models for control in controls_of(rule, model)}
    grouped: dict[tuple[str, str], list[str]] = {}
    for control in sorted(found, key=lambda item: (item.framework, item.version, item.id)):
        grouped.setdefault((control.framework, control.version), []).append(control.id)
    return tuple(
        {"framework": name, "version": version, "ids": ", ".join(dict.fromkeys(ids))}
        for (name, version), ids in grouped.items()
    )


def _quiet_rules(audit: Audit) -> tuple[dict[str, Any], ...]:
    """Rules that neither failed nor are unknown anywhere."""
    counts = {rule.id: Counter(audit.verdicts.get(rule.id, {})) for rule in audit.rules}
    return tuple(
        {"id": rule.id, "title": rule.title, "passed": counts[rule.id][Verdict.PASS]}
        for rule in audit.rules
        if not counts[rule.id][Verdict.FAIL] and not counts[rule.id][Verdict.UNKNOWN]
    )
