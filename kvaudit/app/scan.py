"""`scan`: collect, judge and report in one go."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from kvaudit.app.audit import audit_snapshot
from kvaudit.app.collect import collect_snapshot, tell_source
from kvaudit.app.indexed import load_access
from kvaudit.app.outcome import exit_code_of, worse
from kvaudit.app.report import report
from kvaudit.app.reports import report_files, write_reports
from kvaudit.app.scan_probe import ScanProbe, probe_scanned
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.statistics import show_statistics
from kvaudit.app.terminal import show_files, show_summary
from kvaudit.app.warnings import warn_if_no_vault
from kvaudit.collection.request import CollectRequest
from kvaudit.errors import ExitCode, OutputError
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.snapshot.writer import is_snapshot, remove_snapshot


def scan(
    request: CollectRequest,
    connection: Connection,
    voice: Voice,
    *,
    out: Path | None = None,
    reports: Sequence[str] = (),
    snapshot: Path | None = None,
    fail_on: str = "high",
    environ: Mapping[str, str] | None = None,
    probing: ScanProbe | None = None,
) -> ExitCode:
    """Reads the tenant, judges it and writes what was asked for; prints the summary.

    Args:
        out: folder for report.html, findings.json, access.csv, and the snapshot when `snapshot` is None.
        snapshot: where the snapshot is kept; a temporary folder, removed afterwards, when both are None.
        environ: environment variables instead of the process's own (the embedded lab).
        probing: whether the vaults are asked too, after the reports are written.

    Raises:
        KvauditError: whatever ends the run; nothing that looks whole is left behind.
    """
    files = report_files(out, reports)
    with snapshot_folder(out, snapshot) as (folder, shown):
        with told_of(out, folder, kept=snapshot is not None):
            statistics = collect_snapshot(folder, request, connection, voice, environ=environ)
            if not voice.quiet:
                tell_source(open_snapshot(folder), voice)
        audit = audit_snapshot(folder, voice, shown_path=shown)
        written = write_reports(audit, files, voice)
    if voice.verbose:
        show_statistics(statistics, voice)
    warn_if_no_vault(audit, voice)
    show_summary(audit, voice)
    show_files(written, voice)
    code = exit_code_of(audit, fail_on)
    if probing is None:
        return code
    return worse(code, probe_scanned(audit.access, probing, connection, voice, out=out, environ=environ))


def scan_from(
    snapshot: Path,
    connection: Connection,
    voice: Voice,
    *,
    out: Path | None,
    reports: Sequence[str],
    fail_on: str,
    probing: ScanProbe | None = None,
) -> ExitCode:
    """`scan --from DIR`: as `report`, and with `probing` the vaults of the snapshot are asked."""
    code = report(snapshot, out=out, reports=reports, fail_on=fail_on, voice=voice)
    if probing is None:
        return code
    return worse(code, probe_scanned(load_access(snapshot, voice), probing, connection, voice, out=out))


@contextmanager
def told_of(out: Path | None, folder: Path, *, kept: bool) -> Iterator[None]:
    """A disk that refused the snapshot, told without the name of a folder that is gone by then."""
    try:
        yield
    except OutputError as problem:
        if kept:
            raise
        raise OutputError(
            f"the snapshot could not be written under {out or folder.parent.parent}; nothing of it was kept",
            details=(str(problem.__cause__ or problem),),
            hint="Free some space, or name a folder on another disk with --out or --snapshot.",
        ) from problem


@contextmanager
def snapshot_folder(out: Path | None, snapshot: Path | None) -> Iterator[tuple[Path, str | None]]:
    """The folder to collect into, and how reports name it.

    Under `--out` the new snapshot is collected beside the old one and takes its place only when the run succeeded.
    """
    if snapshot is not None:
        yield snapshot, str(snapshot)
        return
    try:
        if out is None:
            with tempfile.TemporaryDirectory(prefix="kvaudit-") as folder:
                yield Path(folder) / "snapshot", None
            return
        out.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".snapshot-", dir=out))
    except OSError as problem:
        raise OutputError(
            f"{out or 'the temporary folder'} cannot be written: {problem.strerror or problem}",
            hint="Name another folder with --out." if out else "Set TMPDIR, or keep the snapshot with --snapshot.",
        ) from problem
    final = out / "snapshot"
    try:
        yield new, str(final)
        if final.exists():
            if not is_snapshot(final):
                raise OutputError(
                    f"{final} is not a snapshot; it is left alone", hint="Name the snapshot's folder with --snapshot."
                )
            remove_snapshot(final)
        os.replace(new, final)  # noqa: PTH105 - one call that replaces at once
    finally:
        shutil.rmtree(new, ignore_errors=True)
