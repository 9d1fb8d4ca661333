"""Two vaults of one name in a snapshot, as when one was moved while it was read: which of the two is meant is never guessed."""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest_types import Run

from kvaudit.lab import Lab

NAME = "kv-payments-prod"
REFUSED = (
    "Caller is not authorized to perform action on resource. If role assignments were changed recently, please observe "
    "propagation time. Caller: appid=x;oid=44444444-4444-4444-4444-000000000003;iss=https://sts.windows.net/x/ "
    f"Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action' Resource: '{{}}' Vault: {NAME};location=westeurope"
)
CLOSED = f"Client address is not authorized and caller is not a trusted service. Client address: 192.0.2.1 Vault: {NAME};location=westeurope"


@pytest.fixture
def ids(scanned: Path, tmp_path: Path) -> tuple[str, str]:
    """The resource IDs of both; the snapshot lies in `snapshot`."""
    folder = tmp_path / "snapshot"
    shutil.copytree(scanned / "snapshot", folder)
    file = folder / "vaults.ndjson.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    original = next(line for line in lines if f"/{NAME}".encode() in line)
    # Another vault of the same listing gives its place to the twin: a listing holds as many items as it says.
    other = next(
        line for line in lines if json.loads(line)["from"] == json.loads(original)["from"] and line != original
    )
    twin = original.replace(b"/rg-payments/", b"/rg-payments-old/")
    data = gzip.compress(b"".join(twin if line == other else line for line in lines))
    file.write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][file.name] = {
        "bytes": len(data),
        "lines": len(lines),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = json.loads(original)["item"]["id"]
    return found, found.replace("/rg-payments/", "/rg-payments-old/")


@pytest.mark.parametrize("text", [REFUSED.format(f"vaults/{NAME}"), CLOSED], ids=["grants", "network"])
def test_explain_says_that_there_are_two_and_how_to_name_one(
    ids: tuple[str, str], run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "error.txt").write_text(text)
    done = run("explain", "error.txt", "--from", "snapshot", "-o", "json")
    assert done.code == 0, done.err
    told = [f"{item['cause']}: {item['because']}" for item in json.loads(done.out)["causes"]]
    about = [item for item in told if f"2 vaults {NAME}" in item]
    assert len(about) == 1, told
    assert all(item in about[0] for item in ids)
    assert "Resource: " in about[0]
    assert not any("as it was read" in item for item in told), "of neither is anything said"


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("text", [REFUSED.format(f"vaults/{NAME}"), CLOSED], ids=["grants", "network"])
def test_explain_takes_the_one_whose_resource_id_stands_before_the_text(
    ids: tuple[str, str], run: Run, tmp_path: Path, number: int, text: str
) -> None:
    (tmp_path / "error.txt").write_text(f"Resource: {ids[number]}\n{text}")
    done = run("explain", "error.txt", "--from", "snapshot", "-o", "json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert not any(f"2 vaults {NAME}" in item["cause"] for item in told["causes"])
    said = json.dumps(told)
    assert "as it was read" in said or "the records" in said or told["confidence"] == "certain"
    assert ids[1 - number] not in said


def test_explain_takes_the_resource_id_that_the_service_writes(ids: tuple[str, str], run: Run, tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text(REFUSED.format(f"{ids[0]}/secrets/db"))
    done = run("explain", "error.txt", "--from", "snapshot", "-o", "json")
    assert "2 vaults" not in done.out
    assert json.loads(done.out)["kind"] != "missing_role" or "the records" in done.out


def test_probe_refuses_the_name_before_anything_is_asked(ids: tuple[str, str], run: Run, contoso: Lab) -> None:
    before = len(contoso.journal)
    words = ("probe", "--auth", "client-secret", NAME, "--from", "snapshot")
    done = run(*words, environment=contoso.environment("auditor"))
    assert (done.code, done.out) == (2, ""), done.err
    assert f"2 vaults '{NAME}'" in done.err
    assert all(item in done.err for item in ids)
    assert "hint: Give the resource ID." in done.err
    assert len(contoso.journal) == before
    alone = run("probe", "--auth", "client-secret", ids[0], "--from", "snapshot", environment=contoso.environment("auditor"))  # fmt: skip
    assert alone.code in {0, 3, 4}, alone.err
    assert NAME in alone.out


def test_probe_by_both_resource_ids_asks_for_one(ids: tuple[str, str], run: Run, contoso: Lab) -> None:
    """They have one address, at which one vault answers: which of them it is compared with is not guessed."""
    done = run("probe", *ids, "--from", "snapshot", environment=contoso.environment("auditor"))
    assert (done.code, done.out) == (2, "")
    assert all(item.casefold() in done.err for item in ids)


def test_a_scan_probes_the_others_and_says_what_it_left_out(
    ids: tuple[str, str], run: Run, contoso: Lab, tmp_path: Path
) -> None:
    assert len(ids) == 2
    words = ("scan", "--auth", "client-secret", "--from", "snapshot", "--probe", "--yes", "--fail-on", "never")
    done = run(*words, "--out", "out", environment=contoso.environment("auditor"))
    assert done.code in {3, 4}, done.err
    assert f"warning: 2 vaults of the snapshot are named {NAME}: not probed" in done.err
    probed = {item["vault"] for item in json.loads((tmp_path / "out" / "probe.json").read_text())["vaults"]}
    assert NAME not in probed
    assert "kv-web-prod" in probed
