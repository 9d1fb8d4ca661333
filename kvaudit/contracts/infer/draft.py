"""What was read from code as a file of contracts to be completed, and as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kvaudit.contracts.infer.needs import Grade, Inferred, Need

SCHEMA = "kvaudit/inferred-needs/1"

MOST_PLACES = 20
"""Places that the comments of a draft name for one word; the rest is counted."""

_UNKNOWN_VAULT = "NAME-OF-THE-VAULT"
_UNKNOWN_PRINCIPAL = "OBJECT-ID-OR-NAME-OF-THE-WORKLOAD"


def as_yaml(inferred: Inferred, workload: str) -> str:
    """A file of contracts: one workload for each vault that is named, comments say where each need was read.

    Needs that are a name only stand in comments: to be taken over by somebody who knows.
    """
    lines = [
        "# Read from code by `kvaudit contracts infer`. Complete what is in capitals, then `kvaudit check` it.",
        "version: 1",
    ]
    groups = _by_vault(inferred.needs)
    lines.append("workloads:" if groups else "workloads: []  # nothing was found that asks a vault for anything")
    for vault, needs in groups.items():
        name = workload if len(groups) == 1 else f"{workload} ({vault or 'vault not named in the code'})"
        lines += [
            f"  - name: {_quoted(name)}",
            f"    principal: {_UNKNOWN_PRINCIPAL}",
            f"    vault: {_quoted(vault or _UNKNOWN_VAULT)}",
            "    needs:",
            *_needs(needs, (Grade.CERTAIN, Grade.LIKELY)),
        ]
    lines += _names_only(inferred.needs)
    lines += [f"# not looked into: {_one_line(problem)}" for problem in inferred.problems]
    lines += [f"# note: {_one_line(note)}" for note in inferred.notes]
    return "\n".join(lines) + "\n"


def as_json(inferred: Inferred) -> dict[str, Any]:
    """`{"schema", "files", "needs": [{"word", "operation", "grade", "file", "line", "why", "vault", "object"}], "problems", "notes"}`."""
    return {
        "schema": SCHEMA,
        "files": inferred.files,
        "needs": [
            {
                "word": need.word,
                "operation": need.operation,
                "grade": need.grade.value,
                "file": need.file,
                "line": need.line,
                "why": need.why,
                "vault": need.vault,
                "object": need.object,
            }
            for need in inferred.needs
        ],
        "problems": list(inferred.problems),
        "notes": list(inferred.notes),
    }


def _by_vault(needs: Iterable[Need]) -> Mapping[str | None, list[Need]]:
    """Needs that are more than a name. With one vault named, what names none goes to it too."""
    groups: dict[str | None, list[Need]] = {}
    for need in needs:
        if need.grade is not Grade.NAME_ONLY:
            groups.setdefault(need.vault, []).append(need)
    named = [vault for vault in groups if vault is not None]
    if len(named) == 1 and None in groups:
        groups[named[0]] += groups.pop(None)
    return dict(sorted(groups.items(), key=lambda item: item[0] or "~"))


def _needs(needs: Sequence[Need], grades: tuple[Grade, ...]) -> list[str]:
    lines = []
    for word in sorted({need.word for need in needs}):
        places = [need for need in needs if need.word == word and need.grade in grades]
        lines.append(f"      - {word}")
        lines += [f"        # {need.grade.value}: {_place(need)}" for need in places[:MOST_PLACES]]
        if len(places) > MOST_PLACES:
            lines.append(f"        # and {len(places) - MOST_PLACES} more places")
    return lines


def _names_only(needs: Sequence[Need]) -> list[str]:
    found = [need for need in needs if need.grade is Grade.NAME_ONLY]
    if not found:
        return []
    lines = ["# By name only, not taken over: what these are asked of may be no key vault."]
    lines += [f"#   {need.word}: {_place(need)}" for need in found[:MOST_PLACES]]
    return lines + ([f"#   and {len(found) - MOST_PLACES} more places"] if len(found) > MOST_PLACES else [])


def _place(need: Need) -> str:
    return _one_line(f"{need.file}:{need.line} {need.why}")


def _one_line(text: str) -> str:
    """Text of the code or of file names, made harmless in a comment: no line breaks, no control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:300]


def _quoted(text: str) -> str:
    """JSON's strings are YAML's double-quoted ones."""
    plain = text.replace("-", "").replace("_", "")
    return text if plain.isascii() and plain.isalnum() and plain[0].isalpha() else json.dumps(text)
