"""What one record adds to the counts of many vaults: the questions that are counted, and the counts.

Records of the same role and condition give the same; what they give is asked of the evaluator's own code once
(`Grants.given_by`, `ControlPlane.citations`) and then only counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kvaudit.access.conditions import ConditionError, Verdict, decided_by_name, depends_on_vault, parse
from kvaudit.access.control import ControlPlane
from kvaudit.access.grants import Given, Grants, Record
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.permissions import iter_operations
from kvaudit.model.vaults import Vault

BROAD = frozenset({"root", "management group", "subscription"})
"""Levels of scope whose role assignments reach more than one team's vaults."""


@dataclass(frozen=True, slots=True)
class DataGrants:
    """Who holds each operation of a mask by a record that names him."""

    mask: int


@dataclass(frozen=True, slots=True)
class BroadGrants:
    """The data-plane assignments at subscription scope or above that hold any operation of a mask."""

    mask: int


@dataclass(frozen=True, slots=True)
class ControlGrants:
    """The assignments that give a control-plane action.

    Attributes:
        action: what is asked.
        also: an action that opens the same route less certainly: an assignment that gives it alone counts as unknown
            instead of allowed; None where there is none.
    """

    action: str
    also: str | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """Both actions."""
        return (self.action, self.also) if self.also else (self.action,)


@dataclass(frozen=True, slots=True)
class AnyGrant:
    """The records that give anything of the data plane, whatever it is and however surely: all count as allowed.

    So do those that give something elsewhere and nothing at this vault, by their condition: they name their principal, who
    then has a row of its own where it holds something through a group.
    """


Question = DataGrants | BroadGrants | ControlGrants | AnyGrant


class Tally(NamedTuple):
    """Grants, counted.

    Attributes:
        allowed, conditional, unknown: grants with this answer.
        allowed_holders, conditional_holders, unknown_holders: different principals among them.
    """

    allowed: int = 0
    allowed_holders: int = 0
    conditional: int = 0
    conditional_holders: int = 0
    unknown: int = 0
    unknown_holders: int = 0


ANSWERS = (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN)
"""The order of the three sets that are kept for each thing that is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What one record adds: to which sets its principal belongs, and by how much counters grow.

    Attributes:
        sets: the numbers of sets, one bit for each (see `Effects`).
        counts: the number of a counter and by how much it grows.
        has_gap: whether something was not read that keeps it from saying more: the role's definition.
        gives: the operations of the data plane that it gives or may give.
        allows: those of them that it gives for certain.
        broad: the operations of each grant that a record of a broad scope is: one for each of its answers and conditions.
        touches: the triples in which its sets stand, one bit for each (see `Effects`).
        is_plain: whether it is the same at every vault, and everything of it was read.
    """

    sets: int
    counts: tuple[tuple[int, int], ...]
    has_gap: bool
    gives: int
    allows: int = 0
    broad: tuple[int, ...] = ()
    touches: int = 0
    is_plain: bool = True


class Effects:
    """Works out effects, once for every role and condition.

    Sets and counters stand three by three (allowed, conditional, unknown), the first of triple n at 3 n: one triple for each
    operation of `DataGrants`, then one for each of the other questions, of which the records are counted too.

    Attributes:
        operations: the triple of each operation, by its mask.
        triples: the triple of each of the other questions.
        triples_of: the triples from which a question is answered.
        touched_by: the same, one bit for each.
        of_control: those of the control plane, one bit for each.

    Args:
        grants, control: the evaluator's own.
        questions: what is counted.
        any_vault: one vault. Conditions cannot see of a control-plane action which vault it is done to.
    """

    def __init__(self, grants: Grants, control: ControlPlane, questions: Iterable[Question], any_vault: Vault) -> None:
        self._any_vault = any_vault
        self._grants = grants
        self._control = control
        asked = tuple(dict.fromkeys(questions))
        mask = 0
        for item in asked:
            mask |= item.mask if isinstance(item, DataGrants) else 0
        self.operations = {item.mask: place for place, item in enumerate(iter_operations(mask))}
        others = [item for item in asked if not isinstance(item, DataGrants)]
        self.triples: Mapping[Question, int] = {item: len(self.operations) + place for place, item in enumerate(others)}
        self.triples_of: Mapping[Question, tuple[int, ...]] = {item: self._triples(item) for item in asked}
        self.touched_by: Mapping[Question, int] = {item: _bits(found) for item, found in self.triples_of.items()}
        self.of_control = _bits(self.triples[item] for item in others if isinstance(item, ControlGrants))
        self._known: dict[tuple[str, str | None, bool], Effect | None] = {}
        self._settled: dict[tuple[str, str | None, bool, tuple[tuple[Verdict, ...], ...]], Effect | None] = {}
        self._interned: dict[tuple[int, tuple[tuple[int, int], ...], bool, int, int, tuple[int, ...]], Effect] = {}
        self._texts: dict[tuple[str, str | None], tuple[str, ...]] = {}
        self._by_name: dict[str, tuple[Verdict, ...]] = {}
        self._named = ""
        self._turning: dict[tuple[str, str | None], bool] = {}

    def _triples(self, question: Question) -> tuple[int, ...]:
        if not isinstance(question, DataGrants):
            return (self.triples[question],)
        return tuple(self.operations[item.mask] for item in iter_operations(question.mask))

    def of(self, record: Record, *, broad: bool) -> Effect | None:
        """What a record adds that does not turn on the vault; None: nothing at all.

        Args:
            record: the record.
            broad: whether its scope is one of `BROAD`.
        """
        if not isinstance(record, RoleAssignment) or self._grants.is_timed(record):
            return self._effect(record, None, broad=broad)
        key = (record.role, record.condition, broad)
        try:
            return self._known[key]
        except KeyError:
            return self._known.setdefault(key, self._effect(record, None, broad=broad))

    def at(self, record: Record, vault: Vault, *, broad: bool) -> Effect | None:
        """What a record adds at one vault: the same wherever its conditions decide the same."""
        if not isinstance(record, RoleAssignment) or self._grants.is_timed(record):
            return self._effect(record, vault, broad=broad)
        key = (record.role, record.condition, broad, self._decided(record, vault.name))
        try:
            return self._settled[key]
        except KeyError:
            return self._settled.setdefault(key, self._effect(record, vault, broad=broad))

    def _decided(self, record: Record, name: str) -> tuple[tuple[Verdict, ...], ...]:
        """What the conditions of a record decide of a vault's name."""
        if self._named != name:
            self._named = name
            self._by_name.clear()
        found = []
        for text in self._texts_of(record):
            verdicts = self._by_name.get(text)
            if verdicts is None:
                verdicts = self._by_name[text] = decided_by_name(text, name)
            found.append(verdicts)
        return tuple(found)

    def _texts_of(self, record: Record) -> tuple[str, ...]:
        """The conditions of a record and of its role's blocks."""
        key = (record.role, record.condition)
        found = self._texts.get(key)
        if found is None:
            texts = (record.condition, *(block.condition for block in self._grants.power(record.role).blocks))
            found = self._texts[key] = tuple(dict.fromkeys(text for text in texts if text))
        return found

    def turns_on_vault(self, record: Record) -> bool:
        """Whether the vault's name can change what the record gives."""
        key = (record.role, record.condition)
        if key not in self._turning:
            self._turning[key] = any(map(_turns, self._texts_of(record)))
        return self._turning[key]

    def _effect(self, record: Record, vault: Vault | None, *, broad: bool) -> Effect | None:
        given: tuple[Given, ...] = ()
        if self._grants.power(record.role).touches_data:
            given = self._grants.given_by(record, vault, None, at_object=False)
        sets = 0
        counts: dict[int, int] = {}
        for item in given:
            place = ANSWERS.index(item.citation.answer)
            for mask, triple in self.operations.items():
                if item.citation.mask & mask:
                    sets |= 1 << 3 * triple + place
        for question, triple in self.triples.items():
            for answer in self._answers(question, record, given, broad=broad):
                number = 3 * triple + ANSWERS.index(answer)
                sets |= 1 << number
                counts[number] = counts.get(number, 0) + 1
        if not sets and not given:
            return None
        has_gap = any(item.gaps for item in given)
        gives = allows = 0
        for item in given:
            gives |= item.citation.mask
            allows |= item.citation.mask if item.citation.answer is Answer.ALLOWED else 0
        grants = tuple(item.citation.mask for item in given) if broad else ()
        key = (sets, tuple(counts.items()), has_gap, gives, allows, grants)
        try:
            return self._interned[key]
        except KeyError:
            triples = len(self.operations) + len(self.triples)
            touches = sum(1 << triple for triple in range(triples) if sets >> 3 * triple & 7)
            return self._interned.setdefault(key, Effect(*key, touches, is_plain=not has_gap))

    def _answers(
        self, question: Question, record: Record, given: tuple[Given, ...], *, broad: bool
    ) -> Iterator[Answer]:
        """The answers of the grants that one record is, for a question that counts records."""
        if isinstance(question, AnyGrant):
            if given or (self._grants.power(record.role).touches_data and self._grants.depends_on_place(record)):
                yield Answer.ALLOWED
        elif isinstance(question, BroadGrants) and broad:
            yield from (item.citation.answer for item in given if item.citation.mask & question.mask)
        elif isinstance(question, ControlGrants):
            certain = tuple(self._control.citations(record, question.action, self._any_vault))
            yield from (item.answer for item in certain)
            for item in self._control.citations(record, question.also, self._any_vault) if question.also else ():
                if item not in certain:
                    yield Answer.UNKNOWN if item.answer is Answer.ALLOWED else item.answer


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _turns(text: str) -> bool:
    condition = parse(text)
    return not isinstance(condition, ConditionError) and depends_on_vault(condition)
