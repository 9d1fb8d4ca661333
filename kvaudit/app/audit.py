"""From a snapshot to an audit: load, evaluate, judge. Shared by `scan`, `report` and `demo`."""

from pathlib import Path

from kvaudit import __version__
from kvaudit.access.evaluator import Access
from kvaudit.app.clock import now
from kvaudit.app.loading import load_told
from kvaudit.app.settings import Voice
from kvaudit.app.steps import Steps
from kvaudit.report.audit import Audit
from kvaudit.report.build import build_audit
from kvaudit.snapshot.reader import open_snapshot


def audit_snapshot(path: Path, voice: Voice, *, shown_path: str | None = None) -> Audit:
    """Judges a snapshot.

    Args:
        path: the snapshot folder.
        voice: how much to tell of what is done.
        shown_path: how reports name it; None when it is temporary and will be gone.

    Raises:
        SnapshotError: it is missing, corrupt, incomplete or of a newer schema.
    """
    snapshot = open_snapshot(path)
    scope = {key: tuple(values) for key, values in (snapshot.manifest.get("scope") or {}).items()}
    estate = load_told(snapshot, voice)
    Steps(voice, snapshot.lines_written)(f"judging {len(estate.vaults):,} vaults")
    return build_audit(
        Access(estate),
        tool_version=__version__,
        generated_at=now(),
        scope=scope,
        snapshot_path=shown_path,
    )
