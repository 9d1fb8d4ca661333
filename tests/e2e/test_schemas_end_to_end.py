"""What the command writes is what the schemas that it prints promise, and they leave no key without a word."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest_types import Run
from described import undescribed
from jsonschema import Draft202012Validator

KINDS = ("access", "audit", "can", "explain", "who-can")

REFUSED = "The user, group or application 'appid=x;oid=y;iss=z' does not have secrets get permission on key vault 'kv;location=x'."


def printed(run: Run, kind: str) -> dict[str, Any]:
    done = run("schema", kind)
    assert done.code == 0, done.err
    schema: dict[str, Any] = json.loads(done.out)
    Draft202012Validator.check_schema(schema)
    return schema


def documents(kind: str, scanned: Path, run: Run) -> list[Any]:
    """Real outputs of a kind, of one question and of several."""
    at = ("--from", str(scanned / "snapshot"))
    if kind == "audit":
        return [json.loads((scanned / "findings.json").read_text())]
    if kind == "access":
        return [json.loads(line) for line in run("access", "--expand-groups", *at).out.splitlines()]
    if kind == "can":
        several = ("secrets/get,keys/purge,secrets/list", "kv-payments-prod")
        asked = [("payments-api", "secrets/get", "kv-web-prod"), ("Bob Brandt", *several), ("Dan Dahl", *several)]
        return [json.loads(run("can", *words, *at, "-o", "json").out) for words in asked]
    if kind == "explain":
        texts = {"error.txt": REFUSED, "nothing.txt": "nothing"}
        for name, text in texts.items():
            (scanned.parent / name).write_text(text)
        return [json.loads(run("explain", str(scanned.parent / name), "-o", "json").out) for name in texts]
    alone = run("who-can", "secrets/get", "--vault", "kv-web-prod", "--expand-groups", *at, "-o", "json")
    everywhere = run("who-can", "secrets/get", "keys/sign", *at, "-o", "json")
    routes = run("who-can", "secrets/get", "--vault", "kv-web-prod", "--include-escalation", *at, "-o", "json")
    assert json.loads(routes.out)["escalation"]
    return [json.loads(alone.out), json.loads(everywhere.out), json.loads(routes.out)]


@pytest.mark.parametrize("kind", KINDS)
def test_real_outputs_are_valid_and_every_key_is_described(kind: str, scanned: Path, run: Run) -> None:
    schema = printed(run, kind)
    validator = Draft202012Validator(schema)
    for document in documents(kind, scanned, run):
        assert not [error.message for error in validator.iter_errors(document)][:3]
        assert not set(undescribed(document, [schema], schema))


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("access", {"vault_id": "v", "allowed": ["secrets/read"]}),
        ("can", {"principal_id": "p", "answer": "perhaps"}),
        ("who-can", {"questions": [{"operation": "secrets/get"}], "gaps": []}),
        ("audit", {"schema": "kvaudit/audit/2"}),
        ("explain", {"kind": "perhaps"}),
        ("probe", {"vaults": []}),
        ("inferred-needs", {"files": 1, "needs": []}),
    ],
)
def test_what_is_no_output_is_refused(kind: str, document: Any, run: Run) -> None:
    assert not Draft202012Validator(printed(run, kind)).is_valid(document)


def test_the_schemas_are_listed_and_an_unknown_one_is_refused(run: Run) -> None:
    listed = run("schema")
    assert [line.split()[0] for line in listed.out.splitlines()] == sorted(
        [*KINDS, "contracts", "inferred-needs", "probe"]
    )
    done = run("schema", "whocan")
    assert done.code == 2
    assert "who-can" in done.err
