"""Output files appear whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kvaudit.errors import OutputError, no_space


def write_whole(path: Path, render: Callable[[BinaryIO], None]) -> None:
    """Writes a file through a temporary one beside it, then renames: a reader never sees half of it.

    What is no file (`/dev/null`, `/dev/stdout`, a pipe) is written to as it stands: a rename would replace the device.

    Args:
        path: where the file shall be; its folder is made.
        render: writes the content to the stream it is given.

    Raises:
        OutputError: the disk is full, the folder cannot be written, or `path` is a folder.
    """
    with _os_errors(path):
        _make_folder(path.parent)
        if path.is_dir():
            raise OutputError(f"{path} is a folder; a file was to be written there", hint="Name a file.")
        if _is_stream(path):
            with path.open("ab") as stream:
                render(stream)
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                render(stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, 0o600)  # noqa: PTH101 - the name comes from mkstemp
            os.replace(name, path)  # noqa: PTH105
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108
            raise


def _is_stream(path: Path) -> bool:
    """Whether a path names a device, a pipe or an open stream of a process, behind which a file may be."""
    if path.is_symlink() and os.path.abspath(path).startswith(("/dev/", "/proc/")):  # noqa: PTH100 - links stay
        return True
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        raise OutputError(
            f"{path} cannot hold files: it, or a part of it, is a file", hint="Name a folder."
        ) from problem


@contextmanager
def _os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the disk is well: whoever read the pipe went away
    except OSError as problem:
        full = "The disk is full or a limit is reached: free some space, or name another place."
        hint = full if no_space(problem) else "Check the permissions of the folder, or name another place."
        raise OutputError(f"{path} could not be written: {problem.strerror or problem}", hint=hint) from problem
