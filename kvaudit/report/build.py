"""From an evaluator to an audit: every vault judged and counted once, in one pass."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kvaudit.access.evaluator import Access
from kvaudit.model import scopes
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
from kvaudit.report.access_rows import all_gaps
from kvaudit.report.audit import Audit, Finding, GapReach, KindCoverage
from kvaudit.report.readers import Readers
from kvaudit.report.vault_tally import VaultCounter, VaultTally
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judge import Judges
from kvaudit.rules.judgement import Rule, Verdict

_CLEAR = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})


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
    tally = _Tally()
    counter = VaultCounter(access, rules)
    vaults = iter(estate.vaults)
    for part in counter.all_vaults():
        tally.add(counter.judges, vaults, rules, part)
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
    """What was counted of all vaults."""

    def __init__(self) -> None:
        self.readers: dict[str, Readers] = {}
        self.findings: list[Finding] = []
        self.unknowns: list[Finding] = []
        self.rows = 0
        self._verdicts: Counter[tuple[str, Verdict]] = Counter()
        self._answers: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._vaults: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, judges: Judges, vaults: Iterator[Vault], rules: Sequence[Rule], part: VaultTally) -> None:
        """Take in a part: as many of the vaults that come as it has."""
        self.rows += part.rows
        self._answers.update(part.answers)
        for gap, touched in part.touched.items():
            self._vaults[gap] |= touched
        for column, rule in enumerate(rules):
            for judgement, number in part.judgements.counts(column):
                self._verdicts[rule.id, judgement.verdict] += number
        for readers, row in zip(part.readers, part.judgements, strict=True):
            vault = next(vaults)
            self.readers[vault.scope] = readers
            if not _CLEAR.issuperset(judgement.verdict for judgement in row):
                for rule, judgement in judges.told(vault, row):
                    self._add(Finding(rule, vault, judgement))

    def _add(self, found: Finding) -> None:
        if found.judgement.verdict is Verdict.FAIL:
            self.findings.append(found)
        elif found.judgement.verdict is Verdict.UNKNOWN:
            self.unknowns.append(found)
            for gap in found.judgement.gaps:
                self._unknown[gap] += 1
                self._vaults[gap].add(found.vault.scope)

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
