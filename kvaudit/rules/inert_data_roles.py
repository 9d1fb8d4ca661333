"""Data-plane roles without effect are assigned on a vault with access policies

A role such as Key Vault Secrets User is assigned on this vault or on an object in it, but the vault uses access policies
and ignores it.

## Why it matters

Somebody meant to give access, and it does not work: the workload gets a 403, and the next step often is a much larger
permission. Whoever reads the role assignments believes in access that is not there. And all of these roles come to life
on the day that the vault moves to Azure RBAC.

Roles that are assigned above the vault are not counted: they may be meant for other vaults.

## How to fix it

Move the vault to Azure RBAC if the assignments say what is wanted. Otherwise remove them.

## References

- [Azure RBAC and access policies compared](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
- [Migrate from access policies to Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-migration)
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.roles import power_of
from kvaudit.access.subject import VaultAccess
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import (
    Evidence,
    Judgement,
    Rule,
    Severity,
    Verdict,
    failed,
    not_applicable,
    passed,
    unknown,
)
from kvaudit.rules.words import counted, place_words, principal_words

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_ELSEWHERE = not_applicable("the vault uses Azure RBAC")


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault on access policies on which a role with data actions of Key Vault is assigned."""
    if subject.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    estate = subject.estate
    found, unread = [], 0
    for item in estate.role_assignments_by_vault.get(subject.vault.scope, ()):
        power = power_of(item.role, estate.role_definitions.get(item.role))
        if not power.is_known:
            unread += 1
        elif power.touches_data:
            found.append((item, power.name or "a role without a name"))
    if found:
        return _failed(subject, found)
    return _none(unread)


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    if counts.vault.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    powers = counts.roles_on_vault()
    found = sum(1 for power in powers if power.is_known and power.touches_data)
    if found:
        return _counted(found)
    return _none(sum(1 for power in powers if not power.is_known))


@lru_cache(maxsize=4096)
def _counted(found: int) -> Judgement:
    return Judgement(Verdict.FAIL, _message(found), found)


def _none(unread: int) -> Judgement:
    if unread:
        return unknown(f"the definitions of the roles of {counted(unread, 'assignment')} on the vault were not read")
    return passed()


def _message(found: int) -> str:
    return f"{counted(found, 'data-plane role assignment')} on the vault without effect: the vault uses access policies"


def _failed(subject: VaultAccess, found: Sequence[tuple[RoleAssignment, str]]) -> Judgement:
    def cite(pair: tuple[RoleAssignment, str]) -> Evidence:
        item, role = pair
        who = principal_words(subject, item.principal_id, item.principal_type)
        message = f"{role}, assigned at {place_words(subject, item.scope)} to {who}, gives nothing"
        return Evidence(message, item.id, item.principal_id, role, scope=item.scope)

    return failed(
        _message(len(found)),
        found,
        cite,
        lambda kept: [az.delete_role_assignment(item.id) for item, _ in kept],
    )


RULE = Rule(
    id="inert-data-roles",
    title="Data-plane roles without effect are assigned on a vault with access policies",
    severity=Severity.LOW,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
)
