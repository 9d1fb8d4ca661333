"""`access`: one row per vault or object and principal, as ndjson, csv or parquet, to a file or to stdout."""

import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from kvaudit.access.evaluator import Access
from kvaudit.app.files import write_whole
from kvaudit.app.loading import load_told
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.settings import Voice
from kvaudit.errors import ExitCode, UsageError
from kvaudit.report import access_csv, access_ndjson, access_parquet
from kvaudit.report.access_rows import AccessTable
from kvaudit.snapshot.reader import open_snapshot


def export_access(path: Path, voice: Voice, *, format_name: str, expand_groups: bool, out: Path | None) -> ExitCode:
    """Writes every holder of access.

    Args:
        voice: how much to tell on stderr.
        format_name: `ndjson`, `csv` or `parquet`.
        out: file to write, or None for stdout.

    Returns:
        INCOMPLETE when a row is unknown in a part, as those are that stand for what a gap hides; else OK.

    Raises:
        UsageError: Parquet was asked for without the extra that writes it, or onto a terminal.
    """
    mistakes = Mistakes()
    if format_name == "parquet":
        mistakes.of(lambda: _check_parquet(out))
    snapshot = mistakes.of(lambda: open_snapshot(path))
    mistakes.tell()
    estate = load_told(snapshot.value, voice, leave_index=False)
    table = AccessTable(Access(estate), expand_groups=expand_groups)

    def render(stream: BinaryIO) -> None:
        if format_name == "csv":
            access_csv.write_rows(table.rows(), stream)
        elif format_name == "ndjson":
            access_ndjson.write_rows(table.gaps, table.rows(), stream)
        else:
            _write_parquet(table, stream, beside=out)

    if out is None:
        render(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    else:
        write_whole(out, render)
    return ExitCode.INCOMPLETE if table.is_incomplete else ExitCode.OK


def _check_parquet(out: Path | None) -> None:
    if find_spec("duckdb") is None:
        raise UsageError(
            "--format parquet needs DuckDB, which is not installed", hint="Run: pip install 'kvaudit[sql]'"
        )
    if out is None and sys.stdout.isatty():
        raise UsageError("Parquet is no text for a terminal", hint="Name a file: --out access.parquet")


def _write_parquet(table: AccessTable, stream: BinaryIO, *, beside: Path | None) -> None:
    """Through a folder of its own: DuckDB writes files, and keeps the rows on disk until it knows them all."""
    with tempfile.TemporaryDirectory(prefix=".kvaudit-rows-", dir=beside.parent if beside else None) as folder:
        made = Path(folder) / "access.parquet"
        access_parquet.write_rows(table.gaps, table.rows(), made)
        with made.open("rb") as finished:
            shutil.copyfileobj(finished, stream, 2**20)
