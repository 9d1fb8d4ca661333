"""A vault on Azure RBAC lists access policies, and no role assignment replaces them

The deployment succeeds, and the principals that the policies name get 403.

## Why it matters

This is what a migration looks like that was stopped half-way: the flag was set (or the api-version made it the default), the
policies stayed, and nobody wrote the role assignments. Roles may of course be given elsewhere, by a pipeline or by hand:
then say so in the file with `kvaudit:ignore=rbac-vault-without-role-assignment` and where.

## How to fix it

Add a role assignment at the vault for each principal that the policies name.

## References

- [Migrate to Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-migration)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.model.vaults import PermissionModel
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.policies import policies_of
from kvaudit.templates.declarations import FileDeclarations, VaultDeclaration
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per vault on Azure RBAC that lists policies."""
    for declared in project.declarations:
        for vault in declared.vaults:
            if model_on_create(vault).model is PermissionModel.AZURE_RBAC and policies_of(vault, declared):
                yield _judged(vault, declared)


def _judged(vault: VaultDeclaration, declared: FileDeclarations) -> FileJudgement:
    for item in declared.role_assignments:
        if item.scope_identity is not None and item.scope_identity.startswith(vault.identity):
            return passes(vault.address, vault.position)
    open_scopes = [
        item
        for item in declared.role_assignments
        if isinstance(item.scope, Unknown) and not (item.scope_identity or "").startswith("microsoft.keyvault/vaults/")
    ]
    if open_scopes or declared.undecided:
        why = "a role assignment's scope is not decided" if open_scopes else declared.undecided[0].reason
        return unknown(vault.address, vault.position, f"a role assignment may stand elsewhere: {why}")
    return fails(
        vault.address,
        vault.position,
        "access policies are listed, the vault uses Azure RBAC, and no role assignment at this vault is declared",
        "add a role assignment for each principal that the policies name",
    )


RULE = FileRule(
    id="rbac-vault-without-role-assignment",
    title="A vault on Azure RBAC lists access policies, and no role assignment replaces them",
    severity=Severity.HIGH,
    check=check,
)
