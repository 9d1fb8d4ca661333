"""A vault on Azure RBAC is declared with access policies

The vault ignores them. Whoever reads the file believes in grants that do not exist.

## Why it matters

Access policies on a vault that uses Azure RBAC are kept and mean nothing, until somebody turns the vault back to access
policies: then all of them come to life at once. And the principals they name have no access unless role assignments give it.

## How to fix it

Give each principal a role assignment (`kvaudit roles OPERATION...` names the smallest role), then empty the list.

## References

- [Azure RBAC compared with access policies](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.policies import policies_of
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per vault that says that it uses Azure RBAC."""
    for declared in project.declarations:
        for vault in declared.vaults:
            if vault.rbac is None or vault.rbac is False:
                continue
            listed = policies_of(vault, declared)
            if listed == 0:
                yield passes(vault.address, vault.position)
            elif isinstance(vault.rbac, Unknown):
                yield unknown(vault.address, vault.position, f"the model is not decided: {vault.rbac.reason}")
            elif listed is None:
                yield unknown(vault.address, vault.position, "whether access policies are listed is not decided")
            else:
                number = f"{listed} access polic{'y is' if listed == 1 else 'ies are'}"
                yield fails(
                    vault.address,
                    vault.position,
                    f"{number} listed, which a vault on Azure RBAC ignores",
                    "replace each with a role assignment and empty the list",
                )


RULE = FileRule(
    id="access-policies-on-rbac-vault",
    title="A vault on Azure RBAC is declared with access policies",
    severity=Severity.MEDIUM,
    check=check,
)
