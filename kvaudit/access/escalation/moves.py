"""E20: a vault that is moved inherits the assignments of the group where it arrives; those made on it directly are lost."""

from collections.abc import Iterator, Mapping

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import NONE, Powers, joined, sum_of, weaker
from kvaudit.access.escalation.standing import Node, Standings
from kvaudit.access.escalation.steps import Step
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer

_LEVELS = ("subscription", "resource group")


class Moves:
    """Those whom a record lets move resources out of some group, and where they hold data.

    Args:
        around: where the records are.
        standings: who may move what.
    """

    def __init__(self, around: Surroundings, standings: Standings) -> None:
        self._standings = standings
        self._directory = around.directory
        self._at: dict[int, frozenset[str]] = {}
        self.movers: Mapping[str, list[Citation]] = self._targets(around, standings)

    def _targets(self, around: Surroundings, standings: Standings) -> dict[str, list[Citation]]:
        """Those who may move → the records at subscriptions and groups that give them data of vaults, and which."""
        stand_for: dict[str, dict[str, tuple[str, ...]]] = {}
        for name in standings.moving:
            for own, chain in ((name, ()), *self._directory.chains_up(name).items()):
                stand_for.setdefault(own, {})[name] = chain
        found: dict[str, list[Citation]] = {}
        for record in around.estate.role_assignments if stand_for else ():
            movers = stand_for.get(record.principal_id)
            if not movers or record.condition or scopes.level_of(record.scope) not in _LEVELS:
                continue
            power = around.grants.power(record.role)
            mask = sum_of(item.mask for item in power.blocks if not item.condition)
            for name, chain in movers.items() if mask else ():
                cited = Citation(CitationKind.ROLE_ASSIGNMENT, record.id, record.scope, power.name, chain, mask=mask)
                found.setdefault(name, []).append(cited)
        return found

    def movers_at(self, node: Node) -> frozenset[str]:
        """Those who hold data somewhere and may move resources at a node."""
        if not self.movers:
            return frozenset()
        if id(node) not in self._at:
            above = self.movers_at(node.parent) if node.parent else frozenset()
            here = node.naming(actions.MOVE) & self.movers.keys()
            self._at[id(node)] = above | here if here else above
        return self._at[id(node)]

    def steps(self, principal_id: str, held: Powers, group: str) -> Iterator[Step]:
        """E20 of one principal for a vault in a resource group."""
        there, mask = NONE, 0
        via: list[Citation] = []
        for target in self.movers.get(principal_id, ()):
            if scopes.is_within(group, target.scope or ""):
                continue  # it holds the data of this group already
            node = self._standings.node(target.scope or "")
            powers = self._standings.powers(principal_id, node).within(actions.GROUPS_WRITE)
            if powers.any:
                there, mask = joined(there, powers), mask | target.mask
                via.append(target)
        answer = weaker(there.answer(actions.GROUPS_WRITE), held.answer(actions.MOVE))
        if answer is not Answer.DENIED:
            how = "moves the vault into a resource group where it holds a data role already"
            yield Step("E20", answer, actions.MOVE | actions.GROUPS_WRITE, how, mask=mask, via=tuple(via))
