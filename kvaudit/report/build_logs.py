"""Commands that a build's log obeys: annotations of GitHub Actions, issues of Azure Pipelines.

Text of unknown origin is made harmless first, then escaped as each service asks. Sources: GitHub "Workflow commands",
Microsoft "Logging commands" (which escapes with `%AZP25`).
"""

from typing import BinaryIO

from kvaudit.report.text import counted, line_safe, visible
from kvaudit.rules.judgement import Severity
from kvaudit.rules.results import Result, Results

MOST_ANNOTATIONS = 50
"""GitHub shows ten errors, ten warnings and ten notices a step; the rest stands in the log and in the summary."""


def render_github(results: Results, out: BinaryIO) -> None:
    """Writes annotations, the worst first. What could not be read is a warning of its own."""
    failed = results.failed()
    for text in results.incomplete[:MOST_ANNOTATIONS]:
        _line(out, f"::warning title=kvaudit%3A not read::{_data(text)}")
    for item in failed[:MOST_ANNOTATIONS]:
        options = [f"file={_property(item.place.file)}"] if item.place.file else []
        if item.place.file and item.place.line:
            options += [f"line={item.place.line}", f"col={max(item.place.column, 1)}"]
        options.append(f"title={_property(f'kvaudit: {item.rule_id}')}")
        _line(out, f"::{_github_level(item.severity)} {','.join(options)}::{_data(_sentence(item))}")
    if len(failed) > MOST_ANNOTATIONS:
        _line(out, f"::notice title=kvaudit::{len(failed) - MOST_ANNOTATIONS} more findings: see the report")
    if results.beyond:
        first = _data(results.beyond[0])
        _line(
            out, f"::notice title=kvaudit::{counted(len(results.beyond), 'part')} not looked into, the first is {first}"
        )


def render_azure_pipelines(results: Results, out: BinaryIO) -> None:
    """Writes issues, the worst first; a run that is incomplete only succeeds with issues."""
    failed = results.failed()
    for text in results.incomplete[:MOST_ANNOTATIONS]:
        _line(out, f"##vso[task.logissue type=warning]{_azure(f'not read: {text}')}")
    for item in failed[:MOST_ANNOTATIONS]:
        kind = "error" if item.severity.rank <= Severity.HIGH.rank else "warning"
        options = [f"type={kind}", f"code={item.rule_id}"]
        if item.place.file:
            options.append(f"sourcepath={_azure(item.place.file)}")
        if item.place.file and item.place.line:
            options += [f"linenumber={item.place.line}", f"columnnumber={max(item.place.column, 1)}"]
        _line(out, f"##vso[task.logissue {';'.join(options)}]{_azure(_sentence(item))}")
    if results.incomplete and not failed:
        _line(out, "##vso[task.complete result=SucceededWithIssues]something could not be read")


def _line(out: BinaryIO, text: str) -> None:
    out.write(text.encode("utf-8", "replace") + b"\n")


def _sentence(item: Result) -> str:
    fix = "" if item.fix is None else f". Fix: {item.fix}"
    return f"{item.place.subject}: {item.message}{fix}"


def _github_level(severity: Severity) -> str:
    if severity.rank <= Severity.HIGH.rank:
        return "error"
    return "warning" if severity is Severity.MEDIUM else "notice"


def _data(text: str) -> str:
    return line_safe(text, limit=1000).replace("%", "%25")


def _property(text: str | None) -> str:
    # Colons are escaped before two of them could be taken apart: a file must keep its name.
    escaped = visible(text or "", limit=1000).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return line_safe(escaped)


def _azure(text: str) -> str:
    return line_safe(text, limit=1000).replace("%", "%AZP25").replace(";", "%3B").replace("]", "%5D")
