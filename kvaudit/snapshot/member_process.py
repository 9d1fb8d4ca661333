"""Members of groups, read by a second process while this one reads the rest: half of what loading takes is theirs.

The second process is this interpreter, started anew: it imports the little that it needs, whatever this process has loaded,
and works the same on every system. It is there to save time only. Whatever goes wrong in it, this process reads the members
itself, by the same code, and meets what is wrong with the file.
"""

import gc
import json
import os
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.edges import Memberships
from kvaudit.snapshot import layout
from kvaudit.snapshot.manifest import manifest_of
from kvaudit.snapshot.members import KIND, GroupMembers, read_members
from kvaudit.snapshot.reader import Snapshot

_WORTHWHILE = 4 * 2**20
"""Bytes of the members' file below which the start of a process takes longer than it saves."""

_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from kvaudit.snapshot.member_process import answer; answer()"

_DESCRIPTION = tuple(item.name for item in fields(Principal))
_NUMBERS = (("pairs", "Q"), ("groups", "I"), ("starts", "Q"), ("members", "I"))
"""The columns of memberships that are numbers, with the types of their arrays."""


@contextmanager
def members_beside(snapshot: Snapshot, *, apart: bool | None = None) -> Iterator[Callable[[], GroupMembers]]:
    """Begins to read the members of groups in a second process, where that saves time.

    Args:
        snapshot: the snapshot.
        apart: whether to do so; None decides by the size of the file and the processors that there are.

    Yields:
        What waits for the members. It raises SnapshotError where the file is not as it was written.
    """
    process = MemberProcess.start(snapshot) if (_is_worthwhile(snapshot) if apart is None else apart) else None
    if process is None:
        yield lambda: read_members(snapshot)
        return
    with process:
        yield lambda: process.answer() or read_members(snapshot)


def _is_worthwhile(snapshot: Snapshot) -> bool:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        size = (snapshot.path / layout.kind_file(KIND)).stat().st_size
    except OSError:
        return False
    return processors > 1 and size >= _WORTHWHILE


class MemberProcess:
    """A process that reads the members of a snapshot's groups. It ends with the `with` block, and with this process."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Use `start`."""
        self._process = process

    @classmethod
    def start(cls, snapshot: Snapshot) -> Self | None:
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
        started = cls(process)
        request = {"path": str(snapshot.path), "manifest": dict(snapshot.manifest)}
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

    def answer(self) -> GroupMembers | None:
        """Wait for what it read; None where it came to no answer."""
        try:
            return _read_answer(self._output)
        except (OSError, TypeError, ValueError):
            return None


def answer() -> None:
    """What the second process does: reads one request, writes the answer, and ends when nobody waits for it any more."""
    request = layout.decode(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    path = Path(request["path"])
    gc.disable()  # see `load.no_collector_pauses`
    found = read_members(Snapshot(path, manifest_of(path / layout.MANIFEST, request["manifest"])))
    _write_answer(sys.stdout.buffer, found)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to be put away but memory


def _end_with_parent() -> None:
    """The other end of the pipe is closed when the process that asked ends, however it ends."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _write_answer(out: BinaryIO, found: GroupMembers) -> None:
    edges = found.edges
    texts = {
        "names": list(edges.names),
        "types": list(edges.types),
        "described": list(zip(*map(attrgetter(*_DESCRIPTION), found.described), strict=True)),
        "counts": list(found.counts.items()),
        "unreadable": list(found.unreadable),
    }
    parts = [layout.encode(texts), *(getattr(edges, name).tobytes() for name, _ in _NUMBERS)]
    out.write(layout.encode(list(map(len, parts))) + b"\n")
    out.writelines(parts)


def _read_answer(file: BinaryIO) -> GroupMembers:
    """The members that were written. Raises ValueError or TypeError where the file ends before they do."""
    first, *others = layout.decode(file.readline())
    texts = layout.decode(_exactly(file, first))
    numbers = []
    for (_, kind), length in zip(_NUMBERS, others, strict=True):
        column = array(kind)
        column.frombytes(_exactly(file, length))
        numbers.append(column)
    described = dict(zip(_DESCRIPTION, texts["described"], strict=False)) or dict.fromkeys(_DESCRIPTION, ())
    described["state"] = map(PrincipalState, described["state"])
    described["alternative_names"] = map(tuple, described["alternative_names"])
    return GroupMembers(
        Memberships(texts["names"], texts["types"], *numbers),
        list(map(Principal, *(described[name] for name in _DESCRIPTION))),
        dict(texts["counts"]),
        frozenset((scope, why) for scope, why in texts["unreadable"]),
    )


def _exactly(file: BinaryIO, length: int) -> bytes:
    found = file.read(length)
    if len(found) != length:
        raise ValueError("the answer is cut")
    return found
