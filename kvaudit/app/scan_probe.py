"""`scan --probe`: the vaults of a scan are asked too, as whoever is signed in, and compared with what was just read."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kvaudit.access.evaluator import Access
from kvaudit.app.files import write_whole
from kvaudit.app.outcome import worse
from kvaudit.app.probe_lines import probe_json, probe_summary
from kvaudit.app.probe_targets import Records
from kvaudit.app.probing import ProbeAsked, ProbeRun, probe
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for
from kvaudit.errors import ExitCode, UsageError
from kvaudit.model.vaults import Vault
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
    ids, several = _told_apart(access.estate.vaults)
    if several and not voice.quiet:
        for name, count in sorted(several.items()):
            told = f"warning: {count} vaults of the snapshot are named {line_safe(name)}: not probed, since one address is theirs"
            console_for("stderr", voice).print(told, soft_wrap=True, markup=False)
    left_out = ExitCode.INCOMPLETE if several else ExitCode.OK
    if not ids:
        return left_out
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
    return worse(run.exit_code, left_out)


def _told_apart(vaults: Sequence[Vault]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Resource IDs of the vaults whose name no other has; and each name that several have, as of one that was moved."""
    names = Counter(vault.name.casefold() for vault in vaults)
    ids = tuple(vault.id for vault in vaults if names[vault.name.casefold()] == 1)
    return ids, {name: count for name, count in names.items() if count > 1}


def _write(run: ProbeRun, path: Path) -> None:
    text = json_text(probe_json(run), indent=2) + "\n"

    def render(stream: BinaryIO) -> None:
        stream.write(text.encode("ascii"))

    write_whole(path, render)
