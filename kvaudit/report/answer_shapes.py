"""The JSON of `who-can` and `can` (ARCHITECTURE.md, "The command line"; `kvaudit schema who-can`, `kvaudit schema can`)."""

from collections.abc import Iterable
from typing import Any

from kvaudit.access.answers import Decision, Holding, WhoCan
from kvaudit.access.near import NearMiss
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operation
from kvaudit.report.escalation_words import not_assessed_shape, route_shape
from kvaudit.report.shapes import citation_shape, gap_shape


def who_can_shape(estate: Estate, answer: WhoCan) -> dict[str, Any]:
    """One question of `who-can` with everybody whose answer is not denied."""
    mask = operation(answer.operation).mask
    shape = {
        "operation": answer.operation,
        "vault": answer.vault_id,
        "object": answer.object,
        "answers": [_holder_shape(estate, item, mask) for item in answer.holdings],
        "gaps": [gap_shape(gap) for gap in answer.gaps],
        "notes": list(answer.notes),
    }
    if answer.routes is not None:
        shape["escalation"] = [route_shape(estate, item) for item in answer.routes]
        shape["not_assessed"] = [not_assessed_shape(item) for item in answer.not_assessed]
    return shape


def _holder_shape(estate: Estate, item: Holding, mask: int) -> dict[str, Any]:
    return {
        "principal_id": item.principal_id,
        "principal_type": item.principal_type,
        "display_name": estate.principal(item.principal_id).display_name if item.principal_id else None,
        "application_id": item.application_id,
        "answer": item.answer(mask).value,
        "via": [citation_shape(citation) for citation in item.via],
    }


def can_shape(decision: Decision, near: Iterable[NearMiss] = ()) -> dict[str, Any]:
    """One question of `can` with its answer, and of a denied one what comes near."""
    return {
        "principal_id": decision.principal_id,
        "operation": decision.operation,
        "vault": decision.vault_id,
        "object": decision.object,
        "answer": decision.answer.value,
        "because": [citation_shape(citation) for citation in decision.because],
        "gaps": [gap_shape(gap) for gap in decision.gaps],
        "notes": list(decision.notes),
        "near": [{"why": item.why.value, **citation_shape(item.citation)} for item in near],
    }


def who_can_rows(shape: dict[str, Any], *, named: bool) -> Iterable[dict[str, Any]]:
    """The rows of a table: one per holder, after what was asked when there are several questions."""
    question = {key: shape[key] for key in ("operation", "vault", "object")} if named else {}
    return ({**question, **row} for row in shape["answers"])


def can_row(shape: dict[str, Any]) -> dict[str, Any]:
    """The row of a table: what was asked and the answer."""
    return {key: shape[key] for key in ("principal_id", "operation", "vault", "object", "answer")}
