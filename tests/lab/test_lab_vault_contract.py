"""The vault endpoint against Microsoft's published specification: every operation, with the request of its example."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_estate import caller, json_of, make_vault, make_world, request

from kvaudit.lab import vault_endpoint
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

HOST = "kv-rbac.vault.azure.net"
FILES = ("secrets.json", "keys.json", "certificates.json")
BEYOND_THE_SPECIFICATION = {"CertificateItem.subject", "DeletedCertificateItem.subject", "Error.innererror"}
"""Properties that recordings of the service hold and the specification of 7.5 does not."""

NOT_OFFERED = {
    "GetRandomBytes": "managed HSM only",
    "release": "no key of the lab is exportable",
    "Release": "likewise",
}


def ask(world: World, method: str, path: str, body: Any = None) -> Response:
    who = caller(world)
    return vault_endpoint.handle(world, request(method, HOST, path, who, body, {"api-version": "7.5"}))


def ready(operation: str) -> World:
    """A world in which the operation finds what it works on, and a caller who may do everything."""
    world = make_world()
    role = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
    block = {"dataActions": ["Microsoft.KeyVault/vaults/*"], "notDataActions": [], "actions": [], "notActions": []}
    world.estate.role_definitions[role] = {"id": role, "properties": {"permissions": [block]}}
    scope = make_vault("kv-rbac")["id"]
    key = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{role}"
    properties = {"scope": scope, "principalId": caller(world).object_id, "roleDefinitionId": role}
    world.estate.role_assignments[fold(key)] = {"id": key, "properties": properties}
    world.changed()
    if "Deleted" in operation:
        for kind in ("secrets", "keys", "certificates"):
            assert ask(world, "DELETE", f"/{kind}/db").status == 200
    if re.search("Operation$|Merge", operation):
        unknown = {"policy": {"issuer": {"name": "Unknown"}, "x509_props": {"subject": "CN=db"}}}
        assert ask(world, "POST", "/certificates/db/create", unknown).status == 202
    if "Contacts" in operation:
        assert ask(world, "PUT", "/certificates/contacts", {"contacts": [{"email": "a@contoso.example"}]}).status == 200
    for issuer in ("db", "unknown-issuer"):
        assert ask(world, "PUT", f"/certificates/issuers/{issuer}", {"provider": "Test"}).status == 200
    return world


def operations(corpus: Path) -> Iterator[tuple[dict[str, Any], str, str, dict[str, Any]]]:
    """Document, method, path and description of each operation of a vault."""
    for file in FILES:
        document = json.loads((corpus / "specs" / "keyvault-dataplane-7.5" / file).read_text(encoding="utf-8-sig"))
        for path, methods in document["paths"].items():
            for method, described in methods.items():
                yield document, method.upper(), path, described


def example_body(corpus: Path, described: dict[str, Any]) -> Any:
    """The body of the first example."""
    name = next((part["name"] for part in described.get("parameters", ()) if part.get("in") == "body"), None)
    if name is None:
        return None
    reference = next(iter(described["x-ms-examples"].values()))["$ref"]
    example = json.loads((corpus / "specs" / "keyvault-dataplane-7.5" / reference).read_text(encoding="utf-8-sig"))
    return example["parameters"].get(name)


class Checker:
    """Compares a body with a schema of the specification: names and types."""

    def __init__(self, folder: Path, document: dict[str, Any]) -> None:
        self.folder, self.document = folder, document
        self.mistakes: list[str] = []

    def resolve(self, schema: dict[str, Any]) -> tuple[str, dict[str, Any], "Checker"]:
        if "$ref" not in schema:
            return "", schema, self
        file, _, place = schema["$ref"].partition("#/definitions/")
        name = place.rpartition("/")[2]
        if not file:
            return name, self.document["definitions"][name], self
        document = json.loads((self.folder / file.lstrip("./")).read_text(encoding="utf-8-sig"))
        other = Checker(self.folder, document)
        other.mistakes = self.mistakes
        return name, document["definitions"][name], other

    def properties(self, schema: dict[str, Any]) -> dict[str, tuple[dict[str, Any], "Checker"]]:
        found: dict[str, tuple[dict[str, Any], Checker]] = {}
        for part in schema.get("allOf", ()):
            _, inner, where = self.resolve(part)
            found |= where.properties(inner)
        return found | {name: (value, self) for name, value in schema.get("properties", {}).items()}

    def check(self, value: Any, schema: dict[str, Any], place: str) -> None:
        name, schema, where = self.resolve(schema)
        kind = schema.get("type")
        known = where.properties(schema)
        if value is None:
            if not place.endswith("nextLink"):
                self.mistakes.append(f"{place}: null")
        elif known:
            if not isinstance(value, dict):
                self.mistakes.append(f"{place}: {value!r} is no object")
                return
            for key, inner in value.items():
                if key in known:
                    known[key][1].check(inner, known[key][0], f"{place}.{key}")
                elif f"{name}.{key}" not in BEYOND_THE_SPECIFICATION:
                    self.mistakes.append(f"{place}: {name} has no {key}")
        elif kind == "array":
            for item in value:
                where.check(item, schema["items"], f"{place}[]")
        else:
            types: dict[Any, Any] = {
                "string": str,
                "integer": int,
                "boolean": bool,
                "object": dict,
                "number": (int, float),
            }
            if kind in types and not isinstance(value, types[kind]):
                self.mistakes.append(f"{place}: {value!r} is no {kind}")


def test_every_operation_of_the_specification_answers_as_it_says(corpus: Path) -> None:
    mistakes, asked = [], 0
    for document, method, template, described in operations(corpus):
        operation = described["operationId"]
        if operation in NOT_OFFERED:
            continue
        path = re.sub(r"\{(secret|key|certificate|issuer)-name\}", "db", template)
        path = re.sub(r"\{(secret|key|certificate)-version\}", "a" * 32, path)
        world, body = ready(operation), example_body(corpus, described)
        if operation.startswith("Restore"):
            kind = template.split("/")[1]
            body = json_of(ask(world, "POST", f"/{kind}/db/backup"))
            for place in (kind, f"deleted{kind}"):
                ask(world, "DELETE", f"/{place}/db")
        if operation in {"wrapKey", "unwrapKey", "encrypt", "decrypt", "sign", "verify"}:
            body = {"alg": "RSA-OAEP", "value": "YWJj", "digest": "YWJj"}
        answer = ask(world, method, path, body)
        asked += 1
        if str(answer.status) not in described["responses"]:
            mistakes.append(f"{operation}: {answer.status} {answer.body!r}"[:300])
            continue
        schema = described["responses"][str(answer.status)].get("schema")
        if schema is not None:
            checker = Checker(corpus / "specs" / "keyvault-dataplane-7.5", document)
            checker.check(answer.body, schema, operation)
            mistakes += checker.mistakes
    assert not mistakes, "\n".join(mistakes)
    assert asked > 60


def test_refusals_have_the_published_shape(corpus: Path) -> None:
    folder = corpus / "specs" / "keyvault-dataplane-7.5"
    checker = Checker(folder, json.loads((folder / "common.json").read_text(encoding="utf-8-sig")))
    world = make_world()
    for path in ("/secrets", "/keys/db", "/nothing"):
        answer = ask(world, "GET", path)
        assert answer.status in {403, 404}
        checker.check(answer.body, {"$ref": "#/definitions/KeyVaultError"}, path)
    assert not checker.mistakes, "\n".join(checker.mistakes)


@pytest.mark.parametrize("name", ["GetSecrets", "GetKeys", "GetDeletedCertificates"])
def test_next_links_look_like_those_of_the_examples(corpus: Path, name: str) -> None:
    example = corpus / "specs" / "keyvault-dataplane-7.5" / "examples" / f"{name}-example.json"
    link = json.loads(example.read_text())["responses"]["200"]["body"]["nextLink"]
    assert re.fullmatch(r"https://[^/]+:443/\w+\?api-version=[\d.]+&\$skiptoken=[\w-]+&maxresults=1", link)
    world = ready("Deleted" if "Deleted" in name else "")
    world.empty_pages = True
    place = re.sub("^Get", "", name).casefold()
    query = {"api-version": "7.5", "maxresults": "1"}
    ours = json_of(vault_endpoint.handle(world, request("GET", HOST, f"/{place}", caller(world), None, query)))[
        "nextLink"
    ]
    assert re.fullmatch(r"https://[^/]+:443/\w+\?api-version=[\d.]+&\$skiptoken=[\w-]+&maxresults=1", ours)
