"""Deny assignments: whether one meets a principal at a place, and what it takes.

Facts azure.md 2.2. An `audit` one denies nothing. One whose effect was not read, that has a condition, whose groups were
not read or whose excluded groups were not read is *possible*: it turns what it could take into unknown, never into denied.
"""

from collections.abc import Iterable
from enum import Enum

from kvaudit.access.directory import Directory
from kvaudit.access.roles import denied_operations, holds_action
from kvaudit.model.authorization import EVERYONE, DenyAssignment, DenyPrincipal, Permission
from kvaudit.model.permissions import vault_only_mask
from kvaudit.model.vaults import ObjectRef, Vault


class Meets(Enum):
    """Whether a deny assignment meets a principal."""

    NO = 0
    MAYBE = 1
    YES = 2


def is_idle(deny: DenyAssignment) -> bool:
    """Whether the assignment denies nothing: it only audits."""
    return deny.effect is not None and deny.effect.casefold() == "audit"


def effect_is_certain(deny: DenyAssignment) -> bool:
    """Whether the assignment is known to be enforced and unconditional."""
    return deny.effect is not None and deny.effect.casefold() == "enforced" and deny.condition is None


def meets(deny: DenyAssignment, principal_id: str | None, directory: Directory) -> Meets:
    """Whether the deny assignment meets a principal.

    For a group the question is about what it gives its members: where an excluded principal is, or may be, one of them,
    the answer differs from member to member, so the assignment meets the group only maybe.

    Args:
        deny: the assignment.
        principal_id: folded, or None for somebody whom nobody could name.
        directory: who is in which group.
    """
    named = _named(deny.principals, principal_id, directory)
    if named is Meets.NO:
        return Meets.NO
    excluded = _named(deny.exclude_principals, principal_id, directory)
    if excluded is Meets.YES:
        return Meets.NO
    if excluded is Meets.MAYBE or _excludes_a_member(deny, principal_id, directory):
        return Meets.MAYBE
    return named


def _named(principals: Iterable[DenyPrincipal], principal_id: str | None, directory: Directory) -> Meets:
    ids = {item.id.casefold() for item in principals}
    if EVERYONE in ids:
        return Meets.YES
    if principal_id is None:
        return Meets.MAYBE if ids else Meets.NO
    if principal_id in ids or not ids.isdisjoint(directory.chains_up(principal_id)):
        return Meets.YES
    return Meets.MAYBE if any(directory.doubt(principal_id, item) for item in ids) else Meets.NO


def _excludes_a_member(deny: DenyAssignment, principal_id: str | None, directory: Directory) -> bool:
    if principal_id is None or not deny.exclude_principals or not _is_group(principal_id, directory):
        return False
    return any(directory.may_overlap(principal_id, item.id.casefold()) for item in deny.exclude_principals)


def _is_group(principal_id: str, directory: Directory) -> bool:
    return directory.type_of(principal_id) in ("Group", "ForeignGroup", None)


def reaches(deny: DenyAssignment, place: str) -> bool:
    """Whether an assignment that stands at or above a folded scope applies at that scope itself."""
    return deny.scope == place or not deny.do_not_apply_to_child_scopes


def taken(deny: DenyAssignment, vault: Vault, ref: ObjectRef | None) -> tuple[int, int]:
    """The operations that the assignment takes at a place from whom it meets: for certain, and possibly.

    An assignment for the vault alone (`doNotApplyToChildScopes`) takes what exists on the vault only. Whether it takes an
    operation on objects, which is checked at the object's scope, from the question about the vault is not established.
    """
    if is_idle(deny):
        return 0, 0
    certain = possible = 0
    for block in deny.permissions:
        sure, unsure = denied_operations(block)
        if block.condition is None and effect_is_certain(deny):
            certain |= sure
            possible |= unsure
        else:
            possible |= sure | unsure
    if deny.do_not_apply_to_child_scopes and ref is None and deny.scope == vault.scope:
        possible |= certain & ~vault_only_mask()
        certain &= vault_only_mask()
    return certain, possible & ~certain


def takes_action(deny: DenyAssignment, action: str) -> Meets:
    """Whether the assignment takes a control-plane action from whom it meets."""
    if is_idle(deny):
        return Meets.NO
    verdicts = {(_takes(block, action), block.condition is None) for block in deny.permissions}
    if (True, True) in verdicts and effect_is_certain(deny):
        return Meets.YES
    return Meets.MAYBE if any(verdict is not False for verdict, _ in verdicts) else Meets.NO


def _takes(block: Permission, action: str) -> bool | None:
    return holds_action(block, action)
