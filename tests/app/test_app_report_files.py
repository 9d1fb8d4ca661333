from dataclasses import replace
from pathlib import Path

import pytest
from builders import estate, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.app.reports import report_files, write_reports
from kvaudit.errors import UsageError
from kvaudit.report.access_rows import CSV_ROW_LIMIT
from kvaudit.report.audit import Audit
from kvaudit.report.build import build_audit


@pytest.fixture
def audit() -> Audit:
    return build_audit(Access(estate(vault(), user("anna"))), tool_version="0.0.0", generated_at="2026-11-24T08:00:00Z")


def test_a_table_that_no_spreadsheet_opens_is_written_only_by_name(audit: Audit, tmp_path: Path) -> None:
    large = replace(audit, access_rows=CSV_ROW_LIMIT + 1)
    (tmp_path / "access.csv").write_text("of an earlier run")
    written = write_reports(large, report_files(tmp_path, []))
    assert sorted(path.name for path in written) == ["findings.json", "report.html"]
    assert not (tmp_path / "access.csv").exists()
    asked = write_reports(large, report_files(None, [f"csv={tmp_path / 'access.csv'}"]))
    assert asked == (tmp_path / "access.csv",)


def test_a_million_rows_are_written(audit: Audit, tmp_path: Path) -> None:
    written = write_reports(replace(audit, access_rows=CSV_ROW_LIMIT), report_files(tmp_path, []))
    assert {path.name for path in written} == {"report.html", "findings.json", "access.csv"}


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        report_files(None, ["html", "pdf=report.pdf", "json="])
    assert len(caught.value.details) == 3
