"""The entry point: runs a command and turns whatever ends it into one clear message and an exit code."""

import os
import sys
import traceback

import click

from kvaudit.cli.messages import error, shown
from kvaudit.cli.root import root
from kvaudit.errors import ExitCode, KvauditError, OutputError


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits.

    Args:
        arguments: words after the program's name; the process's own when None.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = root.main(args=words, prog_name="kvaudit", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as problem:
        problem.show(file=sys.stderr)
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        error("interrupted", hint="Nothing that looks complete was left behind.")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) went away: point stdout at nothing so that the interpreter does not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.FAILED)
    except KvauditError as problem:
        _tell(problem, words)
        sys.exit(problem.exit_code)
    except OSError as problem:
        _tell(OutputError(f"the operating system refused: {problem}", hint=_os_hint(problem)), words)
        sys.exit(ExitCode.FAILED)
    except Exception as problem:  # noqa: BLE001 - the last line of defence: a bug ends in one message, not in a traceback
        _tell_bug(problem, words)
        sys.exit(ExitCode.FAILED)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


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
    if problem.errno == 28:
        return "The disk is full. Free some space, or write to another place with --out."
    return None
