"""Routes that no group has itself: a member of two has a half of it from each.

Whoever is named by a record with routes is looked at anyhow, and a group that has a route stands for its members. What is left
are members of groups that give a first half at the vault and lack the route itself. Who of them stands in which other groups with routes is
found once for each such group; members whom the same records concern have the same routes, so that a vault looks at one of them,
and at no large group member by member.
"""

from collections.abc import Collection, Iterable, Mapping

from kvaudit.access.directory import Directory
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Setting

_NAMES = 1_000_000
"""Names of principals that are kept, by the group of which they are members."""

_Equal = tuple[frozenset[str], frozenset[tuple[str, str]], str | None, bool]
"""By what members of a group are equal: the principals through which records concern them, those of these groups into which they
can only come with the group that they come into first, their type, whether their groups were read."""


class Halves:
    """Members of groups whom several records concern.

    Args:
        directory: who is in which group.
        standings: whom records with routes name.
    """

    def __init__(self, directory: Directory, standings: Standings) -> None:
        self._directory = directory
        self._standings = standings
        self._members: Kept[str, Mapping[_Equal, tuple[str, ...]]] = Kept(_NAMES)
        self._beside: Kept[tuple[str, frozenset[str]], tuple[tuple[str, ...], ...]] = Kept(_NAMES)
        self._groups_of_others: dict[frozenset[str], frozenset[str]] = {}

    def first(self, node: Node, setting: Setting, *, is_customised: bool) -> frozenset[str]:
        """Those whom records over a node give what is one half of a route, and no route by itself.

        Args:
            node: where the vault stands.
            setting: its properties.
            is_customised: whether a custom role is assigned over it.
        """
        bits = actions.DEPLOY | (actions.ROLES_WRITE if is_customised else 0)
        if setting.is_foreign:  # no role there gives data, so the right to assign one is no route
            bits |= actions.ASSIGN | actions.ASSIGN_SUBSCRIPTION
        if node.shaken:  # what a deny takes is half of the route that its removal is
            bits = actions.ALL_BITS
        return self._standings.naming_over(node, bits)

    def members(self, group: str) -> Mapping[_Equal, tuple[str, ...]]:
        """Those in a group, or who can come into it, whom no record with routes names, and whom others than the group's concern too."""
        found = self._members.get(group)
        if found is None:
            found = self._equal(self._everyone_in(group))
            self._members.put(group, found, 1 + sum(map(len, found.values())))
        return found

    def beside(self, group: str, others: frozenset[str]) -> tuple[tuple[str, ...], ...]:
        """The members of a group whom records of some others concern too, named or not; those who are equal together.

        Args:
            group: folded ID.
            others: folded IDs of principals and groups; a member may be one of them.
        """
        found = self._beside.get((group, others))
        if found is None:
            near, named = self._near(group, others), self._standings.scopes_of
            single = sorted((name,) for name in near if name in named and self._is_concerned(name, others))
            equal = self._equal(near).items()
            found = (*single, *(members for (names, *_), members in equal if not others.isdisjoint(names)))
            self._beside.put((group, others), found, 1 + sum(map(len, found)))
        return found

    def _near(self, group: str, others: frozenset[str]) -> Collection[str]:
        """Those in a group, or who can come into it, who may be some others or in them: what a large group is asked first."""
        directory, everyone = self._directory, self._everyone_in(group)
        if directory.edges.awaited_by_group:
            return everyone
        if others not in self._groups_of_others:
            groups = {item for item in others if directory.may_be_group(item)}
            below = (item for name in groups for item in directory.groups_below(name))
            self._groups_of_others[others] = frozenset(groups.union(below))
        inside = self._groups_of_others[others]
        return [name for name in everyone if name in others or directory.stands_in(name, inside)]

    def _equal(self, members: Iterable[str]) -> Mapping[_Equal, tuple[str, ...]]:
        """Some members of a group, those left out whom a record with routes names, by what makes them equal."""
        table: dict[_Equal, list[str]] = {}
        for name in members:
            if name not in self._standings.scopes_of:
                names = self._standings.concerning.intersection((name, *self._standings.groups_of(name)))
                if len(names) > 1:
                    ways = self._directory.ways_up(name)
                    awaited = frozenset((item, ways[item].chain[-1]) for item in names if item in ways)
                    table.setdefault((names, awaited, *self._doubted(name)), []).append(name)
        return {equal: tuple(names) for equal, names in table.items()}

    def _is_concerned(self, name: str, others: frozenset[str]) -> bool:
        return name in others or not others.isdisjoint(self._standings.groups_of(name))

    def _everyone_in(self, group: str) -> frozenset[str]:
        directory = self._directory
        return (
            directory.everyone_below(group)
            if directory.edges.awaited_by_group
            else directory.members_among(group, None)
        )

    def _doubted(self, name: str) -> tuple[str | None, bool]:
        """What it hangs on whether a principal may be in a group whose members were not read."""
        return self._directory.type_of(name), self._directory.is_certain(name)
