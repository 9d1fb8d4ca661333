"""Routes that no group has itself: a member of two has a half of it from each.

Whoever is named by a record with routes is looked at anyhow, and so are the members of groups that have a route. What is left
are members of groups without one that give a first half at the vault. Who of them stands in another group with routes is found
once for each such group, so no vault looks at all members of a large group.
"""

from kvaudit.access.directory import Directory
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.standing import Node, Standings
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
        self._members: Kept[str, frozenset[str]] = Kept(_NAMES)

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

    def members(self, group: str) -> frozenset[str]:
        """The members of a group, whom no record with routes names, who stand in another group that one does name."""
        found = self._members.get(group)
        if found is None:
            named, chains_up = self._standings.scopes_of, self._directory.chains_up
            found = frozenset(
                name
                for name in self._directory.members_among(group, None)
                if name not in named and any(other in named and other != group for other in chains_up(name))
            )
            self._members.put(group, found, 1 + len(found))
        return found
