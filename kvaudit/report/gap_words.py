"""What a gap is in a person's words: where, what it touches, and what closes it. Formats escape the tenant's text in it."""

from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.report.audit import Audit
from kvaudit.report.sentences import scope_name
from kvaudit.report.text import counted

HIDES_VAULTS = frozenset({"vaults", "subscriptions"})
"""Kinds whose gap hides whole vaults: nothing that was seen can weigh as much."""


def hides_vaults(audit: Audit, gap: Gap) -> bool:
    """Whether a gap hides vaults that nobody knows of, and not only the properties of one that is known."""
    return gap.kind in HIDES_VAULTS and scopes.fold(gap.scope) not in audit.readers


def weight(audit: Audit, gap: Gap) -> int:
    """How much a gap matters: what reports put first."""
    reach = audit.reach[gap.id]
    return 10**12 if hides_vaults(audit, gap) else reach.answers + reach.verdicts


def gap_place(audit: Audit, gap: Gap) -> str:
    """Where something was not read: `subscription Payments`, `group operators`."""
    if gap.scope.startswith("/"):
        return scope_name(audit.estate, scopes.fold(gap.scope))
    kind, _, principal = gap.scope.partition("/")
    name = audit.estate.principal(principal.casefold()).display_name if principal else None
    return f"{kind.removesuffix('s')} {name}" if name else gap.scope


def touches(audit: Audit, gap: Gap) -> str:
    """What a gap changes, as a clause."""
    if hides_vaults(audit, gap):
        return "hides every vault there"
    reach = audit.reach[gap.id]
    parts = [counted(reach.answers, "answer")] if reach.answers else []
    parts += [counted(reach.verdicts, "verdict")] if reach.verdicts else []
    return f"makes {' and '.join(parts)} unknown" if parts else "touches no answer that was seen"


def closing(gap: Gap) -> str:
    """What closes a gap, as a clause."""
    if gap.permission:
        return f"closed by {gap.permission}"
    return "asking again may close it" if gap.retryable else "no permission is known to close it"
