"""Somebody can act as an identity that has access

A managed identity, an application or a group has access to the vault, and somebody who is no reader of it controls what
stands behind it: the machine that runs as the identity, the application's credentials, the group's members.

## Why it matters

Access to a vault is given to identities, and an identity is only as safe as whoever can become it. Virtual Machine
Contributor runs commands on a machine and gets the tokens of its identity (route E12). Managed Identity Operator attaches a
user-assigned identity to a machine of its own. The owner of an application adds a secret and signs in as it (E13), so does
an application that may write all applications. The owner of a group adds itself, and so does, after activation, whoever PIM makes eligible
as its owner (E23). None of them stands in the list of those who can read the vault.

A group counts once, for all its members, also where each of them holds the access already. Nobody else counts who holds
what the identity holds himself or through his groups. One step is followed: not that somebody can act as an owner who can
act as an identity. Access to one secret, key or certificate alone counts too. Where the members of a group with access were
not all read, it is unknown whether somebody can act as one of them.

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

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from kvaudit.access.escalation import HIDE_ROUTES, IDENTITY_KINDS, Gain
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.kinds import kind_words
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, not_applicable, passed
from kvaudit.rules.routes import Cite, Opened, closings, opened, unless_held
from kvaudit.rules.words import counted, listed

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_HIDING = frozenset({*IDENTITY_KINDS, *HIDE_ROUTES})
"""Kinds of which a gap anywhere may hide who can act as an identity."""

_WHAT = "can act as an identity that has access"


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault when somebody who does not hold the access can act as an identity that does."""
    if not subject.has_identity_records:
        return _unseen(subject)
    gains = subject.gains
    sure = [item for item in gains if item.answer is Answer.ALLOWED]
    if not sure:
        return unless_held([(item.principal_id, item.answer) for item in gains], _WHAT, subject.gain_gaps)
    targets = {target for item in sure for target in item.targets}
    routes = cache(lambda gain: opened(subject.gaining(gain)))
    return failed(
        _message(len(sure), len(targets)),
        gains,
        lambda gain: _cite(subject, gain, routes(gain)),
        lambda kept: _mend(subject, [item for gain in kept for item in routes(gain)]),
    )


def _message(people: int, targets: int) -> str:
    return f"{counted(people, 'principal')} can act as {counted(targets, 'identity', 'identities')} with access"


def _cite(subject: VaultAccess, gain: Gain, routes: Sequence[Opened]) -> Evidence:
    """How somebody gains access, by the surest route, and how many other identities it can act as."""
    found = Cite(subject)(routes[0])
    more = len(gain.targets) + gain.others - 1
    also = f"; it can act as {counted(more, 'other identity', 'other identities')} with access too" if more else ""
    return replace(found, message=f"{found.message}{also}")


def _mend(subject: VaultAccess, routes: Iterable[Opened]) -> list[str]:
    return [az.list_role_assignments(subject.vault.id), *closings(routes)]


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same where nothing hides who gains what; where somebody does on a condition only, the evaluator tells how surely."""
    same = counts.of_estate(_same_everywhere)
    if same is not None:
        return same
    gains = counts.gains()
    if gains is None:
        return None
    if gains.certain:
        message = _message(gains.certain, gains.targets)
        return Judgement(Verdict.FAIL, message, gains.everybody)
    hides = counts.has_gap_of(_HIDING) or not counts.of_estate(_lists_controllers)
    return None if gains.everybody or hides else passed()


def _lists_controllers(subject: VaultAccess) -> bool:
    return subject.lists_controllers


def _same_everywhere(subject: VaultAccess) -> Judgement | None:
    return None if subject.has_identity_records else _unseen(subject)


def _unseen(subject: VaultAccess) -> Judgement:
    return _not_collected(subject.kinds_not_assessed)


@lru_cache(maxsize=16)  # the same for every vault
def _not_collected(kinds: tuple[str, ...]) -> Judgement:
    words = listed(map(kind_words, kinds))
    return not_applicable(
        f"not assessed, because nobody collected it: {words}" if words else "no such identity is on record"
    )


RULE = Rule(
    id="identity-takeover",
    title="Somebody can act as an identity that has access",
    severity=Severity.HIGH,
    needs=frozenset({"role_assignments", "role_definitions", *IDENTITY_KINDS} - {"delegations"}),
    check=check,
    quick=quick,
)
