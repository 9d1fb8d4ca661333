"""The `bicep` compiler, where there is one: it knows what a syntax tree does not (types, user functions, restored modules).

`az bicep` is not asked: starting it takes seconds, and it may fetch a compiler. The compiler that `az bicep install` left is
taken from where it lies. Nothing is fetched (`--no-restore`); no variable of ours but those that a program needs is passed on.
"""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from kvaudit.errors import UsageError
from kvaudit.sources.reading import LARGEST_FILE, decode

SECONDS_A_FILE = 60.0
"""After which a compilation is ended. Real ones take about a second."""

SECONDS_IN_ALL = 300.0
"""Of one run; files that are left are read by their syntax, and that is said."""

_PASSED_ON = frozenset(
    {"PATH", "HOME", "USERPROFILE", "TMP", "TEMP", "TMPDIR", "SYSTEMROOT", "LANG", "DOTNET_ROOT"}
    | {"DOTNET_BUNDLE_EXTRACT_BASE_DIR", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"}
)


class BicepCompilerError(UsageError):
    """A file was not compiled; the message says why, and is no judgement of the file."""


@dataclass(slots=True)
class BicepCompiler:
    """A compiler and the time that it may still take.

    Attributes:
        path: of the executable.
        seconds: left for all files together.
    """

    path: Path
    seconds: float = field(default=SECONDS_IN_ALL)

    def compiled(self, file: Path) -> str:
        """The template that a file stands for, as JSON.

        Raises:
            BicepCompilerError: it refuses the file, takes too long, or writes too much.
        """
        if self.seconds <= 0:
            raise BicepCompilerError("the time for the bicep compiler is used up")
        began = time.monotonic()
        try:
            return self._run(file)
        finally:
            self.seconds -= time.monotonic() - began

    def _run(self, file: Path) -> str:
        environment = {name: value for name, value in os.environ.items() if name.upper() in _PASSED_ON}
        command = [str(self.path), "build", "--stdout", "--no-restore", str(file.absolute())]
        limit = min(SECONDS_A_FILE, self.seconds)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                done = subprocess.run(  # noqa: S603 - no shell; the path is a file that was found, not a text of it
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment,
                    timeout=limit,
                    check=False,
                )
            except subprocess.TimeoutExpired as problem:
                raise BicepCompilerError(f"the bicep compiler took more than {limit:.0f} seconds") from problem
            except OSError as problem:
                raise BicepCompilerError(
                    f"the bicep compiler could not be started: {problem.strerror or problem}"
                ) from problem
            out.seek(0)
            err.seek(0)
            text, said = out.read(LARGEST_FILE + 1), err.read(10_000).decode("utf-8", "replace")
        if done.returncode != 0:
            raise BicepCompilerError(f"the bicep compiler refuses it: {_first_error(said)}")
        if len(text) > LARGEST_FILE:
            raise BicepCompilerError("the bicep compiler made more than any template is")
        return decode(text, str(file))


def find_compiler() -> BicepCompiler | None:
    """The compiler on PATH, else the one that `az bicep install` left; None where there is none."""
    found = shutil.which("bicep")
    if found is not None:
        return BicepCompiler(Path(found))
    home = os.environ.get("AZURE_CONFIG_DIR")
    folder = Path(home) if home else Path("~/.azure").expanduser()
    found = shutil.which("bicep", path=str(folder / "bin"))
    return None if found is None else BicepCompiler(Path(found))


def _first_error(said: str) -> str:
    """The first line with an error, without the file's path before it: `Error BCP018: Expected …`."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = next((line for line in lines if "error" in line.casefold()), lines[0] if lines else "it says nothing")
    at = line.casefold().find("error")
    return line[max(at, 0) :][:300]
