"""`kvaudit explain` as people run it: an error from a pipe or a file, and checked against a snapshot."""

import json
import subprocess
from pathlib import Path

import pytest
from conftest import KVAUDIT
from conftest_types import Run

ERROR = "The user, group or application 'appid=x;oid=22222222-2222-2222-2222-222222222222;iss=https://sts.windows.net/aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa/' does not have secrets get permission on key vault 'kv-contoso;location=westeurope'."


def test_an_error_from_a_pipe() -> None:
    done = subprocess.run(
        [str(KVAUDIT), "explain"], input=ERROR, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert done.stdout.startswith("missing policy\n")
    assert "az keyvault set-policy" in done.stdout
    assert "next: " in done.stdout


def test_an_error_from_a_file_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "error.txt").write_text(ERROR)
    done = run("explain", "error.txt", "-o", "json")
    found = json.loads(done.out)
    assert found["kind"] == "missing_policy"
    assert set(found) == {
        "kind",
        "confidence",
        "also",
        "status",
        "operation",
        "data_action",
        "caller",
        "vault",
        "object",
        "causes",
        "next_step",
    }
    assert set(found["causes"][0]["fix"]) == {"az", "bicep", "terraform"}
    assert run("explain", "error.txt", "--query", "operation", "-o", "tsv").out.strip() == "secrets/get"


@pytest.mark.parametrize("piped", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        ERROR.encode("utf-16"),
        ERROR.encode("utf-16-le"),
        "é ".encode("latin-1") + ERROR.encode(),
        b"\0" * 4096 + ERROR.encode(),
        b"INFO nothing of note\n" * 900_000 + ERROR.encode(),
    ],
    ids=["utf-16", "utf-16 without a mark", "latin-1", "zeros of a truncated log", "19 MB"],
)
def test_bytes_of_every_kind_are_read(tmp_path: Path, content: bytes, piped: bool) -> None:
    (tmp_path / "error.txt").write_bytes(content)
    with (tmp_path / "error.txt").open("rb") as file:
        words = [] if piped else [str(tmp_path / "error.txt")]
        done = subprocess.run(
            [str(KVAUDIT), "explain", *words], stdin=file, capture_output=True, check=False, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"missing policy\n")


def test_mistakes_are_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    done = run("explain", "empty.txt")
    assert done.code == 2
    assert "empty" in done.err
    assert run("explain", "nowhere.txt").code == 2


def test_hostile_text_is_harmless(run: Run, tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text(
        ERROR.replace("kv-contoso", "kv-contoso\x1b[31m\u202e") + "\n::error::x\n##vso[task.complete]"
    )
    done = run("explain", "e.txt")
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert not any(line.startswith("::") for line in done.out.splitlines())


def test_an_error_is_checked_against_a_snapshot(scanned: Path, run: Run, tmp_path: Path) -> None:
    """The words are those of a refusal; what the snapshot holds of this caller decides what is told."""
    at = ("--from", str(scanned / "snapshot"))
    asked = ("payments-api", "secrets/get", "kv-payments-prod", *at)
    granted = json.loads(run("can", *asked, "-o", "json").out)
    assert granted["answer"] == "allowed"
    text = ERROR.replace("22222222-2222-2222-2222-222222222222", granted["principal_id"])
    for vault, kinds in (("kv-payments-prod", {"propagation", "stale_token"}), ("kv-web-prod", {"missing_policy"})):
        (tmp_path / "error.txt").write_text(text.replace("kv-contoso", vault))
        found = json.loads(run("explain", "error.txt", *at, "-o", "json").out)
        assert found["kind"] in kinds, found
    shown = run("explain", "error.txt", *at).out
    assert "az keyvault set-policy --name kv-web-prod --resource-group " in shown
    assert "REPLACES" not in shown
