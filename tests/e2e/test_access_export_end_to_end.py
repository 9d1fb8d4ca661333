"""`kvaudit access` in its three formats, through the installed command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
from conftest import KVAUDIT
from conftest_types import Run


def test_the_three_formats_hold_the_same_rows(scanned: Path, run: Run, tmp_path: Path) -> None:
    snapshot = str(scanned / "snapshot")
    for name in ("ndjson", "csv", "parquet"):
        done = run("access", "--expand-groups", "--from", snapshot, "--format", name, "--out", f"out.{name}")
        assert done.code == 4, done.err
    lines = (tmp_path / "out.ndjson").read_text().splitlines()
    rows = [(row["vault"], row["object"], row["principal_id"]) for row in map(json.loads, lines[1:])]
    table = duckdb.read_parquet(str(tmp_path / "out.parquet")).select("vault, object, principal_id").fetchall()
    assert table == rows
    with (tmp_path / "out.csv").open(newline="") as file:
        cells = [(row["vault"], row["object"], row["principal_id"]) for row in csv.DictReader(file)]
    assert cells == [tuple(value or "" for value in row) for row in rows]
    assert {path.name for path in tmp_path.iterdir()} == {"out.ndjson", "out.csv", "out.parquet"}


def test_parquet_goes_through_a_pipe(scanned: Path, tmp_path: Path) -> None:
    words = [str(KVAUDIT), "access", "--from", str(scanned / "snapshot"), "--format", "parquet"]
    done = subprocess.run(words, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False)
    assert done.returncode == 4, done.stderr
    assert b"unknown, because something was not read" in done.stderr
    (tmp_path / "piped.parquet").write_bytes(done.stdout)
    assert len(duckdb.read_parquet(str(tmp_path / "piped.parquet"))) > 0


def test_without_duckdb_the_pip_line_is_told_and_nothing_is_read() -> None:
    script = (
        "import sys; sys.modules['duckdb'] = None; from kvaudit.cli import main; "
        "main(['access', '--from', 'nowhere', '--format', 'parquet'])"
    )
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'kvaudit[sql]'" in done.stderr
