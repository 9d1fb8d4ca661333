"""Exceptions that end a command in one clear message, and the exit codes of the command line.

Three things can go wrong and each has one shape: a read that failed is a `Gap` (a value, see
`kvaudit.model.gaps`), a `KvauditError` ends the command with its exit code and a hint, and
anything else is a bug.
"""

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line (ARCHITECTURE.md, "The command line")."""

    OK = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    INCOMPLETE = 4
    INTERRUPTED = 130
    READER_GONE = 141
    """What a shell sees of a program that SIGPIPE ended: whoever read the output (`head`, `less`) went away."""


class KvauditError(Exception):
    """A condition that ends the command: what happened, and what to do next.

    Args:
        message: what happened and why, one sentence, no trailing newline.
        hint: what to do next, or None when there is nothing to suggest.
        details: further lines, one per mistake, shown under the message.
    """

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(KvauditError):
    """The command was called with something that cannot be: a bad option, file or name."""

    exit_code = ExitCode.USAGE


class CredentialError(KvauditError):
    """No credential, a credential that was refused, or one of the wrong tenant."""

    exit_code = ExitCode.USAGE


class ScopeError(KvauditError):
    """A tenant, subscription, group or vault that was named cannot be found by the caller."""

    exit_code = ExitCode.USAGE


class SnapshotError(KvauditError):
    """A snapshot that is missing, corrupt, locked, incomplete where it may not be, or of a newer schema."""

    exit_code = ExitCode.USAGE


class EstateError(KvauditError):
    """An estate file with mistakes; `details` holds each as `file:line:column message`."""

    exit_code = ExitCode.USAGE


class ReadOnlyError(KvauditError):
    """A request was refused before it was sent, because an audit may not send it. Always a bug of ours."""

    exit_code = ExitCode.FAILED


class OutputError(KvauditError):
    """A file could not be written: full disk, no permission, not a directory."""

    exit_code = ExitCode.FAILED


class InterruptedRunError(KvauditError):
    """Ctrl-C, or a polite kill, in a run that can be gone on with."""

    exit_code = ExitCode.INTERRUPTED


_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def no_space(problem: OSError) -> bool:
    """Whether the system refused a write for want of space: a full disk, a quota, a limit on the size of files."""
    return problem.errno in _NO_SPACE
