"""Who stands where with what: powers by scope, each scope worked out once and shared by everything below it.

A scope at which no record gives anything that routes are made of is its parent: 100,000 vaults share the standings of their
resource groups, subscriptions and management groups.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.denies import Meets, effect_is_certain, is_idle, meets, possible_citation
from kvaudit.access.escalation import actions
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.node import Node, Taken
from kvaudit.access.escalation.powers import NONE, Powers, RecordPowers, joined, taken_by, unsure
from kvaudit.access.escalation.records import Given, Hits, RecordsByName
from kvaudit.access.grants import ACTIVATION, Record, after
from kvaudit.access.places import DENY_ASSIGNMENTS
from kvaudit.access.roles import denied_operations
from kvaudit.access.surroundings import HIERARCHY, Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import EVERYONE, DenyAssignment, ScheduleInstance

_POWERS = 100_000
"""Powers of principals at places that are kept."""
_NAMES = 1_000_000
"""Names of principals that are kept, by who is named at or above a place."""


class Standings:
    """Powers of principals at scopes of one estate.

    Args:
        around: where the records are.

    Attributes:
        records: the records with routes, by place and by whom they name.
        scopes_of: principals whom a record with routes names → the folded scopes of these records.
        moving: those whom a record lets move resources out of some group.
        installing: folded subscriptions → those whom a record in it lets make virtual machines.
        anywhere: principals → every bit that a record at any scope gives them.
        in_denies: folded IDs that deny assignments name or exclude.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._directory = around.directory
        self.record_powers = RecordPowers(around.grants, around.estate.role_definitions)
        self.records = RecordsByName(around, self.given)
        self._own: dict[str, dict[str, Powers]] = {}
        self._denies: dict[str, list[Taken]] = {}
        self.scopes_of: dict[str, set[str]] = {}
        self.moving: set[str] = set()
        self.installing: dict[str, set[str]] = {}
        self.anywhere: dict[str, int] = {}
        self._nodes: dict[str, Node] = {}
        self._below: dict[tuple[Node, str], Node] = {}
        self._nowhere = Node(scopes.ROOT, None)
        self._powers: Kept[tuple[str, Node], Powers] = Kept(_POWERS)
        self._data_denies: dict[str, list[tuple[DenyAssignment, int]]] = {}
        self._hits: Kept[tuple[str, Node, str], Hits] = Kept(_POWERS)
        self._naming_groups: Kept[str, frozenset[str]] = Kept(_NAMES)
        self._citations: Kept[tuple[Hits, int], tuple[Citation, ...]] = Kept(_POWERS)
        self._naming: Kept[tuple[Node, int], frozenset[str]] = Kept(_NAMES)
        self._may_be_doubted = any(gap.kind in (DENY_ASSIGNMENTS, HIERARCHY) for gap in around.estate.gaps)
        self._named_below: dict[str, frozenset[str]] = {}
        self._index()

    def _index(self) -> None:
        estate, powers = self._around.estate, self.record_powers
        table = estate.assignment_columns
        idle = [powers.is_idle(role) for role, _ in table.values.powers]
        for row, power in enumerate(table.columns.powers):
            if not idle[power]:
                self._add(table.record(row))
        for instance in self._around.grants.loose_instances:
            self._add(instance)
        self.in_denies = frozenset(
            who.id.casefold()
            for deny in estate.deny_assignments
            for who in (*deny.principals, *deny.exclude_principals)
        )
        for deny in estate.deny_assignments:
            if deny.scope == scopes.ROOT and not estate.may_stand_over(deny.listed_from, None):
                continue  # added at the subscriptions of its tenant
            taken = self.taken_at(deny)
            if taken is not None:
                self._denies.setdefault(deny.scope, []).append(taken)
            closed = _data_taken(deny)
            if closed:
                self._data_denies.setdefault(deny.scope, []).append((deny, closed))

    def _add(self, record: Record) -> None:
        given = self.given(record)
        if given.any and self._directory.type_of(record.principal_id) != "Application":
            if record.scope != scopes.ROOT or self._around.estate.may_stand_over(record.listed_from, None):
                at = self._own.setdefault(record.scope, {})
                at[record.principal_id] = joined(at.get(record.principal_id, NONE), given)
            self.scopes_of.setdefault(record.principal_id, set()).add(record.scope)
            self.anywhere[record.principal_id] = self.anywhere.get(record.principal_id, 0) | given.any
            if given.any & actions.MOVE:
                self.moving.add(record.principal_id)
            subscription = scopes.subscription_of(record.scope)
            if subscription and given.any & actions.MACHINES_WRITE:
                self.installing.setdefault(subscription, set()).add(record.principal_id)

    def given(self, record: Record) -> Powers:
        """What a record gives at its scope and below, before denies."""
        return self.record_powers.of(record).within(actions.counting_at(record.scope))

    def taken_at(self, deny: DenyAssignment) -> Taken | None:
        """What a deny assignment takes, or None: nothing that routes are made of."""
        if is_idle(deny):
            return None
        certain, possible = taken_by(deny)
        reach = actions.checked_at(deny.scope) if deny.do_not_apply_to_child_scopes else actions.counting_at(deny.scope)
        certain, possible = certain & reach, possible & reach
        return Taken(deny, certain, possible) if certain | possible else None

    def node(self, scope: str) -> Node:
        """The node of a folded scope: its own, or the nearest above it at which something is given or taken."""
        found = self._nodes.get(scope)
        if found is None:
            chain = self.records.places_over(scope)
            if self._around.estate.is_abroad(scopes.subscription_of(scope) or ""):
                chain = chain[1:]  # what stands at `/` of its tenant is added at the subscription
            found = self._nowhere
            for place in chain:
                # Where the tree is a circle, what stands above a management group depends on who asks.
                key = found, place
                known = self._below.get(key)
                found = self._below[key] = self._made(place, found) if known is None else known
            self._nodes[scope] = found
        return found

    def _made(self, scope: str, above: Node) -> Node:
        own: Mapping[str, Powers] = self._own.get(scope, {})
        denies = tuple(self._denies.get(scope, ()))
        doubted = above.doubted
        if scopes.level_of(scope) == "subscription":
            own, denies = self._with_unplaced(scope, own, denies)
        doubted = doubted or self._is_doubted(scope)
        closed = tuple(self._data_denies.get(scope, ()))
        if not own and not denies and not closed and doubted == above.doubted:
            return above
        return Node(scope, above, own, denies, closed, doubted)

    def _with_unplaced(
        self, scope: str, own: Mapping[str, Powers], denies: tuple[Taken, ...]
    ) -> tuple[Mapping[str, Powers], tuple[Taken, ...]]:
        """Add what stands above a subscription although the tree of management groups does not say so, or may."""
        subscription = scope.removeprefix(scopes.SUBSCRIPTION_PREFIX)
        chain = self._around.estate.scopes_over(scope)
        records, taking = self._around.records, self._around.denies
        more = dict(own)
        is_abroad = self._around.estate.is_abroad(subscription)
        for record in (
            *(records.over(scopes.ROOT, subscription) if is_abroad else ()),
            *records.listed_below(subscription, chain),
        ):
            more[record.principal_id] = joined(more.get(record.principal_id, NONE), self.given(record))
        for record in records.unplaced(subscription, chain):
            more[record.principal_id] = joined(more.get(record.principal_id, NONE), unsure(self.given(record)))
        found = [*denies]
        at_root = taking.over(scopes.ROOT, subscription) if is_abroad else ()
        for deny in (*at_root, *taking.listed_below(subscription, chain)):
            taken = self.taken_at(deny)
            found.extend([taken] if taken else [])
        for deny in taking.unplaced(subscription, chain):
            taken = self.taken_at(deny)
            found.extend([Taken(deny, 0, taken.certain | taken.possible)] if taken else [])
        kept = {
            key: value for key, value in more.items() if value.any and self._directory.type_of(key) != "Application"
        }
        return kept, tuple(found)

    def _is_doubted(self, scope: str) -> bool:
        subscription = scopes.subscription_of(scope)
        if subscription is None:
            return False  # told at the subscriptions below, which say whether their own listing covers it
        if not self._may_be_doubted and not self._around.unasked(subscription):
            return False
        return bool(self._around.gaps_over(scope, (DENY_ASSIGNMENTS,)))

    def powers(self, principal_id: str, node: Node) -> Powers:
        """What a principal holds at a node, itself and through its groups, after denies."""
        key = (principal_id, self.settled(principal_id, node))
        found = self._powers.get(key)
        if found is None:
            held = self.after_denies(principal_id, node, self.granted(principal_id, node))
            found = self._powers.put(key, joined(held, self.awaited(principal_id, node)))
        return found

    def awaited(self, principal_id: str, node: Node) -> Powers:
        """What memberships that are not in force yet (PIM for Groups) will give a principal at a node, after denies.

        A deny of a group that it comes into takes what that group has.
        """
        found = NONE
        for group, way in self._directory.ways_up(principal_id).items():
            if group in self.scopes_of:
                given = NONE
                for item in node.upwards():
                    given = joined(given, item.own.get(group, NONE))
                found = joined(found, self.after_denies(way.chain[-1], node, given) if given.any else NONE)
        return self.after_denies(principal_id, node, found.awaiting()) if found.any else NONE

    def given_at(self, principal_id: str, node: Node) -> int:
        """Every bit that records at a node or above it give a principal, now or once it is in a group."""
        return self.granted(principal_id, node).any | self.awaited(principal_id, node).any

    def settled(self, principal_id: str, node: Node) -> Node:
        """The node at or above a node from which a principal's powers, and what takes them, come down to it unchanged."""
        chains = self.groups_of(principal_id)
        above = node.parent
        while above is not None:
            if node.denies or node.data_denies or node.doubted != above.doubted:
                break
            if principal_id in node.own or not chains.isdisjoint(node.own.keys()):
                break
            node, above = above, above.parent
        return node

    def granted(self, principal_id: str, node: Node) -> Powers:
        """The same before denies."""
        groups = self.naming_groups(principal_id)
        found = NONE
        for item in node.upwards():
            own = item.own
            if principal_id in own:
                found = joined(found, own[principal_id])
            if groups:
                for group in own.keys() & groups:
                    found = joined(found, own[group])
        return found

    def after_denies(self, principal_id: str, node: Node, granted: Powers) -> Powers:
        """What is left to a principal at a node of some powers when the deny assignments there are counted."""
        held = granted
        for item in node.upwards():
            for taken in item.denies:
                if not (taken.certain | taken.possible) & held.any:
                    continue
                met = meets(taken.deny, principal_id, self._directory)
                if met is Meets.NO:
                    continue
                certain = taken.certain if met is Meets.YES else 0
                maybe = (taken.certain | taken.possible) & ~certain
                held = held.within(~certain)
                shaken = held.any & maybe
                held = Powers(held.allowed & ~maybe, held.conditional & ~maybe, held.unknown | shaken)
        return unsure(held) if node.doubted else held

    def places_of(self, principal_id: str) -> tuple[str, ...]:
        """The folded scopes at which a record gives something to a principal or a group of it, sorted."""
        names = (principal_id, *self.groups_of(principal_id))
        return tuple(sorted({scope for name in names for scope in self.scopes_of.get(name, ())}))

    def closing(self, principal_id: str, node: Node, bits: int) -> tuple[Taken, ...]:
        """The deny assignments that take, or may take, some bits from a principal at a node."""
        return tuple(
            taken
            for item in node.upwards()
            for taken in item.denies
            if (taken.certain | taken.possible) & bits
            and meets(taken.deny, principal_id, self._directory) is not Meets.NO
        )

    def closed_data(self, principal_id: str, node: Node) -> tuple[int, int]:
        """The operations that denies take at a node from a principal for certain, and those that they take from everybody."""
        mine = everybodys = 0
        for item in node.upwards():
            for deny, mask in item.data_denies:
                if meets(deny, principal_id, self._directory) is Meets.YES:
                    mine |= mask
                if not deny.exclude_principals and any(who.id.casefold() == EVERYONE for who in deny.principals):
                    everybodys |= mask
        return mine, everybodys

    def naming_over(self, node: Node, bit: int) -> frozenset[str]:
        """Those whom records at a node or above it name for a bit."""
        key = (node, bit)
        found = self._naming.get(key)
        if found is None:
            found = node.from_above(
                lambda item: self._naming.get((item, bit)), lambda *args: self._named_for(bit, *args)
            )
        return found

    def _named_for(self, bit: int, node: Node, above: frozenset[str] | None) -> frozenset[str]:
        found, here = above or frozenset(), node.naming(bit)
        found = found | here if here else found
        return self._naming.put((node, bit), found, 1 + len(found))

    def named(self, node: Node) -> frozenset[str]:
        """Everybody whom a record at a node or above it names."""
        return frozenset(principal for item in node.upwards() for principal in item.own)

    def named_in(self, group: str) -> frozenset[str]:
        """Those below a group that records with routes name themselves."""
        if group not in self._named_below:
            comes_in = (
                self._named & self._directory.everyone_below(group) if self._directory.edges.awaited_by_group else ()
            )
            self._named_below[group] = self._directory.members_among(group, self._named).union(comes_in)
        return self._named_below[group]

    def groups_of(self, principal_id: str) -> AbstractSet[str]:
        """The groups that a principal is in, or can come into; of those that it is in, those whom records or denies name."""
        inside, ways = self.naming_groups(principal_id), self._directory.ways_up(principal_id)
        return inside | ways.keys() if ways else inside

    def naming_groups(self, principal_id: str) -> frozenset[str]:
        """The groups that a principal is in and that records with routes, or deny assignments, name."""
        found = self._naming_groups.get(principal_id)
        if found is None:
            found = self._directory.groups_over(principal_id) & self.concerning
            self._naming_groups.put(principal_id, found, 1 + len(found))
        return found

    @cached_property
    def concerning(self) -> frozenset[str]:
        """Everybody whom a record with routes names, or a deny assignment."""
        return self._named | self.in_denies

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(self.scopes_of)

    def citations(self, principal_id: str, scope: str, bits: int) -> tuple[Citation, ...]:
        """The records that give a principal any of some bits at a folded scope, and the denies that leave it in doubt."""
        node = self.node(scope)
        subscription = scopes.subscription_of(scope)
        beside = scope if subscription is None else "" if self._around.estate.is_of_one_tenant else subscription
        key = (principal_id, self.settled(principal_id, node), beside)
        hits = self._hits.get(key)
        if hits is None:
            hits = self._hits.put(key, self.records.naming(principal_id, scope))
        found = self._citations.get((hits, bits))
        if found is None:
            cited = (citation for item, groups in hits for citation in self._cited(item, groups, bits))
            found = self._citations.put((hits, bits), tuple(sorted(cited, key=lambda item: item.id.casefold())))
        return (*found, *self._doubts(principal_id, node, bits)) if node.shaken else found

    def _doubts(self, principal_id: str, node: Node, bits: int) -> tuple[Citation, ...]:
        """The denies that leave some bits of a principal in doubt at a node."""
        if not node.shaken or not self.powers(principal_id, node).unknown & bits:
            return ()
        possible = (possible_citation(taken.deny) for taken in self.closing(principal_id, node, bits))
        return tuple(sorted(possible, key=lambda item: item.id.casefold()))

    def citations_anywhere(self, principal_id: str, bits: int) -> tuple[Citation, ...]:
        """The same at every scope at which a record gives something to a principal or a group of it, each once."""
        found = dict[Citation, None]()
        for place in self.places_of(principal_id):
            # Records above the place stand at places of their own.
            hits = self.records.naming(principal_id, place, at_place_only=True)
            cited = (citation for item, groups in hits for citation in self._cited(item, groups, bits))
            found.update(dict.fromkeys(sorted(cited, key=lambda item: item.id.casefold())))
            found.update(dict.fromkeys(self._doubts(principal_id, self.node(place), bits)))
        return tuple(found)

    def _cited(self, item: Given, groups: tuple[str, ...], bits: int) -> Iterator[Citation]:
        record, given = item.record, item.powers.within(bits)
        if not given.any:
            return
        _, begins, ends = self._around.grants.window(record)
        eligible = isinstance(record, ScheduleInstance) and record.eligible
        waits = (ACTIVATION if eligible else "", f"not before {begins}" if begins else "", record.condition or "")
        answer = next(item for item in (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN) if _of(given, item))
        kind = CitationKind.ELIGIBLE_ASSIGNMENT if eligible else CitationKind.ROLE_ASSIGNMENT
        name = self._around.grants.power(record.role).name
        text = " and ".join(item for item in (*waits, *self._role_conditions(record)) if item) or None
        cited = Citation(
            kind, record.id, record.scope, name, groups, text, ends, answer if item.placed else Answer.UNKNOWN
        )
        yield cited if item.way is None else after(cited, item.way)

    def _role_conditions(self, record: Record) -> tuple[str, ...]:
        permissions = self._around.grants.power(record.role).permissions or ()
        return tuple(dict.fromkeys(block.condition for block in permissions if block.condition))


def _data_taken(deny: DenyAssignment) -> int:
    """The operations that an enforced deny assignment without a condition takes from whom it meets, at and below its scope."""
    if not effect_is_certain(deny) or deny.condition or deny.do_not_apply_to_child_scopes:
        return 0
    found = 0
    for block in deny.permissions:
        found |= 0 if block.condition else denied_operations(block)[0]
    return found


def _of(powers: Powers, answer: Answer) -> int:
    return {Answer.ALLOWED: powers.allowed, Answer.CONDITIONAL: powers.conditional}.get(answer, powers.unknown)
