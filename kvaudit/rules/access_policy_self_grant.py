"""A control-plane role lets its holder add itself to the access policies

The vault uses access policies, and a role such as Contributor may write them: its holder is one call away from every
secret, without holding any data-plane right today.

## Why it matters

`Microsoft.KeyVault/vaults/accessPolicies/write` adds entries to the list (route E1), `Microsoft.KeyVault/vaults/write` replaces the
vault with its list (route E2; whether that action is enough without the first is not settled, so a custom role that has it
alone makes the verdict unknown). Contributor, Key Vault Contributor, Owner and some service roles hold both. These roles
are given for deployments and operations, mostly at a subscription, to people and pipelines that nobody counts among the
readers of secrets. The list of access policies alone says nothing about them.

On a vault that uses Azure RBAC the same holders cannot do this. To change the model back they also need unrestricted
`Microsoft.Authorization/roleAssignments/write` (route E3). Microsoft's pages disagree on that point: one says that
`vaults/write` is enough, a newer one and every refusal by the service that we know of say that it is not.

## How to fix it

Move the vault to Azure RBAC, which takes this route away from all of them at once. Until then, remove assignments that are not needed
or give a smaller role at a narrower scope. One command mends all vaults below the scope of the assignment, and takes the
role away from all of them.

## References

- [Azure RBAC and access policies compared](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
- [Provide access with Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
- [Secure your vault](https://learn.microsoft.com/azure/key-vault/general/secure-key-vault)
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from kvaudit.access.counting import ControlGrants, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.grants import (
    Grant,
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

ACCESS_POLICIES_WRITE = "Microsoft.KeyVault/vaults/accessPolicies/write"
VAULTS_WRITE = "Microsoft.KeyVault/vaults/write"

_ASKED = ControlGrants(ACCESS_POLICIES_WRITE, also=VAULTS_WRITE)
_WHAT = "can add themselves to the access policies"
_ELSEWHERE = not_applicable("the vault uses Azure RBAC, where writing access policies gives nobody access")


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault on access policies when somebody's role may write them."""
    if subject.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    grants = _one_per_assignment(subject)
    return by_grants(
        subject,
        grants,
        _message,
        _WHAT,
        lambda kept: [az.list_role_assignments(subject.vault.id), *removals(subject.vault, kept)],
    )


def _one_per_assignment(subject: VaultAccess) -> list[Grant]:
    """Holders of either action; an assignment that gives both is told once, by the action that is made for it.

    Of `vaults/write` alone the sources disagree (facts azure.md 8, E2), so that is unknown. Built-in roles give both.
    """
    found = control_grants(subject.holders_of(ACCESS_POLICIES_WRITE))
    told = {(grant.principal_id, grant.record) for grant in found}
    for grant in control_grants(subject.holders_of(VAULTS_WRITE)):
        if (grant.principal_id, grant.record) not in told:
            found.append(replace(grant, answer=Answer.UNKNOWN) if grant.answer is Answer.ALLOWED else grant)
    return found


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    if counts.vault.permission_model is not PermissionModel.ACCESS_POLICIES:
        return _ELSEWHERE
    return by_tally(counts.tally(_ASKED), _message, _WHAT)


def _message(tally: Tally) -> str:
    return (
        f"{counted(tally.allowed, 'role assignment lets', 'role assignments let')}"
        f" {counted(tally.allowed_holders, 'principal')} add themselves to the access policies{aside(tally)}"
    )


RULE = Rule(
    id="access-policy-self-grant",
    title="A control-plane role lets its holder add itself to the access policies",
    severity=Severity.HIGH,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_ASKED,),
)
