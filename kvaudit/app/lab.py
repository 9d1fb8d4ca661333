"""`lab serve`: the embedded lab for any client, until Ctrl-C."""

import shlex
import sys
import threading
from contextlib import suppress
from pathlib import Path

from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for
from kvaudit.errors import EstateError, UsageError
from kvaudit.lab import EstateFileError, Lab, sample_names, start
from kvaudit.report.text import counted


def started_lab(estate: str, *, port: int = 0) -> Lab:
    """A running lab over an estate.

    Args:
        estate: path of an estate file, or the name of a sample (`contoso`).

    Raises:
        EstateError: the file has mistakes; each with line and column.
        UsageError: there is no such file or sample, or the port is taken.
    """
    try:
        return start(estate, port=port)
    except EstateFileError as problem:
        raise EstateError(
            f"the estate {estate} has {counted(len(problem.mistakes), 'mistake')}",
            details=problem.mistakes,
            hint="Every mistake is listed; the sample `contoso` shows the form.",
        ) from problem
    except FileNotFoundError as problem:
        raise UsageError(
            f"there is no estate {estate!r}", hint=f"Give a file, or the name of a sample: {', '.join(sample_names())}."
        ) from problem
    except OSError as problem:
        raise UsageError(
            f"the lab cannot listen on port {port}: {problem.strerror}", hint="Leave --port out."
        ) from problem


def serve(estate: str, *, port: int, identity: str, voice: Voice) -> None:
    """Serves the lab until Ctrl-C, which is its proper end; prints the environment that points clients at it.

    Raises:
        EstateError, UsageError: see `started_lab`; or the estate has no such identity.
    """
    with started_lab(estate, port=port) as lab:
        identities = sorted(lab.world.estate.identities)
        if identity not in identities:
            known = f"--identity is one of {', '.join(identities)}." if identities else "Give one a secret in the file."
            raise UsageError(f"nobody can sign in as {identity!r} in this estate", hint=known)
        for name, value in sorted(lab.environment(identity).items()):
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        if not voice.quiet:
            console = console_for("stderr", voice)
            console.print(
                f"The lab serves {Path(estate).name} at {lab.proxy_url}. Nothing leaves this machine.\n"
                "Paste the lines above into another shell, then run kvaudit, az or your own code there. Ctrl-C ends it.",
                soft_wrap=True,
            )
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
