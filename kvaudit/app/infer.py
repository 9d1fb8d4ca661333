"""`contracts infer`: a first file of contracts, read from application code."""

from pathlib import Path
from typing import BinaryIO

from kvaudit.app.files import write_whole
from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for, show_files
from kvaudit.contracts.infer.draft import as_yaml
from kvaudit.contracts.infer.needs import Grade, Inferred
from kvaudit.contracts.infer.project import read_sources
from kvaudit.errors import ExitCode


def inferred_needs(source: Path, voice: Voice) -> Inferred:
    """The needs of a folder; says on stderr what was looked into and what could not be.

    Raises:
        UsageError: there is no such folder.
    """
    found = read_sources(source)
    console = console_for("stderr", voice)
    if not voice.quiet:
        words = {need.word for need in found.needs if need.grade is not Grade.NAME_ONLY}
        files = "1 file" if found.files == 1 else f"{found.files} files"
        needed = "1 operation" if len(words) == 1 else f"{len(words) or 'no'} operations"
        console.print(f"{files} looked into, {needed} needed", soft_wrap=True, markup=False)
        for problem in found.problems:
            console.print(f"warning: {problem}", soft_wrap=True, markup=False)
        for note in found.notes:
            console.print(f"note: {note}", soft_wrap=True, markup=False)
    return found


def exit_code_of(found: Inferred) -> ExitCode:
    """INCOMPLETE where a file could not be looked into: what it needs is missing from the draft."""
    return ExitCode.INCOMPLETE if found.problems else ExitCode.OK


def write_draft(found: Inferred, source: Path, out: Path, voice: Voice) -> None:
    """Writes the draft whole or not at all. Raises OutputError."""
    text = draft(found, source).encode()

    def render(stream: BinaryIO) -> None:
        stream.write(text)

    write_whole(out, render)
    show_files((out,), voice)


def draft(found: Inferred, source: Path) -> str:
    """The draft, its workload named after the folder."""
    return as_yaml(found, source.resolve().name or "workload")
