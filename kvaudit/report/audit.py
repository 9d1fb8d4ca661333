"""The input of every format: one audit, judged and ready to be written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
from kvaudit.report.readers import Readers
from kvaudit.report.readiness import Readiness, readiness
from kvaudit.rules.judgement import Judgement, Rule, Verdict


@dataclass(frozen=True, slots=True)
class KindCoverage:
    """What of one kind of record was asked and read.

    Attributes:
        asked: listings that were asked.
        read: listings that were read to their end.
        items: records read.
        gaps: ids of the gaps of this kind.
    """

    asked: int
    read: int
    items: int
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GapReach:
    """What one gap touches: it is told once, with these numbers, not once per vault.

    Attributes:
        vaults: vaults of which an answer or a verdict rests on it.
        answers: rows of access (a principal on a vault or an object) that are unknown because of it.
        verdicts: verdicts that are unknown because of it.
    """

    vaults: int = 0
    answers: int = 0
    verdicts: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A failed verdict: one rule on one vault."""

    rule: Rule
    vault: Vault
    judgement: Judgement


@dataclass(frozen=True)
class Audit:
    """Everything a format may show. Built by `app`; formats add nothing and hide nothing.

    Attributes:
        scope: what was asked, in the words of the command line (`tenant`, `subscriptions`, ... -> values).
        tool_version: version of kvaudit that judged.
        generated_at: ISO 8601 UTC time of judging (the clock belongs to `app`).
        coverage: by kind of record.
        gaps: every gap of the snapshot; nothing is filtered.
        findings: failed verdicts, most severe first, then by rule and vault.
        unknowns: unknown verdicts, same order.
        verdicts: rule id -> verdict -> count.
        readers: who can read secrets, by the vault's folded scope.
        reach: gap id -> what it touches. A gap that touches nothing seen still hides what was not seen.
        access_rows: rows that the access table has without expanded groups.
        access: the evaluator, for access rows and answers.
    """

    estate: Estate
    access: Access
    rules: tuple[Rule, ...]
    tool_version: str
    generated_at: str
    scope: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coverage: Mapping[str, KindCoverage] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Finding, ...] = ()
    verdicts: Mapping[str, Mapping[Verdict, int]] = field(default_factory=dict)
    snapshot_path: str | None = None
    readers: Mapping[str, Readers] = field(default_factory=dict)
    reach: Mapping[str, GapReach] = field(default_factory=dict)
    access_rows: int = 0

    @property
    def readiness(self) -> Readiness:
        """How the vaults stand for 2027-02-27."""
        return readiness(self.estate.vaults, self.generated_at)
