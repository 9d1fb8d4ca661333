"""Which groups have people in them, and of which groups that cannot be told."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from kvaudit.model.directory import Principal
from kvaudit.model.edges import Memberships

_NOT_PEOPLE = frozenset({"Group", "ServicePrincipal", "Device", "Application", "ForeignGroup"})


class PeopleInGroups:
    """People in groups, through groups in groups. Made once per estate, in time linear in the memberships.

    Args:
        memberships: direct edges, by column.
        principals: by folded ID, for the type of members where the edge does not say it.
        was_read: whether the member list of a group (folded ID) was read to its end.
    """

    def __init__(
        self,
        memberships: Memberships,
        principals: Mapping[str, Principal],
        was_read: Callable[[str], bool],
    ) -> None:
        self._was_read = was_read
        parents: defaultdict[str, list[str]] = defaultdict(list)
        with_people, unclear, groups = set(), set(), set()
        for group, kind, members in memberships.by_group_and_type():
            groups.add(group)
            if kind == "User":
                with_people.add(group)
            elif kind is None or kind == "Group" or kind not in _NOT_PEOPLE:
                for member in members():
                    stated = kind or getattr(principals.get(member), "type", None)
                    if stated == "User":
                        with_people.add(group)
                    elif stated == "Group":
                        parents[member].append(group)
                        groups.add(member)
                    elif stated not in _NOT_PEOPLE:
                        unclear.add(group)
        unclear.update(group for group in groups if not was_read(group))
        self._with_people = _upwards(with_people, parents)
        self._unclear = _upwards(unclear, parents)

    def has_people(self, group: str) -> bool:
        """Whether a user stands in a group (folded ID), directly or through groups in it."""
        return group in self._with_people

    def may_hide_people(self, group: str) -> bool:
        """Whether the members of a group, or of a group in it, were not read, or a member's type was not."""
        return group in self._unclear or not self._was_read(group)


def _upwards(groups: Iterable[str], parents: Mapping[str, list[str]]) -> frozenset[str]:
    """The groups and every group that they are in. Cycles end where they meet themselves."""
    found = set(groups)
    waiting = list(found)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return frozenset(found)
