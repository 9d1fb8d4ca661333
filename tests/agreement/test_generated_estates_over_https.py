"""Generated estates, collected over HTTPS by the installed command: `access` agrees with the lab, and the lab with itself.

Every (vault, principal, operation, object) is asked of `access`, from the snapshot, and of the lab's evaluator, from its
raw payloads. A sample in which every word is both allowed and denied is then sent to the vaults' endpoints.
"""

import http.client
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from conftest import KVAUDIT

from kvaudit.access.evaluator import Access
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.evaluator import Reason, decide_data
from kvaudit.lab.words import WORDS
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operations
from kvaudit.model.vaults import ObjectRef
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot

SEEDS = (11, 17, 21)
DENSE = Size(assignments=60, policies=6, active=6, denies=4, roles=6)
ABSENT = "absent-object"
DATA_PLANE: list[dict[str, Any]] = json.loads(resources.files("kvaudit.data").joinpath("operations.json").read_bytes())[
    "dataPlane"
]


@dataclass(frozen=True)
class Audited:
    """A lab with a generated estate, and what the command collected from it."""

    lab: Lab
    access: Access


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed {seed}")
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    folder = tmp_path_factory.mktemp("generated")
    command = str(KVAUDIT)
    with start(generate(request.param, DENSE)) as lab:
        done = subprocess.run(
            [command, "collect", "--auth", "client-secret", "--snapshot", "snapshot"],
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **lab.environment()},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield Audited(lab, Access(load_estate(open_snapshot(Path(folder) / "snapshot"))))


def people(lab: Lab) -> list[str]:
    return [*lab.world.estate.users, *lab.world.estate.service_principals]


def test_access_and_the_lab_agree(audited: Audited) -> None:
    world = audited.lab.world
    assert {vault.scope for vault in audited.access.estate.vaults} == set(world.estate.vaults)
    seen: set[tuple[Answer, bool]] = set()
    for vault in audited.access.estate.vaults:
        raw = world.estate.vaults[vault.scope]
        for person in people(audited.lab):
            caller = world.caller_for(person)
            for operation in operations():
                for ref in (None, ObjectRef(operation.kind, f"{operation.kind[:-1]}-1")):
                    if ref is not None and operation.vault_only:
                        continue
                    answer = audited.access.can(person, operation, vault, ref).answer
                    decision = decide_data(world, caller, operation.word, raw, ref.name if ref else None)
                    seen.add((answer, decision.allowed))
                    about = (person, operation.word, vault.name, str(ref), answer, decision)
                    assert answer is not Answer.ALLOWED or decision.allowed, about
                    assert answer is not Answer.DENIED or not decision.allowed, about
    assert {(Answer.ALLOWED, True), (Answer.DENIED, False)} <= seen


def route_of(word: str) -> tuple[str, str, bytes]:
    """Method, path and body of a call that needs exactly this word."""
    wanted = WORDS[word]
    for operation in DATA_PLANE:
        words = {name.casefold() for name in operation["accessPolicyAnyOf"]}
        if operation["dataActions"] == [wanted.data_action] and words == wanted.policy_words:
            path = operation["path"].replace("{version}", "a" * 32).replace("{certificate-name}", ABSENT)
            path = path.replace("{name}", ABSENT).replace("{issuer}", ABSENT)
            method = operation["method"].split("|")[0]
            body = b"" if method in {"GET", "DELETE"} else b'{"value": "YWJj", "kty": "RSA", "key": {"kty": "RSA"}}'
            return method, path, body
    raise LookupError(word)


def status_and_code(lab: Lab, vault: str, person: str, word: str) -> tuple[int, str | None]:
    method, path, body = route_of(word)
    token = lab.world.issue_token(lab.world.caller_for(person, audience="https://vault.azure.net"))
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", int(lab.proxy_url.rsplit(":", 1)[1]), context=context)
    connection.set_tunnel(f"{vault}.vault.azure.net", 443)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, f"{path}?api-version=2025-07-01", body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    error = (json.loads(text) if text else {}).get("error", {})
    return answer.status, (error.get("innererror") or {}).get("code")


def test_the_endpoints_answer_as_the_lab_decides() -> None:
    """Over the estates of all seeds, every word is sent as an allowed call and as a denied one."""
    # No call needs manageissuers: it stands for other words in access policies (operations.json).
    sent: dict[str, set[bool]] = {word: set() for word in WORDS if word != "certificates/manageissuers"}
    for seed in SEEDS:
        with start(generate(seed, DENSE)) as lab:
            for word, answers in sent.items():
                answers.update(_sample(lab, word))
    assert {word for word, answers in sent.items() if answers != {True, False}} == set()


def _sample(lab: Lab, word: str) -> set[bool]:
    """Sends one allowed and one denied call of a word, where the estate has them; says which it had."""
    world = lab.world
    name = None if WORDS[word].vault_only else ABSENT
    had: set[bool] = set()
    for raw in world.estate.vaults.values():
        if raw["properties"]["publicNetworkAccess"] != "Enabled":
            continue
        for person in people(lab):
            caller = world.caller_for(person, audience="https://vault.azure.net")
            decision = decide_data(world, caller, word, raw, name)
            if decision.allowed in had or decision.reason is Reason.WRONG_TENANT:
                continue
            had.add(decision.allowed)
            status, code = status_and_code(lab, raw["name"], person, word)
            refused = status == 403 and code in {"ForbiddenByRbac", "AccessDenied"}
            assert refused is not decision.allowed, (word, raw["name"], person, status, code)
            assert status < 500
    return had
