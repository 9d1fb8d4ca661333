"""`report`: judge a snapshot, write what was asked for, show the summary."""

from collections.abc import Sequence
from pathlib import Path

from kvaudit.app.audit import audit_snapshot
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.outcome import exit_code_of
from kvaudit.app.reports import report_files, write_reports
from kvaudit.app.settings import Voice
from kvaudit.app.terminal import show_files, show_summary
from kvaudit.errors import ExitCode
from kvaudit.snapshot.reader import open_snapshot


def report(snapshot: Path, *, out: Path | None, reports: Sequence[str], fail_on: str, voice: Voice) -> ExitCode:
    """Judges a snapshot and writes reports.

    Raises:
        SnapshotError: the snapshot cannot be read.
        UsageError: a `--report` that cannot be.
        OutputError: a file could not be written.
    """
    mistakes = Mistakes()
    asked = mistakes.of(lambda: report_files(out, reports))
    mistakes.of(lambda: open_snapshot(snapshot))
    mistakes.tell()
    files = asked.value
    audit = audit_snapshot(snapshot, voice, shown_path=str(snapshot))
    written = write_reports(audit, files, voice)
    show_summary(audit, voice)
    show_files(written, voice)
    return exit_code_of(audit, fail_on)
