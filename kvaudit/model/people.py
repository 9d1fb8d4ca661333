"""Which groups have people in them, and of which groups that cannot be told."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from kvaudit.model.directory import Principal
from kvaudit.model.edges import Memberships

_NEVER_PEOPLE = frozenset({"ServicePrincipal", "Device", "Application", "ForeignGroup"})


class _Types:
    """What members are: by the directory, else a group where they have members themselves, else as the membership says."""

    def __init__(self, memberships: Memberships, principals: Mapping[str, Principal]) -> None:
        self._principals = principals
        self._groups = frozenset(memberships.group_names())

    def __call__(self, member: str, stated: str | None) -> str | None:
        known = self._principals.get(member)
        return (known.type if known else None) or ("Group" if member in self._groups else stated)


class PeopleInGroups:
    """People in groups, through groups in groups. Made once per estate, in time linear in the memberships.

    Args:
        memberships: direct edges, by column.
        principals: by folded ID, for the type of members where the edge does not say it.
        was_read: whether the member list of a group (folded ID) was read to its end.
        joined: groups that somebody joined through PIM, and who: mostly one of the memberships tells the same. Where none does,
            whether the time is over is left open, and so is whether people are in the group.
    """

    def __init__(
        self,
        memberships: Memberships,
        principals: Mapping[str, Principal],
        was_read: Callable[[str], bool],
        joined: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._was_read = was_read
        parents: defaultdict[str, list[str]] = defaultdict(list)
        with_people, unclear, groups = set(), set(), set()
        type_of = _Types(memberships, principals)
        # Those of whom a membership says that no people are in them, and there may be some.
        misnamed = any(
            type_of(member, kind) not in _NEVER_PEOPLE
            for member, kind in memberships.members_and_types()
            if kind in _NEVER_PEOPLE
        )
        for group, kind, members in memberships.by_group_and_type():
            groups.add(group)
            if kind == "User":
                with_people.add(group)
            elif misnamed or kind not in _NEVER_PEOPLE:
                for member in members():
                    found = type_of(member, kind)
                    if found == "User":
                        with_people.add(group)
                    elif found == "Group":
                        parents[member].append(group)
                        groups.add(member)
                    elif found not in _NEVER_PEOPLE:
                        unclear.add(group)
        unclear.update(group for group, member in joined if member not in memberships.by_group.get(group, ()))
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
