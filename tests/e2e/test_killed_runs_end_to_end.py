"""`kill -9` of a collection as a process, at several points; and two collections into one folder."""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import KVAUDIT
from conftest_types import Run

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault
from kvaudit.snapshot.reader import Snapshot, open_snapshot

COLLECT = ("collect", "--auth", "client-secret", "--snapshot", "s")


@contextmanager
def collecting(lab: Lab, folder: Path, requests: int) -> Iterator[subprocess.Popen[bytes]]:
    """A collection as a process, once the lab has seen so many requests; killed at the end whatever happens."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **lab.environment()}
    process = subprocess.Popen(
        [str(KVAUDIT), *COLLECT], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while len(lab.journal) < requests and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        yield process
    finally:
        process.kill()
        process.wait()


def records(snapshot: Snapshot) -> Counter[tuple[str, str, str]]:
    """Every stored item with its kind and listing; order aside."""
    kinds = {listing.kind for listing in snapshot.listings()}
    return Counter(
        (kind, scope, json.dumps(item, sort_keys=True)) for kind in kinds for scope, item in snapshot.items(kind)
    )


def listings(snapshot: Snapshot) -> set[tuple[str, str, str | None]]:
    return {(listing.kind, listing.scope.casefold(), listing.source) for listing in snapshot.listings()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("whole")
    with start("contoso") as lab, collecting(lab, folder, 10_000) as process:
        process.wait()
    return open_snapshot(folder / "s")


@pytest.mark.parametrize("requests", [9, 45, 110])
def test_a_killed_run_is_finished_and_equals_an_uninterrupted_one(
    tmp_path: Path, run: Run, whole: Snapshot, requests: int
) -> None:
    with start("contoso", latency=0.01) as lab:
        with collecting(lab, tmp_path, requests) as process:
            assert process.poll() is None, "it is killed at work"
        refused = run("report", "--from", "s")
        assert refused.code == 2, "nobody takes it for complete"
        before = len(lab.journal)
        done = run(*COLLECT, "--resume", environment=lab.environment())
        again = [entry.path for entry in lab.journal[before:]]
    assert done.code == 4, done.err  # the sample hides one subscription
    snapshot = open_snapshot(tmp_path / "s", verify=True)
    assert listings(snapshot) == listings(whole)
    assert records(snapshot) == records(whole)
    assert {(gap.kind, gap.scope, gap.code) for gap in snapshot.gaps()} == {
        (gap.kind, gap.scope, gap.code) for gap in whole.gaps()
    }
    assert len(again) > 0


def test_a_second_collection_into_the_same_folder_is_refused(tmp_path: Path, run: Run) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path="denyAssignments", status=None, delay=300))  # the first one stays at work
        _refused_beside(lab, tmp_path, run)


def _refused_beside(lab: Lab, folder: Path, run: Run) -> None:
    with collecting(lab, folder, 3):
        for words in (COLLECT, (*COLLECT, "--resume")):
            done = run(*words, environment=lab.environment())
            assert done.code == 2, done.err
