"""`check`: contracts against a snapshot, or against a snapshot as it would be after a deployment."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvaudit import __version__
from kvaudit.access.evaluator import Access
from kvaudit.app.clock import now
from kvaudit.app.lint import exit_code_of, result_files, shown_path, write_results
from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for, show_files
from kvaudit.contracts.reading import read_contracts
from kvaudit.errors import ExitCode
from kvaudit.preflight import deviations
from kvaudit.preflight.check import CheckResult, ContractFinding, Deviation, check_contracts
from kvaudit.preflight.overlay import laid_over
from kvaudit.report import results_text
from kvaudit.report.sentences import gap_sentence, principal_name
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.results import Result, ResultPlace, ResultRule, Results
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.templates.project import read_project


@dataclass(frozen=True, slots=True)
class CheckAsked:
    """What `check` was asked.

    Attributes:
        contracts: the file.
        snapshot: the folder to answer from.
        templates: files or folders to lay over it.
    """

    contracts: Path
    snapshot: Path
    templates: tuple[Path, ...] = ()


def check(asked: CheckAsked, *, reports: Sequence[str], fail_on: str, voice: Voice) -> ExitCode:
    """Compares contracts with access, writes reports, prints what differs.

    Raises:
        UsageError: contracts with mistakes, a `--report` that cannot be, templates that cannot be read.
        SnapshotError: the snapshot cannot be read.
        OutputError: a file could not be written.
    """
    files = result_files(reports)
    contracts = read_contracts(asked.contracts, shown_path(str(asked.contracts)))
    estate = load_estate(open_snapshot(asked.snapshot))
    beyond: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    if asked.templates:
        project = read_project(asked.templates)
        overlay = laid_over(estate, project.declarations)
        estate, beyond = overlay.estate, overlay.notes
        unread = tuple(problem.message for problem in project.problems)
    access = Access(estate)
    results = results_of(check_contracts(contracts, access), access, beyond=beyond, unread=unread)
    if not any(path == "-" for _, path in files):
        results_text.render(results, console_for("stdout", voice), verbose=voice.verbose)
    show_files(write_results(results, files), voice)
    return exit_code_of(results, fail_on)


def results_of(
    found: CheckResult, access: Access, *, beyond: Sequence[str] = (), unread: Sequence[str] = ()
) -> Results:
    """The findings of `check` in the form that every result format takes."""
    results = tuple(_result(item, access) for item in found.findings)
    counts = Counter(item.verdict for item in results)
    counts[Verdict.PASS] = len(found.kept)
    page = (sys.modules[deviations.__name__].__doc__ or "").strip()
    return Results(
        command="check",
        tool_version=__version__,
        generated_at=now(),
        rules=tuple(ResultRule(item.rule_id, item.title, item.severity, page) for item in deviations.RULES.values()),
        results=tuple(sorted(results, key=lambda item: item.severity.rank)),
        incomplete=(*unread, *(gap_sentence(access.estate, gap) for gap in found.gaps)),
        beyond=tuple(beyond),
        counts=counts,
    )


def _result(item: ContractFinding, access: Access) -> Result:
    rule = deviations.RULES[item.deviation]
    who = principal_name(access.estate, item.principal_id)
    at = item.contract.position
    return Result(
        rule_id=rule.rule_id,
        severity=rule.severity,
        verdict=Verdict.UNKNOWN if item.deviation is Deviation.UNKNOWN else Verdict.FAIL,
        message=f"{who} on {item.vault.name}: {item.message}",
        place=ResultPlace(f"{item.contract.name}", at.file, at.line, at.column, item.vault.id),
        fix=item.fix.what if item.fix else None,
        texts=item.fix.as_json() if item.fix else {},
    )
