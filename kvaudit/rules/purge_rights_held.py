"""Somebody holds the right to purge

A principal may purge deleted secrets, keys or certificates of this vault, and purge protection is off.

## Why it matters

Soft delete is the net under a mistake or an attack; a purge cuts it. Deleting and purging together is what ransomware
does. Nearly no workload needs it: those who clean up can wait for the retention period to end. Built-in roles that
include it are Key Vault Administrator and the officers (Secrets, Crypto, Certificates); in access policies `purge` stands
by name, because `all` does not include it.

With purge protection on nobody can purge, whatever they hold, and this rule does not apply.

## How to fix it

Turn purge protection on: it makes all these rights harmless and cannot be undone. Where that is no choice, take the
permission out of the access policies and keep roles that include it eligible through PIM, which is shown here and not
counted.

## References

- [Recovery management](https://learn.microsoft.com/azure/key-vault/general/key-vault-recovery)
- [Soft delete and purge protection](https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview)
"""

from functools import cache
from typing import TYPE_CHECKING

from kvaudit.access.counting import DataGrants, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model.permissions import mask_of
from kvaudit.rules import az
from kvaudit.rules.grants import aside, by_grants, by_tally, data_grants
from kvaudit.rules.judgement import Judgement, Rule, Severity, not_applicable
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts


_WHAT = "can purge"
_PROTECTED = not_applicable("purge protection is on: nobody can purge before the retention period ends")


@cache
def purge_mask() -> int:
    """The operations that purge an object."""
    return mask_of(("secrets/purge", "keys/purge", "certificates/purge"))


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault without purge protection on which somebody may purge objects."""
    vault = subject.vault
    if vault.enable_purge_protection is True:
        return _PROTECTED
    grants = data_grants(subject, purge_mask())
    return by_grants(
        subject, grants, _message, _WHAT, lambda _: [az.update_vault(vault, enable_purge_protection="true")]
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    if counts.vault.enable_purge_protection is True:
        return _PROTECTED
    return by_tally(counts.tally(_asked()), _message, _WHAT)


@cache
def _asked() -> DataGrants:
    return DataGrants(purge_mask())


def _message(tally: Tally) -> str:
    return f"{counted(tally.allowed_holders, 'principal')} can purge deleted objects at once{aside(tally)}"


RULE = Rule(
    id="purge-rights-held",
    title="Somebody holds the right to purge",
    severity=Severity.MEDIUM,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_asked(),),
)
