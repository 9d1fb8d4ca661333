"""Routes that no group has itself: a member of two has a half of it from each.

Whoever is named by a record with routes is looked at anyhow, and a group that has a route stands for its members. What is left
are members of groups that give a first half at the vault and lack the route itself. Who of them stands in which other groups with routes is
found once for each such group; members whom the same records concern have the same routes, so that a vault looks at one of them,
and at no large group member by member.
"""

from collections.abc import Iterator, Mapping

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
        self._named_beside: Kept[tuple[str, frozenset[str]], tuple[str, ...]] = Kept(_NAMES)

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
            table: dict[_Equal, list[str]] = {}
            for name in self._everyone_in(group):
                if name not in self._standings.scopes_of:
                    names = self._standings.concerning.intersection((name, *self._standings.groups_of(name)))
                    if len(names) > 1:
                        ways = self._directory.ways_up(name)
                        awaited = frozenset((item, ways[item].chain[-1]) for item in names if item in ways)
                        table.setdefault((names, awaited, *self._doubted(name)), []).append(name)
            found = {equal: tuple(names) for equal, names in table.items()}
            self._members.put(group, found, 1 + sum(map(len, found.values())))
        return found

    def beside(self, group: str, others: frozenset[str]) -> Iterator[tuple[str, ...]]:
        """The members of a group whom records of some others concern too, named or not; those who are equal together.

        Args:
            group: folded ID.
            others: folded IDs of principals and groups; a member may be one of them.
        """
        found = self._named_beside.get((group, others))
        if found is None:
            standings = self._standings
            named = (name for name in standings.named_in(group) if self._is_concerned(name, others))
            found = tuple(sorted(named))
            self._named_beside.put((group, others), found, 1 + len(found))
        yield from ((name,) for name in found)
        for (names, *_), members in self.members(group).items():
            if not others.isdisjoint(names):
                yield members

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
