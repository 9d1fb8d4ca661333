"""The halves of a long list worked on side by side: Python uses one core for one process, and a large tenant has time to lose.

The second half is done by a fork, which has the estate already and sends back what it found. Where there is nothing to fork
(Windows), where forking is not safe (macOS, or other threads run), where memory is short, or where it is not worth it, the list
is done here.
"""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LEAST = 10_000
"""Items from which on a second process is worth its start and the memory that both come to hold."""

_SELDOM = 100_000
"""Objects that come to stay before somebody looks for cycles among them."""

_MOST = 2 * 2**30
"""Bytes that a process may hold of which much comes to be held twice: a million vaults take more, and have 8 GB (ARCHITECTURE.md, budgets)."""


def in_halves(items: Sequence[Item], work: Callable[[Sequence[Item]], Result], *, least: int = LEAST) -> list[Result]:
    """What `work` makes of the parts of a list, in their order: of two halves, or of the whole.

    Args:
        items: the list.
        work: makes something of a part, which can be pickled. It must not depend on the other part.
        least: a shorter list is not halved.
    """
    if len(items) < max(least, 2) or not _can_fork():
        return [work(items)]
    middle = len(items) // 2
    second = _Fork(items[middle:], work)
    try:
        first = work(items[:middle])
        return [first, second.result()]
    finally:
        second.end()


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Looks for cycles a hundred times less often.

    Work on many vaults makes and lets go of far more than stays, and looking takes a seventh of its time.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(_SELDOM, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _can_fork() -> bool:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return cores > 1 and threading.active_count() == 1 and _has_memory()


def _has_memory() -> bool:
    """Whether this process may be held twice, as much of it will be: enough is left, and it is not one of the very largest."""
    try:
        held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        lines = Path("/proc/meminfo").read_text().splitlines()
        left = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        return False
    # A container may have less; without one there are no such files, or no number in them.
    with suppress(OSError, ValueError):
        most, used = (Path(f"/sys/fs/cgroup/memory.{name}").read_text() for name in ("max", "current"))
        left.append(int(most) - int(used))
    return bool(left) and held < min(*left, _MOST)


class _Fork(Generic[Item, Result]):
    """A process that works on a part."""

    def __init__(self, items: Sequence[Item], work: Callable[[Sequence[Item]], Result]) -> None:
        self._items, self._work = items, work
        self._here, there = multiprocessing.Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # what is looked at for cycles is written to, and then takes memory twice
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_send, args=(there, items, work), daemon=True)
        self._process.start()
        there.close()

    def result(self) -> Result:
        """What it found. Where it ended without an answer, killed for want of memory perhaps, the part is done here."""
        try:
            found: Result = self._here.recv()
        except EOFError:
            return self._work(self._items)
        return found

    def end(self) -> None:
        """Leave nothing behind."""
        gc.unfreeze()
        self._here.close()
        self._process.kill()
        self._process.join()


def _send(there: Connection, items: Sequence[Item], work: Callable[[Sequence[Item]], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asked is told, and ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 1
    try:
        there.send(work(items))
        code = 0
    finally:
        os._exit(code)  # whatever went wrong is found again, and told, where the part is then done
