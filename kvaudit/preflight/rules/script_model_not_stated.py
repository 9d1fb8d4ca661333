"""A script creates a vault without saying which permission model it uses

Which model it gets hangs on the version of the command line tool that happens to run.

## Why it matters

`az keyvault create` makes a vault with access policies before azure-cli 2.61.0 and with Azure RBAC from then on;
`New-AzKeyVault` does the same with Az.KeyVault 6.0.0 (Az 12.0.0). On agents that are updated by others the same script makes
two kinds of vault, and what follows in it works with one of them only.

## How to fix it

Say the model: `--enable-rbac-authorization true` (or `false`), `-DisableRbacAuthorization:$false` (or `-DisableRbacAuthorization`).

## References

- [az keyvault create](https://learn.microsoft.com/cli/azure/keyvault#az-keyvault-create)
- [New-AzKeyVault](https://learn.microsoft.com/powershell/module/az.keyvault/new-azkeyvault)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.calls import CLI_DEFAULT, creates_vault, default_is_rbac, states_rbac, subject_of
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per call that makes a vault."""
    for call in project.calls:
        if creates_vault(call):
            yield _judged(call)


def _judged(call: ScriptCall) -> FileJudgement:
    subject = subject_of(call)
    if states_rbac(call) is not None:
        return passes(subject, call.position)
    if "@" in call.options:
        return unknown(subject, call.position, "a variable holds further options, the model perhaps among them")
    is_az = call.tool == "az"
    fix = (
        f"write {'--enable-rbac-authorization true' if is_az else '-DisableRbacAuthorization:$false'}, or its opposite"
    )
    default = default_is_rbac(call)
    if default is not None:
        model = "Azure RBAC" if default else "access policies"
        changes = "" if default else "; a newer version makes one with Azure RBAC"
        message = f"the model is left out, and version {call.tool_version} makes a vault with {model}{changes}"
        return fails(subject, call.position, message, fix, severity=Severity.LOW if default else None)
    since = f"azure-cli {CLI_DEFAULT}" if is_az else "Az.KeyVault 6.0.0"
    message = f"the model is left out: access policies before {since}, Azure RBAC from it on"
    return fails(subject, call.position, message, fix)


RULE = FileRule(
    id="script-model-not-stated",
    title="A script creates a vault without saying which permission model it uses",
    severity=Severity.MEDIUM,
    check=check,
)
