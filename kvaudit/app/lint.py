"""`lint`: judge files before they are deployed."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from kvaudit import __version__
from kvaudit.app.clock import now
from kvaudit.app.files import write_whole
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for, show_files
from kvaudit.errors import ExitCode, UsageError
from kvaudit.preflight.lint import LintFinding, LintResult, lint
from kvaudit.report import results_text
from kvaudit.report.result_formats import RESULT_FORMATS
from kvaudit.rules.judgement import Severity, Verdict
from kvaudit.rules.results import Result, ResultPlace, ResultRule, Results
from kvaudit.templates.bicep_compiler import find_compiler
from kvaudit.templates.project import read_project, refuse_missing


def lint_paths(
    paths: Sequence[Path], *, reports: Sequence[str], fail_on: str, voice: Voice, compile_bicep: bool = True
) -> ExitCode:
    """Judges files and everything below folders, writes reports, prints the findings.

    Args:
        paths: of files and folders.
        reports: FORMAT=PATH each.
        fail_on: the lowest severity that makes the exit code 3, or `never`.
        voice: what is printed, and how.
        compile_bicep: whether a `bicep` compiler is used where there is one.

    Raises:
        UsageError: a path that does not exist, a `--report` that cannot be.
        OutputError: a file could not be written.
    """
    mistakes = Mistakes()
    named = mistakes.of(lambda: result_files(reports))
    mistakes.of(lambda: refuse_missing(paths))
    mistakes.tell()
    files = named.value
    moment = now()
    compiler = find_compiler() if compile_bicep else None
    found = lint(read_project(paths, compiler=compiler), date.fromisoformat(moment[:10]))
    results = results_of(found, moment)
    if not any(path == "-" for _, path in files):
        results_text.render(results, console_for("stdout", voice), verbose=voice.verbose)
    show_files(write_results(results, files), voice)
    vaults = sum(len(item.vaults) for item in found.project.declarations)
    if not voice.quiet and not vaults and not found.findings:
        console_for("stderr", voice).print(f"warning: no vault is declared in {len(found.project.files)} files")
    return exit_code_of(results, fail_on)


def result_files(reports: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(format, path) of every `--report`; the path `-` is stdout.

    Raises:
        UsageError: every one that is not FORMAT=PATH with a known format, all at once.
    """
    files, mistakes = [], []
    for text in reports:
        name, separator, path = text.partition("=")
        if not separator or not path:
            mistakes.append(f"--report {text}: give it as FORMAT=PATH, for example sarif=kvaudit.sarif")
        elif name not in RESULT_FORMATS:
            mistakes.append(
                f"--report {text}: there is no format {name!r}; the formats are {', '.join(sorted(RESULT_FORMATS))}"
            )
        else:
            files.append((name, path))
    if mistakes:
        raise UsageError("a report cannot be written", details=tuple(mistakes))
    return tuple(files)


def write_results(results: Results, files: Sequence[tuple[str, str]]) -> tuple[Path, ...]:
    """Writes each file whole or not at all, and `-` to stdout. Answers the files."""
    written = []
    for name, path in files:
        render = RESULT_FORMATS[name]
        if path == "-":
            sys.stdout.flush()
            render(results, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            write_whole(Path(path), lambda stream, render=render: render(results, stream))  # type: ignore[misc]
            written.append(Path(path))
    return tuple(written)


def exit_code_of(results: Results, fail_on: str) -> ExitCode:
    """Findings at the threshold win over what could not be read, that over clean."""
    if fail_on != "never":
        threshold = Severity(fail_on).rank
        if any(item.severity.rank <= threshold for item in results.failed()):
            return ExitCode.FINDINGS
    return ExitCode.INCOMPLETE if results.incomplete else ExitCode.OK


def results_of(found: LintResult, generated_at: str) -> Results:
    """The findings of `lint` in the form that every result format takes."""
    counts: Counter[Verdict] = Counter()
    for verdicts in found.verdicts.values():
        counts.update(verdicts)
    incomplete = [problem.message for problem in found.project.problems]
    beyond = [
        f"{shown_path(str(item.position))}: {item.reason}"
        for declared in found.project.declarations
        for item in declared.undecided
    ]
    incomplete += [f"{shown_path(str(at))}: {message}" for at, message in found.mistakes]
    return Results(
        command="lint",
        tool_version=__version__,
        generated_at=generated_at,
        rules=tuple(
            ResultRule(rule.id, rule.title, rule.severity, (sys.modules[rule.check.__module__].__doc__ or "").strip())
            for rule in found.rules
        ),
        results=tuple(_result(item) for item in (*found.findings, *found.unknowns)),
        incomplete=tuple(incomplete),
        beyond=tuple(dict.fromkeys(beyond)),
        counts=counts,
    )


def _result(item: LintFinding) -> Result:
    judgement = item.judgement
    at = judgement.position
    return Result(
        rule_id=item.rule.id,
        severity=item.severity,
        verdict=judgement.verdict,
        message=judgement.message,
        place=ResultPlace(judgement.subject, shown_path(at.file), at.line, at.column),
        fix=judgement.fix,
        silenced=item.silenced,
    )


def shown_path(path: str) -> str:
    """A path with forward slashes, relative where it is below the current folder."""
    relative = os.path.relpath(path)
    return (path if relative.startswith("..") else relative).replace(os.sep, "/")
