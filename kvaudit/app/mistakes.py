"""What a command was called with that cannot be, told at once: whoever mends one thing should not meet the next only then."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from kvaudit.errors import ExitCode, KvauditError, UsageError

Found = TypeVar("Found")


class MistakesError(UsageError):
    """Several mistakes.

    Args:
        parts: each as it would be told alone.
        more: lines that are told beside them.
    """

    def __init__(self, parts: Sequence[KvauditError], more: Sequence[str] = ()) -> None:
        lines = dict.fromkeys(line for item in parts for line in _lines(item))
        super().__init__(f"{len(parts)} mistakes", details=(*lines, *more))
        self.parts = tuple(parts)


class _RestsOnAMistakeError(Exception):
    """A step needs what another one could not find: it is not taken, and there is nothing to tell of it."""


class Tried(Generic[Found]):
    """What came of a step.

    `value` is what was found. In a step that rests on one that failed, asking for it ends that step as well.
    """

    def __init__(self, *found: Found) -> None:
        self._found = found

    @property
    def value(self) -> Found:
        """What was found; to be asked in a later step, or after `Mistakes.tell`."""
        for found in self._found:
            return found
        raise _RestsOnAMistakeError


class Mistakes:
    """Mistakes of one command, gathered while the rest of it is looked at."""

    def __init__(self) -> None:
        self._found: list[KvauditError] = []
        self._left: list[str] = []

    def __bool__(self) -> bool:
        """Whether there is one so far."""
        return bool(self._found)

    def of(self, step: Callable[[], Found]) -> Tried[Found]:
        """Takes a step and keeps its mistake, where it is one of usage. What else goes wrong ends the command at once."""
        try:
            return Tried(step())
        except _RestsOnAMistakeError:
            return Tried()
        except KvauditError as problem:
            if problem.exit_code is not ExitCode.USAGE:
                raise
            self._found.extend(problem.parts if isinstance(problem, MistakesError) else (problem,))
            return Tried()

    def add(self, mistake: UsageError) -> None:
        """Keeps a mistake that was found otherwise."""
        self._found.append(mistake)

    def leave(self, why: str) -> None:
        """Ends a step that takes long, since there is a mistake to tell already; why is told beside it."""
        self._left.append(why)
        raise _RestsOnAMistakeError

    def tell(self) -> None:
        """Raises one mistake as it is, several as one MistakesError that lists them; nothing where there is none."""
        if not self._found:
            return
        first = self._found[0]
        if len(self._found) == 1:
            if not self._left:
                raise first
            raise UsageError(first.message, hint=first.hint, details=(*first.details, *self._left))
        raise MistakesError(self._found, self._left)


def _lines(problem: KvauditError) -> Iterator[str]:
    """One mistake among others: its message and hint on one line, what it lists below."""
    yield f"{problem.message}. {problem.hint or ''}".rstrip()
    yield from (f"  {line}" for line in problem.details)
