"""Groups that have access: their owners, and those whom PIM for Groups makes eligible as members or owners (E23)."""

from collections.abc import Iterator

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.directory import Directory
from kvaudit.access.escalation.actors import Actors, surest
from kvaudit.access.escalation.takeover import Takeover, of_principal
from kvaudit.access.moments import Clock
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.identities import GroupScheduleInstance, Ownership


class Groups:
    """Owners and eligible people of groups, as one estate records them.

    Args:
        estate: the records.
        directory: memberships.
    """

    def __init__(self, estate: Estate, directory: Directory) -> None:
        self._directory = directory
        self._owners: dict[str, list[Ownership]] = {}
        for item in estate.ownerships:
            if item.target_kind.casefold() == "group":
                self._owners.setdefault(item.target, []).append(item)
        self._clock = clock = Clock(estate.collected_at)
        self._instances: dict[str, list[GroupScheduleInstance]] = {}
        for instance in estate.group_schedule_instances:
            if clock.is_past(instance.end):
                continue
            if instance.eligible or instance.access.casefold() == "owner":
                self._instances.setdefault(instance.group, []).append(instance)

    @property
    def targets(self) -> frozenset[str]:
        """Folded IDs of the groups that this family knows something about."""
        return frozenset({*self._owners, *self._instances})

    def actors(self, target: str) -> Iterator[Actors]:
        """Those who have a way into one group, each as surely as the surest way."""
        yield Actors(surest((item.principal_id, item.answer) for item in self.ways(target) if item.principal_id))

    def ways_of(self, principal: str, target: str) -> Iterator[Takeover]:
        """The ways of one principal into one group, by its groups too."""
        yield from of_principal(self.ways(target), principal, self._directory)

    def ways(self, target: str) -> Iterator[Takeover]:
        """The ways into one group."""
        for item in self._owners.get(target, ()):
            via = (Citation(CitationKind.OWNERSHIP, f"groups/{target}/owners/{item.owner}"),)
            how = "owns {target} and adds itself"
            yield Takeover("E23", item.owner, target, Answer.ALLOWED, ("ownership of a group",), via, how)
        for instance in self._instances.get(target, ()):
            owner = instance.access.casefold() == "owner"
            begins = instance.start if self._clock.is_future(instance.start) else None
            waits = (
                "eligible, must be activated" if instance.eligible else "",
                f"not before {begins}" if begins else "",
            )
            text = " and ".join(item for item in waits if item) or None
            answer = Answer.CONDITIONAL if text else Answer.ALLOWED
            via = (
                Citation(CitationKind.GROUP_SCHEDULE, instance.id, condition=text, ends=instance.end, answer=answer),
            )
            first = "activates its ownership" if instance.eligible else "owns"
            how = (
                f"{first} of {{target}} and adds itself"
                if owner and instance.eligible
                else ("owns {target} and adds itself" if owner else "activates its membership of {target}")
            )
            kind = "eligible membership or ownership" if instance.eligible else "ownership of a group"
            yield Takeover("E23", instance.principal_id, target, answer, (kind,), via, how)
