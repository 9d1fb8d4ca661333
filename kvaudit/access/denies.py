"""Deny assignments: whether one meets a principal at a place, and what it takes.

Facts azure.md 2.2. An `audit` one denies nothing. One whose effect was not read, that has a condition, whose groups were
not read or whose excluded groups were not read is *possible*: it turns what it could take into unknown, never into denied.
"""

from collections.abc import Iterable
from enum import Enum

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.conditions import Question, Verdict, evaluate, evaluate_operation, parse
from kvaudit.access.conditions.outcome import all_of
from kvaudit.access.directory import Directory
from kvaudit.access.roles import denied_operations, holds_action
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import EVERYONE, DenyAssignment, DenyPrincipal, Permission
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import iter_operations, vault_only_mask
from kvaudit.model.vaults import ObjectRef, Vault

_EFFECT_NOT_READ = "only if it is enforced and does not only audit, which was not read"


class Meets(Enum):
    """Whether a deny assignment meets a principal."""

    NO = 0
    MAYBE = 1
    YES = 2


def is_idle(deny: DenyAssignment) -> bool:
    """Whether the assignment denies nothing: it only audits."""
    return deny.effect is not None and deny.effect.casefold() == "audit"


def effect_is_certain(deny: DenyAssignment) -> bool:
    """Whether the assignment is known to be enforced."""
    return deny.effect is not None and deny.effect.casefold() == "enforced"


def meets(
    deny: DenyAssignment, principal_id: str | None, directory: Directory, activated: frozenset[str] | None = None
) -> Meets:
    """Whether the deny assignment meets a principal.

    For a group the question is about what it gives its members: where an excluded principal is, or may be, one of them,
    the answer differs from member to member, so the assignment meets the group only maybe.

    Args:
        deny: the assignment.
        principal_id: folded, or None for somebody whom nobody could name.
        directory: who is in which group.
        activated: groups that the principal is taken to have come into beside those that it is in. None leaves open
            whether it has: then whoever may come into an excluded group is met only maybe.
    """
    beside = activated or frozenset()
    named = _named(deny.principals, principal_id, directory, beside)
    if named is Meets.NO:
        return Meets.NO
    excluded = _named(deny.exclude_principals, principal_id, directory, beside)
    if excluded is Meets.YES:
        return Meets.NO
    if excluded is Meets.MAYBE or _excludes_a_member(deny, principal_id, directory):
        return Meets.MAYBE
    if principal_id is not None and _may_be_spared(deny, principal_id, directory, is_open=activated is None):
        return Meets.MAYBE
    return named


def _may_be_spared(deny: DenyAssignment, principal_id: str, directory: Directory, *, is_open: bool) -> bool:
    """Whether an excluded group may take the principal in: it is eligible, or nobody read whether it is."""
    ways = directory.ways_up(principal_id) if is_open else {}
    ids = [item.id.casefold() for item in deny.exclude_principals]
    return any(item in ways or directory.eligibility_doubt(principal_id, item) for item in ids)


def doubts(deny: DenyAssignment, principal_id: str | None, directory: Directory) -> tuple[Gap, ...]:
    """What was not read of the groups that the assignment names or spares, and could settle whether it meets a principal."""
    if principal_id is None:
        return ()
    is_open = _named(deny.principals, principal_id, directory, frozenset()) is Meets.MAYBE
    named = (directory.doubt(principal_id, item.id.casefold()) for item in deny.principals if is_open)
    spared = (item.id.casefold() for item in deny.exclude_principals)
    beside = (directory.doubt(principal_id, item) or directory.eligibility_doubt(principal_id, item) for item in spared)
    return tuple(gap for gaps in (*named, *beside) for gap in gaps)


def _named(
    principals: Iterable[DenyPrincipal], principal_id: str | None, directory: Directory, beside: frozenset[str]
) -> Meets:
    ids = {item.id.casefold() for item in principals}
    if EVERYONE in ids:
        return Meets.YES
    if principal_id is None:
        return Meets.MAYBE if ids else Meets.NO
    if principal_id in ids or not ids.isdisjoint(beside):
        return Meets.YES
    groups = [item for item in ids if directory.has_members(item)]
    if groups and not directory.chains_up(principal_id).keys().isdisjoint(groups):
        return Meets.YES
    return Meets.MAYBE if any(directory.doubt(principal_id, item) for item in ids) else Meets.NO


def _excludes_a_member(deny: DenyAssignment, principal_id: str | None, directory: Directory) -> bool:
    if principal_id is None or not deny.exclude_principals or not _is_group(principal_id, directory):
        return False
    if directory.type_of(principal_id) is None and not directory.is_recorded(principal_id):
        return False  # nobody holds anything through an ID that no record names: it is asked about for itself
    return any(directory.may_overlap(principal_id, item.id.casefold()) for item in deny.exclude_principals)


def _is_group(principal_id: str, directory: Directory) -> bool:
    return directory.type_of(principal_id) in ("Group", "ForeignGroup", None)


def possible_citation(deny: DenyAssignment, mask: int = 0) -> Citation:
    """The citation of an assignment that perhaps takes what was asked: under which condition, and what was not read of it."""
    text = deny.condition or next((block.condition for block in deny.permissions if block.condition), None)
    remark = None if effect_is_certain(deny) else _EFFECT_NOT_READ
    return Citation(
        CitationKind.DENY_ASSIGNMENT,
        deny.id,
        deny.scope,
        condition=" and ".join(part for part in (text, remark) if part) or None,
        answer=Answer.UNKNOWN,
        mask=mask,
        conditions=(text,) if text else (),
        remark=remark,
    )


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
        met, open_ = _where_conditions_hold(deny, block, sure | unsure, vault, ref)
        if effect_is_certain(deny):
            certain |= sure & met
            possible |= (unsure & met) | ((sure | unsure) & open_)
        else:
            possible |= (sure | unsure) & (met | open_)
    if deny.do_not_apply_to_child_scopes and ref is None and deny.scope == vault.scope:
        possible |= certain & ~vault_only_mask()
        certain &= vault_only_mask()
    return certain, possible & ~certain


def _where_conditions_hold(
    deny: DenyAssignment, block: Permission, mask: int, vault: Vault, ref: ObjectRef | None
) -> tuple[int, int]:
    """The operations of a mask for which the conditions of a block are met, and those for which nobody knows."""
    texts = tuple(text for text in (deny.condition, block.condition) if text)
    if not texts:
        return mask, 0
    met = open_ = 0
    for item in iter_operations(mask):
        verdict = evaluate_operation(texts, item, vault.name, ref, denies=True).verdict
        if verdict is Verdict.TRUE:
            met |= item.mask
        elif verdict is Verdict.UNDETERMINED:
            open_ |= item.mask
    return met, open_


def takes_action(deny: DenyAssignment, action: str, vault: Vault) -> Meets:
    """Whether the assignment takes a control-plane action from whom it meets."""
    if is_idle(deny):
        return Meets.NO
    found = Meets.NO
    for block in deny.permissions:
        taken_by_block = holds_action(block, action)
        texts = tuple(text for text in (deny.condition, block.condition) if text)
        verdict = action_verdict(texts, action, vault, denies=True)
        if taken_by_block is False or verdict is Verdict.FALSE:
            continue
        if taken_by_block and verdict is Verdict.TRUE and effect_is_certain(deny):
            return Meets.YES
        found = Meets.MAYBE
    return found


def action_verdict(texts: Iterable[str], action: str, vault: Vault, *, denies: bool = False) -> Verdict:
    """Whether all conditions are met by a control-plane action on a vault."""
    question = Question(action, vault.name)
    return all_of(evaluate(parse(text), question, denies=denies) for text in texts).verdict
