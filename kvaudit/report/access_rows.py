"""The rows of `kvaudit access`: one per vault or object and principal, with the records that give what is held."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from kvaudit.access.answers import Holding
from kvaudit.model.permissions import words_of
from kvaudit.report.audit import Audit
from kvaudit.report.shapes import citation_shape

CSV_ROW_LIMIT = 1_000_000
"""Rows above which `access.csv` is written only when it is asked for by name: a spreadsheet opens 1,048,576."""


def access_rows(audit: Audit, *, expand_groups: bool = False) -> Iterator[dict[str, Any]]:
    """Rows as JSON objects, in the order of the evaluator: vault by vault, sorted by principal.

    Args:
        audit: whose evaluator answers.
        expand_groups: also list every member of a group; `via[].groups` is then the chain.
    """
    names = {vault.id: vault.name for vault in audit.estate.vaults}
    for holding in audit.access.rows(expand_groups=expand_groups):
        yield _row(audit, holding, names)


def _row(audit: Audit, holding: Holding, names: dict[str, str]) -> dict[str, Any]:
    principal = holding.principal_id
    return {
        "vault_id": holding.vault_id,
        "vault": names.get(holding.vault_id) if holding.vault_id is not None else None,
        "object": holding.object,
        "principal_id": principal,
        "principal_type": holding.principal_type,
        "display_name": audit.estate.principal(principal).display_name if principal is not None else None,
        "application_id": holding.application_id,
        "allowed": _words(holding.allowed),
        "conditional": _words(holding.conditional),
        "unknown": _words(holding.unknown),
        "escalation": list(holding.escalation),
        "via": [citation_shape(item) for item in holding.via],
    }


@cache
def _words(mask: int) -> list[str]:
    return list(words_of(mask))
