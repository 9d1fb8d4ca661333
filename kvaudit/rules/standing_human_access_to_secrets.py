"""People can read secrets at any time

A user, a guest or a group with people in it may read secret values of this vault, permanently.

## Why it matters

Secrets are for workloads. A person who can always read them is a phishing target, takes values out of the vault into
notes and terminals, and keeps the access after the need for it has gone. Service principals and managed identities are
not counted here. A role that is eligible and must be activated first, and a role under a condition, are shown and not
counted.

Whether a group has people in it is told from its members. When these could not be read, or belong to another tenant, the
verdict is unknown.

## How to fix it

Let people activate a role when they need it: make the assignment eligible through PIM, with an end and an approval, and remove the
permanent one. Access policies cannot be eligible: move the vault to Azure RBAC, or take people out of the list. A
command that removes a role assignment takes the role away everywhere below the assignment's scope.

## References

- [Secure your vault](https://learn.microsoft.com/azure/key-vault/general/secure-key-vault)
- [Eligible and time-bound role assignments](https://learn.microsoft.com/azure/role-based-access-control/pim-integration)
"""

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from kvaudit.access.counting import DataGrants, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.directory import PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import mask_of
from kvaudit.rules.grants import (
    Grant,
    aside,
    by_grants,
    by_tally,
    data_grants,
    removals,
)
from kvaudit.rules.judgement import Judgement, Rule, Severity
from kvaudit.rules.words import counted

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts


_WHAT = "are people who can read secrets"


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault of which a person, alone or through a group, may read secrets without activating anything."""
    grants = [grant for grant in (_of_people(subject, item) for item in _readers(subject)) if grant]
    return by_grants(subject, grants, _message, _WHAT, lambda kept: removals(subject.vault, kept))


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same from counts."""
    return by_tally(counts.tally(_asked(), _are_people), _message, _WHAT)


@cache
def _asked() -> DataGrants:
    return DataGrants(mask_of(("secrets/get",)))


def _message(tally: Tally) -> str:
    holders = counted(tally.allowed_holders, "user or group of users", "users or groups of users")
    return f"{holders} can read secrets at any time{aside(tally)}"


def _readers(subject: VaultAccess) -> list[Grant]:
    return data_grants(subject, _asked().mask)


def _of_people(subject: VaultAccess, grant: Grant) -> Grant | None:
    """The grant if people hold it, with an unknown answer if that cannot be told, else None."""
    people = None
    if grant.principal_id is not None:
        people = _are_people(subject.estate, grant.principal_id, grant.principal_type)
    if people is None:
        return replace(grant, answer=Answer.UNKNOWN)
    return grant if people else None


def _are_people(estate: Estate, principal_id: str, recorded_type: str | None) -> bool | None:
    """Whether a principal is a person, or a group with people in it; None where that cannot be told."""
    principal = estate.principal(principal_id)
    kind = principal.type or recorded_type
    if principal.state is PrincipalState.DELETED_RESTORABLE or (principal.state is PrincipalState.NOT_FOUND and kind):
        return False  # nobody holds it today; `orphaned-principals` tells of it
    if kind in {"ServicePrincipal", "Device", "Application"}:
        return False
    if kind == "User":
        return True
    if kind == "Group":
        people = estate.people_in_groups
        if people.has_people(principal_id):
            return True
        if not people.may_hide_people(principal_id):
            return False
    # A foreign group's members are another tenant's; an ID of no known kind may be such a group, or anybody.
    return None


RULE = Rule(
    id="standing-human-access-to-secrets",
    title="People can read secrets at any time",
    severity=Severity.HIGH,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
    asked=(_asked(),),
)
