"""E20: a vault that is moved inherits the assignments of the group where it arrives; those made on it directly are lost."""

from collections.abc import Iterator, Mapping

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.powers import NONE, Powers, joined, sum_of, weaker
from kvaudit.access.escalation.standing import Node, Standings
from kvaudit.access.escalation.steps import Step
from kvaudit.access.grants import Record
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import ScheduleInstance

_LEVELS = ("subscription", "resource group")


class Moves:
    """Those whom a record lets move resources out of some group, and where they hold data.

    Args:
        around: where the records are.
        standings: who may move what.
    """

    def __init__(self, around: Surroundings, standings: Standings) -> None:
        self._around = around
        self._standings = standings
        self._directory = around.directory
        self._at: dict[int, frozenset[str]] = {}
        self._data = self._data_of(around) if standings.moving else {}
        self._movers = self._concerned()

    def _data_of(self, around: Surroundings) -> dict[str, dict[str, int]]:
        """Those whom a record gives data at a subscription or group → these places → which operations."""
        found: dict[str, dict[str, int]] = {}
        for record in around.estate.role_assignments:
            mask = self._held(record)
            if mask and scopes.level_of(record.scope) in _LEVELS:
                places = found.setdefault(record.principal_id, {})
                places[record.scope] = places.get(record.scope, 0) | mask
        return found

    def _held(self, record: Record) -> int:
        """The operations that a record gives wherever it stands and whenever it is asked."""
        if record.condition or isinstance(record, ScheduleInstance):
            return 0
        return sum_of(item.mask for item in self._around.grants.power(record.role).blocks if not item.condition)

    def _concerned(self) -> Mapping[str, frozenset[str]]:
        """Those whom a record lets move resources → those of them, and of their members, whom a record names and who hold data."""
        found: dict[str, set[str]] = {}
        for name in {*self._standings.scopes_of, *self._data} if self._data else ():
            names = {name, *self._directory.chains_up(name)}
            if not names.isdisjoint(self._data):
                for mover in names & self._standings.moving:
                    found.setdefault(mover, set()).add(name)
        return {mover: frozenset(names) for mover, names in found.items()}

    def movers_at(self, node: Node) -> frozenset[str]:
        """Those who hold data somewhere and may move resources at a node."""
        if not self._movers:
            return frozenset()
        if id(node) not in self._at:
            above = self.movers_at(node.parent) if node.parent else frozenset()
            self._at[id(node)] = above.union(*(self._movers.get(item, ()) for item in node.naming(actions.MOVE)))
        return self._at[id(node)]

    def steps(self, principal_id: str, held: Powers, group: str) -> Iterator[Step]:
        """E20 of one principal for a vault in a resource group."""
        there, mask = NONE, 0
        via: list[Citation] = []
        for name, chain in ((principal_id, ()), *self._directory.chains_up(principal_id).items()):
            for place, data in self._data.get(name, {}).items():
                if scopes.is_within(group, place):
                    continue  # it holds the data of this group already
                powers = self._standings.powers(principal_id, self._standings.node(place)).within(actions.GROUPS_WRITE)
                if powers.any:
                    there, mask = joined(there, powers), mask | data
                    via.extend(self._cited(name, place, chain))
        answer = weaker(there.answer(actions.GROUPS_WRITE), held.answer(actions.MOVE))
        if answer is not Answer.DENIED:
            how = "moves the vault into a resource group where it holds a data role already"
            yield Step("E20", answer, actions.MOVE | actions.GROUPS_WRITE, how, mask=mask, via=tuple(via))

    def _cited(self, name: str, place: str, chain: tuple[str, ...]) -> Iterator[Citation]:
        for record in self._around.records.at(place):
            if record.principal_id == name and (mask := self._held(record)):
                role = self._around.grants.power(record.role).name
                yield Citation(CitationKind.ROLE_ASSIGNMENT, record.id, place, role, chain, mask=mask)
