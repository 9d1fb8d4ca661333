"""`--resume` of a complete snapshot asks again for what failed, and for nothing else."""

from pathlib import Path

import orjson
import pytest
from collecting import collected, kinds_of, raw_of, records_of

from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.errors import SnapshotError
from kvaudit.lab import start
from kvaudit.lab.faults import Fault

PAYMENTS = CollectRequest(subscriptions=("Payments",), objects=Objects.NONE)
PLATFORM = CollectRequest(subscriptions=("Platform shared",), objects=Objects.NONE)
REFUSED = {"error": {"code": "AuthorizationFailed", "message": "No."}}


def test_what_failed_is_read_and_what_was_read_is_not_asked(tmp_path: Path) -> None:
    with start("contoso") as lab:
        clean = collected(lab, tmp_path / "clean", PAYMENTS)
        lab.world.faults.append(Fault(path=r"/roleAssignments$", status=403, body=REFUSED, times=1))
        first = collected(lab, tmp_path / "s", PAYMENTS)
        assert "role_assignments" in {gap.kind for gap in first.gaps()}
        before = len(lab.journal)
        again = collected(lab, tmp_path / "s", PAYMENTS, resume=True)
        asked = [entry.path for entry in lab.journal[before:]]
    assert again.gaps() == clean.gaps()
    assert kinds_of(again) == kinds_of(clean)
    for kind in kinds_of(clean):  # principals are asked for in other batches, which are part of a record's place
        assert {orjson.dumps(item) for item in raw_of(again, kind)} == {
            orjson.dumps(item) for item in raw_of(clean, kind)
        }
    assert any(path.endswith("/roleAssignments") for path in asked)
    assert not any(path.endswith("/denyAssignments") for path in asked)


def test_what_fails_again_is_a_gap_again(tmp_path: Path) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"/roleAssignments$", status=403, body=REFUSED))
        first = collected(lab, tmp_path / "s", PAYMENTS)
        again = collected(lab, tmp_path / "s", PAYMENTS, resume=True)
    assert {gap.id for gap in again.gaps()} == {gap.id for gap in first.gaps()}
    assert again.complete


def test_a_complete_snapshot_in_which_nothing_failed_is_left_alone(tmp_path: Path) -> None:
    with start("contoso") as lab:
        assert not collected(lab, tmp_path / "s", PAYMENTS).gaps()
        with pytest.raises(SnapshotError, match="no read in it failed"):
            collected(lab, tmp_path / "s", PAYMENTS, resume=True)


def test_a_gap_of_a_part_of_a_listing_stays_with_it(tmp_path: Path) -> None:
    """Nobody asks for the effects of denies alone: without the gap they would look read."""
    not_offered = {"error": {"code": "InvalidApiVersionParameter", "message": "The api-version is invalid."}}
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"000000000003/.*/denyAssignments$", status=400, body=not_offered, times=1))
        lab.world.faults.append(Fault(path=r"/roleAssignments$", status=403, body=REFUSED, times=1))
        collected(lab, tmp_path / "s", PLATFORM)
        again = collected(lab, tmp_path / "s", PLATFORM, resume=True)
    kinds = {gap.kind for gap in again.gaps()}
    assert "deny_assignment_effects" in kinds
    assert "role_assignments" not in kinds


def test_what_was_seen_of_a_listing_that_fails_earlier_the_next_time_stays(tmp_path: Path) -> None:
    """The second page failed, then the first does: what the first page held is still evidence."""
    with start("contoso") as lab:
        lab.world.page_size = 5
        lab.world.faults.append(Fault(path=r"/roleAssignments$", skip=1, status=403, body=REFUSED, times=1))
        first = raw_of(collected(lab, tmp_path / "s", PAYMENTS), "role_assignments")
        assert len(first) == 5
        lab.world.faults[:] = [Fault(path=r"/roleAssignments$", status=403, body=REFUSED)]
        again = collected(lab, tmp_path / "s", PAYMENTS, resume=True)
        assert raw_of(again, "role_assignments") == first
        assert "role_assignments" in {gap.kind for gap in again.gaps()}
        lab.world.faults.clear()
        whole = collected(lab, tmp_path / "s", PAYMENTS, resume=True)
        clean = collected(lab, tmp_path / "clean", PAYMENTS)
    assert records_of(whole, "role_assignments") == records_of(clean, "role_assignments")
    assert whole.gaps() == clean.gaps()
