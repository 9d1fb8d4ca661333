"""The input of every format: one audit, judged and ready to be written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
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
