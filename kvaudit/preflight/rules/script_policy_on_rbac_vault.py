"""A script gives a vault on Azure RBAC an access policy

The vault that the same script makes uses Azure RBAC, or does with a newer tool, and such a vault ignores access policies.

## Why it matters

`az keyvault set-policy` refuses a vault on Azure RBAC, and the script stops there; an access policy that is written all the
same gives nobody anything. The workload gets 403.

## How to fix it

Assign a role instead (`az role assignment create --role "Key Vault Secrets User" --scope VAULT_ID`), or create the vault with
`--enable-rbac-authorization false`.

## References

- [Access policies and Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.calls import creates_vault, default_is_rbac, states_rbac, subject_of, vault_of
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per policy that is set for a vault which the same file makes, under the same name or variable."""
    made: dict[tuple[str, str], ScriptCall] = {}
    for call in project.calls:
        if creates_vault(call) and (name := vault_of(call)):
            made[(call.position.file, name.casefold())] = call
    for call in project.calls:
        if (call.tool, call.command) in (("az", "keyvault set-policy"), ("powershell", "set-azkeyvaultaccesspolicy")):
            vault = made.get((call.position.file, (vault_of(call) or "").casefold()))
            if vault is not None:
                yield _judged(call, vault)


def _judged(call: ScriptCall, vault: ScriptCall) -> FileJudgement:
    subject = subject_of(call)
    stated = states_rbac(vault)
    fix = "assign a role, or create the vault with access policies"
    if stated is False:
        return passes(subject, call.position)
    if stated is True:
        message = f"line {vault.position.line} makes the vault with Azure RBAC, where an access policy gives nothing"
        return fails(subject, call.position, message, fix)
    if stated is not None or "@" in vault.options:
        reason = f"a variable decides the model of the vault that line {vault.position.line} makes"
        return unknown(subject, call.position, reason)
    if default_is_rbac(vault) is False:
        return passes(subject, call.position)
    since = "azure-cli 2.61.0" if vault.tool == "az" else "Az.KeyVault 6.0.0"
    message = f"line {vault.position.line} leaves the model out: from {since} on the vault uses Azure RBAC, and the policy gives nothing"
    return fails(subject, call.position, message, fix)


RULE = FileRule(
    id="script-policy-on-rbac-vault",
    title="A script gives a vault on Azure RBAC an access policy",
    severity=Severity.HIGH,
    check=check,
)
