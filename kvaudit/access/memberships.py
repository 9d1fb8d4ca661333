"""Who stands in which group, edge by edge: certain edges, and those that somebody must first activate.

PIM for Groups (facts azure.md 2.4): an eligible member is one activation away from everything that the group holds. What
was activated, or assigned for a time, shows as a membership too: both are one edge, which keeps the end. An instance that
ended before the snapshot did gives nothing, nor does the membership that only it upholds; one that has not begun waits
for its start. Ownership is no membership: an owner can add himself, which is a route to access (E23), not a holding.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from kvaudit.access.moments import Clock, earliest
from kvaudit.model.estate import Estate
from kvaudit.model.identities import GroupScheduleInstance

ELIGIBLE_MEMBERS = "group_eligibility_schedule_instances"
ACTIVE_MEMBERS = "group_assignment_schedule_instances"


@dataclass(frozen=True, slots=True)
class Awaited:
    """A membership that is not in force yet.

    Attributes:
        id: of the schedule instance.
        group, member: folded IDs.
        activation: whether somebody must activate it. If not, it is assigned and only has to begin.
        begins: ISO 8601 start where it is still to come, or None.
        ends: ISO 8601 end, or None.
    """

    id: str
    group: str
    member: str
    activation: bool
    begins: str | None = None
    ends: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How a principal can come into a group that it is not in.

    Attributes:
        chain: from the group down to the one in which the principal stands, as in `Directory.chains_up`.
        awaited: the memberships that have to come into force, nearest to the principal first.
    """

    chain: tuple[str, ...]
    awaited: tuple[Awaited, ...]

    @property
    def groups(self) -> frozenset[str]:
        """The groups whose membership has to come into force."""
        return frozenset(item.group for item in self.awaited)


class Edges:
    """The direct memberships of one estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._clock = Clock(estate.collected_at)
        self._ends: dict[tuple[str, str], str] = {}
        self._over, self._certain, self._awaited_edges = self._scheduled()

    @cached_property
    def parents(self) -> Mapping[str, list[str]]:
        """Member -> the groups that it stands in directly, sorted."""
        if not self._over and not self._certain:
            return self._estate.membership_columns.by_member
        return _table((member, group) for group, member in self._pairs())

    @cached_property
    def members(self) -> Mapping[str, list[str]]:
        """Group -> its direct members, sorted."""
        if not self._over and not self._certain:
            return self._estate.membership_columns.by_group
        return _table(self._pairs())

    def nested(
        self, may_be_group: Callable[[str], bool], but: AbstractSet[str] = frozenset()
    ) -> Mapping[str, list[str]]:
        """Group -> those of its direct members that may be groups, or have members; sorted.

        Args:
            may_be_group: whether others may hold something through an ID.
            but: IDs of which it is known that it says no: a large tenant has a hundred thousand, who are not asked about.
        """
        members = self.members
        if not self._over and not self._certain:
            columns = self._estate.membership_columns
            return columns.nested(
                lambda name: name in members or may_be_group(name), but - frozenset(columns.group_names())
            )
        return {
            group: [item for item in found if item in members or may_be_group(item)] for group, found in members.items()
        }

    @cached_property
    def awaited_by_member(self) -> Mapping[str, tuple[Awaited, ...]]:
        """Member -> the direct memberships that it may come into, those that take least first."""
        return _by(self._waiting, lambda item: item.member)

    @cached_property
    def awaited_by_group(self) -> Mapping[str, tuple[Awaited, ...]]:
        """Group -> the direct memberships in it that may come into force."""
        return _by(self._waiting, lambda item: item.group)

    @cached_property
    def _waiting(self) -> list[Awaited]:
        open_ = (item for item in self._awaited_edges if item.group not in self.parents.get(item.member, ()))
        return sorted(open_, key=_order)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        listed = ((edge.group, edge.member) for edge in self._estate.memberships)
        yield from (pair for pair in listed if pair not in self._over) if self._over else listed
        yield from self._certain

    def end(self, group: str, member: str) -> str | None:
        """The end of a membership, or None."""
        return self._ends.get((group, member))

    def _scheduled(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]], list[Awaited]]:
        """What schedule instances say: edges that are over, edges that are in force, and edges to come."""
        active: dict[tuple[str, str], list[GroupScheduleInstance]] = {}
        awaited = []
        for item in self._estate.group_schedule_instances:
            if item.access.casefold() != "member":
                continue
            if not item.eligible:
                active.setdefault((item.group, item.principal_id), []).append(item)
            elif not self._clock.is_past(item.end):
                awaited.append(self._awaited(item))
        over, certain = set(), set()
        for pair, instances in active.items():
            running = [item for item in instances if not self._clock.is_past(item.end)]
            begun = [item for item in running if not self._clock.is_future(item.start)]
            if not running:
                # Another instance may uphold the membership, unless all of them were read.
                if self._estate.was_read(ACTIVE_MEMBERS, f"groups/{pair[0]}"):
                    over.add(pair)
            elif begun:
                certain.add(pair)
                self._keep_end(pair, begun)
            else:
                awaited.extend(self._awaited(item) for item in running)
        return over, certain, awaited

    def _keep_end(self, pair: tuple[str, str], begun: Iterable[GroupScheduleInstance]) -> None:
        ends = [item.end for item in begun]
        if None not in ends:
            self._ends[pair] = max(end or "" for end in ends)

    def _awaited(self, item: GroupScheduleInstance) -> Awaited:
        begins = item.start if self._clock.is_future(item.start) else None
        return Awaited(item.id, item.group, item.principal_id, item.eligible, begins, item.end)


def chain_end(edges: Edges, principal_id: str, chain: tuple[str, ...]) -> str | None:
    """The end of a chain of memberships from a group down to the one that the principal stands in: its earliest."""
    end = None
    for group, member in zip(chain, (*chain[1:], principal_id), strict=True):
        end = earliest(end, edges.end(group, member))
    return end


def ways(edges: Edges, standing: Mapping[str, tuple[str, ...]], is_live: Callable[[str], bool]) -> Mapping[str, Way]:
    """Every group that somebody can come into -> the way with the fewest memberships to wait for.

    Args:
        edges: the direct memberships.
        standing: where it stands now: itself, with an empty chain, and every group that it is in, with the chain to it.
        is_live: whether a group counts (one that is deleted does not).
    """
    found: dict[str, Way] = {}
    frontier = {node: Way(chain, ()) for node, chain in standing.items()}
    while frontier:
        reached: dict[str, Way] = {}
        for node, way in sorted(frontier.items(), key=lambda item: (len(item[1].chain), item[0])):
            for edge in edges.awaited_by_member.get(node, ()):
                if edge.group not in standing and edge.group not in found and is_live(edge.group):
                    found[edge.group] = reached[edge.group] = Way((edge.group, *way.chain), (*way.awaited, edge))
        pending = list(reached)
        for below in pending:  # grows while it is walked
            for above in edges.parents.get(below, ()):
                if above not in standing and above not in found and is_live(above):
                    found[above] = reached[above] = Way((above, *found[below].chain), found[below].awaited)
                    pending.append(above)
        frontier = reached
    return found


def _order(item: Awaited) -> tuple[bool, bool, str, str, str]:
    """Those first that take least: nothing to activate, no start to wait for."""
    return item.activation, item.begins is not None, item.begins or "", item.group, item.member


def _by(items: Iterable[Awaited], key: Callable[[Awaited], str]) -> Mapping[str, tuple[Awaited, ...]]:
    table: dict[str, list[Awaited]] = {}
    for item in items:
        table.setdefault(key(item), []).append(item)
    return {name: tuple(found) for name, found in table.items()}


def _table(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for key, value in pairs:
        table.setdefault(key, []).append(value)
    for values in table.values():
        values.sort()
    return table
