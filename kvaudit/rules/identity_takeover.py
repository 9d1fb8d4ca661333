"""Somebody can act as an identity that has access

A managed identity, an application or a group has access to the vault, and somebody who is no reader of it controls what
stands behind it: the machine that runs as the identity, the application's credentials, the group's members.

## Why it matters

Access to a vault is given to identities, and an identity is only as safe as whoever can become it. Virtual Machine
Contributor runs commands on a machine and gets the tokens of its identity (route E12). Managed Identity Operator attaches a
user-assigned identity to a machine of its own. The owner of an application adds a secret and signs in as it (E13), so does
an application that may write all applications. The owner of a group adds itself, and so does, after activation, whoever PIM makes eligible
as its owner (E23). None of them stands in the list of those who can read the vault.

Directory roles such as Global Administrator, which can become anybody everywhere, are told among the routes of a vault and
not counted here: what mends them is not to be found at a vault.

## How to fix it

Give control of the machines and applications that hold access to those only who may read the secrets anyway. Remove owners
of groups and applications that hold access, make such groups role-assignable, and give one identity to one workload.

## References

- [Best practices for managed identities](https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations)
- [Privileged Identity Management for Groups](https://learn.microsoft.com/entra/id-governance/privileged-identity-management/concept-pim-for-groups)
- [Secure your vault](https://learn.microsoft.com/azure/key-vault/general/secure-key-vault)
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.answers import CitationKind
from kvaudit.access.escalation import IDENTITY_KINDS, EscalationRoute
from kvaudit.access.subject import VaultAccess
from kvaudit.model.kinds import kind_words
from kvaudit.rules import az
from kvaudit.rules.judgement import Judgement, Rule, Severity, failed, not_applicable
from kvaudit.rules.routes import Cite, certain, closings, opened, unless_open
from kvaudit.rules.words import counted, listed

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_WHAT = "can act as an identity that has access"


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault when somebody who does not hold the access can act as an identity that does."""
    if not subject.has_identity_records:
        return _unseen(subject)
    held = {item.principal_id: item.allowed for item in subject.holdings}
    routes = [
        item
        for item in subject.routes("E12", "E13", "E23")
        if not _is_tenant_wide(item) and item.mask & ~held.get(item.principal_id, 0)
    ]
    found = opened(routes)
    sure = certain(found)
    if not sure:
        return unless_open(found, _WHAT, subject.route_gaps)
    people = len({item.route.principal_id for item in sure})
    targets = len({item.route.target for item in sure})
    return failed(
        f"{counted(people, 'principal')} can act as {counted(targets, 'identity', 'identities')} with access",
        found,
        Cite(subject),
        lambda kept: [az.list_role_assignments(subject.vault.id), *closings(kept)],
    )


def quick(counts: "VaultCounts") -> Judgement | None:
    """What is the same for every vault where nothing of it was collected."""
    return counts.of_estate(_same_everywhere)


def _same_everywhere(subject: VaultAccess) -> Judgement | None:
    return None if subject.has_identity_records else _unseen(subject)


def _unseen(subject: VaultAccess) -> Judgement:
    return _not_collected(tuple(item.kind for item in subject.not_assessed))


@lru_cache(maxsize=16)  # the same for every vault
def _not_collected(kinds: tuple[str, ...]) -> Judgement:
    words = listed(map(kind_words, kinds))
    return not_applicable(
        f"not assessed, because nobody collected it: {words}" if words else "no such identity is on record"
    )


def _is_tenant_wide(route: EscalationRoute) -> bool:
    return any(item.kind is CitationKind.DIRECTORY_ROLE for item in route.via)


RULE = Rule(
    id="identity-takeover",
    title="Somebody can act as an identity that has access",
    severity=Severity.HIGH,
    needs=frozenset({"role_assignments", "role_definitions", *IDENTITY_KINDS} - {"delegations"}),
    check=check,
    quick=quick,
)
