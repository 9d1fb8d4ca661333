"""Who gains access to a vault by acting as an identity that has it: what somebody holds is set against what the identity holds.

Nobody gains what he holds himself or through his groups: not for certain where he holds it for certain, and not on a condition
where he holds it in any way. Directory roles are left out: whoever has one can act as anybody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kvaudit.access.answers import Holding
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.actors import surest
from kvaudit.access.escalation.powers import STRENGTH, weaker
from kvaudit.access.escalation.takeover import Takeovers
from kvaudit.model.answers import Answer


class Held(NamedTuple):
    """Operations that somebody holds on a vault.

    Attributes:
        allowed: for certain.
        conditional: on a condition, as some record says; some of them may be allowed too.
        any: in any way.
    """

    allowed: int = 0
    conditional: int = 0
    any: int = 0

    def plus(self, row: Holding) -> "Held":
        """With what one row says."""
        everything = row.allowed | row.conditional | row.unknown
        return Held(self.allowed | row.allowed, self.conditional | row.conditional, self.any | everything)

    def over(self, other: "Held") -> Answer:
        """How surely this is more than somebody else holds; denied where it is not."""
        if self.allowed & ~other.allowed:
            return Answer.ALLOWED
        more = self.any & ~other.any
        if more & self.conditional:
            return Answer.CONDITIONAL
        return Answer.UNKNOWN if more else Answer.DENIED


@dataclass(frozen=True, slots=True)
class Gain:
    """Somebody who gains access by acting as others.

    Attributes:
        principal_id: folded.
        answer: how surely.
        targets: folded IDs of the identities by which it gains that surely, sorted.
        others: how many more there are by which it gains less surely.
    """

    principal_id: str
    answer: Answer
    targets: tuple[str, ...]
    others: int = 0


class Gains:
    """Answers who gains access to one vault.

    Args:
        takeovers: who can act as whom.
        directory: who is in which group.
        holding_of: what one principal holds there, itself and through its groups, or None: nothing.
        in_denies: of a group, those members whom deny assignments name or spare otherwise than the group.
    """

    def __init__(
        self,
        takeovers: Takeovers,
        directory: Directory,
        holding_of: Callable[[str], Holding | None],
        in_denies: Callable[[str], Iterable[str]],
    ) -> None:
        self._takeovers = takeovers
        self._directory = directory
        self._holding_of = holding_of
        self._in_denies = in_denies
        self._held: dict[str, Held] = {}
        self._holders: frozenset[str] = frozenset()

    def of(self, rows: Iterable[Holding]) -> tuple[Gain, ...]:
        """Everybody who gains something, the surest first, then by ID.

        Args:
            rows: what everybody whom a record names holds there.
        """
        rows = tuple(row for row in rows if row.principal_id)
        self._held, self._holders = _held(rows), frozenset(row.principal_id or "" for row in rows)
        found: dict[str, dict[str, Answer]] = {}
        for target in dict.fromkeys(item for holder in self._holders for item in self._takeovers.targets(holder)):
            for name, answer in surest(self._of_target(target)).items():
                found.setdefault(name, {})[target] = answer
        gains = (_gain(name, targets) for name, targets in found.items())
        return tuple(sorted(gains, key=lambda item: (STRENGTH[item.answer], item.principal_id)))

    def _of_target(self, target: str) -> Iterator[tuple[str, Answer]]:
        """Those who gain something by acting as one identity."""
        can = surest(item for actors in self._takeovers.actors(target) for item in actors.everybody().items())
        can.pop(target, None)
        its = self._held_by(target) if can else Held()
        for name, way in can.items() if its.any else ():
            answer = weaker(way, its.over(self._held_by(name)))
            if answer is not Answer.DENIED:
                yield name, answer
            if answer is not way:  # a member that a deny assignment keeps from what the group holds gains more
                yield from self._members(name, target, its, answer)

    def _members(self, group: str, target: str, its: Held, of_group: Answer) -> Iterator[tuple[str, Answer]]:
        for name in self._in_denies(group):
            if name != target:
                way = next(iter(self._takeovers.ways_of(name, target)), None)
                answer = weaker(way.answer, its.over(self._held_by(name))) if way else Answer.DENIED
                if STRENGTH[answer] < STRENGTH[of_group]:
                    yield name, answer

    def _held_by(self, name: str) -> Held:
        """What anybody holds; whom no record names holds something through groups alone."""
        if name not in self._held:
            groups = self._directory.chains_up(name).keys() | self._directory.ways_up(name).keys()
            row = None if groups.isdisjoint(self._holders) else self._holding_of(name)
            self._held[name] = Held().plus(row) if row else Held()
        return self._held[name]


def _held(rows: Iterable[Holding]) -> dict[str, Held]:
    """What those hold whom records name, whatever application they use."""
    found: dict[str, Held] = {}
    for row in rows:
        if row.principal_id and not row.application_id:
            found[row.principal_id] = found.get(row.principal_id, Held()).plus(row)
    return found


def _gain(name: str, targets: Mapping[str, Answer]) -> Gain:
    best = min(targets.values(), key=STRENGTH.__getitem__)
    alike = tuple(sorted(target for target, answer in targets.items() if answer is best))
    return Gain(name, best, alike, len(targets) - len(alike))
