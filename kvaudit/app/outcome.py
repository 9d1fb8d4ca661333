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
