"""`access.csv`: the rows of access for a spreadsheet. Every cell is safe to open there, and on one line.

A gap is a row too: what it hides stands under `unknown`, with the gap under `via`, and empty where it hides who or which vault.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from kvaudit.report.access_rows import access_rows
from kvaudit.report.audit import Audit
from kvaudit.report.text import csv_cell

COLUMNS = (
    "vault_id",
    "vault",
    "object",
    "principal_id",
    "principal_type",
    "display_name",
    "application_id",
    "allowed",
    "conditional",
    "unknown",
    "escalation",
    "via",
)


def render(audit: Audit, out: BinaryIO) -> None:
    """Writes the table of the holders that records name."""
    write_rows(access_rows(audit), out)


def write_rows(rows: Iterable[Mapping[str, Any]], out: BinaryIO) -> None:
    """Writes the table, streaming: comma-separated UTF-8 with a header line, lists in a cell separated by blanks."""
    stream = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([csv_cell(_text(name, row[name])) for name in COLUMNS])
        stream.flush()
    finally:
        stream.detach()  # the stream is the caller's to close


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "via":
        return "; ".join(_via(item) for item in value)
    return value if isinstance(value, str) else " ".join(value)


def _via(citation: dict[str, Any]) -> str:
    parts: Iterable[str] = (
        f"{citation['kind']} {citation['id']}",
        f"role {citation['role']}" if citation["role"] else "",
        f"at {citation['scope']}" if citation["scope"] else "",
        f"through {' > '.join(citation['groups'])}" if citation["groups"] else "",
        f"if {citation['condition']}" if citation["condition"] else "",
        f"until {citation['ends']}" if citation["ends"] else "",
    )
    return ", ".join(part for part in parts if part)
