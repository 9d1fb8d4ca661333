"""`kvaudit probe --write-canary` as a process: asked for, refused, interrupted and killed."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import KVAUDIT
from conftest_types import Run

from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.faults import Fault

PREFIX = "kvaudit-canary-"
WORDS = ("probe", "--auth", "client-secret", "--write-canary", "--journal", "journal")


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A vault whose auditor may set, delete, recover and purge secrets."""
    estate = generate(1, Size(vaults=1))
    raw = next(iter(estate.vaults.values()))
    auditor = estate.identities["auditor"].object_id
    words = ["list", "set", "delete", "recover", "purge"]
    raw["properties"] |= {
        "tenantId": estate.home_tenant,
        "enableRbacAuthorization": False,
        "enablePurgeProtection": None,
        "publicNetworkAccess": "Enabled",
        "networkAcls": {"defaultAction": "Allow"},
        "accessPolicies": [
            {"tenantId": estate.home_tenant, "objectId": auditor, "permissions": {"secrets": words}},
        ],
    }
    with start(estate) as running:
        yield running


def vault_of(lab: Lab) -> dict[str, Any]:
    return next(iter(lab.world.estate.vaults.values()))


def canaries(lab: Lab) -> list[str]:
    secrets = (kinds.get("secrets", {}) for kinds in lab.world.estate.objects.values())
    return [name for part in secrets for name in part if name.startswith(PREFIX)]


def test_every_write_is_told_beside_the_records(lab: Lab, run: Run, tmp_path: Path) -> None:
    done = run(*WORDS, vault_of(lab)["name"], "--yes", "-o", "json", environment=lab.environment())
    assert done.code == 0, done.err
    vault = json.loads(done.out)["vaults"][0]
    verdicts = {item["operation"]: (item["outcome"], item["agreement"]) for item in vault["operations"]}
    for verb in ("set", "update", "delete", "recover", "purge"):
        assert verdicts[f"secrets/{verb}"] == ("allowed", "agrees")
    assert vault["canary"]["name"].startswith(PREFIX)
    assert vault["canary"]["removal"] is None
    assert [*canaries(lab), *(tmp_path / "journal").iterdir()] == []
    assert "hold for its own name only" in done.err


def test_nobody_there_to_agree(lab: Lab, run: Run) -> None:
    before = len(lab.journal)
    done = run(*WORDS, vault_of(lab)["name"], environment=lab.environment())
    assert done.code == 2
    assert "--yes" in done.err
    assert len(lab.journal) == before
    assert run("probe", "kv-one", "--canary-anyway").code == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"enablePurgeProtection": True}, "purge protection is on"),
        ({"accessPolicies": []}, "secrets/set, secrets/delete, secrets/purge are allowed"),
    ],
)
def test_what_could_not_be_taken_away_is_not_written(lab: Lab, run: Run, change: dict[str, Any], why: str) -> None:
    vault_of(lab)["properties"] |= change
    lab.world.changed()
    done = run(*WORDS, vault_of(lab)["name"], "--yes", environment=lab.environment())
    assert done.code == 4
    assert "no canary was written" in done.out
    assert why in done.out
    assert {entry.method for entry in lab.journal if ".vault." in entry.host} == {"GET"}


def test_a_flag_writes_it_anyway_and_the_command_that_removes_it_is_told(lab: Lab, run: Run) -> None:
    vault_of(lab)["properties"]["enablePurgeProtection"] = True
    lab.world.changed()
    done = run(*WORDS, vault_of(lab)["name"], "--yes", "--canary-anyway", environment=lab.environment())
    assert done.code == 4
    (name,) = canaries(lab)
    command = f"az keyvault secret purge --vault-name {vault_of(lab)['name']} --name {name}"
    assert command in done.out
    assert command in done.err


def stopped(lab: Lab, folder: Path, step: int, number: int, times: int = 1) -> "subprocess.CompletedProcess[str]":
    """A run that gets a signal, or several, while the write of that step is under way."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **lab.environment()}
    command = [str(KVAUDIT), *WORDS, str(vault_of(lab)["name"]), "--yes"]
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        fault = Fault(PREFIX, status=None, skip=step, times=1, delay=0.1)

        def stop() -> None:
            for _ in range(times):
                process.send_signal(number)
                time.sleep(0.05)

        fault.effect = lambda _: threading.Thread(target=stop).start()
        lab.world.faults.append(fault)
        out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.mark.parametrize(("step", "number"), [(0, signal.SIGINT), (3, signal.SIGTERM)])
def test_interrupted_it_leaves_nothing(lab: Lab, tmp_path: Path, step: int, number: int) -> None:
    done = stopped(lab, tmp_path, step, number)
    assert done.returncode == 130, done.stderr
    assert [*canaries(lab), *(tmp_path / "journal").iterdir()] == []
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("step", "number"), [(0, signal.SIGINT), (4, signal.SIGINT), (2, signal.SIGTERM)])
def test_stopped_by_somebody_impatient_nothing_is_left_without_its_command(
    lab: Lab, tmp_path: Path, step: int, number: int
) -> None:
    done = stopped(lab, tmp_path, step, number, times=3)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    for name in canaries(lab):
        assert f"--name {name}; az keyvault secret purge" in done.stderr
        assert (tmp_path / "journal" / f"{name}.json").exists()


@pytest.mark.parametrize("step", range(6))
def test_killed_it_is_taken_away_by_the_next_run(lab: Lab, tmp_path: Path, run: Run, step: int) -> None:
    done = stopped(lab, tmp_path, step, signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    (note,) = (tmp_path / "journal").iterdir()
    again = run(*WORDS, vault_of(lab)["name"], "--yes", "-o", "json", environment=lab.environment())
    assert again.code == 0, again.err
    assert json.loads(again.out)["vaults"][0]["canary"]["name"] == note.stem
    assert [*canaries(lab), *(tmp_path / "journal").iterdir()] == []
