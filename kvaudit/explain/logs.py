"""Records of diagnostic logs: lines of storage accounts, rows of AzureDiagnostics and of AZKVAuditLogs, as JSON or a table.

Names of columns: facts azure.md 11. Identities, claims and properties are nested in one form and flat in another.
"""

import csv
import json
from collections.abc import Iterator
from typing import Any

from kvaudit.explain.explanation import Confidence, Kind

_MOST_RECORDS = 500
_LONGEST = 200_000
"""Characters of one JSON document that is looked into, and records of a text."""

_MARKS = frozenset({"category", "resultsignature", "httpstatuscode_d", "httpstatuscode", "properties", "resulttype"})

Record = dict[str, Any]


def log_record(text: str) -> Record | None:
    """The record of a diagnostic log that a text holds: the last that failed, else the last; None where there is none.

    Names are folded, and what is nested stands flat.
    """
    found: Record | None = None
    for candidate in (*_json_objects(text), *_rows(text)):
        names = {str(name).casefold() for name in candidate}
        if "operationname" not in names or not names & _MARKS:
            continue
        record = _flat(candidate)
        if found is None or _failed(record) or not _failed(found):
            found = record
    return found


def status_of(record: Record | None) -> int | None:
    """The HTTP status of a record. Log Analytics exports numbers as text."""
    for name in ("httpstatuscode_d", "httpstatuscode"):
        value = str((record or {}).get(name, "")).removesuffix(".0")
        if value.isascii() and value.isdigit() and 100 <= int(value[:4]) < 600:
            return int(value)
    return None


def log_says(record: Record | None, status: int | None) -> tuple[Kind, Confidence] | None:
    """What a record of AZKVAuditLogs says: which check refused. None where it says none, or there is no record."""
    if record is None or status not in (401, 403):
        return None
    if _flag(record, "isaddressauthorized") is False:
        # The column does not tell rules of the firewall from disabled public access.
        return Kind.FIREWALL, Confidence.LIKELY
    uses_rbac = _flag(record, "enablerbacauthorization")
    if _flag(record, "isrbacauthorized") is False and uses_rbac is not False:
        return Kind.MISSING_ROLE, Confidence.LIKELY
    if _flag(record, "isaccesspolicymatch") is False and uses_rbac is not True:
        return Kind.MISSING_POLICY, Confidence.CERTAIN if uses_rbac is False else Confidence.LIKELY
    return None


def logged(record: Record | None, name: str) -> str | None:
    """The first text whose column holds a name, folded, or None."""
    for key, value in (record or {}).items():
        if name in key and isinstance(value, str) and value:
            return value.casefold()
    return None


def _failed(record: Record) -> bool:
    """Whether a call failed. The challenge that every client meets first is no failure (facts azure.md 11)."""
    is_challenge = str(record.get("operationname")).casefold() == "authentication"
    return (status_of(record) or 0) >= 400 and not is_challenge


def _flag(record: Record, name: str) -> bool | None:
    value = record.get(name)
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).casefold())


def _json_objects(text: str) -> Iterator[Record]:
    lines = text.splitlines()
    if len(lines) > _MOST_RECORDS:  # what failed stands at either end
        lines = [*lines[: _MOST_RECORDS // 2], *lines[-_MOST_RECORDS // 2 :]]
    for part in (text, *lines):
        stripped = part.strip()
        if not stripped.startswith(("{", "[")) or len(stripped) > _LONGEST:
            continue
        try:
            value = json.loads(stripped)
        except (ValueError, RecursionError):
            continue
        for item in (value if isinstance(value, list) else [value])[:_MOST_RECORDS]:
            if isinstance(item, dict):
                inner = item.get("records")
                yield from (one for one in inner if isinstance(one, dict)) if isinstance(inner, list) else [item]


def _rows(text: str) -> Iterator[Record]:
    """Rows of a table as Log Analytics exports and copies it: names of columns first, commas or tabs between."""
    lines = [line for line in text.lstrip("\ufeff\r\n ").splitlines()[: _MOST_RECORDS + 1] if len(line) < _LONGEST]
    head = lines[0].casefold() if lines else ""
    if "operationname" not in head or head.startswith(("{", "[")):
        return
    try:
        for row in csv.DictReader(lines, delimiter="\t" if "\t" in head else ","):
            yield {name.partition(" [")[0]: value for name, value in row.items() if name and value}
    except csv.Error:
        return


def _flat(record: Record, depth: int = 0) -> Record:
    """Columns by folded name. `Identity` and `Properties` are texts in some exports."""
    flat: Record = {}
    for name, value in record.items():
        inner = _opened(value)
        if isinstance(inner, dict) and depth < 5:
            flat.update(_flat(inner, depth + 1))
        else:
            flat[str(name).casefold()] = value
    return flat


def _opened(value: Any) -> Any:
    """What a column holds: the object, where it holds the text of one."""
    if not isinstance(value, str) or not value.startswith("{") or len(value) > _LONGEST:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
