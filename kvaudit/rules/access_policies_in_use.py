"""The vault uses access policies, the legacy permission model

Who may do what with secrets, keys and certificates is decided by a list in the vault, not by Azure RBAC.

## Why it matters

An access policy covers the whole vault: it cannot be narrowed to one secret, has no end, no condition and no denial, and
PIM cannot make it eligible. Whoever may write the vault may add itself to the list: the role Contributor, which is held
by many, is enough. Microsoft calls the model legacy and still supports it; from API version 2026-02-01 on, new vaults
use Azure RBAC.

## How to fix it

Move the vault to Azure RBAC in this order, or its workloads get a 403: give every holder that is still needed a role (the
smallest that covers its calls, at the vault), wait until the assignments work (up to ten minutes), change the model,
and keep the list of policies for the way back. Changing the model needs `Microsoft.KeyVault/vaults/write` together with
unrestricted `Microsoft.Authorization/roleAssignments/write`.

## References

- [Migrate from access policies to Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-migration)
- [Azure RBAC and access policies compared](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.model.permissions import words_of
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, passed
from kvaudit.rules.policies import PolicyEntry, entries
from kvaudit.rules.words import counted, principal_words

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault on access policies, whether or not any entry is in the list."""
    vault = subject.vault
    if subject.permission_model is PermissionModel.AZURE_RBAC:
        return passed()

    def cite(entry: PolicyEntry) -> Evidence:
        who = principal_words(subject, entry.policy.object_id)
        words = ", ".join(words_of(entry.policy.mask)) or "nothing that is known"
        return Evidence(f"{who} is given {words}", entry.record_id, entry.policy.object_id, scope=vault.scope)

    def fix(_: Sequence[PolicyEntry]) -> list[str]:
        return [
            az.list_role_assignments(vault.id),
            "# Only when every holder that is still needed has a role that works:",
            az.update_vault(vault, enable_rbac_authorization="true"),
        ]

    found = entries(vault)
    return failed(_message(len(found)), found, cite, fix)


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same by how many entries there are."""
    vault = counts.vault
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return passed()
    return _with_entries(len(vault.access_policies)) if vault.access_policies else None


@lru_cache(maxsize=4096)
def _with_entries(found: int) -> Judgement:
    return Judgement(Verdict.FAIL, _message(found), found)


def _message(found: int) -> str:
    count = counted(found, "entry", "entries") if found else "no entry"
    return f"the vault uses access policies, the legacy permission model, with {count}"


RULE = Rule(
    id="access-policies-in-use",
    title="The vault uses access policies, the legacy permission model",
    severity=Severity.MEDIUM,
    needs=frozenset({"vaults"}),
    controls=("kv-rbac-enabled",),
    check=check,
    quick=quick,
)
