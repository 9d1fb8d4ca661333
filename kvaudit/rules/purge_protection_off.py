"""Purge protection is off

Whoever holds a purge right can destroy deleted objects, or the deleted vault, at once and for good.

## Why it matters

Soft delete keeps what was deleted for 7 to 90 days, but a purge ends that early. A key that is gone takes with it
everything that was encrypted under it: disks, databases, storage accounts. With purge protection on nobody can purge
before the retention period ends, Microsoft included. Some services refuse a vault without it for customer-managed keys.

## How to fix it

Turn purge protection on. It cannot be turned off again, and the name of a deleted vault then stays taken until its
retention period ends: think before doing so on vaults that tests create and delete.

## References

- [Soft delete and purge protection](https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview)
- [Recovery management](https://learn.microsoft.com/azure/key-vault/general/key-vault-recovery)
"""

from functools import cache
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, passed

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault whose `enablePurgeProtection` is anything but true: absent means off (facts azure.md 1.6)."""
    vault = subject.vault
    if vault.enable_purge_protection is True:
        return passed()
    return failed(
        _message(vault.enable_soft_delete is False),
        [vault],
        lambda item: Evidence("enablePurgeProtection is not true", item.id, scope=item.scope),
        lambda _: [az.update_vault(vault, enable_purge_protection="true")],
    )


def quick(counts: "VaultCounts") -> Judgement:
    """The same without its evidence."""
    vault = counts.vault
    return passed() if vault.enable_purge_protection is True else _off(vault.enable_soft_delete is False)


@cache
def _off(without_soft_delete: bool) -> Judgement:
    return Judgement(Verdict.FAIL, _message(without_soft_delete), 1)


def _message(without_soft_delete: bool) -> str:
    soft_delete = ", and so is soft delete" if without_soft_delete else ""
    return f"purge protection is off{soft_delete}: what is deleted can be destroyed before its retention period ends"


RULE = Rule(
    id="purge-protection-off",
    title="Purge protection is off",
    severity=Severity.HIGH,
    needs=frozenset({"vaults"}),
    controls=("kv-purge-protection",),
    check=check,
    quick=quick,
)
