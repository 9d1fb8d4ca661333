"""Cut off at any moment, a collection can be finished, and the result is that of an uninterrupted one."""

import shutil
from pathlib import Path

import pytest
from collecting import collected, kinds_of, records_of

from kvaudit.collection.request import CollectRequest
from kvaudit.errors import SnapshotError
from kvaudit.lab import Lab
from kvaudit.snapshot.reader import Snapshot, open_snapshot

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


@pytest.mark.parametrize("after", [30, 55])
def test_a_run_that_was_killed_is_finished(contoso: Lab, tmp_path: Path, uninterrupted: Snapshot, after: int) -> None:
    """What is on the disk in the middle of a run is what a kill would leave."""
    calls = 0

    def copy(kind: str, done: int, total: int | None) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            shutil.copytree(tmp_path / "s", tmp_path / "killed")

    collected(contoso, tmp_path / "s", WHOLE, watch=copy)
    with pytest.raises(SnapshotError):
        open_snapshot(tmp_path / "killed")
    assert_same(collected(contoso, tmp_path / "killed", WHOLE, resume=True), uninterrupted)
