"""`kvaudit probe` as people run it, against the lab: beside a snapshot, beside records read now, and waiting."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import run_kvaudit
from conftest_types import Run
from described import undescribed
from jsonschema import Draft202012Validator

from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.faults import Fault

SIGN_IN = ("--auth", "client-secret")
READER_ROLE = "21090545-7ca7-4776-b22c-e363652d74d2"
"""Key Vault Reader, which lists and reads names but no value."""


@pytest.fixture(scope="module")
def lists() -> Iterator[Lab]:
    """A lab whose auditor may list what is in every vault."""
    estate = generate(5, Size(vaults=3, auditor_lists=True))
    for vault in estate.vaults.values():
        vault["properties"] |= {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}
    with start(estate) as lab:
        yield lab


@pytest.fixture(scope="module")
def snapshot(lists: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    words = ("collect", *SIGN_IN, "--feature", "access", "--no-objects", "--snapshot", "snapshot")
    done = run_kvaudit(*words, environment=lists.environment(), cwd=folder)
    assert done.code == 0, done.err
    return folder / "snapshot"


def rbac_vault(lab: Lab) -> str:
    """A vault that decides by Azure RBAC, of the auditor's tenant."""
    raw = lab.world.estate.vaults.values()
    home = lab.world.estate.home_tenant
    return next(
        str(item["name"])
        for item in raw
        if item["properties"].get("enableRbacAuthorization") is True and item["properties"]["tenantId"] == home
    )


def without_reader(lab: Lab) -> dict[str, Any]:
    """Takes the auditor's role away. What was taken, to be given back."""
    auditor = lab.world.estate.identities["auditor"].object_id
    table = lab.world.estate.role_assignments
    taken = {
        key: item
        for key, item in table.items()
        if item["properties"]["principalId"] == auditor
        and str(item["properties"]["roleDefinitionId"]).endswith(READER_ROLE)
    }
    for key in taken:
        del table[key]
    lab.world.changed()
    return taken


def give_back(lab: Lab, taken: dict[str, Any]) -> None:
    lab.world.estate.role_assignments.update(taken)
    lab.world.changed()


def test_beside_a_snapshot(lists: Lab, snapshot: Path, run: Run) -> None:
    name = rbac_vault(lists)
    done = run("probe", *SIGN_IN, name, "--from", str(snapshot), environment=lists.environment())
    assert done.code == 0, done.err + done.out
    assert f"{name}: reachable" in done.out
    assert "secrets/list      allowed     records: allowed      Resource Manager: allowed" in done.out
    assert "secrets/get       denied      records: denied       Resource Manager: not shown" in done.out
    assert "up to 13 lines in the audit logs" in done.err
    assert "KV_ListGetAnomaly" in done.err


def test_as_json_every_operation_is_there(lists: Lab, snapshot: Path, run: Run) -> None:
    name = rbac_vault(lists)
    words = ("probe", *SIGN_IN, f"https://{name}.vault.azure.net/", "--from", str(snapshot), "-o", "json", "--quiet")
    done = run(*words, environment=lists.environment())
    found = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    schema = json.loads(run("schema", "probe").out)
    Draft202012Validator(schema).validate(found)
    assert not set(undescribed(found, [schema], schema))
    assert found["identity"]["object_id"] == lists.world.estate.identities["auditor"].object_id
    operations = {item["operation"]: item for item in found["vaults"][0]["operations"]}
    assert operations["keys/list"]["outcome"] == "allowed"
    assert operations["keys/list"]["agreement"] == "agrees"
    assert operations["secrets/set"] | {"because": ""} == {
        "operation": "secrets/set",
        "outcome": "not_probed",
        "because": "",
        "status": None,
        "code": None,
        "expected": "denied",
        "arm_permissions": False,
        "agreement": "not_compared",
        "differences": [],
    }
    calls = {item["call"]: item for item in found["vaults"][0]["calls"]}
    assert len(calls) == 11
    assert calls["secret.listDeleted"]["request"] == "GET /deletedsecrets"
    assert (calls["secret.get"]["outcome"], calls["secret.getDeleted"]["outcome"]) == ("denied", "allowed")
    steps = {item["step"]: item["result"] for item in found["vaults"][0]["reachability"]["steps"]}
    assert steps == {"dns": "skipped", "tcp": "ok", "tls": "ok", "healthstatus": "ok", "challenge": "ok"}


def test_a_difference_is_told_and_waiting_ends_it(lists: Lab, snapshot: Path, run: Run) -> None:
    words = ("probe", *SIGN_IN, rbac_vault(lists), "--from", str(snapshot))
    taken = without_reader(lists)
    timer = threading.Timer(0, lambda: None)
    try:
        done = run(*words, environment=lists.environment())
        assert done.code == 3
        assert "secrets/list      denied      records: allowed      Resource Manager: not shown  DIFFERS" in done.out
        done = run(*words, "-o", "tsv", environment=lists.environment())
        assert done.out.splitlines()[0].split("\t")[2:6] == ["secrets/list", "denied", "allowed", "differs"]
        before = len(lists.journal)

        def restore() -> None:
            while not any(".vault." in entry.host and entry.status == 403 for entry in lists.journal[before:]):
                pass
            give_back(lists, taken)

        timer = threading.Timer(0, restore)
        timer.start()
        done = run(*words, "--wait", "1s", "-o", "json", environment=lists.environment())
        assert "1 of 1 vaults do not agree with the records yet" in done.err
        assert (done.code, json.loads(done.out)["rounds"]) == (0, 2)
    finally:
        timer.join(timeout=30)
        give_back(lists, taken)


def test_beside_records_that_are_read_now(contoso: Lab, run: Run) -> None:
    """One vault that cannot be seen does not hide what the records say of the others."""
    words = ("probe", *SIGN_IN, "kv-web-cdn", "kv-web-old", "kv-payments-batch", "-o", "json")
    done = run(*words, environment=contoso.environment())
    found = json.loads(done.out)
    assert done.code == 4, done.err
    assert found["records"]["source"] == "live"
    states = {item["vault"]: item["reachability"]["state"] for item in found["vaults"]}
    assert states == {"kv-web-cdn": "reachable", "kv-web-old": "soft_deleted", "kv-payments-batch": "firewall"}
    expected = {item["vault"]: item["operations"][0]["expected"] for item in found["vaults"]}
    assert expected == {"kv-web-cdn": "denied", "kv-web-old": None, "kv-payments-batch": "denied"}


def test_many_vaults_are_not_probed_unasked(contoso: Lab, run: Run) -> None:
    names = [f"kv-many-{number:02}" for number in range(21)]
    before = len(contoso.journal)
    done = run("probe", *SIGN_IN, *names, "--quiet", environment=contoso.environment())
    assert done.code == 2
    assert "--yes" in done.err
    assert "up to 273 lines" in done.err
    assert len(contoso.journal) == before


def test_mistakes_are_told_together_and_nothing_is_sent(contoso: Lab, run: Run) -> None:
    before = len(contoso.journal)
    words = ("kv-web-cdn", "no_vault", "https://kv-web-cdn.example.net", "/subscriptions/x/resourceGroups/y")
    done = run("probe", *SIGN_IN, *words, environment=contoso.environment())
    assert done.code == 2
    assert all(repr(word) in done.err for word in words[1:])
    assert "kv-web-cdn'" not in done.err
    assert len(contoso.journal) == before
    assert run("probe").code == 2
    assert run("probe", "kv-web-cdn", "--wait", "soon").code == 2


def test_a_scan_asks_the_vaults_too(lists: Lab, run: Run, tmp_path: Path) -> None:
    words = ("scan", *SIGN_IN, "--feature", "access", "--no-objects", "--fail-on", "never", "--probe")
    done = run(*words, "--out", "report", environment=lists.environment())
    assert done.code in (0, 4), done.err
    assert "of 3 vaults reached" in done.out
    assert "nothing that was answered differs from the records" in done.out
    assert "lines in the audit logs" in done.err
    found = json.loads((tmp_path / "report" / "probe.json").read_text())
    schema = json.loads(run("schema", "probe").out)
    Draft202012Validator(schema).validate(found)
    assert found["records"]["source"] == "snapshot"
    taken = without_reader(lists)
    try:
        again = run(
            "scan",
            *SIGN_IN,
            "--from",
            "report/snapshot",
            "--fail-on",
            "never",
            "--probe",
            environment=lists.environment(),
        )
    finally:
        give_back(lists, taken)
    assert again.code == 3, again.err
    assert "differs from the records:" in again.out
    assert "DIFFERS" in again.out


def test_a_scan_of_many_vaults_stands_although_nobody_agreed_to_probes(run: Run, tmp_path: Path) -> None:
    with start(generate(2, Size(vaults=22, assignments=10))) as lab:
        words = ("scan", *SIGN_IN, "--feature", "access", "--no-objects", "--fail-on", "never", "--probe")
        done = run(*words, "--out", "report", environment=lab.environment())
        hosts = {entry.host for entry in lab.journal if ".vault." in entry.host}
    assert done.code == 4
    assert "the vaults were not probed: more than 20 vaults" in done.err
    assert hosts == set()
    assert (tmp_path / "report" / "findings.json").exists()
    assert not (tmp_path / "report" / "probe.json").exists()


HOSTILE = (
    "\x1b[31mAllowed\x1b[0m \u202e[bold]x[/bold]\n::error::x\n##vso[task.complete result=Succeeded]\r\x9b2J "
    + "y" * 100_000
)


@pytest.mark.parametrize("output", [(), ("-o", "json"), ("-o", "tsv"), ("--debug",)])
def test_what_a_vault_writes_cannot_act_on_a_terminal_or_a_build(
    lists: Lab, snapshot: Path, run: Run, output: tuple[str, ...]
) -> None:
    error = {"error": {"code": "\x1b]0;owned\x07Forbidden\n::error::x", "message": HOSTILE}}
    challenge = {"WWW-Authenticate": 'Bearer authorization="https://evil.example/11111111-1111-1111-1111-111111111111"'}
    lists.world.faults.append(Fault("/keys", status=403, body=error))
    lists.world.faults.append(Fault("/certificates/", status=302, headers={"Location": "https://evil.example/"}))
    lists.world.faults.append(Fault("/certificates$", status=401, headers=challenge, body=error))
    try:
        done = run(
            "probe", *SIGN_IN, rbac_vault(lists), "--from", str(snapshot), *output, environment=lists.environment()
        )
    finally:
        lists.world.faults.clear()
    assert done.code in (3, 4), done.err
    for text in (done.out, done.err):
        assert not set(text) & set("\x1b\x07\x9b\u202e\r")
        assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##"))]
        assert len(text) < 100_000
        assert "eyJ" not in text, "a token"
    assert {entry.host for entry in lists.journal if "evil" in entry.host} == set()
