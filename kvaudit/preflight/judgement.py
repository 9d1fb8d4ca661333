"""What a rule over files is, and what it may answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from kvaudit.rules.judgement import Severity, Verdict
from kvaudit.sources.located import Position
from kvaudit.templates.project import Project

__all__ = ["FileJudgement", "FileRule", "Severity", "Verdict", "fails", "passes", "unknown"]


@dataclass(frozen=True, slots=True)
class FileJudgement:
    """The verdict of one rule on one thing in a file.

    Attributes:
        subject: the thing, as people call it in the file: `azurerm_key_vault.main`, `kv-payments`, `az keyvault create`.
        message: one sentence. Text of the file may be in it: escape per format.
        fix: what to write instead, or None.
        severity: where this case is worse or milder than the rule as a whole; None for the rule's own.
    """

    verdict: Verdict
    subject: str
    position: Position
    message: str
    fix: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class FileRule:
    """One rule over files; the docstring of its module is its documentation page.

    Attributes:
        id: the module's name with hyphens; names the bad state; never changes.
        check: every verdict on a project, in the order of its files. What cannot be decided is `UNKNOWN`, never a pass.
    """

    id: str
    title: str
    severity: Severity
    check: Callable[[Project, date], Iterator[FileJudgement]]
    controls: tuple[str, ...] = ()


def fails(
    subject: str, at: Position, message: str, fix: str | None = None, *, severity: Severity | None = None
) -> FileJudgement:
    """The rule found what it looks for."""
    return FileJudgement(Verdict.FAIL, subject, at, message, fix, severity)


def passes(subject: str, at: Position) -> FileJudgement:
    """The rule looked, and all is well."""
    return FileJudgement(Verdict.PASS, subject, at, "")


def unknown(subject: str, at: Position, reason: str) -> FileJudgement:
    """The rule cannot tell before the deployment, because."""
    return FileJudgement(Verdict.UNKNOWN, subject, at, reason)
