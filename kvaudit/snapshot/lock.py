"""One writer at a time, by a lock of the operating system: it ends with its process, unlike a file with a number in it."""

import os
import sys
from pathlib import Path

from kvaudit.errors import SnapshotError
from kvaudit.snapshot.layout import LOCK

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def take_lock(folder: Path) -> int:
    """Lock a snapshot folder for writing; closing the returned file descriptor unlocks it.

    Raises:
        SnapshotError: another process writes to the folder.
        OSError: the lock file cannot be made.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _take(descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise SnapshotError(
            f"another process is writing to the snapshot {folder}",
            hint="Wait until it has ended, or name another folder.",
        ) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
