"""One way to act as a principal that has access: what the families of identity routes yield, and how they are gathered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from kvaudit.access.answers import Citation
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.answers import Confidence
from kvaudit.model.answers import Answer


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


Family = Callable[[str], Iterable[Takeover]]
"""From the folded ID of a target to the ways to act as it."""


class Takeovers:
    """Ways to act as the holders of access, gathered once for each holder.

    Args:
        directory: who is in which group.
        targets: principals that some family may know a way to, in addition to the holders themselves.
        families: the families.
    """

    def __init__(self, directory: Directory, targets: Iterable[str], families: Iterable[Family]) -> None:
        self._families = tuple(families)
        self._below: dict[str, list[str]] = {}
        for target in sorted(set(targets)):
            for group in directory.chains_up(target):
                self._below.setdefault(group, []).append(target)
        self._by_target: dict[str, tuple[Takeover, ...]] = {}
        self._by_holder: dict[str, tuple[Takeover, ...]] = {}

    def targets(self, holder: str) -> tuple[str, ...]:
        """A holder of access and those in it, if it is a group, as whom a family may know a way to act."""
        return (holder, *self._below.get(holder, ()))

    def of_holder(self, holder: str) -> tuple[Takeover, ...]:
        """Every way to act as a holder of access, or as a member of a group that is one."""
        if holder not in self._by_holder:
            found: list[Takeover] = []
            for target in self.targets(holder):
                found.extend(item for item in self._of_target(target) if item.principal_id not in (target, holder))
            self._by_holder[holder] = tuple(found)
        return self._by_holder[holder]

    def _of_target(self, target: str) -> tuple[Takeover, ...]:
        if target not in self._by_target:
            self._by_target[target] = tuple(self._gathered(target))
        return self._by_target[target]

    def _gathered(self, target: str) -> Iterator[Takeover]:
        for family in self._families:
            yield from family(target)
