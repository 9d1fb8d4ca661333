"""`access` as ndjson, schema `kvaudit/access/1`: a header line that holds the gaps, then one row a line."""

from typing import BinaryIO

from kvaudit.report.access_rows import access_rows
from kvaudit.report.audit import Audit
from kvaudit.report.json_lines import json_bytes
from kvaudit.report.shapes import gap_shape

SCHEMA = "kvaudit/access/1"


def render_rows(audit: Audit, out: BinaryIO, *, expand_groups: bool = False) -> None:
    """Writes the header and every row, streaming.

    A row whose `vault_id` or `principal_id` is null stands for what a gap hides; `via` names the gap.
    """
    out.write(json_bytes({"schema": SCHEMA, "gaps": [gap_shape(gap) for gap in audit.gaps]}) + b"\n")
    out.writelines(json_bytes(row) + b"\n" for row in access_rows(audit, expand_groups=expand_groups))
