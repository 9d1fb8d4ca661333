"""Every format on the same small estate at a fixed time: what is written is reviewed when it changes."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest
from builders import estate
from sample import HOSTILE, audit_of, contoso, hostile
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from kvaudit.report import access_csv, access_ndjson, findings_json, page
from kvaudit.report.access_rows import access_rows
from kvaudit.report.audit import Audit
from kvaudit.report.formats import FORMATS

Render = Callable[[Audit, BinaryIO], None]
LINES: dict[str, Render] = {
    "json": findings_json.render,
    "csv": access_csv.render,
    "ndjson": access_ndjson.render,
}


class _Text(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def written(render: Render, audit: Audit) -> str:
    out = io.BytesIO()
    render(audit, out)
    return out.getvalue().decode("utf-8")


@pytest.mark.parametrize("name", LINES)
def test_golden(name: str, snapshot: SnapshotAssertion) -> None:
    text = written(LINES[name], audit_of(contoso())).replace("\r\n", "\n")
    assert text == snapshot(extension_class=_Text)


@pytest.mark.parametrize("render", [*LINES.values(), page.render])
@pytest.mark.parametrize("make", [contoso, hostile, estate])
def test_the_same_audit_gives_the_same_bytes(render: Render, make: Callable[[], Any]) -> None:
    assert written(render, audit_of(make())) == written(render, audit_of(make()))


@pytest.mark.parametrize("name", LINES)
def test_no_line_steers_a_terminal_or_a_build(name: str) -> None:
    text = written(LINES[name], audit_of(hostile()))
    for line in text.splitlines():
        assert "##vso[" not in line
        assert not line.lstrip().startswith("::")
        assert all(letter.isprintable() or letter == "\u200a" for letter in line)
        assert not set(line) & set("\u202e\u200b\ufeff")


def test_json_stays_data() -> None:
    audit = audit_of(hostile())
    document = json.loads(written(findings_json.render, audit))
    tags = {key for vault in document["vaults"] for key in vault["tags"]}
    assert tags == set(HOSTILE)
    reasons = {gap["reason"] for gap in document["gaps"]}
    assert set(HOSTILE) <= reasons


def test_no_cell_is_a_formula_and_rows_stay_rows() -> None:
    audit = audit_of(hostile())
    rows = list(csv.reader(io.StringIO(written(access_csv.render, audit), newline="")))
    assert len(rows) == 1 + len(list(access_rows(audit)))
    assert {len(row) for row in rows} == {len(access_csv.COLUMNS)}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_ndjson_and_csv_hold_the_same_rows() -> None:
    audit = audit_of(contoso())
    header, *lines = written(access_ndjson.render, audit).splitlines()
    assert json.loads(header)["schema"] == "kvaudit/access/1"
    assert [gap["id"] for gap in json.loads(header)["gaps"]] == [gap.id for gap in audit.gaps]
    table = list(csv.DictReader(io.StringIO(written(access_csv.render, audit), newline="")))
    assert [json.loads(line)["principal_id"] or "" for line in lines] == [row["principal_id"] for row in table]
    assert [" ".join(json.loads(line)["allowed"]) for line in lines] == [row["allowed"] for row in table]


def test_expanded_groups_list_their_members() -> None:
    audit = audit_of(contoso())
    named = {(row["vault"], row["object"], row["principal_id"]) for row in access_rows(audit)}
    expanded = {(row["vault"], row["object"], row["principal_id"]) for row in access_rows(audit, expand_groups=True)}
    assert named < expanded


def test_an_operation_stands_in_one_list_only() -> None:
    for row in access_rows(audit_of(contoso()), expand_groups=True):
        words = [*row["allowed"], *row["conditional"], *row["unknown"]]
        assert len(words) == len(set(words))


def test_every_piece_of_evidence_has_a_fingerprint_of_what_it_is_about() -> None:
    document = json.loads(written(findings_json.render, audit_of(contoso())))
    seen: dict[str, tuple[Any, ...]] = {}
    for finding in document["findings"]:
        for item in finding["evidence"]:
            about = (finding["rule"], finding["vault_id"], item["principal_id"], item["operation"])
            assert seen.setdefault(item["fingerprint"], about) == about
    assert len(set(seen.values())) == len(seen)


def test_verdicts_count_every_vault_once_per_rule() -> None:
    document = json.loads(written(findings_json.render, audit_of(contoso())))
    assert {sum(counts.values()) for counts in document["verdicts"].values()} == {len(document["vaults"])}
    failed = sum(counts["fail"] for counts in document["verdicts"].values())
    assert failed == len(document["findings"])
    assert sum(counts["unknown"] for counts in document["verdicts"].values()) == len(document["unknown_verdicts"])


def test_controls_are_those_of_the_vaults_model() -> None:
    document = json.loads(written(findings_json.render, audit_of(contoso())))
    (finding,) = [item for item in document["findings"] if item["rule"] == "purge-protection-off"]
    named = [document["controls"][key] for key in finding["controls"]]
    ids = [(item["framework"], item["version"], item["id"]) for item in named]
    assert ("CIS Microsoft Azure Foundations", "5.0.0", "8.3.5") in ids
    assert ids == sorted(ids)
    assert all(item["title"] for item in named)
    assert {key for item in document["findings"] for key in item["controls"]} == set(document["controls"])


def test_every_format_of_the_command_line_writes_something() -> None:
    audit = audit_of(estate())
    assert {name: bool(written(render, audit)) for name, render in FORMATS.items()} == dict.fromkeys(FORMATS, True)


def test_the_stream_stays_open_for_its_owner() -> None:
    out = io.BytesIO()
    access_csv.render(audit_of(estate()), out)
    assert not out.closed
