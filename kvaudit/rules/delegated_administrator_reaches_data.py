"""A delegated administrator may assign itself data under its own condition

The vault uses Azure RBAC, and somebody may assign roles on it on a condition that admits a role with access to data.

## Why it matters

Role Based Access Control Administrator with a condition, and Key Vault Data Access Administrator, are given so that
somebody can hand out a few roles and no more. The condition mostly limits which roles, and not to whom: its holder assigns
them to itself (route E5). Key Vault Data Access Administrator is limited to eight roles, and Key Vault Administrator is one
of them. Who holds it is one call and some minutes away from everything in the vault.

## How to fix it

Let the condition say to whom too: a list of principals, or service principals only. Give the role at the vault and not
above it. Leave out of the list of roles what the holder must not have itself. The command removes the assignment for
everything below its scope.

## References

- [Delegate role assignment management with conditions](https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-overview)
- [Examples of such conditions](https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples)
- [Provide access to Key Vault with Azure RBAC](https://learn.microsoft.com/azure/key-vault/general/rbac-guide)
"""

from typing import TYPE_CHECKING

from kvaudit.access.counting import ControlGrants
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import Judgement, Rule, Severity, failed, not_applicable, passed
from kvaudit.rules.role_assignment_self_grant import ROLE_ASSIGNMENTS_WRITE
from kvaudit.rules.routes import Cite, Opened, closings, opened, surest_first, unless_held
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_ASKED = ControlGrants(ROLE_ASSIGNMENTS_WRITE)
_WHAT = "can assign themselves data under the condition of their role"
_ELSEWHERE = not_applicable("the vault uses access policies, where a data-plane role gives nobody access")


def check(subject: VaultAccess) -> Judgement:
    """Fails an Azure RBAC vault on which a conditioned right to assign roles admits data for its own holder."""
    if subject.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    found = surest_first(subject.delegates)
    people = sum(answer is Answer.ALLOWED for _, answer in found)
    if not people:
        return unless_held(found, _WHAT)

    def route(who: tuple[str, Answer]) -> list[Opened]:
        told = subject.delegation(who[0])
        return opened([told]) if told else []

    return failed(
        f"{counted(people, 'principal')} can assign themselves data under the condition of a delegated administrator",
        found,
        lambda who: Cite(subject)(route(who)[0]),
        lambda kept: [
            az.list_role_assignments(subject.vault.id),
            *closings([item for who in kept for item in route(who)]),
        ],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """Nothing to look for where nobody's right to assign roles has a condition."""
    if counts.vault.permission_model is not PermissionModel.AZURE_RBAC:
        return _ELSEWHERE
    tally = counts.tally(_ASKED)
    return passed() if tally is not None and not tally.conditional and not tally.unknown else None


RULE = Rule(
    id="delegated-administrator-reaches-data",
    title="A delegated administrator may assign itself data under its own condition",
    severity=Severity.LOW,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_ASKED,),
)
