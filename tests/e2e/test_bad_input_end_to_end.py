"""What goes wrong ends in one clear message with a hint, the right exit code, and nothing half-written that looks whole."""

import json
import os
import shutil
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import KVAUDIT
from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault, unregistered

SIGN_IN = ("--auth", "client-secret")


def test_an_unknown_subscription_lists_what_is_visible(contoso: Lab, run: Run) -> None:
    done = run("scan", *SIGN_IN, "--subscription", "Paymentz", environment=contoso.environment("auditor"))
    assert done.code == 2
    assert "Paymentz" in done.err
    assert "Payments" in done.err


def test_no_credential(contoso: Lab, run: Run) -> None:
    environment = {key: value for key, value in contoso.environment("auditor").items() if not key.startswith("AZURE_")}
    done = run("scan", *SIGN_IN, environment=environment)
    assert done.code == 2
    assert "AZURE_CLIENT_ID" in done.err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("AZURE_CLIENT_SECRET", "wrong-one", "secret"),
        ("AZURE_TENANT_ID", "22222222-2222-2222-2222-222222222222", "tenant"),
        ("AZURE_TENANT_ID", "22222222-2222-2222-2222-000000000099", "tenant"),
    ],
)
def test_a_refused_credential_says_why(contoso: Lab, run: Run, name: str, value: str, says: str) -> None:
    done = run("scan", *SIGN_IN, environment={**contoso.environment("auditor"), name: value})
    assert done.code == 2, done.err
    assert says in done.err.casefold()
    assert "wrong-one" not in done.err


def test_an_identity_that_sees_nothing_gets_a_warning_and_no_finding(contoso: Lab, run: Run) -> None:
    done = run("scan", *SIGN_IN, environment=contoso.environment("nobody"))
    assert done.code in {0, 4}
    assert "no vault was found" in done.err


def test_one_unreadable_subscription_of_several_leaves_the_rest(contoso: Lab, run: Run, tmp_path: Path) -> None:
    words = ("--subscription", "Mergers", "--subscription", "Payments", "--fail-on", "never", "--report", "json=f.json")
    done = run("scan", *SIGN_IN, *words, environment=contoso.environment("auditor"))
    assert done.code == 4, done.err
    report = json.loads((tmp_path / "f.json").read_text())
    assert {vault["name"] for vault in report["vaults"]} == {
        "kv-payments-prod",
        "kv-payments-test",
        "kv-payments-batch",
        "kv-payments10",
    }


def test_without_graph_the_audit_stands_and_members_are_a_gap(contoso: Lab, run: Run, tmp_path: Path) -> None:
    done = run("collect", *SIGN_IN, "--snapshot", "s", environment=contoso.environment("auditor-without-graph"))
    assert done.code == 4, done.err
    done = run(
        "can", "44444444-4444-4444-4444-000000000003", "secrets/get", "kv-payments-prod", "--from", "s", "-o", "json"
    )
    assert json.loads(done.out)["answer"] == "unknown"
    assert done.code == 4


def test_a_vault_that_vanishes_at_work_stays_in_the_report(run: Run, tmp_path: Path) -> None:
    with start("contoso") as lab:
        gone = {"error": {"code": "ResourceNotFound", "message": "gone"}}
        lab.world.faults.append(Fault(path=r"vaults/kv-web-prod/secrets", status=404, body=gone))
        done = run(
            "scan", *SIGN_IN, "--fail-on", "never", "--report", "json=f.json", environment=lab.environment("auditor")
        )
    assert done.code == 4, done.err
    report = json.loads((tmp_path / "f.json").read_text())
    assert "kv-web-prod" in {vault["name"] for vault in report["vaults"]}
    assert any(gap["kind"] == "secrets" and "kv-web-prod" in gap["scope"] for gap in report["gaps"])


def test_the_409_that_registers_a_provider_writes_nothing(run: Run) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(unregistered())
        done = run("scan", *SIGN_IN, "--fail-on", "never", environment=lab.environment("auditor"))
        posts = [entry.path for entry in lab.journal if entry.method == "POST" and entry.host == "management.azure.com"]
    assert done.code == 4, done.err
    assert posts == []


def test_a_token_that_expires_at_work_is_renewed_or_told(run: Run) -> None:
    with start("contoso") as lab:
        lab.world.advance(timedelta(0))
        expired = {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token has expired."}}
        lab.world.faults.append(
            Fault(
                path=r"roleAssignments$",
                status=401,
                body=expired,
                times=1,
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        )
        done = run("scan", *SIGN_IN, "--fail-on", "never", environment=lab.environment("auditor"))
    assert done.code == 4
    assert "Traceback" not in done.err


@pytest.fixture
def snapshot(scanned: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "snapshot"
    shutil.copytree(scanned / "snapshot", folder)
    return folder


def test_a_snapshot_that_is_not_there(run: Run) -> None:
    done = run("report", "--from", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err


def test_a_corrupt_snapshot(snapshot: Path, run: Run) -> None:
    file = snapshot / "role_assignments.ndjson.gz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    done = run("report", "--from", str(snapshot))
    assert done.code == 2
    assert "corrupt" in done.err


def test_a_newer_snapshot(snapshot: Path, run: Run) -> None:
    manifest = json.loads((snapshot / "manifest.json").read_text())
    (snapshot / "manifest.json").write_text(json.dumps({**manifest, "schema": "kvaudit/snapshot/99"}))
    done = run("report", "--from", str(snapshot))
    assert done.code == 2
    assert "newer" in done.err


def test_a_full_disk_leaves_no_file_that_looks_whole(scanned: Path, run: Run, tmp_path: Path) -> None:
    done = run("report", "--from", str(scanned / "snapshot"), "--fail-on", "never", "--report", "json=/dev/full/x.json")
    assert done.code == 1
    script = f"ulimit -f 64; exec {KVAUDIT} report --from {scanned / 'snapshot'} --fail-on never --report json=big.json"
    limited = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode != 0
    assert not (tmp_path / "big.json").exists()


def test_ctrl_c_leaves_a_snapshot_that_says_it_is_incomplete_and_can_be_finished(run: Run, tmp_path: Path) -> None:
    with start("contoso", latency=0.15) as lab:
        environment = {"PATH": os.environ["PATH"], **lab.environment("auditor")}
        process = subprocess.Popen(
            [str(KVAUDIT), "collect", *SIGN_IN, "--snapshot", "s"],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while len(lab.journal) < 12 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        refused = run("report", "--from", "s")
        assert refused.code == 2
        assert "--resume" in refused.err
        before = len(lab.journal)
        done = run("collect", *SIGN_IN, "--snapshot", "s", "--resume", environment=lab.environment("auditor"))
        assert done.code == 4, done.err
        resumed = len(lab.journal) - before
        whole = run("collect", *SIGN_IN, "--snapshot", "t", environment=lab.environment("auditor"))
        assert whole.code == 4, whole.err
        assert resumed < len(lab.journal) - before - resumed, "what was finished is not asked again"
    same = [run("access", "--from", name).out for name in ("s", "t")]
    assert sorted(same[0].splitlines()[1:]) == sorted(same[1].splitlines()[1:])


def test_an_estate_file_with_mistakes_lists_them_all_with_their_places(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "tenant: {id: nonsense, name: Contoso}\nvaults:\n  - {name: kv}\nassignments:\n  - {role: Key Vault Secrts User, principal: Nobody, scope: vault:none}\nsurprise: 1\n"
    )
    done = run("lab", "serve", "bad.yaml")
    assert done.code == 2
    for place in ("bad.yaml:1:10", "bad.yaml:3:", "bad.yaml:5:", "bad.yaml:6:1"):
        assert place in done.err
    assert "key vault secrets user" in done.err
