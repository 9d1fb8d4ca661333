"""The manifest: what a snapshot says about itself."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.append import FileFacts

COLLECT_AGAIN = "Collect again, or take the snapshot once more from where it came from."


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read.

    Attributes:
        version: version of the schema.
        state: `collecting` (being written, or killed), `incomplete` (ended early) or `complete`.
        content: the whole manifest, the header of the run included (`tenant_id`, `started_at`, ...).
        files: facts of every file by its name; empty while `collecting`.
    """

    version: int
    state: str
    content: Mapping[str, Any]
    files: Mapping[str, FileFacts]

    def text(self, key: str) -> str | None:
        """A text of the header, or None where it is absent or something else."""
        value = self.content.get(key)
        return value if isinstance(value, str) and value else None


def open_regular(path: Path) -> int:
    """A file descriptor of a regular file, to read. A pipe or device in its place would block or never end.

    Raises FileNotFoundError, other OSError, or SnapshotError when it is not a regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SnapshotError(f"{path} is not a regular file", hint=COLLECT_AGAIN)
    return descriptor


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a snapshot folder.

    Raises:
        SnapshotError: there is none, it is not a manifest, or it is of a newer schema.
    """
    path = folder / layout.MANIFEST
    try:
        with open(open_regular(path), "rb") as file:
            raw = file.read(layout.MAX_MANIFEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        there = "holds no snapshot" if folder.is_dir() else "is no folder" if folder.exists() else "does not exist"
        raise SnapshotError(
            f"{folder} {there}: {layout.MANIFEST} is missing",
            hint="Make one with `kvaudit collect --snapshot DIR`, or name the folder that holds the manifest.",
        ) from error
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}", hint="Check the file's permissions.") from error
    if len(raw) > layout.MAX_MANIFEST_BYTES:
        raise _corrupt(path, "larger than any manifest")
    try:
        content = orjson.loads(raw)
    except ValueError as error:
        raise _corrupt(path, "not JSON") from error
    return manifest_of(path, content)


def manifest_of(path: Path, content: Any) -> Manifest:
    """What a manifest's JSON says. Raises SnapshotError, which names the path: it is not a manifest, or of a newer schema."""
    if not isinstance(content, dict):
        raise _corrupt(path, "not an object")
    version = _version(path, content)
    state = content.get("state")
    if state not in (layout.COLLECTING, layout.INCOMPLETE, layout.COMPLETE):
        raise _corrupt(path, "its state is unknown")
    _check_scope(path, content.get("scope"))
    files = {} if state == layout.COLLECTING else _files(path, content)
    return Manifest(version, state, content, files)


def _check_scope(path: Path, scope: Any) -> None:
    """What was asked for: words of the command line, each with a list of texts."""
    if scope is not None and not (
        isinstance(scope, dict)
        and all(isinstance(values, list) and all(isinstance(item, str) for item in values) for values in scope.values())
    ):
        raise _corrupt(path, "its scope is not a list of texts by name")


def _version(path: Path, content: Mapping[str, Any]) -> int:
    name, _, number = str(content.get("schema")).rpartition("/")
    if name != layout.SCHEMA_NAME or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise _corrupt(path, f"its schema is not {layout.SCHEMA_NAME}/{layout.SCHEMA_VERSION}")
    version = int(number)
    if version > layout.SCHEMA_VERSION:
        raise SnapshotError(
            f"{path.parent} was written by a newer kvaudit: its schema is version {version}, "
            f"this kvaudit reads up to version {layout.SCHEMA_VERSION}",
            hint="Upgrade kvaudit, or collect again with this version.",
        )
    return version


def _files(path: Path, content: Mapping[str, Any]) -> dict[str, FileFacts]:
    files = content.get("files")
    if not isinstance(files, dict):
        raise _corrupt(path, "it lists no files")
    facts = {}
    for name, item in files.items():
        try:
            size, lines, digest = item["bytes"], item["lines"], item["sha256"]
        except (KeyError, TypeError) as error:
            raise _corrupt(path, "it lists a file without its size and hash") from error
        if type(size) is not int or type(lines) is not int or not isinstance(digest, str):
            raise _corrupt(path, "it lists a file with an unreadable size or hash")
        facts[name] = FileFacts(size, lines, digest)
    return facts


def _corrupt(path: Path, why: str) -> SnapshotError:
    return SnapshotError(f"{path} is not a readable manifest: {why}", hint=COLLECT_AGAIN)
