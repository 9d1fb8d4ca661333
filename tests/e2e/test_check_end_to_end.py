"""`kvaudit check` against the lab: what it calls missing is answered with 403, its fix makes the call work, and nothing else is so."""

import json
import re
import shlex
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Done
from conftest_types import Run

from kvaudit.lab import Lab, start

PAYMENTS = "/subscriptions/33333333-3333-3333-3333-000000000001"
CALLS: dict[str, tuple[str, str, Any]] = {
    "secrets/get": ("GET", "/secrets/absent", None),
    "secrets/list": ("GET", "/secrets", None),
    "secrets/set": ("PUT", "/secrets/made-by-a-test", {"value": "kvaudit-planted-value"}),
    "secrets/backup": ("POST", "/secrets/absent/backup", {}),
    "keys/get": ("GET", "/keys/absent", None),
    "keys/create": ("POST", "/keys/made-by-a-test/create", {"kty": "RSA"}),
    "keys/wrapKey": ("POST", "/keys/absent/0123456789abcdef/wrapkey", {"alg": "RSA-OAEP", "value": "AAAA"}),
    "certificates/get": ("GET", "/certificates/absent", None),
    "certificates/list": ("GET", "/certificates", None),
}
"""A call for each word. Whoever may make it is answered otherwise than with 403, whether or not the object exists."""

WORKLOADS = {
    "payments-api": ["kv-payments-test", "kv-web-prod"],
    "payments-batch": ["kv-payments-test", "kv-payments10"],
    "backup-service": ["kv-payments-test", "kv-web-migrated"],
    "web-frontend": ["kv-web-prod", "kv-web-legacy", "kv-web-migrated", "kv-web-images"],
    "nobody": ["kv-web-test", "kv-payments10"],
}
NAMES = {"nobody": "nobody-special"}


class Https:
    """A plain HTTPS client of the lab: no SDK, no code of the product."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        context = ssl.create_default_context(cafile=str(lab.ca_file))
        proxy = urllib.request.ProxyHandler({"https": lab.proxy_url})
        self._opener = urllib.request.build_opener(proxy, urllib.request.HTTPSHandler(context=context))
        self._tokens: dict[tuple[str, str], str] = {}

    def call(self, who: str, method: str, url: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of an answer."""
        host = urllib.parse.urlsplit(url).hostname or ""
        audience = "https://vault.azure.net" if host.endswith(".vault.azure.net") else "https://management.azure.com"
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token(who, audience)}", "Content-Type": "application/json"}
        return self._ask(urllib.request.Request(url, data, headers, method=method))  # noqa: S310 - https only

    def _ask(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with self._opener.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as problem:
            with problem:
                return problem.code, json.loads(problem.read() or b"null")

    def _token(self, who: str, audience: str) -> str:
        if (who, audience) not in self._tokens:
            identity = self._lab.world.estate.identities[who]
            form = {
                "client_id": identity.app_id,
                "client_secret": identity.client_secret,
                "grant_type": "client_credentials",
                "scope": f"{audience}/.default",
            }
            url = f"https://login.microsoftonline.com/{identity.tenant_id}/oauth2/v2.0/token"
            status, body = self._ask(urllib.request.Request(url, urllib.parse.urlencode(form).encode()))
            assert status == 200, body
            self._tokens[who, audience] = body["access_token"]
        return self._tokens[who, audience]

    def may(self, who: str, word: str, vault: str) -> bool:
        """Whether the vault answers a call for this word otherwise than with 403."""
        method, path, body = CALLS[word]
        status, answer = self.call(who, method, f"https://{vault}.vault.azure.net{path}?api-version=7.4", body)
        assert status != 401, answer
        return status != 403


def applied(client: Https, text: str) -> None:
    """Does what lines of Azure CLI say, through Resource Manager, as the owner of the tenant."""
    for line in filter(None, text.splitlines()):
        words = shlex.split(line)
        assert words[0] == "az", line
        options = _options(words)
        match words[1:4]:
            case ["role", "assignment", "create"]:
                _assign(client, options)
            case ["role", "assignment", "delete"]:
                status, body = _arm(client, "DELETE", options["ids"][0], "2022-04-01")
                assert status in (200, 204), body
            case ["keyvault", "set-policy", _]:
                _set_policy(client, options)
            case other:
                raise AssertionError(f"a fix that this test cannot apply: {other}")


def _options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word.removeprefix("--")
            found[name] = []
        elif name:
            found[name].append(word)
    return found


def _arm(client: Https, method: str, path: str, version: str, body: Any = None) -> tuple[int, Any]:
    return client.call("owner", method, f"https://management.azure.com{path}?api-version={version}", body)


def _assign(client: Https, options: dict[str, list[str]]) -> None:
    scope, role = options["scope"][0], options["role"][0]
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": options["assignee-object-id"][0],
        "principalType": options["assignee-principal-type"][0],
    }
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    status, body = _arm(client, "PUT", path, "2022-04-01", {"properties": properties})
    assert status == 201 or body["error"]["code"] == "RoleAssignmentExists", body  # az takes that for success too


def _set_policy(client: Https, options: dict[str, list[str]]) -> None:
    """As the CLI: the names of each kind that is given replace those of the principal's entry."""
    group, name = options["resource-group"][0], options["name"][0]
    path = (
        f"/subscriptions/{options['subscription'][0]}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}"
    )
    status, vault = _arm(client, "GET", path, "2026-02-01")
    assert status == 200, vault
    entries = vault["properties"]["accessPolicies"]
    who = options["object-id"][0]
    own = next((item for item in entries if item["objectId"] == who and not item.get("applicationId")), None)
    if own is None:
        own = {"tenantId": vault["properties"]["tenantId"], "objectId": who, "permissions": {}}
        entries.append(own)
    for kind in ("secret", "key", "certificate"):
        if f"{kind}-permissions" in options:
            own["permissions"][f"{kind}s"] = options[f"{kind}-permissions"]
    status, body = _arm(client, "PATCH", path, "2026-02-01", {"properties": {"accessPolicies": entries}})
    assert status == 200, body


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab of its own: these tests write to it."""
    with start("contoso") as running:
        yield running


def contracts(path: Path, *workloads: dict[str, Any]) -> None:
    path.write_text(json.dumps({"version": 1, "workloads": workloads}))


def results(done: Done) -> list[dict[str, Any]]:
    """The findings of `--report json=-`."""
    assert done.code in (0, 3, 4), done.err
    found: list[dict[str, Any]] = json.loads(done.out)["results"]
    return found


def missing(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(workload, vault, word) of everything that is said to be answered with 403."""
    told = set()
    for item in found:
        if item["rule"] == "contract-missing":
            words = item["message"].partition(" will be answered")[0]
            vault = item["resource_id"].rpartition("/")[2]
            told |= {(item["subject"], vault, word) for word in re.findall(r"[a-z]+/[a-zA-Z]+", words)}
    return told


def test_missing_is_403_and_the_fix_makes_the_call_work(lab: Lab, run: Run, tmp_path: Path) -> None:
    contracts(
        tmp_path / "contracts.yaml",
        *(
            {"name": who, "principal": NAMES.get(who, who), "vaults": vaults, "needs": list(CALLS)}
            for who, vaults in WORKLOADS.items()
        ),
    )
    client = Https(lab)
    asked = [(who, vault, word) for who, vaults in WORKLOADS.items() for vault in vaults for word in CALLS]
    refused = {(who, vault, word) for who, vault, word in asked if not client.may(who, word, vault)}
    words = ("check", "contracts.yaml", "--live", "--auth", "client-secret", "--report", "json=-")
    environment = lab.environment("auditor")
    before = results(run(*words, environment=environment))
    assert missing(before) == refused
    assert 0 < len(refused) < len(asked)
    for item in before:
        if item["rule"] == "contract-missing":
            applied(client, item["texts"]["az"])
    after = results(run(*words, environment=environment))
    assert missing(after) == set()
    assert not [item for item in asked if not client.may(item[0], item[2], item[1])]


def test_after_the_whole_fix_a_workload_holds_what_it_needs_and_no_more(lab: Lab, run: Run, tmp_path: Path) -> None:
    narrow = [
        {"name": "policies", "principal": "web-frontend", "vault": "kv-web-prod", "needs": ["secrets/get", "keys/get"]},
        {"name": "roles", "principal": "payments-api", "vault": "kv-payments-prod", "needs": ["keys/get"]},
    ]
    contracts(tmp_path / "contracts.yaml", *narrow)
    client = Https(lab)
    words = ("check", "contracts.yaml", "--live", "--auth", "client-secret", "--fail-on", "info", "--report", "json=-")
    environment = lab.environment("auditor")
    found = results(run(*words, environment=environment))
    assert {(item["subject"], item["rule"]) for item in found} == {
        ("policies", "contract-missing"),
        ("policies", "contract-excess"),
        ("roles", "contract-excess"),
    }
    assert client.may("web-frontend", "secrets/list", "kv-web-prod"), "held and not needed"
    for item in found:
        applied(client, item["texts"]["az"])
    again = run(*words, environment=environment)
    assert (again.code, results(again)) == (0, [])
    assert client.may("web-frontend", "secrets/get", "kv-web-prod")
    assert client.may("web-frontend", "keys/get", "kv-web-prod")
    assert not client.may("web-frontend", "secrets/list", "kv-web-prod")


def test_live_reads_what_the_contracts_need_and_nothing_else(lab: Lab, run: Run, tmp_path: Path) -> None:
    vault = f"{PAYMENTS}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-payments-prod"
    workload = {"name": "w", "principal": "payments-api", "vault": vault, "needs": ["secrets/get"]}
    words = ("check", "contracts.yaml", "--live", "--auth", "client-secret", "--fail-on", "never")
    contracts(tmp_path / "contracts.yaml", workload)
    assert run(*words, environment=lab.environment("auditor")).code == 0
    paths = [entry.path.casefold() for entry in lab.journal]
    others = {item["subscriptionId"] for item in lab.world.estate.subscriptions.values()} - {PAYMENTS[-36:]}
    assert not [path for path in paths if any(path.startswith(f"/subscriptions/{other}") for other in others)]
    assert not [path for path in paths if path.endswith(("/secrets", "/keys", "/owners", "/diagnosticsettings"))]
    assert not [entry for entry in lab.journal if entry.host.endswith(".vault.azure.net")]
    lab.journal.clear()
    contracts(tmp_path / "contracts.yaml", {**workload, "objects": {"secrets": ["db-*"]}})
    assert run(*words, environment=lab.environment("auditor")).code == 0
    listed = [entry.path for entry in lab.journal if entry.path.casefold().endswith("/secrets")]
    assert [path.casefold() for path in listed] == [f"{vault}/secrets".casefold()]
    assert not list(tmp_path.glob("kvaudit-*"))


def test_what_could_not_be_read_is_unknown_and_incomplete(lab: Lab, run: Run, tmp_path: Path) -> None:
    """Without Microsoft Graph nobody knows the groups of a principal: no 403 is foretold, and the exit code says so."""
    nobody = "66666666-6666-6666-6666-000000000010"
    contracts(
        tmp_path / "contracts.yaml",
        {"name": "w", "principal": nobody, "vault": "kv-payments-test", "needs": ["secrets/get"]},
    )
    words = ("check", "contracts.yaml", "--live", "--auth", "client-secret", "--report", "json=-")
    done = run(*words, environment=lab.environment("auditor-without-graph"))
    assert done.code == 4, done.err
    assert {item["verdict"] for item in results(done)} == {"unknown"}
    named = run(*words, environment=lab.environment("auditor"))
    assert (named.code, missing(results(named))) == (3, {("w", "kv-payments-test", "secrets/get")})


def test_what_holds_after_an_activation_only_is_not_clean(scanned: Path, run: Run, tmp_path: Path) -> None:
    eligible = "44444444-4444-4444-4444-000000000007"
    contracts(
        tmp_path / "contracts.yaml",
        {"name": "w", "principal": eligible, "vault": "kv-platform-core", "needs": ["secrets/get"]},
    )
    done = run("check", "contracts.yaml", "--from", str(scanned / "snapshot"), "--fail-on", "never")
    assert done.code == 4, done.err
    assert "1 verdict cannot be given:" in done.out


def test_hostile_contracts_harm_nobody(scanned: Path, run: Run, tmp_path: Path) -> None:
    name = "w\x1b[31m\u202e'; touch owned #\n::error::owned\n##vso[task.complete]"
    hostile = {"name": name, "principal": "nobody-special", "vault": "kv-payments10"}
    contracts(
        tmp_path / "contracts.yaml",
        {**hostile, "needs": ["secrets/get"], "forbids": ["secrets/list"], "objects": {"secrets": ["*a" * 200]}},
        {**hostile, "name": "huge", "needs": ["keys/get"] * 200},
    )
    at = ("check", "contracts.yaml", "--from", str(scanned / "snapshot"))
    done = run(*at)
    assert done.code == 3, done.err
    assert not set("\x1b\u202e") & set(done.out)
    assert not [line for line in done.out.splitlines() if line.lstrip().startswith(("::", "##"))]
    github = run(*at, "--report", "github=-").out
    assert "::error::owned" not in github.splitlines()
    role = next(item["texts"]["az"] for item in results(run(*at, "--report", "json=-")) if item["subject"] == name)
    assert "touch" not in shlex.split(role)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("contracts.yaml",), ["--from DIR", "--live"]),
        (("contracts.yaml", "--live", "--from", "somewhere"), ["exclude each other"]),
        (("nope.yaml", "--live"), ["nope.yaml: there is no such file", "kvaudit contracts infer"]),
        (("contracts.yaml", "--from", "somewhere"), ["3 mistakes", "version", "secrets/get?"]),
    ],
)
def test_mistakes_are_told(run: Run, tmp_path: Path, words: tuple[str, ...], told: list[str]) -> None:
    (tmp_path / "contracts.yaml").write_text(
        "version: 2\nworkloads:\n- {name: w, principal: p, vault: v, needs: [secret/get], x: 1}\n"
    )
    done = run("check", *words)
    assert done.code == 2
    assert not [text for text in told if text not in done.err], done.err
