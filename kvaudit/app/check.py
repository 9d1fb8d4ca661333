"""`check`: contracts against a snapshot, or the tenant itself, as it is or as it would be after a deployment."""

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kvaudit import __version__
from kvaudit.access.evaluator import Access
from kvaudit.app.clock import now
from kvaudit.app.collect import collect_snapshot
from kvaudit.app.lint import exit_code_of, result_files, shown_path, write_results
from kvaudit.app.loading import load_told
from kvaudit.app.mistakes import Mistakes
from kvaudit.app.scan import snapshot_folder, told_of
from kvaudit.app.settings import Connection, Voice
from kvaudit.app.terminal import console_for, show_files
from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.collectors.collector import Feature
from kvaudit.contracts.reading import Contract, read_contracts
from kvaudit.errors import ExitCode
from kvaudit.model.estate import Estate
from kvaudit.preflight import deviations
from kvaudit.preflight.check import CheckResult, ContractFinding, Deviation, check_contracts
from kvaudit.preflight.overlay import laid_over
from kvaudit.report import results_text
from kvaudit.report.sentences import gap_sentence, principal_name
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.results import Result, ResultPlace, ResultRule, Results
from kvaudit.snapshot.reader import open_snapshot
from kvaudit.templates.bicep_compiler import find_compiler
from kvaudit.templates.project import read_project, refuse_missing


@dataclass(frozen=True, slots=True)
class CheckAsked:
    """What `check` was asked.

    Attributes:
        contracts: the file.
        against: the folder of a snapshot, or where to read now; a UsageError of it is told beside the other mistakes.
        objects: when read now, where the names of objects come from (the rest follows from the contracts).
        templates: files or folders to lay over it.
    """

    contracts: Path
    against: Callable[[], Path | Connection]
    objects: Objects = Objects.ARM
    templates: tuple[Path, ...] = ()


def check(
    asked: CheckAsked,
    *,
    reports: Sequence[str],
    fail_on: str,
    voice: Voice,
    environ: Mapping[str, str] | None = None,
) -> ExitCode:
    """Compares contracts with access, writes reports, prints what differs.

    Args:
        environ: environment variables instead of the process's own (the embedded lab).

    Returns:
        FINDINGS at the threshold; else INCOMPLETE when something was not read, or a contract cannot be told kept; else OK.

    Raises:
        UsageError: contracts with mistakes, a `--report` that cannot be, templates that cannot be read.
        SnapshotError: the snapshot cannot be read.
        CredentialError, ScopeError: live, see `collect_snapshot`.
        OutputError: a file could not be written.
    """
    mistakes = Mistakes()
    named = mistakes.of(lambda: result_files(reports))
    declared = mistakes.of(lambda: read_contracts(asked.contracts, shown_path(str(asked.contracts))))
    place = mistakes.of(asked.against)
    mistakes.of(lambda: open_snapshot(place.value) if isinstance(place.value, Path) else None)
    mistakes.of(lambda: refuse_missing(asked.templates))
    mistakes.tell()
    files, contracts = named.value, declared.value
    estate = _estate(place.value, asked.objects, contracts, voice, environ)
    beyond: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    if asked.templates:
        project = read_project(asked.templates, compiler=find_compiler())
        overlay = laid_over(estate, project.declarations)
        estate, beyond = overlay.estate, overlay.notes
        unread = tuple(problem.message for problem in project.problems)
    access = Access(estate)
    results = results_of(check_contracts(contracts, access), access, beyond=beyond, unread=unread)
    if not any(path == "-" for _, path in files):
        results_text.render(results, console_for("stdout", voice), verbose=voice.verbose)
    show_files(write_results(results, files), voice)
    code = exit_code_of(results, fail_on)
    # A need that holds on a condition only, or that no record decides, is not kept for certain: that is not clean.
    return ExitCode.INCOMPLETE if code is ExitCode.OK and results.unknown() else code


def _estate(
    against: Path | Connection,
    objects: Objects,
    contracts: Sequence[Contract],
    voice: Voice,
    environ: Mapping[str, str] | None,
) -> Estate:
    if isinstance(against, Path):
        return load_told(open_snapshot(against), voice, leave_index=False)
    request = reads_needed(contracts, tenant=against.tenant, objects=objects)
    with snapshot_folder(None, None) as (folder, _), told_of(None, folder, kept=False):
        collect_snapshot(folder, request, against, voice, environ=environ)
        return load_told(open_snapshot(folder), voice, leave_index=False)


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _object_id(contract: Contract) -> str | None:
    """The object ID of a contract's principal, where it is named by that or may be."""
    kind, text = contract.principal if isinstance(contract.principal, tuple) else ("object_id", contract.principal)
    folded = text.strip().casefold()
    return folded if kind == "object_id" and _GUID.fullmatch(folded) else None


def reads_needed(contracts: Sequence[Contract], *, tenant: str | None, objects: Objects) -> CollectRequest:
    """The smallest collection that can answer these contracts.

    Vaults that tags choose can only be found by listing all; names of objects are read when patterns are compared with
    them, and otherwise not.
    """
    named = dict.fromkeys(text for item in contracts for text in item.vaults)
    everywhere = any(item.tags for item in contracts)
    ids = [text.strip("/").split("/") for text in named if text.startswith("/")]
    subscriptions = dict.fromkeys(parts[1] for parts in ids if len(parts) > 1)
    placed = len(ids) == len(named) and not everywhere
    patterns = any(set("*?") & set(text) for item in contracts for texts in item.objects.values() for text in texts)
    return CollectRequest(
        tenant=tenant,
        subscriptions=tuple(subscriptions) if placed else (),
        vaults=() if everywhere else tuple(dict.fromkeys(text.rstrip("/").rpartition("/")[2] for text in named)),
        objects=objects if patterns else Objects.NONE,
        features=frozenset({Feature.ACCESS, Feature.OBJECTS} if patterns else {Feature.ACCESS}),
        assigned_to=tuple(dict.fromkeys(filter(None, map(_object_id, contracts)))),
        source=Source.ARM,  # Resource Graph lags behind: right after a change its answer would be the old one
    )


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
        about=" ".join((*item.words, item.object or "")),
    )
