"""Every command that reads a large snapshot says so on stderr, once, and none where an index answers."""

import json
from pathlib import Path

import pytest
from conftest_types import Run

from benchmarks.snapshots import Size, guid, write_snapshot
from kvaudit.snapshot.index import FILE, FOLDER
from kvaudit.snapshot.reader import open_snapshot

LARGE = Size(
    vaults=1,
    subscriptions=1,
    resource_groups=1,
    management_groups=1,
    assignments=4,
    roles=3,
    people=50_000,
    workloads=1,
    groups=2,
    large_groups=1,
    denies=1,
    large_members=(2, 3),
)
WHO = ("who-can", "secrets/get", "--vault", "kv-0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_snapshot(tmp_path / "large", LARGE)
    contracts = {
        "version": 1,
        "workloads": [{"name": "batch", "principal": guid(4, 1), "vaults": ["kv-0"], "needs": ["secrets/get"]}],
    }
    (tmp_path / "contracts.yaml").write_text(json.dumps(contracts))
    (tmp_path / "error.txt").write_text("Caller is not authorized to perform action on resource.")
    return tmp_path / "large"


@pytest.mark.parametrize(
    "words",
    [
        WHO,
        (*WHO, "--include-escalation"),
        ("can", guid(4, 1), "secrets/get", "kv-0"),
        ("access",),
        ("check", "contracts.yaml"),
        ("explain", "error.txt"),
        ("report",),
    ],
    ids=" ".join,
)
def test_that_a_large_snapshot_is_read_is_told(words: tuple[str, ...], folder: Path, run: Run) -> None:
    told = f"reading {open_snapshot(folder).lines_written:,} records …"
    done = run(*words, "--from", str(folder))
    assert done.code in (0, 3, 4), done.err
    assert done.err.splitlines().count(told) == 1
    assert "records …" not in run(*words, "--quiet", "--from", str(folder)).err


def test_where_an_index_answers_nothing_is_read_and_nothing_told(folder: Path, run: Run) -> None:
    first = run(*WHO, "--from", str(folder))
    assert (folder / FOLDER / FILE).exists()
    second = run(*WHO, "--from", str(folder))
    assert "records …" in first.err
    assert "records …" not in second.err
    assert second.out == first.out


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("who-can", "secrets/gett", "--vault", "kv-none"), "vaults"),
        (("can", "nobody", "secrets/gett", "kv-none"), "the principal and the vault"),
    ],
)
def test_a_large_snapshot_is_not_read_only_to_find_more_mistakes(
    words: tuple[str, ...], names: str, folder: Path, run: Run
) -> None:
    records = open_snapshot(folder).lines_written
    done = run(*words, "--from", str(folder))
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: there is no operation 'secrets/gett'",
        f"  the names of {names} were not looked up: reading {records:,} records takes a while",
        "hint: Did you mean secrets/get, secrets/set, secrets/purge?",
    ]
