"""Findings told once: by rule, and within a rule by the record that gives the route.

One Contributor at a subscription opens a hundred vaults; that is one line with a count, not a hundred
(ARCHITECTURE.md, "Access semantics" 11).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kvaudit.model.answers import Answer
from kvaudit.report.audit import Audit, Finding
from kvaudit.rules.judgement import Evidence, Rule


@dataclass(frozen=True, slots=True)
class Route:
    """One record that failures of a rule rest on.

    Attributes:
        evidence: the record, as it was told of the first vault.
        vaults: how many vaults fail because of it.
    """

    evidence: Evidence
    vaults: int


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """Everything that one rule found.

    Attributes:
        findings: by vault name.
        unknowns: verdicts that are unknown, by vault name.
        routes: records that several vaults fail because of, those that reach most vaults first.
    """

    rule: Rule
    findings: tuple[Finding, ...]
    unknowns: tuple[Finding, ...]
    routes: tuple[Route, ...]


def by_rule(audit: Audit) -> tuple[RuleFindings, ...]:
    """One group for each rule that failed or is unknown somewhere: failures first, most severe first."""
    failed: defaultdict[str, list[Finding]] = defaultdict(list)
    unknown: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        failed[finding.rule.id].append(finding)
    for finding in audit.unknowns:
        unknown[finding.rule.id].append(finding)
    groups = [
        RuleFindings(rule, tuple(failed[rule.id]), tuple(unknown[rule.id]), _routes(failed[rule.id]))
        for rule in audit.rules
        if failed[rule.id] or unknown[rule.id]
    ]
    return tuple(sorted(groups, key=lambda item: (not item.findings, item.rule.severity.rank, item.rule.id)))


def _routes(findings: Iterable[Finding]) -> tuple[Route, ...]:
    first: dict[str, Evidence] = {}
    vaults: defaultdict[str, set[str]] = defaultdict(set)
    for finding in findings:
        for item in finding.judgement.evidence:
            if item.answer is Answer.ALLOWED:
                first.setdefault(item.record_id, item)
                vaults[item.record_id].add(finding.vault.scope)
    shared = [Route(first[record], len(found)) for record, found in vaults.items() if len(found) > 1]
    return tuple(sorted(shared, key=lambda route: (-route.vaults, route.evidence.record_id)))
