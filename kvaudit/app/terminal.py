"""What a judging command prints: the summary on stdout, the files that were written on stderr."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from kvaudit.app.settings import Voice
from kvaudit.report.audit import Audit
from kvaudit.report.summary import render_summary


def console_for(stream_name: str, voice: Voice) -> Console:
    """A console on stdout or stderr that has styles only where a person can see them and did not refuse them."""
    stream = sys.stdout if stream_name == "stdout" else sys.stderr
    plain = voice.no_color or bool(os.environ.get("NO_COLOR"))
    width = None if stream.isatty() else 100
    return Console(
        file=stream,
        color_system=None if plain else "auto",
        highlight=False,
        emoji=False,
        markup=False,
        width=width,
    )


def show_summary(audit: Audit, voice: Voice) -> None:
    """The summary of an audit, on stdout."""
    render_summary(audit, console_for("stdout", voice))


def show_files(paths: Sequence[Path], voice: Voice) -> None:
    """The files that were written, one a line, on stderr."""
    if not voice.quiet and paths:
        console = console_for("stderr", voice)
        for path in paths:
            console.print(f"wrote {path}", soft_wrap=True)
