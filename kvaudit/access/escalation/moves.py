"""E20: a vault that is moved inherits the assignments of the group where it arrives; those made on it directly are lost.

Somebody may hold data in thousands of groups, and vaults may be moved out of as many: so what somebody has elsewhere is
worked out once, and for one vault only the group and the subscription in which it stands already are left out of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.powers import NONE, Powers, joined, sum_of, weaker
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Step
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import RoleAssignment

_LEVELS = ("subscription", "resource group")
_PLACES = 200_000
"""Places of principals that are kept, and citations of what they hold there: some hundred bytes each."""
_NAMES = 1_000_000
"""Names of principals that are kept, by who may move what stands at a place."""

_There = tuple[Powers, int]
"""What somebody may do at places where it holds data, and the operations that it holds there."""


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
        self._at: Kept[Node, frozenset[str]] = Kept(_NAMES)
        self._concerned: dict[str, frozenset[str]] = {}
        self._citations: Kept[tuple[str, tuple[str, ...]], tuple[tuple[str, Citation], ...]] = Kept(_PLACES)
        self._places: Kept[str, tuple[Mapping[str, _There], _There]] = Kept(_PLACES)

    @cached_property
    def _masks(self) -> tuple[int, ...]:
        """By the number of a role with a condition: the operations that it gives wherever it stands."""
        grants = self._around.grants
        return tuple(
            0 if condition else sum_of(item.mask for item in grants.power(role).blocks if not item.condition)
            for role, condition in self._around.estate.assignment_columns.values.powers
        )

    @cached_property
    def _rows(self) -> Mapping[str, list[int]]:
        """Those whom an assignment gives data at a subscription or group → the rows of these assignments."""
        found: dict[str, list[int]] = {}
        if not self._standings.moving:
            return found
        table, masks = self._around.estate.assignment_columns, self._masks
        for scope, rows in table.starts.items():
            if scopes.level_of(scope) not in _LEVELS:
                continue
            for row in range(*rows):
                if masks[table.columns.powers[row]]:
                    found.setdefault(table.values.principals[table.columns.principals[row]], []).append(row)
        return found

    @cached_property
    def named(self) -> frozenset[str]:
        """Those whom a record with routes names, or one that gives data somewhere."""
        return frozenset({*self._standings.scopes_of, *self._rows})

    def can_leave(self, node: Node) -> bool:
        """Whether a record at a node or above it lets anybody move resources, and anybody holds data somewhere."""
        return bool(self._standings.naming_over(node, actions.MOVE) and self._rows)

    def movers_at(self, node: Node) -> frozenset[str]:
        """Those whom a record names, who hold data somewhere and may move resources at a node."""
        found = self._at.get(node)
        return node.from_above(self._at.get, self._moving_at) if found is None else found

    def _moving_at(self, node: Node, above: frozenset[str] | None) -> frozenset[str]:
        found, here = above or frozenset(), node.naming(actions.MOVE)
        found = found.union(*(self._holding(item, self.named) for item in here)) if here else found
        return self._at.put(node, found, 1 + len(found))

    def members_at(self, node: Node) -> frozenset[str]:
        """The same, and every member of a group that may move them, whether a record names it or not."""
        found = self.movers_at(node)
        for mover in self._standings.naming_over(node, actions.MOVE):
            found = found.union(self._holding(mover, None))
        return found

    def _holding(self, mover: str, among: frozenset[str] | None) -> frozenset[str]:
        """A principal and its members, or some of them, as far as they or a group of theirs hold data."""
        if not self._rows or (among is not None and mover in self._concerned):
            return self._concerned.get(mover, frozenset())
        names = self._directory.members_among(mover, among)
        found = frozenset(item for item in (mover, *names) if self._has_data(item))
        if among is not None:
            self._concerned[mover] = found
        return found

    def _has_data(self, name: str) -> bool:
        return name in self._rows or not self._directory.chains_up(name).keys().isdisjoint(self._rows)

    def steps(self, principal_id: str, held: Powers, group: str) -> Iterator[Step]:
        """E20 of one principal for a vault in a resource group."""
        there, mask = self._elsewhere(principal_id, group)
        answer = weaker(there.answer(actions.GROUPS_WRITE), held.answer(actions.MOVE))
        if answer is not Answer.DENIED:
            how = "moves the vault into a resource group where it holds a data role already"
            yield Step("E20", answer, actions.MOVE | actions.GROUPS_WRITE, how, mask=mask)

    def cited(self, principal_id: str, group: str) -> Iterator[Citation]:
        """The assignments that give a principal data where it may move a vault out of a resource group to."""
        here, (places, _) = scopes.path_ancestors(group), self._places_of(principal_id)
        for name, chain in self._names(principal_id):
            for place, citation in self._cited(name, chain) if name in self._rows else ():
                if place in places and place not in here:
                    yield citation

    def _cited(self, name: str, chain: tuple[str, ...]) -> tuple[tuple[str, Citation], ...]:
        """The assignments that give data to a name, each with its place: members of a group share them."""
        key = (name, chain)
        found = self._citations.get(key)
        if found is None:
            table = self._around.estate.assignment_columns
            found = tuple(
                (record.scope, self._citation(record, row, chain))
                for row, record in ((row, table.record(row)) for row in self._rows[name])
            )
            self._citations.put(key, found, 1 + len(found))
        return found

    def _citation(self, record: RoleAssignment, row: int, chain: tuple[str, ...]) -> Citation:
        role = self._around.grants.power(record.role).name
        mask = self._masks[self._around.estate.assignment_columns.columns.powers[row]]
        return Citation(CitationKind.ROLE_ASSIGNMENT, record.id, record.scope, role, chain, mask=mask)

    def _names(self, principal_id: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return ((principal_id, ()), *self._directory.chains_up(principal_id).items())

    def _arrives(self, principal_id: str, place: str) -> Powers:
        """The right to write resource groups at a place: a vault arrives in one."""
        node = self._standings.node(place)
        writers = self._standings.naming_over(node, actions.GROUPS_WRITE)
        if principal_id not in writers and writers.isdisjoint(self._directory.chains_up(principal_id)):
            return NONE
        return self._standings.powers(principal_id, node).within(actions.GROUPS_WRITE)

    def _elsewhere(self, principal_id: str, group: str) -> _There:
        """What a principal has where it holds data, but for the places that hold the data of a group already."""
        places, everything = self._places_of(principal_id)
        here = [item for item in scopes.path_ancestors(group) if item in places]
        return _summed(value for place, value in places.items() if place not in here) if here else everything

    def _places_of(self, principal_id: str) -> tuple[Mapping[str, _There], _There]:
        """Where a principal holds data and may arrive → what it has there; and all of that together."""
        kept = self._places.get(principal_id)
        if kept is None:
            table, masks = self._around.estate.assignment_columns, self._masks
            data: dict[str, int] = {}
            for name, _ in self._names(principal_id):
                for row in self._rows.get(name, ()):
                    place = table.values.scopes[table.columns.scopes[row]]
                    data[place] = data.get(place, 0) | masks[table.columns.powers[row]]
            arrives = ((place, self._arrives(principal_id, place), mask) for place, mask in data.items())
            found = {place: (powers, mask) for place, powers, mask in arrives if powers.any}
            kept = self._places.put(principal_id, (found, _summed(found.values())), 1 + len(found))
        return kept


def _summed(items: Iterable[_There]) -> _There:
    there, mask = NONE, 0
    for powers, data in items:
        there, mask = joined(there, powers), mask | data
    return there, mask
