"""Refusals of the lab, explained against a snapshot of it: the claim is checked rightly, and the proposed fix makes the call work."""

import http.client
import json
import os
import shlex
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import KVAUDIT

from kvaudit.access.evaluator import Access
from kvaudit.explain import Explanation, Kind, explain
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.evaluator import Decision, decide_data
from kvaudit.lab.words import WORDS
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot

SIZE = Size(assignments=60, policies=6, active=6, denies=4, roles=6)
ABSENT = "an-absent-name"
CALLS = {
    "secrets/get": ("GET", f"/secrets/{ABSENT}", None),
    "secrets/list": ("GET", "/secrets", None),
    "secrets/set": ("PUT", f"/secrets/{ABSENT}", {"value": "x"}),
    "keys/get": ("GET", f"/keys/{ABSENT}", None),
    "keys/sign": ("POST", f"/keys/{ABSENT}/{'a' * 32}/sign", {"alg": "RS256", "value": "YWJj"}),
    "certificates/list": ("GET", "/certificates", None),
    "certificates/purge": ("DELETE", f"/deletedcertificates/{ABSENT}", None),
}
GRANTS_HELP = {Kind.MISSING_ROLE, Kind.MISSING_POLICY, Kind.WRONG_MODEL}


@dataclass(frozen=True)
class Refusal:
    """One call that the lab refused, and what was made of it."""

    person: str
    word: str
    vault: dict[str, Any]
    decision: Decision
    found: Explanation


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    estate = generate(17, SIZE)
    for vault in estate.vaults.values():
        vault["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
    with start(estate) as running:
        yield running


@pytest.fixture(scope="module")
def access(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Access:
    folder = tmp_path_factory.mktemp("collected")
    words = [
        str(KVAUDIT),
        "collect",
        "--auth",
        "client-secret",
        "--feature",
        "access",
        "--no-objects",
        "--snapshot",
        "s",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **lab.environment()}
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Access(load_estate(open_snapshot(Path(folder) / "s")))


@pytest.fixture(scope="module")
def refusals(lab: Lab, access: Access) -> list[Refusal]:
    """Every third of the refused calls: people go round, so that each vault and each operation has some."""
    world, made, count = lab.world, list[Refusal](), 0
    for raw in world.estate.vaults.values():
        for person in [*world.estate.users, *world.estate.service_principals]:
            caller = world.caller_for(person, audience="https://vault.azure.net")
            for word in CALLS:
                name = None if WORDS[word.casefold()].vault_only else ABSENT
                decision = decide_data(world, caller, word, raw, name)
                if decision.allowed or caller.tenant_id.casefold() != str(raw["properties"]["tenantId"]).casefold():
                    continue
                count += 1
                if count % 3 == 0 and len(made) < 400:
                    text = refused(lab, str(raw["name"]), person, word)
                    made.append(Refusal(person, word, raw, decision, explain(text, access=access)))
    return made


def refused(lab: Lab, vault: str, person: str, word: str) -> str:
    method, path, body = CALLS[word]
    token = lab.world.issue_token(lab.world.caller_for(person, audience="https://vault.azure.net"))
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", int(lab.proxy_url.rsplit(":", 1)[1]), context=context)
    connection.set_tunnel(f"{vault}.vault.azure.net", 443)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, f"{path}?api-version=7.5", body=json.dumps(body) if body else None, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 403, text
    return text


def test_who_called_and_what_was_refused(refusals: list[Refusal]) -> None:
    assert {item.word for item in refusals} == set(CALLS)
    for item in refusals:
        assert item.found.caller.object_id == item.person.casefold()
        assert item.found.vault == item.vault["name"]
        assert item.found.operation is not None
        if item.word not in ("keys/get", "certificates/list"):  # their data action is that of list and get alike
            assert item.found.operation == item.word


def test_a_fresh_snapshot_never_says_that_it_grants_what_was_refused(refusals: list[Refusal]) -> None:
    told = {item.found.kind for item in refusals}
    assert told <= GRANTS_HELP | {Kind.DENY_ASSIGNMENT, Kind.CONDITION}
    assert {Kind.MISSING_ROLE, Kind.MISSING_POLICY, Kind.WRONG_MODEL} <= told
    for item in refusals:
        if item.decision.deny is not None:
            assert item.found.kind is Kind.DENY_ASSIGNMENT, item


def test_the_fix_makes_the_call_work_and_takes_nothing_away(lab: Lab, refusals: list[Refusal]) -> None:
    tried = 0
    for item in refusals:
        fix = item.found.causes[0].fix
        if item.found.kind not in GRANTS_HELP or item.found.operation is None:
            continue
        assert fix is not None, item
        before = held(lab, item)
        undo = applied(lab, item, fix.az)
        try:
            after = held(lab, item)
            assert item.found.operation in after, (item, fix.az)
            assert before <= after, (item, fix.az)
        finally:
            undo()
        tried += 1
    assert tried > 50


def held(lab: Lab, item: Refusal) -> set[str]:
    """Everything that the caller may do on the vault, as the lab decides."""
    caller = lab.world.caller_for(item.person, audience="https://vault.azure.net")
    return {word.word for word in WORDS.values() if decide_data(lab.world, caller, word, item.vault).allowed}


def applied(lab: Lab, item: Refusal, az: str) -> Any:
    """Does what the commands say, as the CLI does it: set-policy replaces each kind that it names. How to undo it."""
    (words,) = [shlex.split(line) for line in az.splitlines() if not line.startswith("#")]
    if words[1:4] == ["role", "assignment", "create"]:
        given = dict(zip(words[4::2], words[5::2], strict=True))
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, az))
        key = f"{given['--scope']}/providers/Microsoft.Authorization/roleAssignments/{name}".casefold()
        role = f"/providers/Microsoft.Authorization/roleDefinitions/{given['--role']}"
        who = {"principalId": given["--assignee-object-id"], "roleDefinitionId": role, "scope": given["--scope"]}
        lab.world.estate.role_assignments[key] = {"id": key, "name": name, "properties": who}
        lab.world.changed()

        def forget() -> None:
            del lab.world.estate.role_assignments[key]
            lab.world.changed()

        return forget
    assert words[1:3] == ["keyvault", "set-policy"]
    entries = item.vault["properties"]["accessPolicies"]
    at = words.index("--object-id")
    who_id, (option, *names) = words[at + 1], words[at + 2 :]
    kind = option.removeprefix("--").removesuffix("-permissions") + "s"
    changed = json.loads(json.dumps(entries))
    tenant = item.vault["properties"]["tenantId"]
    entry = next(
        (
            one
            for one in changed
            if one["objectId"].casefold() == who_id
            and not one.get("applicationId")
            and one["tenantId"].casefold() == tenant.casefold()
        ),
        None,
    )
    if entry is None:
        entry = {"tenantId": tenant, "objectId": who_id, "permissions": {}}
        changed.append(entry)
    entry["permissions"][kind] = names
    item.vault["properties"]["accessPolicies"] = changed
    lab.world.changed()

    def restore() -> None:
        item.vault["properties"]["accessPolicies"] = entries
        lab.world.changed()

    return restore
