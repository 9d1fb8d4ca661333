"""What goes wrong ends in one clear message with a hint, the right exit code, and nothing half-written that looks whole."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import KVAUDIT, Done
from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault, unregistered, vanishing
from kvaudit.lab.world import World

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


def test_one_unreadable_subscription_of_three_leaves_the_rest(contoso: Lab, run: Run, tmp_path: Path) -> None:
    named = [word for name in ("Mergers", "Payments", "Web shop") for word in ("--subscription", name)]
    words = ("scan", *SIGN_IN, *named, "--fail-on", "never", "--out", "out")
    done = run(*words, environment=contoso.environment("auditor"))
    assert done.code == 4, done.err
    report = json.loads((tmp_path / "out" / "findings.json").read_text())
    expected = {
        raw["name"]
        for raw in contoso.world.estate.vaults.values()
        if raw["id"].split("/")[2][-1] in {"1", "2"}  # Payments and Web shop
    }
    assert {vault["name"] for vault in report["vaults"]} == expected
    unread = {gap["kind"]: gap for gap in report["gaps"] if gap["scope"].endswith("-000000000005")}
    assert unread["vaults"]["permission"] == "Microsoft.KeyVault/vaults/read"
    assert done.out.index("subscription Mergers") < done.out.index("Who can read secrets"), (
        "what is missing comes first"
    )


def test_without_graph_the_audit_stands_and_members_are_a_gap(contoso: Lab, run: Run, tmp_path: Path) -> None:
    done = run("collect", *SIGN_IN, "--snapshot", "s", environment=contoso.environment("auditor-without-graph"))
    assert done.code == 4, done.err
    done = run(
        "can", "44444444-4444-4444-4444-000000000003", "secrets/get", "kv-payments-prod", "--from", "s", "-o", "json"
    )
    assert json.loads(done.out)["answer"] == "unknown"
    assert done.code == 4


def test_a_vault_that_vanishes_at_work_stays_in_the_report(run: Run, tmp_path: Path) -> None:
    """It was listed, then somebody deleted and purged it: seen is seen, and what it held is a gap."""
    with start("contoso") as lab:
        vault = next(raw["id"] for raw in lab.world.estate.vaults.values() if raw["name"] == "kv-web-prod")
        lab.world.faults.append(vanishing(vault, r"vaults/kv-web-prod/(secrets|keys)"))
        words = ("scan", *SIGN_IN, "--fail-on", "never", "--report", "json=f.json")
        done = run(*words, environment=lab.environment("auditor"))
    assert done.code == 4, done.err
    report = json.loads((tmp_path / "f.json").read_text())
    assert "kv-web-prod" in {vault["name"] for vault in report["vaults"]}
    lost = {gap["kind"]: gap["status"] for gap in report["gaps"] if gap["scope"].casefold() == vault.casefold()}
    assert lost == {"secrets": 404, "keys": 404, "diagnostic_settings": 404}


def test_the_409_that_registers_a_provider_writes_nothing(run: Run) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(unregistered())
        done = run("scan", *SIGN_IN, "--fail-on", "never", environment=lab.environment("auditor"))
        posts = [entry.path for entry in lab.journal if entry.method == "POST" and entry.host == "management.azure.com"]
    assert done.code == 4, done.err
    assert set(posts) <= {"/providers/Microsoft.ResourceGraph/resources"}, "a query, and nothing that registers"


def test_a_token_that_expires_at_work_is_renewed(run: Run, scanned: Path, tmp_path: Path) -> None:
    """Two hours pass between two pages: every token that was given out is refused, and nothing is lost."""

    def two_hours(world: World) -> None:
        world.advance(timedelta(hours=2))

    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"roleAssignments$", status=None, times=1, skip=2, effect=two_hours))
        words = ("scan", *SIGN_IN, "--fail-on", "never", "--report", "json=f.json")
        done = run(*words, environment=lab.environment("auditor"))
        refused = [entry for entry in lab.journal if entry.status == 401]
        signed_in = [entry for entry in lab.journal if entry.path.endswith("/token")]
    assert done.code == 4, done.err
    assert refused, "the lab's clock ended the tokens"
    assert len(signed_in) >= 2
    found, undisturbed = (json.loads(path.read_text()) for path in (tmp_path / "f.json", scanned / "findings.json"))
    assert [(gap["kind"], gap["scope"]) for gap in found["gaps"]] == [
        (gap["kind"], gap["scope"]) for gap in undisturbed["gaps"]
    ]
    assert found["findings"] == undisturbed["findings"]


def test_a_secret_that_is_withdrawn_at_work_leaves_gaps_and_no_token(run: Run, tmp_path: Path) -> None:
    """The tokens end, and no new one is to be had: what was read stays, the rest is told as not read."""

    def withdraw(world: World) -> None:
        world.advance(timedelta(hours=2))
        world.estate.client_secrets.clear()

    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"kv-payments-prod/secrets$", status=None, times=1, effect=withdraw))
        words = ("scan", *SIGN_IN, "--fail-on", "never", "--out", "out")
        done = run(*words, environment=lab.environment("auditor"))
    assert done.code == 4, done.err
    assert "Traceback" not in done.err
    report = json.loads((tmp_path / "out" / "findings.json").read_text())
    reasons = {gap["reason"] for gap in report["gaps"] if gap["code"] == "NoToken"}
    assert reasons == {"no token: signing in failed (AADSTS7000215): the client secret is wrong"}
    people = [item for item in report["verdicts"].values() if item["unknown"]]
    assert people, "what needs the directory is unknown, not passed"


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


def limited(folder: Path, blocks: int, words: str, environment: dict[str, str] | None = None) -> Done:
    """Runs the command where no file may grow beyond so many blocks of 1,024 bytes: a full disk that needs no root.

    Python would leave compiled modules half written under such a limit, and read them later: it may write none.
    """
    scrubbed = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
    line = ["bash", "-c", f"ulimit -f {blocks}; exec {KVAUDIT} {words}"]
    done = subprocess.run(line, cwd=folder, env=scrubbed, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_full_disk_leaves_no_report_that_looks_whole(scanned: Path, tmp_path: Path) -> None:
    judged = f"report --from {scanned / 'snapshot'} --fail-on never"
    done = limited(tmp_path, 64, f"{judged} --report json=big.json")
    assert done.code == 1
    assert "big.json could not be written" in done.err
    assert "free some space" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_scan_that_looks_whole(contoso: Lab, run: Run, tmp_path: Path) -> None:
    environment = contoso.environment("auditor")
    done = limited(tmp_path, 8, f"scan {' '.join(SIGN_IN)} --no-objects --out out", environment)
    assert done.code == 1, done.err
    assert "could not be written under out" in done.err
    assert "hint: " in done.err
    assert list((tmp_path / "out").iterdir()) == []
    done = limited(tmp_path, 8, f"collect {' '.join(SIGN_IN)} --no-objects --snapshot s", environment)
    assert done.code == 1, done.err
    refused = run("report", "--from", "s")
    assert refused.code == 2
    assert "incomplete" in refused.err


@pytest.mark.parametrize("words", ["access --from {}", "report --from {}", "rules"])
def test_a_full_output_is_one_message(scanned: Path, words: str) -> None:
    with Path("/dev/full").open("w") as full:
        line = [str(KVAUDIT), *words.format(scanned / "snapshot").split()]
        done = subprocess.run(
            line, env={"PATH": os.environ["PATH"]}, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "hint"]


@pytest.mark.parametrize(
    "words",
    [
        "access --from {} | head -1",
        "access --from {} --format csv | head -c 100",
        "who-can secrets/get --from {} -o json | head -1",
        "scan --from {} --fail-on high | true",
        "report --from {} --report json=/dev/stdout --quiet | head -1",
        "rules | true",
        "--help | true",
        "access --from nowhere 2>&1 | true",
        "scan --from {} 2>&1 >/dev/null --out out | true",
    ],
)
def test_a_reader_that_goes_away_ends_the_command_as_it_ends_cat(scanned: Path, tmp_path: Path, words: str) -> None:
    """128 + SIGPIPE, and no word: a bug (1) or what was found (3, 4) would be something else."""
    line = f"{KVAUDIT} {words.format(scanned / 'snapshot')} >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")


def test_a_reader_of_a_file_s_pipe_that_goes_away_is_no_failure_of_the_disk(scanned: Path) -> None:
    line = f"{KVAUDIT} report --from {scanned / 'snapshot'} --quiet --report json=>(true) >/dev/null"
    done = subprocess.run(
        ["bash", "-c", line], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("polite", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_leaves_nothing(tmp_path: Path, polite: signal.Signals) -> None:
    with start("contoso", latency=0.15) as lab:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(temporary), **lab.environment("auditor")}
        process = subprocess.Popen(
            [str(KVAUDIT), "scan", *SIGN_IN, "--report", "json=f.json"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: len(lab.journal) >= 12)
        process.send_signal(polite)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.strip().splitlines()[0] == "error: interrupted"
    assert [path.name for path in tmp_path.rglob("*")] == ["tmp"]


def wait_for(happens: Callable[[], bool]) -> None:
    """Waits until something has happened, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_ctrl_c_leaves_a_snapshot_that_says_it_is_incomplete_and_can_be_finished(run: Run, tmp_path: Path) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=".", status=None, delay=0.15))
        environment = {"PATH": os.environ["PATH"], **lab.environment("auditor")}
        process = subprocess.Popen(
            [str(KVAUDIT), "collect", *SIGN_IN, "--snapshot", "s"],
            cwd=tmp_path,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: len(lab.journal) >= 12)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert "kvaudit collect --resume --snapshot s" in err
        lab.world.faults.clear()
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


def test_a_lab_for_nobody_names_who_there_is(run: Run) -> None:
    done = run("lab", "serve", "--identity", "somebody")
    assert (done.code, done.out) == (2, "")
    assert "auditor" in done.err


def test_a_scope_beside_a_snapshot_is_refused(scanned: Path, run: Run) -> None:
    words = ("--subscription", "Payments", "--no-objects")
    done = run("scan", "--from", str(scanned / "snapshot"), *words, environment={"KVAUDIT_TENANT": "ignored"})
    assert done.code == 2
    assert "--subscription, --no-objects cannot stand beside --from" in done.err
