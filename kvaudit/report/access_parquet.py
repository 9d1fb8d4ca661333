"""`access` as Parquet, for histories that outgrow one machine: the columns of the ndjson rows, typed, zstd.

DuckDB writes it (the `[sql]` extra): rows go into a table on disk in batches, then out in their order, so that memory stays
flat however many there are. Unlike the other formats this one needs a folder to work in. What the first line of ndjson says
stands in the file's key-value metadata: `schema`, and `gaps` as JSON.
"""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvaudit.errors import OutputError
from kvaudit.model.gaps import Gap
from kvaudit.report.access_ndjson import SCHEMA
from kvaudit.report.shapes import gap_shape

if TYPE_CHECKING:
    import duckdb

_TEXT = "VARCHAR"
_CITATION = {
    "kind": _TEXT,
    "id": _TEXT,
    "scope": _TEXT,
    "role": _TEXT,
    "groups": [_TEXT],
    "condition": _TEXT,
    "ends": _TEXT,
    "answer": _TEXT,
}
COLUMNS: Mapping[str, Any] = {
    "vault_id": _TEXT,
    "vault": _TEXT,
    "object": _TEXT,
    "principal_id": _TEXT,
    "principal_type": _TEXT,
    "display_name": _TEXT,
    "application_id": _TEXT,
    "allowed": [_TEXT],
    "conditional": [_TEXT],
    "unknown": [_TEXT],
    "escalation": [_TEXT],
    "via": [_CITATION],
}
"""Columns and their types: a list is a list of the type in it, a mapping a struct. Times stay ISO 8601 text as Azure sent it."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a letter, which JSON can hold and text of Parquet (UTF-8) cannot: one such name must not cost the table."""

_BATCH = 2_000
_MEMORY = "256MB"
"""Rows handed over together, and what DuckDB may hold before it writes to disk."""


def write_rows(gaps: Iterable[Gap], rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Writes a Parquet file.

    Args:
        gaps: what was not read.
        rows: of `access_rows`.
        path: a file that is not there yet, in a folder that holds the table while it is filled (`PATH.rows`); whoever
            made the folder removes it.

    Raises:
        OutputError: the disk refused.
        ImportError: DuckDB is not installed.
    """
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "threads": 2,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": f"{path}.spill",
    }
    try:
        with duckdb.connect(f"{path}.rows", config=settings) as table:
            _fill(table, rows)
            _copy(table, gaps, path)
    except duckdb.Error as problem:
        message = str(problem).splitlines()[0]
        raise OutputError(f"{path.name} could not be written: {message}", hint="Is the disk full?") from problem


def _fill(table: "duckdb.DuckDBPyConnection", rows: Iterable[Mapping[str, Any]]) -> None:
    table.execute(f"CREATE TABLE rows ({_sql_columns(COLUMNS)})")
    insert = "INSERT INTO rows SELECT item.* FROM (SELECT unnest(from_json(?::JSON, ?)) AS item)"
    structure = json.dumps([dict(COLUMNS)])
    for batch in _batches(rows):
        text = json.dumps([{name: row[name] for name in COLUMNS} for row in batch], ensure_ascii=False)
        table.execute(insert, [_LONE_SURROGATE.sub("\ufffd", text), structure])


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch


def _copy(table: "duckdb.DuckDBPyConnection", gaps: Iterable[Gap], path: Path) -> None:
    facts = {"schema": SCHEMA, "gaps": json.dumps([gap_shape(gap) for gap in gaps])}
    metadata = ", ".join(f"{name}: {_sql_text(value)}" for name, value in facts.items())
    table.execute(f"COPY rows TO {_sql_text(str(path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})")


def _sql_type(kind: Any) -> str:
    if isinstance(kind, list):
        return f"{_sql_type(kind[0])}[]"
    if isinstance(kind, Mapping):
        return f"STRUCT({_sql_columns(kind)})"
    return str(kind)


def _sql_columns(columns: Mapping[str, Any]) -> str:
    return ", ".join(f'"{name}" {_sql_type(kind)}' for name, kind in columns.items())


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
