"""From an evaluator to an audit: every vault judged and counted once, in one pass."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from kvaudit.access.answers import CitationKind, Holding
from kvaudit.access.evaluator import Access
from kvaudit.model import scopes
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
from kvaudit.report.access_rows import all_gaps
from kvaudit.report.audit import Audit, Finding, GapReach, KindCoverage
from kvaudit.report.readers import ReaderCounter, Readers
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judge import judge_vault
from kvaudit.rules.judgement import Judgement, Rule, Verdict


def build_audit(
    access: Access,
    *,
    tool_version: str,
    generated_at: str,
    scope: Mapping[str, tuple[str, ...]] | None = None,
    snapshot_path: str | None = None,
    rules: tuple[Rule, ...] = RULES,
) -> Audit:
    """Judges every vault and counts what reports tell.

    Args:
        access: the evaluator over the estate.
        tool_version: version of kvaudit.
        generated_at: ISO 8601 UTC time of judging.
        scope: what was asked, as the manifest of the snapshot tells it.
        snapshot_path: where the snapshot is, or None when it will be gone.
        rules: what to judge by.
    """
    estate = access.estate
    tally = _Tally(estate)
    for vault in sorted(estate.vaults, key=lambda item: (item.name.casefold(), item.scope)):
        subject = access.subject(vault)
        for rule, judgement in judge_vault(subject, rules):
            tally.add_verdict(vault, rule, judgement)
        tally.add_rows(vault, (*subject.holdings, *subject.object_holdings))
        tally.readers[vault.scope] = tally.counter.count(subject)
    gaps = all_gaps(access)
    return Audit(
        estate=estate,
        access=access,
        rules=tuple(sorted(rules, key=lambda rule: (rule.severity.rank, rule.id))),
        tool_version=tool_version,
        generated_at=generated_at,
        scope={key: tuple(values) for key, values in sorted((scope or {}).items())},
        coverage=coverage(estate, gaps),
        gaps=gaps,
        findings=_by_severity(tally.findings),
        unknowns=_by_severity(tally.unknowns),
        verdicts=tally.verdicts_of(rules),
        snapshot_path=snapshot_path,
        readers=tally.readers,
        reach=tally.reach_of(gaps),
        access_rows=tally.rows,
    )


class _Tally:
    """What is counted while the vaults go by."""

    def __init__(self, estate: Estate) -> None:
        self.counter = ReaderCounter(estate)
        self.readers: dict[str, Readers] = {}
        self.findings: list[Finding] = []
        self.unknowns: list[Finding] = []
        self.rows = 0
        self._verdicts: Counter[tuple[str, Verdict]] = Counter()
        self._answers: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._vaults: defaultdict[str, set[str]] = defaultdict(set)

    def add_verdict(self, vault: Vault, rule: Rule, judgement: Judgement) -> None:
        self._verdicts[rule.id, judgement.verdict] += 1
        if judgement.verdict is Verdict.FAIL:
            self.findings.append(Finding(rule, vault, judgement))
        elif judgement.verdict is Verdict.UNKNOWN:
            self.unknowns.append(Finding(rule, vault, judgement))
            for gap in judgement.gaps:
                self._unknown[gap] += 1
                self._vaults[gap].add(vault.scope)

    def add_rows(self, vault: Vault, holdings: Iterable[Holding]) -> None:
        for holding in holdings:
            self.rows += 1
            if holding.unknown:
                for gap in {item.id for item in holding.via if item.kind is CitationKind.GAP}:
                    self._answers[gap] += 1
                    self._vaults[gap].add(vault.scope)

    def verdicts_of(self, rules: Iterable[Rule]) -> dict[str, dict[Verdict, int]]:
        return {
            rule_id: {verdict: self._verdicts[rule_id, verdict] for verdict in Verdict}
            for rule_id in sorted(rule.id for rule in rules)
        }

    def reach_of(self, gaps: Iterable[Gap]) -> dict[str, GapReach]:
        return {
            gap.id: GapReach(len(self._vaults[gap.id]), self._answers[gap.id], self._unknown[gap.id]) for gap in gaps
        }


def coverage(estate: Estate, gaps: Iterable[Gap]) -> dict[str, KindCoverage]:
    """What of each kind was asked and read, by kind, sorted. A listing that a gap names was asked and not read."""
    failed: defaultdict[str, list[Gap]] = defaultdict(list)
    for gap in gaps:
        failed[gap.kind].append(gap)
    read: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for listing in estate.listings:
        read[listing.kind][scopes.fold(listing.scope)] = listing.items
    table = {}
    for kind in sorted({*failed, *read}):
        asked = {*read[kind], *(scopes.fold(gap.scope) for gap in failed[kind])}
        ids = tuple(sorted({gap.id for gap in failed[kind]}))
        table[kind] = KindCoverage(len(asked), len(read[kind]), sum(read[kind].values()), ids)
    return table


def _by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            findings,
            key=lambda item: (item.rule.severity.rank, item.rule.id, item.vault.name.casefold(), item.vault.scope),
        )
    )
