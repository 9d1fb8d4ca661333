"""`explain`: read an error, say what it means, check it against a snapshot."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kvaudit.app.indexed import load_access
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.settings import Voice
from kvaudit.errors import UsageError
from kvaudit.explain.explaining import explain
from kvaudit.explain.explanation import Caller, Cause, Confidence, Explanation, Kind
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.sources.reading import read_loosely


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation to print: its JSON and its lines."""

    data: Mapping[str, Any]
    lines: tuple[str, ...]


def explain_source(source: str | None, snapshot: Path | None, voice: Voice) -> Explained:
    """Explains the text of a file, or of stdin for `-` or None.

    Raises:
        UsageError: the file cannot be read, or stdin is a terminal that nobody types into, or the text is empty.
        SnapshotError: the snapshot cannot be read.
    """
    mistakes = Mistakes()
    if snapshot is not None:
        mistakes.of(lambda: open_snapshot(snapshot))
    if _is_stdin(source):
        mistakes.tell()  # before a text is waited for that may be long in coming
    read = mistakes.of(lambda: _text(source))
    mistakes.tell()
    found = explain(read.value, access=load_access(snapshot, voice) if snapshot else None)
    return Explained(found.as_json(), tuple(_lines(found)))


_HINT = "Name a file, or pipe the error: `az keyvault secret show … 2>&1 | kvaudit explain`."


def _is_stdin(source: str | None) -> bool:
    return source in (None, "-")


def _text(source: str | None) -> str:
    text = _read(source)
    if not text.strip():
        raise UsageError("there is no error to explain: the text is empty", hint=_HINT)
    return text


def _read(source: str | None) -> str:
    if not _is_stdin(source):
        try:
            with Path(str(source)).open("rb") as file:
                return read_loosely(file)
        except OSError as problem:
            raise UsageError(f"{source}: {problem.strerror or problem}", hint=_HINT) from problem
    if sys.stdin.isatty():
        sys.stderr.write("Paste the error, then press Ctrl-D (Ctrl-Z and Enter on Windows).\n")
    return read_loosely(sys.stdin.buffer)


def _lines(found: Explanation) -> list[str]:
    lines = [_title(found)]
    facts = [
        ("status", str(found.status) if found.status else None),
        ("operation", found.operation),
        ("action", found.data_action),
        ("vault", found.vault),
        ("object", found.object),
        ("caller", _caller(found.caller)),
        ("address", found.caller.address),
    ]
    lines += [f"  {name + ':':<11}{value}" for name, value in facts if value]
    for number, cause in enumerate(found.causes, 1):
        lines += _cause_lines(number, cause)
    if any(cause.fix for cause in found.causes):
        lines += ["", "-o json has each fix as Bicep and Terraform too."]
    return [*lines, "", f"next: {found.next_step}"]


def _title(found: Explanation) -> str:
    if found.kind is Kind.UNKNOWN:
        return "unknown: nothing in the text has an established meaning" if not found.causes else "unknown"
    words = [item.value.replace("_", " ") for item in (found.kind, *found.also)]
    sure = " (likely)" if found.confidence is Confidence.LIKELY else ""
    return f"{words[0]}{sure}" + (f", and the text shows {', '.join(words[1:])} too" if words[1:] else "")


def _caller(caller: Caller) -> str | None:
    named = [("object ID", caller.object_id), ("application", caller.app_id), ("tenant", caller.tenant_id)]
    told = [*([caller.name] if caller.name else []), *(f"{what} {value}" for what, value in named if value)]
    return ", ".join(told) or None


def _cause_lines(number: int, cause: Cause) -> list[str]:
    lines = ["", f"{number}. {cause.cause}", f"   because {cause.because}"]
    if cause.fix:
        lines.append(f"   fix: {cause.fix.what}")
        lines += [f"     {line}" for line in cause.fix.az.splitlines()]
    return lines
