"""Progress on stderr: a bar where a person watches, a line now and then where a log does."""

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for
from kvaudit.model.kinds import kind_words

_SECONDS_BETWEEN_LINES = 5.0
"""A build log gets a line at most this often."""

_WORDS = {
    "subscriptions": "subscriptions",
    "management_groups": "management groups",
    "vaults": "vaults",
    "deleted_vaults": "deleted vaults",
    "role_assignments": "role assignments",
    "role_definitions": "role definitions",
    "deny_assignments": "deny assignments",
    "role_eligibility_schedule_instances": "PIM eligibility",
    "role_assignment_schedule_instances": "PIM active schedules",
    "secrets": "secret names",
    "keys": "key names",
    "certificates": "certificate names",
    "principals": "principals",
    "deleted_principals": "deleted principals",
    "group_members": "group members",
    "service_principals": "service principals",
    "service_principal_groups": "groups of service principals",
}


class CollectionProgress:
    """Shows what is being read. A context manager; call it with what was done.

    Args:
        voice: with `quiet` nothing is shown.
    """

    def __init__(self, voice: Voice) -> None:
        self._console = console_for("stderr", voice)
        self._quiet = voice.quiet
        self._tasks: dict[str, TaskID] = {}
        self._last_line = time.monotonic()
        self._bar: Progress | None = None
        if not voice.quiet and self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, kind: str, done: int, total: int | None) -> None:
        """Tells that `done` of `total` listings of a kind are finished (`total` None: not known yet)."""
        words = _WORDS.get(kind, kind_words(kind))
        if self._bar is not None:
            if kind not in self._tasks:
                self._tasks[kind] = self._bar.add_task(words, total=total)
            self._bar.update(self._tasks[kind], completed=done, total=total)
        elif not self._quiet and time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self._console.print(f"reading {words}: {done} of {total if total is not None else '?'}")
