"""What a record gives of the actions that routes are made of: three masks, one for each answer that is not denied."""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from kvaudit.access.conditions import Question, Verdict, admits_assignment, evaluate, parse
from kvaudit.access.conditions.outcome import all_of
from kvaudit.access.conditions.question import ASSIGNMENT_ATTRIBUTE
from kvaudit.access.denies import effect_is_certain
from kvaudit.access.escalation import actions
from kvaudit.access.grants import Grants, Record
from kvaudit.access.roles import RolePower, power_of
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, Permission, ScheduleInstance
from kvaudit.model.permissions import all_operations_mask
from kvaudit.model.roles import builtin_roles

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Powers(NamedTuple):
    """Bits of `actions` by answer. A bit may stand in several masks: the strongest counts."""

    allowed: int = 0
    conditional: int = 0
    unknown: int = 0

    @property
    def any(self) -> int:
        """Bits that are not denied."""
        return self.allowed | self.conditional | self.unknown

    def answer(self, needed: int) -> Answer:
        """The answer for all of some bits together: that of the weakest."""
        if self.allowed & needed == needed:
            return Answer.ALLOWED
        if (self.allowed | self.conditional) & needed == needed:
            return Answer.CONDITIONAL
        return Answer.UNKNOWN if self.any & needed == needed else Answer.DENIED

    def best(self, *choices: int) -> tuple[Answer, int]:
        """The choice of bits with the strongest answer, the first among equals; denied and 0 where there is none."""
        found = [(answer, bits) for bits in choices if (answer := self.answer(bits)) is not Answer.DENIED]
        return min(found, key=lambda item: STRENGTH[item[0]], default=(Answer.DENIED, 0))

    def surest(self, bits: int) -> Answer:
        """The answer for any one of some bits: that of the strongest."""
        if self.allowed & bits:
            return Answer.ALLOWED
        if self.conditional & bits:
            return Answer.CONDITIONAL
        return Answer.UNKNOWN if self.unknown & bits else Answer.DENIED

    def within(self, bits: int) -> "Powers":
        """Only these bits."""
        return Powers(self.allowed & bits, self.conditional & bits, self.unknown & bits)

    def awaiting(self) -> "Powers":
        """The same where it must be activated, or begin, first."""
        return Powers(0, self.allowed | self.conditional, self.unknown)

    def plus(self, bits: int, answer: Answer) -> "Powers":
        """With some more bits of one answer."""
        if answer is Answer.ALLOWED:
            return self._replace(allowed=self.allowed | bits)
        if answer is Answer.CONDITIONAL:
            return self._replace(conditional=self.conditional | bits)
        return self._replace(unknown=self.unknown | bits) if answer is Answer.UNKNOWN else self


NONE = Powers()
STRENGTH = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.DENIED: 3}


def joined(one: Powers, other: Powers) -> Powers:
    """Everything that either gives."""
    return Powers(one[0] | other[0], one[1] | other[1], one[2] | other[2])


def weaker(one: Answer, other: Answer) -> Answer:
    """The weaker of two answers: what holds only where both do."""
    return one if STRENGTH[one] >= STRENGTH[other] else other


def stronger(one: Answer, other: Answer) -> Answer:
    """The stronger of two answers: what holds where either does."""
    return one if STRENGTH[one] <= STRENGTH[other] else other


def unsure(powers: Powers) -> Powers:
    """The same where nobody knows whether it reaches the place or is taken away."""
    return Powers(0, 0, powers.any)


class RecordPowers:
    """Turns records into powers. Roles and conditions are worked out once each.

    Args:
        grants: what roles hold, and when records count.
        custom: folded GUIDs of the estate's own roles.
    """

    def __init__(self, grants: Grants, custom: Iterable[str] = ()) -> None:
        self._grants = grants
        self._custom = tuple(custom)
        self._blocks: dict[str, tuple[tuple[Permission, int, int], ...] | None] = {}
        self._idle: set[str] = set()

    def is_idle(self, role: str) -> bool:
        """Whether a role holds nothing that routes are made of, nor data for which it is worth activating."""
        if role in self._idle:
            return True
        blocks = self._of_role(role)
        if blocks is not None and not blocks:
            self._idle.add(role)
            return True
        return False

    def of(self, record: Record) -> Powers:
        """What a record gives whom it names, before denies, with no regard to its scope."""
        if self.is_idle(record.role) and not isinstance(record, ScheduleInstance):
            return NONE
        counts, begins, _ = self._grants.window(record)
        if not counts:
            return NONE
        blocks = self._of_role(record.role)
        found = NONE
        if blocks is None:
            found = Powers(unknown=actions.HELD)
        else:
            for block, held, open_ in blocks:
                texts = tuple(text for text in (record.condition, block.condition) if text)
                found = joined(found, self._under_conditions(texts, held, open_, record))
        if begins or (isinstance(record, ScheduleInstance) and record.eligible):
            found = found.awaiting()
            if self._worth_activating(record, found):
                found = found.plus(actions.ACTIVATES, Answer.UNKNOWN if blocks is None else Answer.CONDITIONAL)
        return found

    def _of_role(self, role: str) -> tuple[tuple[Permission, int, int], ...] | None:
        """The blocks of a role that hold something; None for a role whose definition is nowhere to be found."""
        if role not in self._blocks:
            permissions = self._grants.power(role).permissions
            if permissions is None:
                self._blocks[role] = None
            else:
                bits = ((block, *actions.bits_of(block)) for block in permissions)
                self._blocks[role] = tuple(item for item in bits if item[1] | item[2])
        return self._blocks[role]

    def _under_conditions(self, texts: tuple[str, ...], held: int, open_: int, record: Record) -> Powers:
        if not texts:
            return Powers(held, 0, open_)
        met, maybe = _where_met(texts, held | open_)
        found = Powers(held & met, held & maybe, open_ & (met | maybe))
        limited = (held | open_) & maybe & actions.ASSIGN
        if not limited:
            return found
        # A condition on assigning roles is what a delegated administrator has: E5, not E4 on a condition.
        found = found.within(~(actions.ASSIGN | actions.ASSIGN_SUBSCRIPTION))
        for bit, roles in (
            (actions.ASSIGN_DATA_LIMITED, self.roles_to_data),
            (actions.ASSIGN_CONTROL_LIMITED, roles_that_write_policies()),
        ):
            admitted = [
                answer for _, answer in admitted_roles(texts, roles, record.principal_id, record.principal_type)
            ]
            if admitted:
                best = Answer.ALLOWED if Answer.ALLOWED in admitted else Answer.CONDITIONAL
                found = found.plus(bit, best if held & limited else Answer.UNKNOWN)
        return found

    def _worth_activating(self, record: Record, found: Powers) -> bool:
        return bool(found.any & actions.GIVES_ACCESS) or any(
            block.mask for block in self._grants.power(record.role).blocks
        )

    @cached_property
    def roles_to_data(self) -> tuple[str, ...]:
        """Folded GUIDs of the roles that give data of vaults, or the right to assign any role."""
        own = {guid for guid in self._custom if led_to(self._grants.power(guid))}
        return tuple(sorted(own.union(_builtin_roles_to_data()).difference(set(self._custom) - own)))


def led_to(power: RolePower) -> int:
    """The operations that whoever is given a role comes to: what it holds of data, or all where it assigns any role.

    A role that was not read may be one that does.
    """
    if power.permissions is None or any(
        actions.bits_of(item)[0] & actions.ASSIGN and not item.condition for item in power.permissions
    ):
        return all_operations_mask()
    return sum_of(item.mask for item in power.blocks)


def sum_of(masks: Iterable[int]) -> int:
    """Every bit of some masks."""
    found = 0
    for mask in masks:
        found |= mask
    return found


@lru_cache(maxsize=1)
def _builtin_roles_to_data() -> tuple[str, ...]:
    return tuple(guid for guid in builtin_roles() if led_to(power_of(guid, None)))


@lru_cache(maxsize=1)
def roles_that_write_policies() -> tuple[str, ...]:
    """Folded GUIDs of the built-in roles that may write access policies without a condition."""
    return tuple(
        guid
        for guid, role in sorted(builtin_roles().items())
        if any(actions.bits_of(block)[0] & actions.POLICIES_WRITE and not block.condition for block in role.permissions)
    )


def admitted_roles(
    texts: tuple[str, ...], roles: tuple[str, ...], principal_id: str | None, principal_type: str | None
) -> tuple[tuple[str, Answer], ...]:
    """The roles that conditions let their holder assign, to itself or to anybody: allowed, or conditional where it hangs on more.

    Args:
        texts: the conditions of the assignment and of the role's block; all must hold.
        roles: folded GUIDs to ask about.
        principal_id: folded ID of the holder.
        principal_type: its type as the record says, or None.
    """
    named = {name for text in texts for _, name in getattr(parse(text), "attributes", ())}
    return _admitted(
        texts,
        roles,
        principal_id if f"{ASSIGNMENT_ATTRIBUTE}principalid" in named else None,
        principal_type if f"{ASSIGNMENT_ATTRIBUTE}principaltype" in named else None,
    )


@lru_cache(maxsize=20_000)
def _admitted(
    texts: tuple[str, ...], roles: tuple[str, ...], principal_id: str | None, principal_type: str | None
) -> tuple[tuple[str, Answer], ...]:
    """The same: what a condition does not name of the holder makes no difference, nor which role it is that it does not name.

    A role is compared as a GUID and for equality only, so all roles that stand nowhere in the texts, and are not the holder's
    own ID, have one answer. Names that are no GUIDs are asked about one by one.
    """
    written = "".join((*texts, principal_id or "")).casefold().replace("-", "")
    rest: Answer | None = None
    found = []
    for role in roles:
        if not _GUID.fullmatch(role) or role.replace("-", "") in written:
            answer = _admits(texts, role, principal_id, principal_type)
        else:
            answer = rest = rest or _admits(texts, role, principal_id, principal_type)
        if answer is not Answer.DENIED:
            found.append((role, answer))
    return tuple(found)


def _admits(texts: tuple[str, ...], role: str, principal_id: str | None, principal_type: str | None) -> Answer:
    """Whether conditions let their holder assign one role, to itself or to anybody."""
    verdicts = {
        all_of(admits_assignment(parse(text), role, who, kind) for text in texts).verdict
        for who, kind in ((principal_id, principal_type), (None, None))
    }
    if Verdict.TRUE in verdicts:
        return Answer.ALLOWED
    return Answer.CONDITIONAL if Verdict.UNDETERMINED in verdicts else Answer.DENIED


@lru_cache(maxsize=20_000)
def _where_met(texts: tuple[str, ...], bits: int, *, denies: bool = False) -> tuple[int, int]:
    """The bits for whose actions all conditions are met, and those for which nobody knows.

    What a vault is called does not matter: Microsoft publishes no attribute of Key Vault for control-plane actions.
    """
    met = maybe = 0
    for item in actions.ACTIONS:
        if item.bit & bits:
            question = Question(item.name)
            verdict = all_of(evaluate(parse(text), question, denies=denies) for text in texts).verdict
            met |= item.bit if verdict is Verdict.TRUE else 0
            maybe |= item.bit if verdict is Verdict.UNDETERMINED else 0
    return met, maybe


def taken_by(deny: DenyAssignment) -> tuple[int, int]:
    """The bits that a deny assignment which does more than audit takes from whom it meets: for certain, and possibly."""
    certain = possible = 0
    for block in deny.permissions:
        held, open_ = actions.bits_of(block)
        texts = tuple(text for text in (deny.condition, block.condition) if text)
        met, maybe = _where_met(texts, held | open_, denies=True) if texts else (held | open_, 0)
        certain |= held & met
        possible |= (open_ & met) | maybe
    if not effect_is_certain(deny):
        certain, possible = 0, certain | possible
    return _with_limited(certain), _with_limited(possible & ~certain)


def _with_limited(bits: int) -> int:
    return bits | actions.LIMITED if bits & actions.ASSIGN else bits
