"""`scan --probe`: the vaults of a scan are asked too, as whoever is signed in, and compared with what was just read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kvaudit.access.evaluator import Access
from kvaudit.app.files import write_whole
from kvaudit.app.probe_lines import probe_json, probe_summary
from kvaudit.app.probe_targets import Records
from kvaudit.app.probing import ProbeAsked, ProbeRun, probe
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for
from kvaudit.errors import ExitCode, UsageError
from kvaudit.report.json_lines import json_text
from kvaudit.report.text import line_safe

FILE = "probe.json"
"""Written beside the reports of `--out`: as `probe -o json` prints it."""


@dataclass(frozen=True, slots=True)
class ScanProbe:
    """That the vaults shall be asked.

    Attributes:
        yes: whether many vaults need no question.
        ask: asks the person a question; True for yes.
    """

    yes: bool
    ask: Callable[[str], bool]


def probe_scanned(
    access: Access,
    wish: ScanProbe,
    connection: Connection,
    voice: Voice,
    *,
    out: Path | None,
    environ: Mapping[str, str] | None = None,
) -> ExitCode:
    """Probes every vault of a scan, prints what differs and writes `probe.json`.

    A run that nobody agreed to is told, and is incomplete: the reports stand all the same.

    Args:
        out: folder of the reports, or None.
    """
    ids = tuple(vault.id for vault in access.estate.vaults)
    if not ids:
        return ExitCode.OK
    asked = ProbeAsked(ids, yes=wish.yes)
    try:
        run = probe(asked, connection, voice, ask=wish.ask, environ=environ, records=Records(access, "snapshot"))
    except UsageError as problem:
        console = console_for("stderr", voice)
        console.print(f"warning: the vaults were not probed: {line_safe(problem.message)}", soft_wrap=True)
        return ExitCode.INCOMPLETE
    console = console_for("stdout", voice)
    console.print()
    for line in probe_summary(run):
        console.print(line_safe(line), soft_wrap=True)
    if out is not None:
        _write(run, out / FILE)
        if not voice.quiet:
            console_for("stderr", voice).print(f"wrote {out / FILE}", soft_wrap=True)
    return run.exit_code


def _write(run: ProbeRun, path: Path) -> None:
    text = json_text(probe_json(run), indent=2) + "\n"

    def render(stream: BinaryIO) -> None:
        stream.write(text.encode("ascii"))

    write_whole(path, render)
