"""The rows of `kvaudit access`: one per vault or object and principal, with the records that give what is held."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol

from kvaudit.access.answers import Holding
from kvaudit.access.evaluator import Access
from kvaudit.model import scopes
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import words_of
from kvaudit.report.shapes import citation_shape

CSV_ROW_LIMIT = 1_000_000
"""Rows above which `access.csv` is written only when it is asked for by name: a spreadsheet opens 1,048,576."""


class Source(Protocol):
    """Where rows come from: an audit, or an evaluator alone (`AccessTable`)."""

    @property
    def estate(self) -> Estate:
        """The records."""
        ...

    @property
    def access(self) -> Access:
        """The evaluator over them."""
        ...


def access_rows(source: Source, *, expand_groups: bool = False) -> Iterator[dict[str, Any]]:
    """Rows as JSON objects, in the order of the evaluator: vault by vault, sorted by principal.

    Args:
        source: whose evaluator answers.
        expand_groups: also list every member of a group; `via[].groups` is then the chain.
    """
    names = {vault.id: vault.name for vault in source.estate.vaults}
    for holding in source.access.rows(expand_groups=expand_groups):
        yield _row(source, holding, names)


class AccessTable:
    """The rows of an export, without judging the vaults.

    Args:
        access: the evaluator.
        expand_groups: also list every member of a group.

    Attributes:
        gaps: every gap of the snapshot and those that answers rest on, sorted.
        is_incomplete: whether a row that went by is unknown in a part; rows stand for holders and vaults that gaps hide too.
    """

    def __init__(self, access: Access, *, expand_groups: bool = False) -> None:
        self.access = access
        self.estate = access.estate
        self.gaps = all_gaps(access)
        self.is_incomplete = False
        self._expand_groups = expand_groups

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows, once."""
        for row in access_rows(self, expand_groups=self._expand_groups):
            self.is_incomplete = self.is_incomplete or bool(row["unknown"])
            yield row


def all_gaps(access: Access) -> tuple[Gap, ...]:
    """The gaps of a snapshot and those that no collector told and that answers rest on, by kind and place."""
    unique = {gap.id: gap for gap in (*access.estate.gaps, *access.found_gaps())}
    return tuple(sorted(unique.values(), key=lambda gap: (gap.kind, scopes.fold(gap.scope), gap.id)))


def _row(source: Source, holding: Holding, names: dict[str, str]) -> dict[str, Any]:
    principal = holding.principal_id
    return {
        "vault_id": holding.vault_id,
        "vault": names.get(holding.vault_id) if holding.vault_id is not None else None,
        "object": holding.object,
        "principal_id": principal,
        "principal_type": holding.principal_type,
        "display_name": source.estate.principal(principal).display_name if principal is not None else None,
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
