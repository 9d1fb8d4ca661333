"""Loading a snapshot: the one place where every command that needs a whole one gets it, and tells that it reads a large one."""

from kvaudit.app.settings import Voice
from kvaudit.app.steps import Steps
from kvaudit.model.estate import Estate
from kvaudit.snapshot.index import load_indexed
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import Snapshot


def load_told(snapshot: Snapshot, voice: Voice, *, leave_index: bool = True) -> Estate:
    """Load a snapshot, and tell on stderr that a large one is read, which takes up to a minute.

    Args:
        snapshot: the snapshot.
        voice: with `quiet` nothing is told.
        leave_index: whether an index is left beside a large one.

    Raises:
        SnapshotError: it is corrupt.
    """
    Steps(voice, snapshot.lines_written)(f"reading {snapshot.lines_written:,} records")
    return load_indexed(snapshot) if leave_index else load_estate(snapshot)
