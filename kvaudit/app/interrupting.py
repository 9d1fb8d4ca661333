"""A polite kill ends a run as Ctrl-C does."""

import asyncio
import signal
from contextlib import suppress


def end_politely() -> None:
    """Makes SIGTERM cancel the running task: snapshots say that they are incomplete, and what a probe wrote is taken away.

    Where the loop or the thread cannot take signals (Windows, a thread of somebody else), SIGTERM does what it did.
    """
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError, RuntimeError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
