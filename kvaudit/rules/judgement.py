"""What a rule is and what it may answer: exactly one verdict per vault."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from kvaudit.access.counting import Question
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import (
        VaultCounts,
    )  # at run time only where it is counted: it needs roaring bitmaps


class Severity(StrEnum):
    """How bad a failed verdict is; ordered by `rank`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, growing as it matters less."""
        return tuple(Severity).index(self)


class Verdict(StrEnum):
    """The outcome of a rule on a vault."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Fires(StrEnum):
    """How a rule treats gaps.

    `ON_PRESENCE`: a failure that was seen stays; what was not seen may be hidden by a gap, so Pass becomes Unknown.
    `ON_ABSENCE`: the failure is that something is not there, so any gap that covers the vault makes Fail unknown too.
    """

    ON_PRESENCE = "on_presence"
    ON_ABSENCE = "on_absence"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One record that a failed verdict rests on.

    Attributes:
        message: a sentence about this record. Tenant's text may be in it: escape per format.
        record_id: ID of the record.
        principal_id: folded object ID, or None.
        operation: permission word or control-plane action, or None.
        answer: allowed, or conditional: such evidence is shown and does not make a failure by itself.
        scope: folded scope of the record, or None.
    """

    message: str
    record_id: str
    principal_id: str | None = None
    operation: str | None = None
    answer: Answer = Answer.ALLOWED
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one rule on one vault.

    Attributes:
        message: one sentence; for NOT_APPLICABLE and UNKNOWN the reason.
        evidence_count: how many records it rests on.
        gaps: ids of the gaps that make it unknown.
        details: makes the evidence and the commands when somebody looks at them; None where there are none.
    """

    verdict: Verdict
    message: str = ""
    evidence_count: int = 0
    gaps: tuple[str, ...] = ()
    details: "Details | None" = field(default=None, compare=False, repr=False)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The records that it rests on, what counts most first: at most `EVIDENCE_KEPT` of them."""
        return self.details.evidence if self.details else ()

    @property
    def fix(self) -> tuple[str, ...]:
        """Shell commands (`az ...`) that mend a failure for this vault, or ()."""
        return self.details.fix if self.details and self.verdict is Verdict.FAIL else ()


Told = tuple[tuple[Evidence, ...], tuple[str, ...]]
"""Evidence and commands."""

_NOTHING: Told = ((), ())


class Details:
    """Evidence and commands, made once, when they are first looked at: most judgements are only counted.

    Args:
        make: makes both.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], tuple[tuple[Evidence, ...], tuple[str, ...]]]) -> None:
        self._make: Callable[[], tuple[tuple[Evidence, ...], tuple[str, ...]]] | None = make
        self._made: tuple[tuple[Evidence, ...], tuple[str, ...]] = _NOTHING

    def _look(self) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
        if self._make is not None:
            self._made, self._make = self._make(), None  # what it was made of is not needed any more
        return self._made

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """See `Judgement.evidence`."""
        return self._look()[0]

    @property
    def fix(self) -> tuple[str, ...]:
        """See `Judgement.fix`."""
        return self._look()[1]


EVIDENCE_KEPT = 50
"""Evidence kept per verdict; the rest is counted (ARCHITECTURE.md, budgets)."""


@lru_cache(maxsize=1024)  # judgements do not change, and most vaults share theirs
def passed(message: str = "") -> Judgement:
    """The rule looked and found nothing wrong; a message tells what was shown and not counted."""
    return Judgement(Verdict.PASS, message)


@lru_cache(maxsize=1024)
def not_applicable(reason: str) -> Judgement:
    """The rule says nothing about this vault, because."""
    return Judgement(Verdict.NOT_APPLICABLE, reason)


def unknown(reason: str, gaps: Iterable[str] = ()) -> Judgement:
    """The rule cannot tell, because."""
    return Judgement(Verdict.UNKNOWN, reason, gaps=tuple(dict.fromkeys(gaps)))


Record = TypeVar("Record")


def failed(
    message: str,
    records: Sequence[Record],
    cite: Callable[[Record], Evidence],
    fix: Callable[[Sequence[Record]], Iterable[str]],
) -> Judgement:
    """The rule found what it looks for.

    Args:
        message: one sentence.
        records: everything that the verdict rests on, what counts most first. All are counted, `EVIDENCE_KEPT` are
            kept: a subscription with 4,000 role assignments must not cost 4,000 sentences a vault.
        cite: makes the evidence of one record.
        fix: makes the commands that mend the records which are kept.
    """
    kept = records[:EVIDENCE_KEPT]
    details = Details(lambda: (tuple(map(cite, kept)), tuple(fix(kept))))
    return Judgement(Verdict.FAIL, message, len(records), details=details)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; the docstring of its module is its documentation page.

    Attributes:
        id: the module's name with hyphens; names the bad state; never changes.
        title: what is wrong, one line.
        needs: kinds of records it rests on: a gap in these that covers the vault turns Pass into Unknown.
        fires: see `Fires`.
        controls: check ids of `kvaudit/data/controls.json`, which map to framework controls.
        quick: the same judgement without its evidence, from counts, which are worked out for all vaults together, or from
            properties that many vaults share; None as an answer: `check` must be asked.
        asked: what `quick` needs counted.
        check: total over vaults whose properties were read: one vault in, one judgement out. Of a vault whose
            properties were not read `judge` says unknown without asking.
    """

    id: str
    title: str
    severity: Severity
    check: Callable[[VaultAccess], Judgement]
    needs: frozenset[str]
    fires: Fires = Fires.ON_PRESENCE
    controls: tuple[str, ...] = ()
    quick: "Callable[[VaultCounts], Judgement | None] | None" = None
    asked: tuple[Question, ...] = ()
