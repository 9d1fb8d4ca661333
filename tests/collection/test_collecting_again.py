"""Cut off at any moment, a collection can be finished, and the result is that of an uninterrupted one."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from collecting import collected, kinds_of, records_of

from kvaudit.collection.request import CollectRequest, Source
from kvaudit.errors import SnapshotError
from kvaudit.lab import Lab
from kvaudit.snapshot.reader import Snapshot, open_snapshot

MOST_POINTS = 6
"""Kill points of which a run is finished; copies between them hold the same or nearly so."""

WHOLE = CollectRequest(subscriptions=("Payments", "Mergers"))


class Stopped(Exception):  # noqa: N818 - what stops a run here is no error of anything
    """Stops a run from the outside."""


@pytest.fixture(scope="module")
def uninterrupted(contoso: Lab, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return collected(contoso, tmp_path_factory.mktemp("whole") / "s", WHOLE)


def assert_same(snapshot: Snapshot, other: Snapshot) -> None:
    assert kinds_of(snapshot) == kinds_of(other)
    for kind in kinds_of(other):
        assert records_of(snapshot, kind) == records_of(other, kind), kind
    assert sorted((gap.kind, gap.scope, gap.code or "") for gap in snapshot.gaps()) == sorted(
        (gap.kind, gap.scope, gap.code or "") for gap in other.gaps()
    )


@pytest.mark.parametrize("after", [3, 25, 45])
def test_a_run_that_was_stopped_is_finished_without_reading_again_what_is_complete(
    contoso: Lab, tmp_path: Path, uninterrupted: Snapshot, after: int
) -> None:
    calls = 0

    def stop(kind: str, done: int, total: int | None) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise Stopped

    with pytest.raises(Stopped):
        collected(contoso, tmp_path / "s", WHOLE, watch=stop)
    with pytest.raises(SnapshotError):
        open_snapshot(tmp_path / "s")
    finished = {
        (listing.kind, listing.scope) for listing in open_snapshot(tmp_path / "s", allow_incomplete=True).listings()
    }
    before = len(contoso.journal)
    assert_same(collected(contoso, tmp_path / "s", WHOLE, resume=True), uninterrupted)
    asked = {entry.path for entry in contoso.journal[before:]}
    for kind, scope in finished:
        if kind == "vaults":
            assert f"{scope}/providers/Microsoft.KeyVault/vaults" not in asked


@pytest.mark.parametrize("source", [Source.ARM, Source.AUTO])
def test_a_run_that_was_killed_anywhere_is_finished(contoso: Lab, tmp_path: Path, source: Source) -> None:
    """What is on the disk in the middle of a run is what a kill would leave: nothing, much, and a block that was cut."""
    request = replace(WHOLE, source=source)
    calls = 0

    def copy(kind: str, done: int, total: int | None) -> None:
        nonlocal calls
        calls += 1
        shutil.copytree(tmp_path / "s", tmp_path / f"killed-{calls}")

    uninterrupted = collected(contoso, tmp_path / "s", request, watch=copy, flushing=True)
    states = {}  # copies that hold the same are one kill point
    for number in range(1, calls + 1):
        files = sorted(path for path in (tmp_path / f"killed-{number}").iterdir() if path.is_file())
        states[tuple((path.name, path.stat().st_size) for path in files)] = number
    points = list(states.values())
    assert len(points) > 4 * MOST_POINTS
    for at, number in enumerate(points[:: max(1, len(points) // MOST_POINTS)]):
        killed = tmp_path / f"killed-{number}"
        with pytest.raises(SnapshotError):
            open_snapshot(killed)
        if at % 2:
            _cut(killed)
        assert_same(collected(contoso, killed, request, resume=True), uninterrupted)


def _cut(folder: Path) -> None:
    """Takes the last bytes of every file that grows by blocks, as when the machine went down while they were written."""
    for path in folder.iterdir():
        if ".ndjson" in path.name:
            size = path.stat().st_size
            os.truncate(path, max(0, size - 7))
