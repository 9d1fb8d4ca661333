"""Access policies without effect lie in an Azure RBAC vault

The vault uses Azure RBAC and ignores its access policies, but keeps them.

## Why it matters

The list misleads everybody who reads it: nobody in it has access through it. And it is a loaded trap: whoever changes
the permission model back gives all of these principals their old access at once, years after anybody looked at the list.

## How to fix it

When the move to Azure RBAC has proved itself, empty the list. Keep a copy when you still want a way back. The CLI's
`set-policy` and `delete-policy` refuse a vault that uses Azure RBAC, so the command goes to Resource Manager.

## References

- [Migrate from access policies to Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-migration)
- [Azure RBAC for Key Vault data plane](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.model.permissions import words_of
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, not_applicable, passed
from kvaudit.rules.policies import PolicyEntry, entries, list_not_read
from kvaudit.rules.words import counted, principal_words

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_ELSEWHERE = not_applicable("the vault uses access policies")


def check(subject: VaultAccess) -> Judgement:
    """Fails an Azure RBAC vault with at least one access policy."""
    vault = subject.vault
    if subject.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    if vault.access_policies is None:
        return list_not_read(subject)
    found = entries(vault)
    if not found:
        return passed()

    def cite(entry: PolicyEntry) -> Evidence:
        who = principal_words(subject, entry.policy.object_id)
        words = ", ".join(words_of(entry.policy.mask)) or "nothing that is known"
        return Evidence(
            f"{who} would be given {words} if the model were changed back",
            entry.record_id,
            entry.policy.object_id,
            scope=vault.scope,
        )

    return failed(
        _message(len(found)),
        found,
        cite,
        lambda _: [az.empty_policies_by_rest(vault)],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same by how many entries there are."""
    vault = counts.vault
    if vault.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    return None if vault.access_policies is None else _with_entries(len(vault.access_policies))


@lru_cache(maxsize=4096)
def _with_entries(found: int) -> Judgement:
    return Judgement(Verdict.FAIL, _message(found), found) if found else passed()


def _message(found: int) -> str:
    policies = counted(found, "access policy has", "access policies have")
    return f"{policies} no effect today and would return with the old permission model"


RULE = Rule(
    id="inert-access-policies",
    title="Access policies without effect lie in an Azure RBAC vault",
    severity=Severity.LOW,
    needs=frozenset({"vaults"}),
    check=check,
    quick=quick,
)
