"""A vault is declared without saying which permission model it uses

Whether such a vault uses Azure RBAC or access policies hangs on the api-version (or the version of the provider), and it
changes when somebody raises that.

## Why it matters

With an api-version before 2026-02-01 a vault that is created without `enableRbacAuthorization` uses access policies; from
2026-02-01 on it uses Azure RBAC. The old versions retire on 2027-02-27, so everybody raises them. Where the template lists
access policies, they are then written into a vault that ignores them: the deployment succeeds and the workloads get 403.

## How to fix it

State the model: `enableRbacAuthorization: true` or `false` (Terraform: `rbac_authorization_enabled`), with the value that
the vault has today. With `false` nothing changes when the version is raised.

## References

- [Access control default of Key Vault](https://learn.microsoft.com/azure/key-vault/general/access-control-default)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.model.vaults import PermissionModel
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.policies import policies_of
from kvaudit.preflight.properties import is_azurerm, spelled
from kvaudit.templates.declarations import FileDeclarations, VaultDeclaration
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared vault. Worse where the file lists access policies that a raised version makes inert."""
    for declared in project.declarations:
        for vault in declared.vaults:
            yield _judged(vault, declared)


def _judged(vault: VaultDeclaration, declared: FileDeclarations) -> FileJudgement:
    found = model_on_create(vault)
    if found.is_explicit or (vault.module is not None and not isinstance(vault.rbac, Unknown)):
        return passes(vault.address, vault.rbac_at or vault.position)
    if isinstance(found.model, Unknown):
        return unknown(
            vault.address, vault.rbac_at or vault.position, f"the model is not decided: {found.model.reason}"
        )
    listed = policies_of(vault, declared)
    fix = f"state {spelled(vault, 'enableRbacAuthorization')}, with the value that the vault has today"
    if found.model is PermissionModel.AZURE_RBAC:
        if listed:
            message = (
                f"{found.because}: the {listed} listed access polic{'y is' if listed == 1 else 'ies are'} inert there"
            )
            return fails(vault.address, vault.position, message, fix, severity=Severity.HIGH)
        return fails(vault.address, vault.position, found.because, fix, severity=Severity.LOW)
    if is_azurerm(vault):  # azurerm 5.0 refuses the file: nothing changes silently there
        return fails(vault.address, vault.position, found.because, fix, severity=Severity.LOW)
    more = _when_raised(listed)
    severity = Severity.HIGH if listed else Severity.MEDIUM
    return fails(vault.address, vault.position, f"{found.because}{more}", fix, severity=severity)


def _when_raised(listed: int | None) -> str:
    if listed is None:
        return "; whether access policies are listed is not decided"
    if not listed:
        return ""
    return f"; {listed} access polic{'y' if listed == 1 else 'ies'} would be inert in a vault that a raised version creates"


RULE = FileRule(
    id="permission-model-implicit",
    title="A vault is declared without saying which permission model it uses",
    severity=Severity.MEDIUM,
    check=check,
)
