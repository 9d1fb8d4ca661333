"""The Parquet table holds what the ndjson rows hold, typed, whatever the tenant calls things."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sample import audit_of, contoso, hostile

from kvaudit.errors import OutputError
from kvaudit.report import access_parquet
from kvaudit.report.access_rows import access_rows
from kvaudit.report.shapes import gap_shape


def read(path: Path) -> list[dict[str, Any]]:
    table = duckdb.read_parquet(str(path))
    return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


@pytest.mark.parametrize("make", [contoso, hostile], ids=["contoso", "hostile"])
def test_rows_and_gaps_come_back_as_they_were(make: Any, tmp_path: Path) -> None:
    audit = audit_of(make())
    path = tmp_path / "access.parquet"
    access_parquet.write_rows(audit.gaps, access_rows(audit, expand_groups=True), path)
    assert read(path) == list(access_rows(audit, expand_groups=True))
    facts = dict(duckdb.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall())
    assert facts[b"schema"] == b"kvaudit/access/1"
    assert json.loads(facts[b"gaps"]) == [gap_shape(gap) for gap in audit.gaps]


def test_columns_are_typed_and_compressed(tmp_path: Path) -> None:
    path = tmp_path / "access.parquet"
    access_parquet.write_rows((), access_rows(audit_of(contoso())), path)
    table = duckdb.read_parquet(str(path))
    types = dict(zip(table.columns, map(str, table.types), strict=True))
    assert list(types) == list(access_parquet.COLUMNS)
    assert types["vault_id"] == "VARCHAR"
    assert types["allowed"] == "VARCHAR[]"
    assert types["via"].startswith("STRUCT(kind VARCHAR, id VARCHAR")
    codecs = duckdb.execute("SELECT DISTINCT compression FROM parquet_metadata(?)", [str(path)]).fetchall()
    assert codecs == [("ZSTD",)]


def test_half_a_letter_in_one_name_does_not_cost_the_table(tmp_path: Path) -> None:
    rows = [dict(row, display_name="\ud83d half \udd11 \x00 \U0001f511") for row in access_rows(audit_of(contoso()))]
    access_parquet.write_rows((), rows, tmp_path / "access.parquet")
    assert {row["display_name"] for row in read(tmp_path / "access.parquet")} == {"\ufffd half \ufffd \x00 \U0001f511"}


def test_no_rows_are_a_table_without_rows(tmp_path: Path) -> None:
    access_parquet.write_rows((), (), tmp_path / "none.parquet")
    assert read(tmp_path / "none.parquet") == []


def test_a_folder_with_a_strange_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] * folder"
    folder.mkdir()
    access_parquet.write_rows((), access_rows(audit_of(contoso())), folder / "a.parquet")
    assert (folder / "a.parquet").stat().st_size > 0


def test_what_the_disk_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        access_parquet.write_rows((), (), tmp_path / "missing" / "a.parquet")
