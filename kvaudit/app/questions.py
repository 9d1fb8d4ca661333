"""`who-can` and `can`: from a snapshot and a question to an answer, its JSON and its sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvaudit.access.answers import Decision, WhoCan
from kvaudit.access.evaluator import Access
from kvaudit.app.names import is_resource_id, object_named, operation_named, principal_named, vault_not_found
from kvaudit.errors import ExitCode
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import Vault
from kvaudit.report.sentences import citation_sentence, decision_sentences, principal_name
from kvaudit.report.shapes import citation_shape, gap_shape
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot


@dataclass(frozen=True, slots=True)
class Answered:
    """An answered question.

    Attributes:
        data: the JSON of `-o json`.
        lines: the sentences of the text output.
        columns, rows: the table of `-o table` and `-o tsv`, or () where sentences say it better.
        exit_code: see ARCHITECTURE.md, "The command line".
    """

    data: Mapping[str, Any]
    lines: tuple[str, ...]
    exit_code: ExitCode
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def load_access(path: Path) -> Access:
    """The evaluator over a snapshot."""
    return Access(load_estate(open_snapshot(path)))


def find_vault(access: Access, text: str) -> Vault:
    """The vault of a name or resource ID. Raises UsageError, with what is near, when the snapshot has none."""
    wanted = text.strip().casefold()
    for vault in access.estate.vaults:
        if (vault.scope == scopes.fold(text)) if is_resource_id(text) else (vault.name.casefold() == wanted):
            return vault
    raise vault_not_found(access.estate, text)


def ask_who_can(path: Path, word: str, *, vault: str, object_text: str | None, expand_groups: bool) -> Answered:
    """Who may do an operation on a vault or one of its objects.

    Raises:
        UsageError: unknown operation, vault or object form.
    """
    asked = operation_named(word)
    ref = object_named(object_text, asked)
    access = load_access(path)
    answer = access.who_can(asked, find_vault(access, vault), ref, expand_groups=expand_groups)
    incomplete = bool(answer.gaps) or any(item.answer(asked.mask) is Answer.UNKNOWN for item in answer.holdings)
    return Answered(
        data=_who_can_shape(access, answer),
        lines=_who_can_lines(access, answer),
        exit_code=ExitCode.INCOMPLETE if incomplete else ExitCode.OK,
    )


def _who_can_shape(access: Access, answer: WhoCan) -> dict[str, Any]:
    mask = operation(answer.operation).mask
    return {
        "operation": answer.operation,
        "vault": answer.vault_id,
        "object": answer.object,
        "answers": [
            {
                "principal_id": item.principal_id,
                "principal_type": item.principal_type,
                "display_name": access.estate.principal(item.principal_id).display_name if item.principal_id else None,
                "application_id": item.application_id,
                "answer": item.answer(mask).value,
                "via": [citation_shape(citation) for citation in item.via],
            }
            for item in answer.holdings
        ],
        "gaps": [gap_shape(gap) for gap in answer.gaps],
        "notes": list(answer.notes),
    }


def _who_can_lines(access: Access, answer: WhoCan) -> tuple[str, ...]:
    mask = operation(answer.operation).mask
    lines = []
    for item in answer.holdings:
        lines.append(f"{item.answer(mask).value:<12}{principal_name(access.estate, item.principal_id)}")
        lines.extend(
            f"            {citation_sentence(access.estate, citation, item.principal_id)}" for citation in item.via
        )
    if not answer.holdings:
        nobody = "nobody, as far as could be read" if answer.gaps else "nobody"
        lines.append(f"{nobody}: no record gives {answer.operation} here")
    lines.extend(f"not read: {gap.kind} at {gap.scope}: {gap.reason} ({gap.id})" for gap in answer.gaps)
    lines.extend(f"note: {note}" for note in answer.notes)
    return tuple(lines)


def ask_can(
    path: Path, principal: str, word: str, vault: str, *, object_text: str | None, expect: str | None
) -> Answered:
    """Whether a principal may do an operation on a vault or one of its objects.

    Args:
        expect: the answer that is expected, or None. With it the exit code is 0 or 3 only.

    Raises:
        UsageError: unknown principal, operation, vault or object form.
    """
    asked = operation_named(word)
    ref = object_named(object_text, asked)
    access = load_access(path)
    decision = access.can(principal_named(access.estate, principal), asked, find_vault(access, vault), ref)
    if expect is not None:
        code = ExitCode.OK if decision.answer.value == expect else ExitCode.FINDINGS
    else:
        code = ExitCode.INCOMPLETE if decision.answer is Answer.UNKNOWN else ExitCode.OK
    return Answered(data=_can_shape(decision), lines=decision_sentences(access.estate, decision), exit_code=code)


def _can_shape(decision: Decision) -> dict[str, Any]:
    return {
        "principal_id": decision.principal_id,
        "operation": decision.operation,
        "vault": decision.vault_id,
        "object": decision.object,
        "answer": decision.answer.value,
        "because": [citation_shape(citation) for citation in decision.because],
        "gaps": [gap_shape(gap) for gap in decision.gaps],
        "notes": list(decision.notes),
    }
