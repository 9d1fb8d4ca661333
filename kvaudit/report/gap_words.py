"""What a gap is in a person's words: where, what it touches, and what closes it. Formats escape the tenant's text in it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from kvaudit.access.escalation import IDENTITY_KINDS
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.model.kinds import kind_words
from kvaudit.report.audit import Audit
from kvaudit.report.sentences import closing, gap_place
from kvaudit.report.text import counted

__all__ = [
    "HIDES_VAULTS",
    "GapGroup",
    "closed_by",
    "closing",
    "grouped",
    "hides_vaults",
    "kinds_of",
    "touched_by",
    "touches",
    "weight",
]

HIDES_VAULTS = frozenset({"vaults", "subscriptions"})
"""Kinds whose gap hides whole vaults: nothing that was seen can weigh as much."""


def hides_vaults(audit: Audit, gap: Gap) -> bool:
    """Whether a gap hides vaults that nobody knows of, and not only the properties of one that is known."""
    return gap.kind in HIDES_VAULTS and scopes.fold(gap.scope) not in audit.readers


def weight(audit: Audit, gap: Gap) -> int:
    """How much a gap matters: what reports put first."""
    reach = audit.reach[gap.id]
    return 10**12 if hides_vaults(audit, gap) else reach.answers + reach.verdicts


def touches(audit: Audit, gap: Gap) -> str:
    """What a gap changes, as a clause."""
    if hides_vaults(audit, gap):
        return "hides every vault there"
    reach = audit.reach[gap.id]
    return _unknown(reach.answers, reach.verdicts, [gap])


def _unknown(answers: int, verdicts: int, gaps: Iterable[Gap]) -> str:
    parts = [counted(answers, "answer")] if answers else []
    parts += [counted(verdicts, "verdict")] if verdicts else []
    if parts:
        return f"makes {' and '.join(parts)} unknown"
    # Such a gap touches no answer about who holds access: it hides who can act as somebody who does.
    hides_routes = any(gap.kind in IDENTITY_KINDS for gap in gaps)
    return "hides who can act as somebody with access" if hides_routes else "touches no answer that was seen"


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Gaps of one place that have one cause: a subscription that refuses seven listings is told once.

    Attributes:
        place: where.
        scope: where, as it was asked.
        cause: status and error code, or "".
        reason: what happened, of the gap that matters most; `is_one_reason` tells whether it is that of all.
        gaps: those that matter most first.
    """

    place: str
    scope: str
    cause: str
    reason: str
    gaps: tuple[Gap, ...]

    @property
    def is_one_reason(self) -> bool:
        """Whether `reason` is true of every gap: an answer of Azure names the one action that it refused."""
        return all(gap.reason == self.reason for gap in self.gaps)


def grouped(audit: Audit) -> tuple[GapGroup, ...]:
    """Every gap of an audit, in groups, those that matter most first."""
    table: dict[tuple[str, str], list[Gap]] = {}
    for gap in sorted(audit.gaps, key=lambda item: (-weight(audit, item), item.kind, item.scope)):
        cause = " ".join(str(part) for part in (gap.status, gap.code) if part) or gap.reason
        table.setdefault((scopes.fold(gap.scope), cause), []).append(gap)
    return tuple(
        GapGroup(
            place=gap_place(audit.estate, gaps[0]),
            scope=gaps[0].scope,
            cause="" if cause == gaps[0].reason else cause,
            reason=gaps[0].reason,
            gaps=tuple(gaps),
        )
        for (_, cause), gaps in table.items()
    )


def kinds_of(group: GapGroup) -> str:
    """What was not read there: `vaults, role assignments and 3 more`."""
    names = list(dict.fromkeys(kind_words(gap.kind) for gap in group.gaps))
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more kinds"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def closed_by(group: GapGroup) -> str:
    """What closes the gaps of a group, as a clause: the first permissions, and what is true of gaps that none closes."""
    wanted = list(dict.fromkeys(gap.permission for gap in group.gaps if gap.permission))
    others = Counter(closing(gap) for gap in group.gaps if not gap.permission)
    if not wanted and len(others) == 1:
        return next(iter(others))
    more = f" and {len(wanted) - 2} more" if len(wanted) > 2 else ""
    parts = [f"closed by {', '.join(wanted[:2])}{more}"] if wanted else []
    return "; ".join([*parts, *(f"of {number:,} of {len(group.gaps):,} {clause}" for clause, number in others.items())])


def touched_by(audit: Audit, group: GapGroup) -> str:
    """What the gaps of a group change together, as a clause."""
    if any(hides_vaults(audit, gap) for gap in group.gaps):
        return "hides every vault there"
    answers = sum(audit.reach[gap.id].answers for gap in group.gaps)
    verdicts = sum(audit.reach[gap.id].verdicts for gap in group.gaps)
    return _unknown(answers, verdicts, group.gaps)
