"""Findings told once: by rule, and within a rule by the record that gives the route.

One Contributor at a subscription opens a hundred vaults; that is one line with a count, not a hundred
(ARCHITECTURE.md, "Access semantics" 11).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kvaudit.model.answers import Answer
from kvaudit.report.audit import Audit, Finding
from kvaudit.report.text import counted
from kvaudit.rules.judgement import EVIDENCE_KEPT, Evidence, Rule


@dataclass(frozen=True, slots=True)
class Route:
    """One record that failures of a rule rest on.

    Attributes:
        evidence: the record, as it is told of more of these vaults than any other way.
        vaults: how many vaults fail because of it.
        alike: of how many of them the record is told with this text. What it gives may differ: who may write all groups
            joins one group for this vault and another for that.
        ways: different texts.
    """

    evidence: Evidence
    vaults: int
    alike: int
    ways: int

    @property
    def lead(self) -> str:
        """What stands before the text, so that it is true of every vault that is counted; "" where the text alone is."""
        if self.alike == self.vaults:
            return ""
        return f"one record in {self.ways:,} ways; at {counted(self.alike, 'vault')}: "


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """Everything that one rule found.

    Attributes:
        findings: by vault name.
        unknowns: verdicts that are unknown, by vault name.
        routes: records that several vaults fail because of, those that reach most vaults first.
        is_cut: whether some vault has more evidence than is kept, so that there may be more such records, and more vaults to each.
    """

    rule: Rule
    findings: tuple[Finding, ...]
    unknowns: tuple[Finding, ...]
    routes: tuple[Route, ...]
    is_cut: bool


def by_rule(audit: Audit) -> tuple[RuleFindings, ...]:
    """One group for each rule that failed or is unknown somewhere: failures first, most severe first."""
    failed: defaultdict[str, list[Finding]] = defaultdict(list)
    unknown: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in audit.findings:
        failed[finding.rule.id].append(finding)
    for finding in audit.unknowns:
        unknown[finding.rule.id].append(finding)
    groups = [
        RuleFindings(
            rule,
            tuple(failed[rule.id]),
            tuple(unknown[rule.id]),
            _routes(failed[rule.id]),
            any(item.judgement.evidence_count > EVIDENCE_KEPT for item in failed[rule.id]),
        )
        for rule in audit.rules
        if failed[rule.id] or unknown[rule.id]
    ]
    return tuple(sorted(groups, key=lambda item: (not item.findings, item.rule.severity.rank, item.rule.id)))


def _routes(findings: Iterable[Finding]) -> tuple[Route, ...]:
    vaults: Counter[str] = Counter()
    told: defaultdict[str, defaultdict[str, list[Evidence]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        # By text: of one record a vault may be told several things, each of them once.
        mine = {
            (item.record_id, item.message): item for item in finding.judgement.evidence if item.answer is Answer.ALLOWED
        }
        vaults.update({record for record, _ in mine})
        for (record, text), item in mine.items():
            told[record][text].append(item)
    shared = [_route(number, told[record]) for record, number in vaults.items() if number > 1]
    return tuple(sorted(shared, key=lambda route: (-route.vaults, route.evidence.record_id)))


def _route(vaults: int, told: Mapping[str, Sequence[Evidence]]) -> Route:
    most = max(told.values(), key=len)
    return Route(most[0], vaults, len(most), len(told))
