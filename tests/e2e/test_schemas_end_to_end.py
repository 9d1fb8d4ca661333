"""What the command writes is what the schemas that it prints promise, and they leave no key without a word."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest_types import Run
from jsonschema import Draft202012Validator

KINDS = ("access", "audit", "can", "who-can")


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
    ],
)
def test_what_is_no_output_is_refused(kind: str, document: Any, run: Run) -> None:
    assert not Draft202012Validator(printed(run, kind)).is_valid(document)


def test_the_schemas_are_listed_and_an_unknown_one_is_refused(run: Run) -> None:
    listed = run("schema")
    assert [line.split()[0] for line in listed.out.splitlines()] == sorted([*KINDS, "contracts"])
    done = run("schema", "whocan")
    assert done.code == 2
    assert "who-can" in done.err


def undescribed(value: Any, schemas: list[Any], root: Any, path: str = "") -> Iterable[str]:
    """The places of keys that no schema in sight names."""
    known = [part for schema in schemas for part in parts(schema, root)]
    if isinstance(value, list):
        inner = [part["items"] for part in known if "items" in part]
        for item in value:
            yield from undescribed(item, inner, root, f"{path}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            named = [part["properties"][key] for part in known if key in part.get("properties", {})]
            named += [part["additionalProperties"] for part in known if "additionalProperties" in part]
            if named:
                yield from undescribed(item, named, root, f"{path}.{key}")
            else:
                yield f"{path}.{key}"


def parts(schema: Any, root: Any) -> Iterable[Any]:
    """A schema and those that it is made of."""
    if "$ref" in schema:
        yield from parts(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    yield schema
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from parts(inner, root)
