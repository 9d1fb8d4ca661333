"""The JSON shape of a gap and of a citation, the same in every output (ARCHITECTURE.md, "The command line")."""

from typing import Any

from kvaudit.access.answers import Citation
from kvaudit.model.gaps import Gap


def gap_shape(gap: Gap) -> dict[str, Any]:
    """A gap as JSON: every field, and its stable id."""
    return {
        "id": gap.id,
        "kind": gap.kind,
        "scope": gap.scope,
        "reason": gap.reason,
        "status": gap.status,
        "code": gap.code,
        "permission": gap.permission,
        "retryable": gap.retryable,
        "asked_at": gap.asked_at,
    }


def citation_shape(citation: Citation) -> dict[str, Any]:
    """An element of `via` or `because` as JSON."""
    return {
        "kind": citation.kind.value,
        "id": citation.id,
        "scope": citation.scope,
        "role": citation.role,
        "groups": list(citation.groups),
        "condition": citation.condition,
        "ends": citation.ends,
        "answer": citation.answer.value,
    }
