"""A read that failed: a value that travels from the collector to the last page of the report."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that could not be read.

    Attributes:
        kind: kind of record that is missing, the collector's `kind` (`role_assignments`, `group_members`, ...).
        scope: where it is missing: a resource ID or tenant-relative path such as `groups/{id}`, as it was asked.
        reason: what happened, one sentence for a person.
        status: HTTP status, or None when there was no answer.
        code: the service's error code, or None.
        permission: what would close the gap (an Azure action or a Graph permission), or None.
        retryable: whether asking again later may succeed.
        asked_at: ISO 8601 UTC time of the last attempt.
    """

    kind: str
    scope: str
    reason: str
    status: int | None = None
    code: str | None = None
    permission: str | None = None
    retryable: bool = False
    asked_at: str | None = None

    @property
    def id(self) -> str:
        """A short stable id: the same gap has the same id in every run (`gap-` and 10 hex digits)."""
        digest = hashlib.sha256(f"{self.kind}\0{self.scope.casefold()}".encode()).hexdigest()
        return f"gap-{digest[:10]}"


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing that was read to its end: proof that nothing else was there.

    Attributes:
        kind: the collector's `kind`.
        scope: what was listed, as it was asked.
        items: how many items it held.
        api_version: the api-version asked with, or None where the API has none.
    """

    kind: str
    scope: str
    items: int
    api_version: str | None = None


def once(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps without repetition, in order."""
    return tuple({gap.id: gap for gap in gaps}.values())
