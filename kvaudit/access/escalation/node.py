"""The scopes at which something is given or taken that routes are made of, as a tree."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kvaudit.access.escalation.powers import Powers
from kvaudit.model.authorization import DenyAssignment

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Taken:
    """A deny assignment at one scope, with the bits that it takes for certain and possibly."""

    deny: DenyAssignment
    certain: int
    possible: int


@dataclass(eq=False, slots=True)
class Node:
    """A scope at which something is given or taken.

    Attributes:
        scope: folded.
        own: what records at this scope give, by folded principal ID, before denies.
        denies: deny assignments at this scope.
        data_denies: enforced deny assignments at this scope that take operations of the data plane, with those operations.
        doubted: whether a deny listing that reaches here was not read: then nothing is certain.
        shaken: whether a deny assignment stands here or above.
    """

    scope: str
    parent: "Node | None"
    own: Mapping[str, Powers] = field(default_factory=dict)
    denies: tuple[Taken, ...] = ()
    data_denies: tuple[tuple[DenyAssignment, int], ...] = ()
    doubted: bool = False
    shaken: bool = field(init=False)

    def __post_init__(self) -> None:
        self.shaken = bool(self.denies) or (self.parent is not None and self.parent.shaken)

    def naming(self, bit: int) -> frozenset[str]:
        """Those whom records at this very scope name for a bit."""
        return frozenset(name for name, powers in self.own.items() if powers.any & bit)

    def upwards(self) -> Iterator["Node"]:
        """The node itself, then those above it."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def from_above(
        self, known: Callable[["Node"], Value | None], made: Callable[["Node", Value | None], Value]
    ) -> Value:
        """What follows for this node from what follows for the one above it; a loop, since a tree may be thousands of levels deep.

        Args:
            known: what is known of a node already, or None.
            made: what follows for a node from what follows for the one above it (None: there is none).
        """
        if (found := known(self)) is not None:
            return found
        pending, node, above = [self], self.parent, None
        while node is not None and (above := known(node)) is None:
            pending.append(node)
            node = node.parent
        found = made(pending.pop(), above)
        while pending:
            found = made(pending.pop(), found)
        return found
