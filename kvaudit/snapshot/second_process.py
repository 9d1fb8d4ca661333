"""A second process, which reads a part of a snapshot while this one reads the rest: loading takes little more than half the time.

It is this interpreter, started anew: it imports the little that it needs, whatever this process has loaded, and works the same
on every system. It reads the last part of the role assignments and then the members of groups, and answers with each. It is
there to save time only. Whatever goes wrong in it, this process reads the same itself, by the same code, and meets what is
wrong with the file.
"""

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.assignments import KIND as ASSIGNMENTS
from kvaudit.snapshot.assignments import AssignmentsPart, ReadAssignments, place_to_cut
from kvaudit.snapshot.lines import Part
from kvaudit.snapshot.manifest import manifest_of
from kvaudit.snapshot.members import KIND as MEMBERS
from kvaudit.snapshot.members import GroupMembers, read_members
from kvaudit.snapshot.reader import Snapshot
from kvaudit.snapshot.sending import packed_assignments, packed_members, unpacked_assignments, unpacked_members

Answer = TypeVar("Answer")

_WORTHWHILE = 4 * 2**20
"""Bytes of the files of members and assignments below which the start of a process takes longer than it saves."""

_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from kvaudit.snapshot.second_process import answer; answer()"


@contextmanager
def second_process(snapshot: Snapshot, *, apart: bool | None = None) -> Iterator["SecondProcess | None"]:
    """Begins to read a part of a snapshot in a second process, where that saves time.

    Args:
        snapshot: the snapshot.
        apart: whether to do so; None decides by the size of the files and the processors that there are.

    Yields:
        The process, which ends with the `with` block; None where this process reads everything.
    """
    wanted = _is_worthwhile(snapshot) if apart is None else apart
    process = SecondProcess.start(snapshot, place_to_cut(snapshot)) if wanted else None
    with process or nullcontext():
        yield process


def _is_worthwhile(snapshot: Snapshot) -> bool:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors > 1 and sum(map(partial(_size, snapshot), (MEMBERS, ASSIGNMENTS))) >= _WORTHWHILE


def _size(snapshot: Snapshot, kind: str) -> int:
    try:
        return (snapshot.path / layout.kind_file(kind)).stat().st_size
    except OSError:
        return 0


class SecondProcess:
    """A process that reads a part of a snapshot. It ends with the `with` block, and with this process.

    Attributes:
        cut: where in the file of role assignments the part begins that it reads; None: it reads no assignments.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", cut: int | None) -> None:
        """Use `start`."""
        self._process = process
        self.cut = cut
        self._first_is_waiting = cut is not None

    @classmethod
    def start(cls, snapshot: Snapshot, cut: int | None = None) -> Self | None:
        """Start it; None where no process can be started."""
        if not sys.executable or getattr(sys, "frozen", False):  # then it is a program of its own and no interpreter
            return None
        # The interpreter looks nowhere but where this one looks: not in the folder in which it is started.
        flags = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
        command = [sys.executable, *flags, "-c", _PROGRAM, json.dumps(sys.path)]
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell; this interpreter, and a program of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except (OSError, ValueError):
            return None
        started = cls(process, cut)
        request = {"path": str(snapshot.path), "manifest": dict(snapshot.manifest), "cut": cut}
        with suppress(OSError):  # it ended already: there will be no answer
            started._input.write(layout.encode(request) + b"\n")
            started._input.flush()
        return started

    @property
    def _input(self) -> Any:
        return self._process.stdin

    @property
    def _output(self) -> Any:
        return self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._input, self._output):
            with suppress(OSError):
                pipe.close()

    def assignments(self) -> AssignmentsPart | None:
        """Wait for the part of the role assignments that begins at the cut; None where it came to no answer."""
        self._first_is_waiting = False
        return self._answer(unpacked_assignments)

    def members(self) -> GroupMembers | None:
        """Wait for the members of groups; None where it came to no answer."""
        if self._first_is_waiting:
            self.assignments()
        return self._answer(unpacked_members)

    def _answer(self, unpacked: Callable[[Sequence[bytes]], Answer]) -> Answer | None:
        try:
            parts = [_exactly(self._output, length) for length in layout.decode(self._output.readline())]
            return unpacked(parts) if parts else None
        except (OSError, TypeError, ValueError):
            return None


def answer() -> None:
    """What the second process does: reads one request, writes the answers, and ends when nobody waits for them any more."""
    request = layout.decode(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    path = Path(request["path"])
    gc.disable()  # see `load.no_collector_pauses`
    snapshot = Snapshot(path, manifest_of(path / layout.MANIFEST, request["manifest"]))
    if request["cut"] is None:
        _write(packed_members(read_members(snapshot)))
    else:
        # It waits until the other process has read its own part. The members are read meanwhile.
        first = threading.Thread(target=_write, args=(_assignments_from(snapshot, request["cut"]),))
        first.start()
        members = packed_members(read_members(snapshot))
        first.join()
        _write(members)
    os._exit(0)  # nothing is left to be put away but memory


def _end_with_parent() -> None:
    """The other end of the pipe is closed when the process that asked ends, however it ends."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _assignments_from(snapshot: Snapshot, cut: int) -> list[bytes]:
    """The role assignments from a place in their file on; nothing where they cannot be read, which is no answer."""
    found = ReadAssignments()
    try:
        found.read(snapshot, Part(cut))
    except SnapshotError:
        return []
    return packed_assignments(found.part())


def _write(parts: list[bytes]) -> None:
    out = sys.stdout.buffer
    out.write(layout.encode(list(map(len, parts))) + b"\n")
    out.writelines(parts)
    out.flush()


def _exactly(file: BinaryIO, length: int) -> bytes:
    found = file.read(length)
    if len(found) != length:
        raise ValueError("the answer is cut")
    return found
