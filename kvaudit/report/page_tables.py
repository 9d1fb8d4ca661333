"""The tables of the HTML page as columns of numbers into one list of texts, which `page.js` draws row by row."""

from collections.abc import Sequence
from typing import Any

from kvaudit.model.answers import Answer
from kvaudit.report.audit import Audit
from kvaudit.report.page_view import View, answers_of, model_words
from kvaudit.report.readers import Readers, kind_of
from kvaudit.report.sentences import principal_name
from kvaudit.report.text import visible

ACCESS_ROWS_KEPT = 200_000
"""Rows of the access table kept in the page; access.csv holds them all."""


class _Texts:
    """Each text once, by number."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text."""
        if text not in self._numbers:
            self._numbers[text] = len(self.items)
            self.items.append(visible(text))
        return self._numbers[text]


def tables_of(audit: Audit, view: View) -> dict[str, Any]:
    """The data island of the page."""
    texts = _Texts()
    tables = {"vaults": _vaults(audit, view, texts), "access": _access(audit, view, texts)}
    return {"texts": texts.items, "tables": tables}


def _vaults(audit: Audit, view: View, texts: _Texts) -> dict[str, Any]:
    rows = []
    for vault in view.order:
        readers = audit.readers.get(vault.scope, Readers())
        worst = view.worst.get(vault.scope)
        rows.append(
            (
                texts.number(vault.name),
                texts.number(model_words(vault)),
                readers.total(Answer.ALLOWED),
                readers.members,
                readers.total(Answer.CONDITIONAL),
                readers.total(Answer.UNKNOWN),
                texts.number(view.subscription(vault)),
                texts.number(worst.value if worst else ""),
                view.numbers[vault.scope],
            )
        )
    return _table(rows, numeric=[2, 3, 4, 5, 8], visible_columns=8, links={0: "vault"}, anchors={0: 8}, tags=[7])


def _access(audit: Audit, view: View, texts: _Texts) -> dict[str, Any]:
    estate = audit.estate
    names = {vault.id: vault for vault in estate.vaults}
    rows = []
    for holding in view.holdings[:ACCESS_ROWS_KEPT]:
        vault = names.get(holding.vault_id or "")
        kind = (
            kind_of(estate.principal(holding.principal_id), holding.principal_type).value
            if holding.principal_id
            else ""
        )
        for answer, words in answers_of(holding):
            rows.append(
                (
                    texts.number(vault.name if vault else "a vault that could not be read"),
                    texts.number(holding.object or ""),
                    texts.number(principal_name(estate, holding.principal_id)),
                    texts.number(kind),
                    texts.number(answer.value),
                    texts.number(words),
                    view.numbers[vault.scope] if vault else -1,
                    view.principal_numbers.get(holding.principal_id or "", -1),
                )
            )
    return _table(
        rows, numeric=[6, 7], visible_columns=6, links={0: "vault", 2: "principal"}, anchors={0: 6, 2: 7}, tags=[4]
    )


def _table(
    rows: Sequence[tuple[int, ...]],
    *,
    numeric: list[int],
    visible_columns: int,
    links: dict[int, str],
    anchors: dict[int, int],
    tags: list[int],
) -> dict[str, Any]:
    width = max([*numeric, *anchors.values(), visible_columns - 1]) + 1
    return {
        "columns": [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)],
        "numeric": numeric,
        "visible": list(range(visible_columns)),
        "links": links,
        "anchors": anchors,
        "tags": tags,
    }
