"""From an audit to an exit code (ARCHITECTURE.md, "The command line")."""

from kvaudit.errors import ExitCode
from kvaudit.report.audit import Audit
from kvaudit.rules.judgement import Severity


def exit_code_of(audit: Audit, fail_on: str) -> ExitCode:
    """The exit code of a judging command: findings at the threshold win over gaps, gaps over clean.

    Args:
        fail_on: a severity, or `never`.
    """
    if fail_on != "never":
        threshold = Severity(fail_on).rank
        if any(finding.rule.severity.rank <= threshold for finding in audit.findings):
            return ExitCode.FINDINGS
    return ExitCode.INCOMPLETE if audit.gaps else ExitCode.OK


def worse(*codes: ExitCode) -> ExitCode:
    """The code of several judgements together: findings win over what is incomplete, that over clean."""
    order = (ExitCode.FINDINGS, ExitCode.INCOMPLETE)
    return next((code for code in order if code in codes), ExitCode.OK)
