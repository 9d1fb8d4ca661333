"""An access policy gives every permission of a kind

At least one entry holds everything there is for secrets, keys or certificates (purge aside, which `all` does not include).

## Why it matters

A workload that reads one secret needs `get`. With everything it can also overwrite, delete and take a backup of every
secret in the vault: one stolen credential is the loss of all of them. Such entries mostly come from a quick start or
from the portal's template "Key, Secret & Certificate Management".

## How to fix it

Give each entry what its calls need, which the vault's log shows. The commands leave reading (`get` and `list`) of the kinds
concerned and take the rest away: add what the workload really calls before you run them.

## References

- [Assign a Key Vault access policy](https://learn.microsoft.com/azure/key-vault/general/assign-access-policy)
- [Key Vault logging](https://learn.microsoft.com/azure/key-vault/general/logging)
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.model.permissions import mask_of, operations
from kvaudit.model.vaults import AccessPolicy, PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, not_applicable, passed
from kvaudit.rules.policies import PolicyEntry, entries, is_foreign, list_not_read
from kvaudit.rules.words import counted, listed, principal_words

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_ELSEWHERE = not_applicable("the vault uses Azure RBAC")

_OPTIONS = {"keys": "key_permissions", "secrets": "secret_permissions", "certificates": "certificate_permissions"}


@cache
def _everything() -> dict[str, int]:
    return {
        kind: mask_of(item.word for item in operations() if item.kind == kind and not item.word.endswith("/purge"))
        for kind in _OPTIONS
    }


def full_kinds(policy: AccessPolicy) -> tuple[str, ...]:
    """The kinds of which an entry holds every permission but purge, whether written `all` or spelled out."""
    return _full_kinds(policy.mask)


@lru_cache(maxsize=4096)  # a tenant's entries are few different ones
def _full_kinds(held: int) -> tuple[str, ...]:
    return tuple(kind for kind, mask in _everything().items() if held & mask == mask)


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault in use of access policies when one entry holds everything of a kind."""
    vault = subject.vault
    if subject.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    if vault.access_policies is None:
        return list_not_read(subject)
    found = [entry for entry in entries(vault) if not entry.foreign and full_kinds(entry.policy)]
    if not found:
        return passed()

    def cite(entry: PolicyEntry) -> Evidence:
        who = principal_words(subject, entry.policy.object_id)
        kinds = listed(full_kinds(entry.policy))
        return Evidence(
            f"{who} holds every permission for {kinds}", entry.record_id, entry.policy.object_id, scope=vault.scope
        )

    def fix(kept: Sequence[PolicyEntry]) -> list[str]:
        return [
            az.set_policy(vault, entry.policy, **{_OPTIONS[kind]: ("get", "list") for kind in full_kinds(entry.policy)})
            for entry in kept
        ]

    return failed(
        _message(len(found)),
        found,
        cite,
        fix,
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same by how many such entries there are."""
    vault = counts.vault
    if vault.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    if vault.access_policies is None:
        return None
    return _with_entries(sum(1 for item in vault.access_policies if full_kinds(item) and not is_foreign(vault, item)))


@lru_cache(maxsize=4096)
def _with_entries(found: int) -> Judgement:
    return Judgement(Verdict.FAIL, _message(found), found) if found else passed()


def _message(found: int) -> str:
    return f"{counted(found, 'access policy gives', 'access policies give')} every permission of a kind"


RULE = Rule(
    id="all-permission-policies",
    title="An access policy gives every permission of a kind",
    severity=Severity.MEDIUM,
    needs=frozenset({"vaults"}),
    check=check,
    quick=quick,
)
