"""`who-can`, `can`, `access`, `report` over a real snapshot, through the installed command."""

import json
from pathlib import Path

import pytest
from conftest_types import Run


@pytest.mark.parametrize(
    ("principal", "operation", "vault", "extra", "answer"),
    [
        ("payments-api", "secrets/get", "kv-payments-prod", (), "allowed"),
        ("Carol Costa", "secrets/get", "kv-payments-prod", (), "allowed"),
        ("Ida Ionescu", "secrets/get", "kv-payments-prod", (), "denied"),
        ("payments-batch", "secrets/get", "kv-payments-prod", (), "allowed"),
        ("payments-batch", "secrets/get", "kv-payments-batch", (), "denied"),
        ("payments-batch", "secrets/get", "kv-payments-batch", ("--object", "secrets/SFTP-key"), "allowed"),
        ("platform-owner", "secrets/get", "kv-payments-prod", (), "denied"),
        ("Bob Brandt", "keys/purge", "kv-payments-prod", (), "conditional"),
        ("web-frontend", "secrets/get", "kv-web-prod", (), "allowed"),
        ("web-frontend", "secrets/get", "kv-web-halfway", (), "denied"),
        ("Dan Dahl", "secrets/purge", "kv-web-test", (), "denied"),
        ("Henry Holm", "secrets/get", "kv-fabrikam-joint", (), "denied"),
    ],
)
def test_can(
    scanned: Path, run: Run, principal: str, operation: str, vault: str, extra: tuple[str, ...], answer: str
) -> None:
    snapshot = str(scanned / "snapshot")
    done = run("can", principal, operation, vault, *extra, "--expect", answer, "-o", "json", "--from", snapshot)
    assert done.code == 0, done.out + done.err
    shape = json.loads(done.out)
    assert list(shape)[:7] == ["principal_id", "operation", "vault", "object", "answer", "because", "gaps"]
    if answer in {"allowed", "conditional"}:
        assert shape["because"], "an answer cites its records"


def test_can_exits_three_when_the_expectation_is_not_met(scanned: Path, run: Run) -> None:
    done = run(
        "can",
        "payments-api",
        "secrets/get",
        "kv-payments-prod",
        "--expect",
        "denied",
        "--from",
        str(scanned / "snapshot"),
    )
    assert done.code == 3


def test_who_can_names_members_with_their_chain(scanned: Path, run: Run) -> None:
    done = run(
        "who-can",
        "SECRETS/GET",
        "--vault",
        "KV-Payments-Prod",
        "--expand-groups",
        "-o",
        "json",
        "--from",
        str(scanned / "snapshot"),
    )
    shape = json.loads(done.out)
    by_name = {item["display_name"]: item for item in shape["answers"]}
    assert {"Alice Ahrens", "Bob Brandt", "Carol Costa", "payments-batch"} <= set(by_name)
    chains = [citation["groups"] for citation in by_name["Carol Costa"]["via"] if citation["kind"] == "role_assignment"]
    assert any(len(chain) == 3 for chain in chains), "payments-ops, payments-oncall, payments-rotation"


def test_answers_read_as_sentences(scanned: Path, run: Run) -> None:
    done = run("can", "Carol Costa", "secrets/get", "kv-payments-prod", "--from", str(scanned / "snapshot"))
    assert done.out.startswith("allowed, because role assignment ")
    assert "gives Key Vault Secrets User at resource group rg-payments to group payments-ops" in done.out
    assert "user Carol Costa is a member through group payments-oncall, then group payments-rotation" in done.out


def test_a_query_narrows_the_answer(scanned: Path, run: Run) -> None:
    words = ("who-can", "secrets/get", "--vault", "kv-web-prod", "--query", "answers[].display_name", "-o", "tsv")
    done = run(*words, "--from", str(scanned / "snapshot"))
    assert "web-frontend" in done.out.splitlines()


def test_access_rows_have_a_header_and_the_promised_keys(scanned: Path, run: Run) -> None:
    done = run("access", "--from", str(scanned / "snapshot"))
    assert done.code == 4, "the estate has gaps"
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[0]["schema"] == "kvaudit/access/1"
    for row in lines[1:]:
        assert {
            "vault_id",
            "vault",
            "object",
            "principal_id",
            "principal_type",
            "allowed",
            "conditional",
            "unknown",
            "escalation",
            "via",
        } <= set(row)
        words = [*row["allowed"], *row["conditional"], *row["unknown"]]
        assert len(words) == len(set(words)), "an operation stands in exactly one list"


def test_report_judges_a_snapshot_again(scanned: Path, run: Run, tmp_path: Path) -> None:
    done = run("report", "--from", str(scanned / "snapshot"), "--report", "json=again.json", "--fail-on", "never")
    assert done.code == 4, done.err
    again, first = (
        json.loads((tmp_path / "again.json").read_text()),
        json.loads((scanned / "findings.json").read_text()),
    )
    assert again["findings"] == first["findings"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("can", "payments-apy", "secrets/get", "kv-web-prod"), 2, "payments-api"),
        (("can", "payments-api", "secrets/gett", "kv-web-prod"), 2, "secrets/get"),
        (("can", "payments-api", "secrets/get", "kv-web-prodd"), 2, "kv-web-prod"),
        (("can", "payments-api", "secrets/get", "kv-web-old"), 2, "soft-deleted"),
        (("can", "payments-api", "secrets/list", "kv-web-prod", "--object", "secrets/x"), 2, "vault only"),
        (("who-can", "secrets/get", "--vault", "kv-web-prod", "--query", "[["), 2, "JMESPath"),
        (("report", "--report", "pdf=x", "--report", "json"), 2, "FORMAT=PATH"),
    ],
)
def test_a_wrong_question_says_what_is_meant(
    scanned: Path, run: Run, words: tuple[str, ...], code: int, says: str
) -> None:
    done = run(*words, "--from", str(scanned / "snapshot"))
    assert done.code == code
    assert says in done.err
    assert "Traceback" not in done.err
