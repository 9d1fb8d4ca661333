"""Which canaries may still be in a vault: a file for each, on disk before the first write, removed when it is gone."""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kvaudit.clients.canary_names import PREFIX, is_canary
from kvaudit.errors import OutputError

_SCHEMA = "kvaudit/canary/1"


def journal_folder(environ: Mapping[str, str]) -> Path:
    """Where canaries are noted when nobody says where: the folder for a program's state."""
    state = environ.get("XDG_STATE_HOME") or environ.get("LOCALAPPDATA")
    return (Path(state) if state else Path.home() / ".local" / "state") / "kvaudit" / "canaries"


@dataclass(frozen=True, slots=True)
class Journal:
    """The notes in one folder."""

    folder: Path

    def write(self, host: str, name: str) -> None:
        """Notes a canary, and returns when the note is on the disk. Raises OutputError: then nothing may be written."""
        content = json.dumps({"schema": _SCHEMA, "host": host, "name": name})
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write(self._file(name), content)
        except OSError as problem:
            raise OutputError(
                f"the canary cannot be noted in {self.folder}: {problem.strerror or problem}; nothing was written",
                hint="Name another folder with --journal.",
            ) from problem

    def forget(self, name: str) -> str:
        """The canary is gone. Why its note is still there, or "" where it is gone too."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as problem:
            return f"it is gone, but its note {self._file(name)} cannot be removed: {problem.strerror or problem}"
        return ""

    def leftovers(self, host: str) -> tuple[str, ...]:
        """Names of canaries that earlier runs may have left in a vault. What is no note of ours is passed over."""
        found = []
        for path in sorted(self.folder.glob(f"{PREFIX}*.json")):
            try:
                note = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            is_note = isinstance(note, dict) and note.get("schema") == _SCHEMA and note.get("host") == host
            if is_note and is_canary(path.stem):  # a name that is none of ours must not reach a command or the guard
                found.append(path.stem)
        return tuple(found)

    def _write(self, path: Path, content: str) -> None:
        """Puts a note on the disk as one: a full disk must not take away what a note of an earlier run says."""
        handle, new = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".new")  # readable by its owner alone
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(new).replace(path)
        except OSError:
            with suppress(OSError):  # what counts is told already
                Path(new).unlink()
            raise

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"
