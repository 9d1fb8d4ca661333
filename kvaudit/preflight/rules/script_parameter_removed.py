"""A script uses a parameter that Az.KeyVault 6.0.0 removed

`-EnableRbacAuthorization` of `New-AzKeyVault` and `Update-AzKeyVault` is gone since Az.KeyVault 6.0.0 (Az 12.0.0).

## Why it matters

With a newer module the cmdlet stops with "a parameter cannot be found", and the vault is neither made nor changed.

## How to fix it

Leave `-EnableRbacAuthorization` out of `New-AzKeyVault`, or write `-DisableRbacAuthorization:$false`; for `Update-AzKeyVault`
write `-DisableRbacAuthorization $false` instead of `-EnableRbacAuthorization $true`.

## References

- [Update-AzKeyVault](https://learn.microsoft.com/powershell/module/az.keyvault/update-azkeyvault)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.calls import default_is_rbac, option, subject_of
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per call of the two cmdlets."""
    for call in project.calls:
        if call.command in ("new-azkeyvault", "update-azkeyvault"):
            yield _judged(call)


def _judged(call: ScriptCall) -> FileJudgement:
    subject = subject_of(call)
    if option(call, "enablerbacauthorization") is None:
        if "@" in call.options:
            return unknown(subject, call.position, "a variable holds further parameters, this one perhaps among them")
        return passes(subject, call.position)
    if default_is_rbac(call) is False:
        message = (
            f"Az {call.tool_version}, which is pinned here, still knows -EnableRbacAuthorization; Az 12.0.0 does not"
        )
        return fails(subject, call.position, message, "write -DisableRbacAuthorization", severity=Severity.LOW)
    message = "Az.KeyVault 6.0.0 removed -EnableRbacAuthorization: the call fails"
    return fails(subject, call.position, message, "write -DisableRbacAuthorization with the opposite value")


RULE = FileRule(
    id="script-parameter-removed",
    title="A script uses a parameter that Az.KeyVault 6.0.0 removed",
    severity=Severity.HIGH,
    check=check,
)
