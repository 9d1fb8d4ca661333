"""A vault on Azure RBAC lists access policies, and no role assignment replaces them

The deployment succeeds, and the principals that the policies name get 403.

## Why it matters

This is what a migration looks like that was stopped half-way: the flag was set (or the api-version made it the default), the
policies stayed, and nobody wrote the role assignments. Roles may of course be given elsewhere, by a pipeline or by hand:
then say so in the file with `kvaudit:ignore=rbac-vault-without-role-assignment` and where.

## How to fix it

Add a role assignment at the vault for each principal that the policies name: a role that gives access to data. Key Vault
Contributor, Owner and the like give none.

## References

- [Migrate to Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-migration)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.access.smallest_role import given_by
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import PermissionModel
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.policies import policies_of
from kvaudit.templates.declarations import FileDeclarations, RoleAssignmentDeclaration, VaultDeclaration
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown

_ARM = "microsoft.keyvault/vaults/"


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per vault on Azure RBAC that lists policies."""
    for declared in project.declarations:
        for vault in declared.vaults:
            if model_on_create(vault).model is PermissionModel.AZURE_RBAC and policies_of(vault, declared):
                yield _judged(vault, declared)


def _judged(vault: VaultDeclaration, declared: FileDeclarations) -> FileJudgement:
    doubts = []
    for item in declared.role_assignments:
        reason = _why_not(item, vault)
        if reason is None:
            return passes(vault.address, vault.position)
        if reason:
            doubts.append(reason)
    doubts += [item.reason for item in declared.undecided]
    if doubts:
        return unknown(vault.address, vault.position, f"a role assignment may stand elsewhere: {doubts[0]}")
    return fails(
        vault.address,
        vault.position,
        "access policies are listed, the vault uses Azure RBAC, and no role assignment at this vault is declared",
        "add a role assignment for each principal that the policies name",
    )


def _why_not(item: RoleAssignmentDeclaration, vault: VaultDeclaration) -> str | None:
    """None for an assignment that gives access to data in this vault, why that is not certain, or "" for one that does not."""
    if not _means(item.scope_identity, vault.identity):
        elsewhere = not isinstance(item.scope, Unknown) or (item.scope_identity or "").startswith(_ARM)
        return "" if elsewhere else "a role assignment's scope is not decided"
    if isinstance(item.role, Unknown):
        return f"a role is not decided: {item.role.reason}"
    if not _reaches_data(item.role):
        return ""
    if item.deployed_if is not None and item.deployed_if != vault.condition:
        return f"whether a role assignment is deployed is not decided: {item.deployed_if}"
    return None


def _means(scope: str | None, vault: str) -> bool:
    """Whether an assignment's scope is a vault, or an object in it: `microsoft.keyvault/vaults/secrets/NAME/OBJECT`."""
    if scope is None or scope == vault:
        return scope is not None
    parts = scope.removeprefix(_ARM).split("/")
    return scope.startswith(_ARM) and len(parts) == 3 and f"{_ARM}{parts[1]}" == vault


def _reaches_data(role: str) -> bool:
    """Whether a role, by its GUID or name, gives anything in a vault. One that is no built-in role may."""
    folded = role.strip().casefold()
    known = builtin_roles()
    found = known.get(folded) or next((it for it in known.values() if it.role_name.casefold() == folded), None)
    return found is None or any(given_by(found))


RULE = FileRule(
    id="rbac-vault-without-role-assignment",
    title="A vault on Azure RBAC lists access policies, and no role assignment replaces them",
    severity=Severity.HIGH,
    check=check,
)
