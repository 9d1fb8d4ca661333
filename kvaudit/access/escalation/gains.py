"""Who gains access to a vault by acting as an identity that has it: what somebody holds is set against what the identity holds.

Nobody gains what he holds himself or through his groups: not for certain where he holds it for certain, and not on a condition
where he holds it in any way. Directory roles are left out: whoever has one can act as anybody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kvaudit.access.answers import Holding
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.actors import Actors, surest
from kvaudit.access.escalation.powers import STRENGTH, weaker
from kvaudit.access.escalation.takeover import Takeovers
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap


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


class Part(NamedTuple):
    """Somebody who gains something by acting as any of some identities, and how surely; there may be more such parts."""

    principal_id: str
    answer: Answer
    targets: tuple[str, ...]


class Gains:
    """Answers who gains access to one vault, or to one object in it.

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
        self._pairs: dict[str, list[Holding]] = {}

    def of(self, rows: Iterable[Holding]) -> Iterator[Part]:
        """Who gains something by acting as which identities, and how surely.

        Args:
            rows: what everybody whom a record names holds there.
        """
        rows = tuple(row for row in rows if row.principal_id)
        self._pairs = _by_principal(row for row in rows if row.application_id)
        self._holders = frozenset(row.principal_id or "" for row in rows)
        self._held = {}
        for row in rows:
            if row.principal_id and not row.application_id:
                self._held[row.principal_id] = self._held.get(row.principal_id, Held()).plus(row)
        for name in self._held if self._pairs else ():
            self._held[name] = self._with_pairs(self._held[name], (name, *self._groups_of(name)))
        # Machines side by side are controlled by the same people: identities that hold the same are looked at together.
        alike: dict[tuple[tuple[Actors, ...], Held], list[str]] = {}
        for target in dict.fromkeys(item for holder in self._holders for item in self._takeovers.targets(holder)):
            actors = self._takeovers.actors(target)
            if actors and (its := self._held_by(target)).any:
                alike.setdefault((actors, its), []).append(target)
        for (actors, its), targets in alike.items():
            can = surest(item for found in actors for item in found.everybody().items())
            together = tuple(target for target in targets if target not in can)
            for part in (together, *((target,) for target in targets if target in can)):
                if part:
                    yield from self._of_targets(part, can, its)

    def _of_targets(self, targets: tuple[str, ...], can: Mapping[str, Answer], its: Held) -> Iterator[Part]:
        """Those who gain something by acting as any of some identities, as which the same people can act."""
        for name, way in can.items():
            if targets == (name,):  # whoever can act as himself is looked at alone
                continue
            answer = weaker(way, its.over(self._held_by(name)))
            if answer is not Answer.DENIED:
                yield Part(name, answer, targets)
            if answer is not way:  # a member that a deny assignment keeps from what the group holds gains more
                yield from self._members(name, targets, its, answer)

    def _members(self, group: str, targets: tuple[str, ...], its: Held, of_group: Answer) -> Iterator[Part]:
        known = frozenset(targets)
        for name in self._in_denies(group):
            others = tuple(target for target in targets if target != name) if name in known else targets
            if others:
                way = next(iter(self._takeovers.ways_of(name, others[0])), None)
                answer = weaker(way.answer, its.over(self._held_by(name))) if way else Answer.DENIED
                if STRENGTH[answer] < STRENGTH[of_group]:
                    yield Part(name, answer, others)

    def _held_by(self, name: str) -> Held:
        """What anybody holds; whom no record names holds something through groups alone."""
        if name not in self._held:
            groups = self._groups_of(name)
            row = None if groups.isdisjoint(self._holders) else self._holding_of(name)
            held = Held().plus(row) if row else Held()
            self._held[name] = self._with_pairs(held, (name, *groups)) if self._pairs else held
        return self._held[name]

    def _groups_of(self, name: str) -> frozenset[str]:
        return frozenset((*self._directory.chains_up(name), *self._directory.ways_up(name)))

    def _with_pairs(self, held: Held, names: Iterable[str]) -> Held:
        """With what somebody holds beside an application, himself or through groups."""
        for row in (row for name in names for row in self._pairs.get(name, ())):
            held = held.plus(row)
        return held


class Unseen:
    """Why somebody as whom others can act may be in a group although nobody saw it there.

    Args:
        takeovers: who can act as whom.
        directory: who is in which group, and what of that nobody read.
    """

    def __init__(self, takeovers: Takeovers, directory: Directory) -> None:
        self._takeovers = takeovers
        self._directory = directory
        self._kept: dict[str, tuple[Gap, ...]] = {}

    def of(self, holder: str) -> tuple[Gap, ...]:
        """What was not read of a holder of access that may be a group; empty where it hides no such member."""
        if holder not in self._kept:
            self._kept[holder] = self._found(holder) if self._directory.hides_members(holder) else ()
        return self._kept[holder]

    def _found(self, group: str) -> tuple[Gap, ...]:
        unread = () if self._directory.is_foreign(group) else self._directory.hidden_below(group)
        if unread:  # of a group or an application that nobody saw, nobody asked who owns it
            return unread
        # Whoever was asked for its groups is in no other group of this tenant.
        targets = self._takeovers.known if self._directory.is_foreign(group) else self._unasked
        doubts = ((target, self._directory.doubt(target, group)) for target in targets)
        return next((gaps for target, gaps in doubts if gaps and self._takeovers.actors(target)), ())

    @cached_property
    def _unasked(self) -> tuple[str, ...]:
        """Those as whom somebody can act and who were not asked for their groups."""
        known, directory = self._takeovers.known, self._directory
        return tuple(item for item in known if not directory.is_certain(item) and self._takeovers.actors(item))


def gains_of(parts: Iterable[Iterable[Part]]) -> tuple[Gain, ...]:
    """Everybody who gains something on a vault or on an object in it, the surest first, then by ID.

    Args:
        parts: of the vault, and of each object at which records stand of their own.
    """
    found: dict[str, dict[tuple[Answer, tuple[str, ...]], None]] = {}
    for table in parts:
        for part in table:
            found.setdefault(part.principal_id, {})[part.answer, part.targets] = None
    known: dict[frozenset[tuple[Answer, tuple[str, ...]]], tuple[Answer, tuple[str, ...], int]] = {}
    gains = []
    for name, mine in found.items():
        key = frozenset(mine)
        if key not in known:  # most people gain the same
            known[key] = _summed(mine)
        gains.append(Gain(name, *known[key]))
    return tuple(sorted(gains, key=lambda item: (STRENGTH[item.answer], item.principal_id)))


def _summed(mine: Iterable[tuple[Answer, tuple[str, ...]]]) -> tuple[Answer, tuple[str, ...], int]:
    """The surest answer, the identities by which somebody gains that surely, and how many more there are."""
    table = surest((target, answer) for answer, targets in mine for target in targets)
    best = min(table.values(), key=STRENGTH.__getitem__)
    alike = tuple(sorted(target for target, answer in table.items() if answer is best))
    return best, alike, len(table) - len(alike)


def _by_principal(rows: Iterable[Holding]) -> dict[str, list[Holding]]:
    found: dict[str, list[Holding]] = {}
    for row in rows:
        found.setdefault(row.principal_id or "", []).append(row)
    return found
