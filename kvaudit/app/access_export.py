"""`access`: one row per vault or object and principal, as ndjson or csv, to a file or to stdout."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from kvaudit.app.audit import audit_snapshot
from kvaudit.app.files import write_whole
from kvaudit.errors import ExitCode
from kvaudit.report.access_csv import render_rows as render_csv
from kvaudit.report.access_ndjson import render_rows as render_ndjson
from kvaudit.report.audit import Audit

_RENDER: dict[str, Callable[..., None]] = {"ndjson": render_ndjson, "csv": render_csv}


def export_access(path: Path, *, format_name: str, expand_groups: bool, out: Path | None) -> ExitCode:
    """Writes every holder of access.

    Args:
        format_name: `ndjson` or `csv`.
        out: file to write, or None for stdout.

    Returns:
        INCOMPLETE when a gap could add a row or changes one, else OK.
    """
    audit = audit_snapshot(path)

    def render(stream: BinaryIO) -> None:
        _RENDER[format_name](audit, stream, expand_groups=expand_groups)

    if out is None:
        render(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        write_whole(out, render)
    return _exit_code(audit)


def _exit_code(audit: Audit) -> ExitCode:
    return ExitCode.INCOMPLETE if audit.gaps else ExitCode.OK
