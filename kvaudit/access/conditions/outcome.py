"""What a condition decides, and how such outcomes combine."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_MAX_REASONS = 3


class Verdict(StrEnum):
    """`UNDETERMINED` covers both what was not asked (which secret?) and what Microsoft has not published."""

    TRUE = "true"
    FALSE = "false"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value of a condition for one question.

    Attributes:
        reasons: why it is undetermined, each a clause without a full stop; empty for TRUE and FALSE. The first three
            are kept.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """The reasons in one line; empty for TRUE and FALSE."""
        return "; ".join(self.reasons)


TRUE = Outcome(Verdict.TRUE)
FALSE = Outcome(Verdict.FALSE)


def settled(value: bool) -> Outcome:
    """TRUE or FALSE."""
    return TRUE if value else FALSE


def undetermined(*reasons: str) -> Outcome:
    """UNDETERMINED because of these reasons, repeats dropped."""
    return Outcome(Verdict.UNDETERMINED, tuple(dict.fromkeys(reasons))[:_MAX_REASONS])


def inverse(outcome: Outcome) -> Outcome:
    """TRUE and FALSE swapped."""
    return outcome if outcome.verdict is Verdict.UNDETERMINED else settled(outcome.verdict is Verdict.FALSE)


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """FALSE where any is, else UNDETERMINED where any is, else TRUE."""
    return _combined(outcomes, Verdict.FALSE)


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """TRUE where any is, else UNDETERMINED where any is, else FALSE."""
    return _combined(outcomes, Verdict.TRUE)


def _combined(outcomes: Iterable[Outcome], decisive: Verdict) -> Outcome:
    reasons: list[str] = []
    for outcome in outcomes:
        if outcome.verdict is decisive:
            return outcome
        reasons.extend(outcome.reasons)
    return undetermined(*reasons) if reasons else settled(decisive is Verdict.FALSE)
