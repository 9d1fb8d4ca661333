"""Routes that no group has itself: a member of two has a half of it from each.

Whoever is named by a record with routes is looked at anyhow, and so are the members of groups that have a route. What is left
are members of groups without one that give a first half at the vault. Who of them stands in which other groups with routes is
found once for each such group; members of the same groups have the same routes where no deny tells them apart, so that a vault
looks at one of them, and at no large group member by member.
"""

from collections.abc import Mapping

from kvaudit.access.directory import Directory
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Setting

_NAMES = 1_000_000
"""Names of principals that are kept, by the group of which they are members."""


class Halves:
    """Members of groups who stand in a second one with routes.

    Args:
        directory: who is in which group.
        standings: whom records with routes name.
    """

    def __init__(self, directory: Directory, standings: Standings) -> None:
        self._directory = directory
        self._standings = standings
        self._members: Kept[str, Mapping[frozenset[str], tuple[str, ...]]] = Kept(_NAMES)

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

    def members(self, group: str) -> Mapping[frozenset[str], tuple[str, ...]]:
        """The members of a group, whom no record with routes names, by the groups that such records name, where these are several."""
        found = self._members.get(group)
        if found is None:
            named = self._standings.scopes_of
            table: dict[frozenset[str], list[str]] = {}
            for name in self._directory.members_among(group, None):
                groups = frozenset(named.keys() & self._directory.chains_up(name).keys()) if name not in named else ()
                if len(groups) > 1:
                    table.setdefault(frozenset(groups), []).append(name)
            found = {groups: tuple(names) for groups, names in table.items()}
            self._members.put(group, found, 1 + sum(map(len, found.values())))
        return found
