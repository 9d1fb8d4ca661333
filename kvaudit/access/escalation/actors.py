"""Who can act as something that stands at a place: for everybody at once, each place worked out from the one above it.

What somebody can do at a place differs from what it can above only where a record at the place names it or a group of it, or a
deny assignment stands there. A group stands for its members, except for those who can what it cannot, or more surely.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from kvaudit.access.escalation.halves import Halves
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node
from kvaudit.access.escalation.powers import STRENGTH
from kvaudit.access.escalation.standing import Standings
from kvaudit.model.answers import Answer

_KEPT = 500_000
"""Actors that are kept, by place."""


class Actors:
    """Some principals and how surely they can act as something; two of them are equal where they are one.

    Attributes:
        above: those of the place above, to whom `own` is a correction, or None.
        own: folded principal ID → how surely; denied where it no longer can what it can above.
    """

    __slots__ = ("above", "own")

    def __init__(self, own: Mapping[str, Answer], above: "Actors | None" = None) -> None:
        self.own = own
        self.above = above

    def downwards(self) -> "list[Actors]":
        """From the topmost down to this one."""
        found, item = list[Actors](), self
        while item.above is not None:
            found.append(item)
            item = item.above
        return [item, *reversed(found)]

    def everybody(self) -> dict[str, Answer]:
        """All of them, how surely each; nobody is denied."""
        found: dict[str, Answer] = {}
        for item in self.downwards():
            found.update(item.own)
        return {name: answer for name, answer in found.items() if answer is not Answer.DENIED}


NO_ACTORS = Actors({})


def surest(found: Iterable[tuple[str, Answer]]) -> dict[str, Answer]:
    """Names with the strongest answer that is given for each; nobody is denied."""
    table: dict[str, Answer] = {}
    for name, answer in found:
        if STRENGTH[answer] < STRENGTH[table.get(name, Answer.DENIED)]:
            table[name] = answer
    return table


class ActorsByNode:
    """Who can do one thing, at every node at which somebody asks.

    Args:
        standings: whom records name where.
        halves: members of groups whom other records concern too.
        bits: whoever can do it is named at or above the node by a record that gives one of these, or a group of it is.
        answer: how surely somebody can do it at a node.
        others: whose records may give a member the rest of what a group lacks; empty where one of the bits is enough.
    """

    def __init__(
        self,
        standings: Standings,
        halves: Halves,
        bits: int,
        answer: Callable[[str, Node], Answer],
        others: frozenset[str] = frozenset(),
    ) -> None:
        self._standings = standings
        self._halves = halves
        self._bits = bits
        self._answer = answer
        self._others = others
        self._where_denied = others | standings.in_denies
        self._kept: Kept[Node, Actors] = Kept(_KEPT)

    def at(self, node: Node) -> Actors:
        """Those who can do it at a node."""
        return node.from_above(self._kept.get, self._made)

    def _made(self, node: Node, above: Actors | None) -> Actors:
        before = above.everybody() if above is not None and _changes_for_all(node) else {}
        own = {name: self._answer(name, node) for name in {*self._touched(node, above), *before}}
        for name in tuple(own):
            if own[name] is not Answer.ALLOWED:
                own.update(surest(self._members(name, node, own[name])))
        if above is None:
            own = {name: answer for name, answer in own.items() if answer is not Answer.DENIED}
        if not own:
            return self._kept.put(node, above or NO_ACTORS)
        return self._kept.put(node, Actors(own, above), 1 + len(own))

    def _touched(self, node: Node, above: Actors | None) -> Iterator[str]:
        """Those named at or above a node for whom it may differ from what stands above it."""
        names = self._standings.naming_over(node, self._bits)
        if above is None or _changes_for_all(node):
            yield from names
            return
        here = frozenset(name for name, powers in node.own.items() if powers.any & self._bits)
        yield from here
        # Whoever is named above in a group that is named here: fewer to look through than the members of groups.
        yield from (name for name in names - here if not here.isdisjoint(self._standings.groups_of(name)))

    def _members(self, group: str, node: Node, of_group: Answer) -> Iterator[tuple[str, Answer]]:
        """Members of a group who can more surely what it cannot, or not for certain: by other records, or spared by a deny."""
        others = self._where_denied if node.shaken else self._others
        for equal in self._halves.beside(group, others) if others else ():
            answer = self._answer(equal[0], node)
            if STRENGTH[answer] < STRENGTH[of_group]:
                yield from ((name, answer) for name in equal)


def _changes_for_all(node: Node) -> bool:
    return bool(node.denies) or (node.parent is not None and node.doubted != node.parent.doubted)
