"""One way to act as a principal that has access: what the families of identity routes yield, and how they are gathered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from kvaudit.access.answers import Citation
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.actors import Actors
from kvaudit.access.escalation.answers import Confidence
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.powers import STRENGTH, weaker
from kvaudit.access.grants import after
from kvaudit.model.answers import Answer

_WAYS = 100_000
"""Ways that are kept, by target and by holder."""
_TARGETS = 200_000
"""Targets of which it is kept who can act as them."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """One way.

    Attributes:
        route: id of the route.
        principal_id: folded ID of who can do it; None for somebody outside the directory.
        target: folded ID of the principal as which it then acts, or whose secrets it sees.
        actions: what it was found by.
        via: the records that give it.
        how: a clause; `{target}` stands for the name of the target.
        mask: the operations that it leads to, where these are not those of the target; else 0.
        again: where it rests on rights at a resource: the same for somebody else, such as a member of a group that has them.
            Its answer may be denied: half of what the way takes.
        limit: the answer for the access of whom it acts as, where that is weaker than the way itself.
    """

    route: str
    principal_id: str | None
    target: str
    answer: Answer
    actions: tuple[str, ...]
    via: tuple[Citation, ...]
    how: str
    note: str = ""
    confidence: Confidence | None = None
    mask: int = 0
    again: "Callable[[str], Iterable[Takeover]] | None" = field(default=None, compare=False, repr=False)
    limit: Answer = field(default=Answer.ALLOWED, compare=False, repr=False)


def for_member(way: Takeover, principal: str, group: str, directory: Directory) -> Takeover:
    """A way of a group as one of somebody who is in it, or can come into it."""
    chain = directory.chains_up(principal).get(group)
    # Who elevates itself is its own target: a member does it for itself.
    target = principal if way.target == group == way.principal_id else way.target
    if chain is not None:
        return replace(way, target=target, via=tuple(replace(item, groups=chain) for item in way.via))
    come = directory.ways_up(principal)[group]
    via = tuple(after(replace(item, groups=come.chain), come) for item in way.via)
    return replace(way, target=target, answer=weaker(way.answer, Answer.CONDITIONAL), via=via)


def of_principal(ways: Iterable[Takeover], principal: str, directory: Directory) -> Iterator[Takeover]:
    """The ways of one principal and of its groups; for families whose ways do not rest on rights at a resource."""
    groups = directory.chains_up(principal).keys() | directory.ways_up(principal).keys()
    for way in ways:
        if way.principal_id == principal:
            yield way
        elif way.principal_id in groups:
            yield for_member(way, principal, way.principal_id, directory)


class Family(Protocol):
    """One family of routes through identities."""

    def ways(self, target: str) -> Iterable[Takeover]:
        """The ways to act as a target (folded ID)."""

    def ways_of(self, principal: str, target: str) -> Iterable[Takeover]:
        """Those of one principal by which it may gain what the target holds, by its groups too; some may be denied."""

    def actors(self, target: str) -> Iterable[Actors]:
        """Those who may gain it, and how surely. A group stands for its members."""


class Takeovers:
    """Ways to act as the holders of access, gathered once for each holder.

    Args:
        directory: who is in which group.
        targets: principals that some family may know a way to, in addition to the holders themselves.
        families: the families.

    Attributes:
        known: the targets, sorted.
    """

    def __init__(self, directory: Directory, targets: Iterable[str], families: Iterable[Family]) -> None:
        self._families = tuple(families)
        self._below: dict[str, list[str]] = {}
        self.known = tuple(sorted(set(targets)))
        for target in self.known:
            for group in filter(directory.may_be_group, directory.groups_over(target)):  # whatever lists say
                self._below.setdefault(group, []).append(target)
        self._by_target: Kept[str, tuple[Takeover, ...]] = Kept(_WAYS)
        self._by_holder: Kept[str, tuple[Takeover, ...]] = Kept(_WAYS)
        self._actors: Kept[str, tuple[Actors, ...]] = Kept(_TARGETS)

    def targets(self, holder: str) -> tuple[str, ...]:
        """A holder of access and those in it, if it is a group, as whom a family may know a way to act."""
        return (holder, *self._below.get(holder, ()))

    def of_holder(self, holder: str) -> tuple[Takeover, ...]:
        """Every way to act as a holder of access, or as a member of a group that is one."""
        known = self._by_holder.get(holder)
        if known is None:
            found: list[Takeover] = []
            for target in self.targets(holder):
                found.extend(item for item in self._of_target(target) if item.principal_id not in (target, holder))
            known = self._by_holder.put(holder, tuple(found), 1 + len(found))
        return known

    def actors(self, target: str) -> tuple[Actors, ...]:
        """Those who can act as one target by records that can be mended, by families and places."""
        known = self._actors.get(target)
        if known is None:
            found = (item for family in self._families for item in family.actors(target))
            known = self._actors.put(target, tuple(item for item in found if item.own or item.above))
        return known

    def ways_of(self, principal: str, target: str) -> Iterator[Takeover]:
        """The ways of one of them, the surest first."""
        ways = (item for family in self._families for item in family.ways_of(principal, target))
        yield from sorted(
            (item for item in ways if item.answer is not Answer.DENIED), key=lambda item: STRENGTH[item.answer]
        )

    def _of_target(self, target: str) -> tuple[Takeover, ...]:
        known = self._by_target.get(target)
        if known is None:
            found = tuple(item for family in self._families for item in family.ways(target))
            known = self._by_target.put(target, found, 1 + len(found))
        return known
