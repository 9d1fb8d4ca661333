"""The entry point: runs a command and turns whatever ends it into one clear message and an exit code."""

import io
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import NoReturn, TextIO

import click

from kvaudit.cli.messages import error, shown
from kvaudit.cli.root import root
from kvaudit.errors import ExitCode, KvauditError, OutputError, no_space


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits.

    Args:
        arguments: words after the program's name; the process's own when None.
    """
    _prepare_process()
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:  # the reader (head, less) went away, perhaps the one of a message
        _end_without_output(ExitCode.READER_GONE, sys.stdout, sys.stderr)


def _run(words: list[str]) -> NoReturn:
    try:
        code = root.main(args=words, prog_name="kvaudit", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as problem:
        problem.show(file=sys.stderr)
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt) as stop:
        if isinstance(stop.__cause__, EOFError):  # click takes every end of file for a person who left
            _tell_bug(stop.__cause__, words)
            sys.exit(ExitCode.FAILED)
        error("interrupted", hint="Nothing that looks complete was left behind.")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        raise
    except SystemExit as stop:
        if stop.code == 1:  # so click and rich end for a broken pipe, and nothing else does within a command
            raise BrokenPipeError from stop
        raise
    except KvauditError as problem:
        _tell(problem, words)
        sys.exit(problem.exit_code)
    except OSError as problem:
        _tell(OutputError(f"the operating system refused: {problem}", hint=_os_hint(problem)), words)
        _end_without_output(ExitCode.FAILED, sys.stdout)
    except Exception as problem:  # noqa: BLE001 - the last line of defence: a bug ends in one message, not in a traceback
        _tell_bug(problem, words)
        sys.exit(ExitCode.FAILED)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def _prepare_process() -> None:
    """Bears a closed stream (`>&-`) and one that cannot hold every letter; a polite kill cleans up as Ctrl-C does."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def _end_without_output(code: ExitCode, *streams: TextIO) -> NoReturn:
    """Exits, with streams pointed at nothing that refuse what is left in them: the interpreter would complain at exit."""
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _tell(problem: KvauditError, words: list[str]) -> None:
    error(problem.message, hint=problem.hint, details=problem.details)
    if "--debug" in words:
        traceback.print_exc(file=sys.stderr)


def _tell_bug(problem: Exception, words: list[str]) -> None:
    error(
        f"this is a bug in kvaudit: {type(problem).__name__}: {shown(str(problem))}",
        hint="Run the command again with --debug and report what it prints. No secret value or token is in it.",
    )
    if "--debug" in words:
        traceback.print_exc(file=sys.stderr)


def _os_hint(problem: OSError) -> str | None:
    if no_space(problem):
        return "The disk is full or a limit is reached. Free some space, or write to another place."
    return None
