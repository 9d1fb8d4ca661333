"""Several questions in one command, assertions for a build, and what a terminal shows."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import KVAUDIT
from conftest_types import Run


@pytest.fixture
def snapshot(scanned: Path) -> str:
    return str(scanned / "snapshot")


def test_every_vault_is_answered_in_order_and_each_as_if_asked_alone(snapshot: str, run: Run) -> None:
    done = run("who-can", "secrets/get", "keys/sign", "--from", snapshot, "-o", "json")
    assert done.code == 4, done.err
    document = json.loads(done.out)
    names = [item["vault"].rsplit("/", 1)[-1] for item in document["questions"]]
    assert names == sorted(names)
    assert [item["operation"] for item in document["questions"][:2]] == ["secrets/get", "keys/sign"]
    assert len({(item["operation"], item["vault"]) for item in document["questions"]}) == len(names)
    assert {gap["kind"] for gap in document["gaps"]} == {"vaults"}, "what hides whole vaults"
    alone = run("who-can", "keys/sign", "--vault", names[0], "--from", snapshot, "-o", "json")
    assert json.loads(alone.out) == document["questions"][1]


def test_yaml_and_json_say_the_same(snapshot: str, run: Run) -> None:
    words = ("who-can", "secrets/get,keys/get", "--vault", "kv-web-prod", "--from", snapshot)
    assert yaml.safe_load(run(*words, "-o", "yaml").out) == json.loads(run(*words, "-o", "json").out)


def test_a_query_sees_all_questions(snapshot: str, run: Run) -> None:
    query = "questions[].answers[?display_name=='web-frontend'][].answer"
    done = run("who-can", "secrets/get", "--from", snapshot, "--query", query, "-o", "tsv")
    assert "allowed" in done.out.splitlines()


def test_tsv_rows_say_which_question_they_answer(snapshot: str, run: Run) -> None:
    done = run("who-can", "secrets/get", "secrets/list", "--vault", "kv-payments-prod", "--from", snapshot, "-o", "tsv")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert {row[0] for row in rows} == {"secrets/get", "secrets/list"}
    assert all(row[1].endswith("/kv-payments-prod") for row in rows)
    assert len({len(row) for row in rows}) == 1


def test_tsv_says_beside_its_rows_that_something_was_not_read(snapshot: str, run: Run) -> None:
    words = ("who-can", "secrets/get", "--vault", "kv-web-prod", "--expand-groups", "--from", snapshot, "-o", "tsv")
    done = run(*words)
    assert done.code == 4
    assert "warning: 1 gap may hide answers" in done.err
    assert run(*words, "--quiet").err == ""


def test_can_in_tsv_is_one_row_whatever_the_answer(snapshot: str, run: Run) -> None:
    done = run("can", "Ida Ionescu", "secrets/get", "kv-payments-prod", "--from", snapshot, "-o", "tsv")
    assert [line.split("\t")[-1] for line in done.out.splitlines()] == ["denied"]


def test_several_operations_of_one_principal(snapshot: str, run: Run) -> None:
    done = run("can", "payments-api", "secrets/get,SECRETS/purge", "kv-payments-prod", "--from", snapshot, "-o", "json")
    assert done.code == 0, done.err
    answers = {item["operation"]: item["answer"] for item in json.loads(done.out)["questions"]}
    assert answers == {"secrets/get": "allowed", "secrets/purge": "denied"}


def test_every_mistake_is_told_at_once(snapshot: str, run: Run) -> None:
    done = run("who-can", "secrets/gett", "keys/sing", "--from", snapshot)
    assert done.code == 2
    assert "'secrets/gett', 'keys/sing'" in done.err
    assert "secrets/get" in done.err
    assert "keys/sign" in done.err
    done = run("who-can", "secrets/get", "--vault", "kv-web-prodd", "--vault", "kv-nowhere", "--from", snapshot)
    assert done.code == 2
    assert "kv-web-prodd" in done.err
    assert "kv-nowhere" in done.err


@pytest.mark.parametrize(("expect", "code"), [("allowed", 3), ("denied", 3)])
def test_one_line_for_each_answer_that_was_not_expected(snapshot: str, run: Run, expect: str, code: int) -> None:
    words = ("can", "payments-api", "secrets/get,secrets/purge", "kv-payments-prod", "--from", snapshot)
    done = run(*words, "--expect", expect)
    assert done.code == code
    lines = done.err.splitlines()
    assert len(lines) == 1
    assert f"expected {expect}, but secrets/" in lines[0]
    assert "vault kv-payments-prod" in lines[0]
    assert "managed identity payments-api" in lines[0]


def test_an_expected_unknown_is_no_failure(snapshot: str, run: Run) -> None:
    nobody = "77777777-7777-7777-7777-777777777777"
    words = ("can", nobody, "secrets/get", "kv-payments-prod", "--from", snapshot)
    answer = json.loads(run(*words, "-o", "json").out)["answer"]
    met = run(*words, "--expect", answer)
    assert (met.code, met.err) == (0, "")


def on_a_terminal(columns: int, *words: str) -> str:
    """What the command writes when its standard output is a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen([str(KVAUDIT), *words], stdout=theirs, stderr=subprocess.DEVNULL, env=environment):
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    return b"".join(parts).decode()


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_lines_that_fit(snapshot: str, columns: int) -> None:
    text = on_a_terminal(
        columns, "who-can", "secrets/get", "--vault", "kv-web-prod", "--expand-groups", "--from", snapshot
    )
    assert "while application" in text
    assert max(len(line) for line in text.splitlines()) <= columns


def test_a_pipe_gets_one_fact_a_line(snapshot: str, run: Run) -> None:
    done = run("who-can", "secrets/get", "--vault", "kv-payments-prod", "--from", snapshot)
    line = next(
        line for line in done.out.splitlines() if "of which managed identity payments-batch is a member" in line
    )
    assert "role assignment" in line
    assert "Key Vault Secrets User at resource group rg-payments to group payments-ops" in line
