"""`access` as ndjson, schema `kvaudit/access/1`: a header line that holds the gaps, then one row a line."""

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from kvaudit.model.gaps import Gap
from kvaudit.report.access_rows import access_rows
from kvaudit.report.audit import Audit
from kvaudit.report.json_lines import json_bytes
from kvaudit.report.shapes import gap_shape

SCHEMA = "kvaudit/access/1"


def render(audit: Audit, out: BinaryIO) -> None:
    """Writes the holders that records name."""
    write_rows(audit.gaps, access_rows(audit), out)


def write_rows(gaps: Iterable[Gap], rows: Iterable[Mapping[str, Any]], out: BinaryIO) -> None:
    """Writes the header and every row, streaming.

    A row whose `vault_id` or `principal_id` is null stands for what a gap hides; `via` names the gap.
    """
    out.write(json_bytes({"schema": SCHEMA, "gaps": [gap_shape(gap) for gap in gaps]}) + b"\n")
    out.writelines(json_bytes(row) + b"\n" for row in rows)
