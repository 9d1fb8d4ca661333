"""A role lets its holder assign itself any data-plane role

The vault uses Azure RBAC, and somebody may assign roles on it without a condition: Owner, User Access Administrator or
Role Based Access Control Administrator, or a custom role with `Microsoft.Authorization/roleAssignments/write`.

## Why it matters

Owner has no access to the data of an Azure RBAC vault, which often is where the thought ends. But whoever may assign
roles gives itself Key Vault Administrator in one call and reads everything some minutes later (route E4). The same right together
with `Microsoft.KeyVault/vaults/write` changes the permission model too (route E3).

An assignment whose condition limits which roles may be assigned is told apart and not counted. Such a condition is no
guarantee: Key Vault Data Access Administrator is limited to eight roles, and Key Vault Administrator is one of them,
also for its holder itself (route E5).

## How to fix it

Keep such roles few, at subscriptions rather than management groups where possible, and eligible through PIM instead of
permanent. Give those who must assign some roles Role Based Access Control Administrator with a condition. The command
removes an assignment for everything below its scope: make sure that another owner remains.

## References

- [Delegate role assignment management with conditions](https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-overview)
- [Best practices for Azure RBAC](https://learn.microsoft.com/azure/role-based-access-control/best-practices)
- [Provide access to Key Vault with Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
"""

from typing import TYPE_CHECKING

from kvaudit.access.counting import ControlGrants, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.grants import (
    aside,
    by_grants,
    by_tally,
    control_grants,
    removals,
)
from kvaudit.rules.judgement import Judgement, Rule, Severity, not_applicable
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

ROLE_ASSIGNMENTS_WRITE = "Microsoft.Authorization/roleAssignments/write"

_ASKED = ControlGrants(ROLE_ASSIGNMENTS_WRITE)
_WHAT = "can assign themselves a data-plane role"
_ELSEWHERE = not_applicable("the vault uses access policies, where a data-plane role gives nobody access")


def check(subject: VaultAccess) -> Judgement:
    """Fails an Azure RBAC vault on which somebody may assign roles without a condition."""
    if subject.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    grants = control_grants(subject.holders_of(ROLE_ASSIGNMENTS_WRITE))
    return by_grants(
        subject,
        grants,
        _message,
        _WHAT,
        lambda kept: [az.list_role_assignments(subject.vault.id), *removals(subject.vault, kept)],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    if counts.vault.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    return by_tally(counts.tally(_ASKED), _message, _WHAT)


def _message(tally: Tally) -> str:
    return (
        f"{counted(tally.allowed, 'role assignment lets', 'role assignments let')}"
        f" {counted(tally.allowed_holders, 'principal')} assign themselves any data-plane role{aside(tally)}"
    )


RULE = Rule(
    id="role-assignment-self-grant",
    title="A role lets its holder assign itself any data-plane role",
    severity=Severity.MEDIUM,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_ASKED,),
)
