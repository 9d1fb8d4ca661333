"""Routes of everybody to one vault, and of one principal: the control plane, identities, and what the data plane adds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice

from kvaudit.access.answers import Holding
from kvaudit.access.escalation import copies, coverage, services
from kvaudit.access.escalation.actions import VAULTS_CREATE
from kvaudit.access.escalation.answers import EscalationRoute, NotAssessed, Routes, route_number, sorted_ids
from kvaudit.access.escalation.delegates import Delegates
from kvaudit.access.escalation.delegation import Delegations
from kvaudit.access.escalation.directory_roles import DirectoryRoles
from kvaudit.access.escalation.gains import Gain, Gains, Unseen, gains_of
from kvaudit.access.escalation.groups import Groups
from kvaudit.access.escalation.identities import HIDE_ROUTES, Identities
from kvaudit.access.escalation.powers import sum_of, weaker
from kvaudit.access.escalation.steps import Step
from kvaudit.access.escalation.takeover import Takeover, Takeovers, for_member
from kvaudit.access.escalation.telling import Telling
from kvaudit.access.escalation.vault_routes import VaultRoutes
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap, once
from kvaudit.model.vaults import ObjectRef, Vault

_Ways = Mapping[str | None, tuple[Takeover, ...]]

_TOLD, _WAYS = 10, 50
"""Targets of a gain whose routes are told, and how many of these at most."""

_AS_A_PARTNER = frozenset({"E1", "E2", "E4"})


class Escalations:
    """Answers questions about routes in one estate. Nothing is worked out before it is asked for.

    Args:
        around: where the records are.
        holdings: what everybody whom a record names holds on a vault, or on an object in it.
        holding_of: what one principal (folded ID) holds there, itself and through its groups, or None: nothing.
        named: whom a record names of which holdings are made, whether it holds something in the end or not.
        objects: the objects of a vault at which records stand of their own.
    """

    def __init__(
        self,
        around: Surroundings,
        holdings: Callable[[Vault, ObjectRef | None], Iterable[Holding]],
        holding_of: Callable[[str, Vault, ObjectRef | None], Holding | None],
        named: Callable[[Vault], Iterable[str]],
        objects: Callable[[Vault], Iterable[ObjectRef]],
    ) -> None:
        self._around = around
        self._estate = around.estate
        self._directory = around.directory
        self._holdings = holdings
        self._holding_of = holding_of
        self._named = named
        self._objects = objects
        self.control = VaultRoutes(around)
        self._last: tuple[str, tuple[_Ways, _Ways]] = ("", ({}, {}))
        self._last_held: tuple[str, tuple[Holding, ...]] = ("", ())
        self._last_held_in: tuple[str, tuple[tuple[ObjectRef | None, tuple[Holding, ...]], ...]] = ("", ())
        self._last_masks: tuple[str, Mapping[str, int]] = ("", {})

    @cached_property
    def _identities(self) -> Identities:
        return Identities(self._around, self.control.standings, self.control.halves)

    @cached_property
    def takeovers(self) -> Takeovers:
        """Who can act as whom."""
        identities, groups = self._identities, Groups(self._estate, self._directory)
        roles = DirectoryRoles(self._estate, self._directory)
        targets = (*identities.targets, *groups.targets, *roles.targets)
        return Takeovers(self._directory, targets, (identities, groups, roles))

    @cached_property
    def _unseen(self) -> Unseen:
        return Unseen(self.takeovers, self._directory)

    @property
    def is_listed(self) -> bool:
        """Whether grants and denies of every subscription in which something runs as an identity were listed."""
        return self._identities.is_listed

    @cached_property
    def _elevating(self) -> tuple[Takeover, ...]:
        return tuple(DirectoryRoles(self._estate, self._directory).elevating())

    @cached_property
    def _delegations(self) -> Delegations:
        return Delegations(self._around, self.control.standings)

    @cached_property
    def _delegates(self) -> Delegates:
        return Delegates(self._directory, self.control, self._beside_control)

    def _beside_control(self, vault: Vault, groups: frozenset[str]) -> Iterator[str]:
        """Members of some groups who hold something on a vault, or have a route through an identity to it."""
        ways = self._ways(vault)
        names = {*self._named(vault), *(item for item in ways if item is not None)}
        for name in names:
            member_of = {*self._directory.chains_up(name), *self._directory.ways_up(name)}
            if not member_of.isdisjoint(groups) and (name in ways or self._holding_of(name, vault, None) is not None):
                yield name

    def delegates(self, vault: Vault) -> Mapping[str, Answer]:
        """Everybody who has E5 to a vault, as `routes` tells them → how surely; sorted."""
        return self._delegates.of(vault)

    def delegation(self, principal_id: str, vault: Vault) -> EscalationRoute | None:
        """E5 of one principal (folded ID) to a vault, with its records."""
        control = self.control
        found = control.delegated(principal_id, control.standings.node(vault.scope), control.setting(vault))
        return self._telling.told(found, principal_id, vault, None) if found else None

    @cached_property
    def _telling(self) -> Telling:
        return Telling(self._around, self.control)

    @cached_property
    def has_identity_records(self) -> bool:
        """Whether anything was collected from which routes through identities follow."""
        estate = self._estate
        return any(
            (
                estate.ownerships,
                estate.group_schedule_instances,
                estate.resource_identities,
                estate.user_assigned_identities,
                estate.federated_credentials,
                estate.directory_roles,
                estate.application_permissions,
                estate.delegations,
            )
        )

    def ids(self, vault: Vault, holding: Holding | None, principal_id: str) -> tuple[str, ...]:
        """The ids of the routes of one principal to a vault, sorted; what it holds there, where it holds something."""
        found = {item.route for item in self._steps(principal_id, vault, holding)}
        found.update(item.route for item in self._ways_of(principal_id, vault))
        return sorted_ids(found)

    def principals(self, vault: Vault, *, expand_groups: bool) -> frozenset[str]:
        """Everybody who has a route to a vault by a record that names it, and with `expand_groups` every member of groups too.

        A group stands for its members. So whoever has a route by two groups that neither has stands for himself, as far as
        `VaultRoutes.members_of_two` tells them.
        """
        found = set(self.control.principals(vault))
        found.update(name for name in self._ways(vault) if name is not None)
        if expand_groups:
            for name in tuple(found):
                if self._directory.may_be_group(name):
                    found.update(self._below(name))
        found.update(self._members_of_two(vault))
        found.update(self.control.members_of_two(vault), self.control.members_who_move(vault))
        return frozenset(found)

    def escalating(self, vault: Vault, holdings: Iterable[Holding]) -> Iterator[Holding]:
        """Rows of a vault with the ids of the routes that their principals have to more."""
        for item in holdings:
            routes = self.ids(vault, item, item.principal_id) if item.principal_id else ()
            yield replace(item, escalation=routes) if routes else item

    def rows_beside(self, vault: Vault, holdings: Iterable[Holding], *, expand_groups: bool) -> Iterator[Holding]:
        """Rows of those who have a route to a vault and none of its holders' rows: mostly rows without operations.

        Who holds something through a group alone is no holder that a record names; its row says what that is.
        """
        holders = {item.principal_id for item in holdings}
        for principal in sorted(self.principals(vault, expand_groups=expand_groups) - holders):
            held = self._holding_of(principal, vault, None)
            routes = self.ids(vault, held, principal)
            if routes:
                kind = self._directory.type_of(principal)
                yield replace(held or Holding(vault.id, None, principal, kind), escalation=routes)

    def routes(self, vault: Vault, *, expand_groups: bool, only: frozenset[str] | None) -> Routes:
        """Every route to a vault, with its records.

        Args:
            vault: the vault.
            expand_groups: list the routes of every member of a group too. Without, a group stands for its members.
            only: ids of routes; None means all.
        """
        held = {
            item.principal_id: item for item in self._held_on(vault) if item.principal_id and not item.application_id
        }
        names = {*self.principals(vault, expand_groups=expand_groups), *held}
        if expand_groups:
            names.update(below for name in held if self._directory.may_be_group(name) for below in self._below(name))
        found: list[EscalationRoute] = []
        for name in names:
            found.extend(self._of(name, vault, held.get(name) or self._holding_of(name, vault, None), only))
        found.extend(
            self._telling.taken_over(item, vault, self._reached(item, vault))
            for item in self._ways(vault).get(None, ())
            if only is None or item.route in only
        )
        self._telling.expects(len(found))
        return Routes(
            vault.id,
            tuple(sorted(found, key=_order)),
            once((*self.gaps, *self._around.gaps_at(vault, HIDE_ROUTES), *self._gaps_at_identities(vault))),
            self.not_assessed,
        )

    def routes_of(self, principal_id: str, vault: Vault) -> tuple[EscalationRoute, ...]:
        """The routes of one principal to a vault, with their records, by number."""
        name = principal_id.strip().casefold()
        return tuple(sorted(self._of(name, vault, self._holding_of(name, vault, None), None), key=_order))

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What of the records of identity routes could not be read: a route may exist behind each."""
        return coverage.gaps(self._estate)

    @cached_property
    def not_assessed(self) -> tuple[NotAssessed, ...]:
        """The kinds of records of identity routes that nobody collected, with the routes that rest on them."""
        return coverage.not_assessed(self._estate, self._directory)

    @cached_property
    def kinds_not_assessed(self) -> tuple[str, ...]:
        """Those kinds, without counting of what."""
        return coverage.kinds_not_assessed(self._estate, self._directory)

    def gains(self, vault: Vault) -> tuple[Gain, ...]:
        """Who gains access to a vault by acting as an identity that has it (E12, E13, E23), directory roles left out.

        A group stands for its members, except for those who can what it cannot. Access to one object alone counts too.
        """
        if not self.has_identity_records:
            return ()
        control, in_denies = self.control, self.control.standings.in_denies

        def concerned(group: str) -> Iterator[str]:
            for equal in control.halves.beside(group, in_denies) if in_denies else ():
                yield from equal

        def at(ref: ObjectRef | None) -> Gains:
            return Gains(self.takeovers, self._directory, lambda name: self._holding_of(name, vault, ref), concerned)

        return gains_of(at(ref).of(rows) for ref, rows in self._held_in(vault))

    def gaps_of_gains(self, vault: Vault) -> tuple[Gap, ...]:
        """What could not be read and may hide who gains access to a vault."""
        holders = dict.fromkeys(row.principal_id for _, rows in self._held_in(vault) for row in rows)
        unseen = (gap for name in holders if name for gap in self._unseen.of(name))
        return once((*self.gaps, *self._gaps_at_identities(vault), *unseen))

    def gaining(self, gain: Gain, vault: Vault) -> tuple[EscalationRoute, ...]:
        """The routes behind a gain, the surest first; of one with many targets those to some of them."""
        ways = (way for target in gain.targets[:_TOLD] for way in self.takeovers.ways_of(gain.principal_id, target))
        mine = (replace(way, answer=weaker(way.answer, gain.answer)) for way in islice(ways, _WAYS))
        return tuple(self._telling.taken_over(way, vault, self._reached(way, vault)) for way in mine)

    def _of(
        self, principal_id: str, vault: Vault, held: Holding | None, only: frozenset[str] | None
    ) -> Iterator[EscalationRoute]:
        for item in self._steps(principal_id, vault, held):
            if only is None or item.route in only:
                yield self._telling.told(item, principal_id, vault, held)
        yield from self._taken_over(principal_id, vault, only)

    def _taken_over(self, principal_id: str, vault: Vault, only: frozenset[str] | None) -> Iterator[EscalationRoute]:
        for way in self._ways_of(principal_id, vault):
            if only is None or way.route in only:
                mine = way if way.principal_id == principal_id else replace(way, principal_id=principal_id)
                yield self._telling.taken_over(mine, vault, self._reached(mine, vault))

    def _steps(self, principal_id: str, vault: Vault, held: Holding | None) -> tuple[Step, ...]:
        steps = self.control.steps(principal_id, vault)
        if steps and self._directory.type_of(principal_id) == "ForeignGroup":
            ways = [item for item in steps if item.route in _AS_A_PARTNER]
            how = "acts from the tenant of a partner, whose members nobody here can list"
            steps = (*steps, *(Step("E25", item.answer, item.bits, how) for item in ways[:1]))
        if held is not None:
            creates = Answer.DENIED
            context = self.control.context(vault)
            if (held.allowed | held.conditional | held.unknown) & copies.BACKUPS:
                creates = self.control.completed(principal_id, context.node).answer(VAULTS_CREATE)
            steps = (*steps, *copies.steps_of_masks(held.allowed, held.conditional, held.unknown, creates))
            steps = (*steps, *services.steps(self._estate.principal(principal_id)))
        return steps

    def _ways(self, vault: Vault) -> _Ways:
        """The routes through identities to a vault, by who has them."""
        return self._ways_and_halves(vault)[0]

    def _ways_and_halves(self, vault: Vault) -> tuple[_Ways, _Ways]:
        """The routes through identities by who has them, and by whom what is half of one, which others may complete."""
        if not self.has_identity_records:
            return {}, {}
        if self._last[0] != vault.scope:
            ways: dict[str | None, dict[Takeover, None]] = {}
            halves: dict[str | None, dict[Takeover, None]] = {}
            for way in self._gathered(vault):
                table = halves if way.answer is Answer.DENIED else ways
                table.setdefault(way.principal_id, {})[way] = None
            found = tuple({name: tuple(items) for name, items in table.items()} for table in (ways, halves))
            self._last = vault.scope, (found[0], found[1])
        return self._last[1]

    def _members_of_two(self, vault: Vault) -> Iterator[str]:
        """Those whom no record names and who have a route through an identity by two groups, of which neither has it."""
        for group in self._ways_and_halves(vault)[1]:
            for names in self.control.halves.members(group).values() if group else ():
                if any(self._ways_of(names[0], vault)):
                    yield from names

    def _below(self, group: str) -> frozenset[str]:
        return self._directory.everyone_below(group)

    def _held_on(self, vault: Vault) -> tuple[Holding, ...]:
        """What everybody holds on a vault; kept for the last vault, since questions come vault by vault."""
        if self._last_held[0] != vault.scope:
            self._last_held = (vault.scope, tuple(self._holdings(vault, None)))
        return self._last_held[1]

    def _held_in(self, vault: Vault) -> tuple[tuple[ObjectRef | None, tuple[Holding, ...]], ...]:
        """The same, and what they hold on each object at which records stand of their own."""
        if self._last_held_in[0] != vault.scope:
            on_objects = ((ref, tuple(self._holdings(vault, ref))) for ref in self._objects(vault))
            self._last_held_in = vault.scope, ((None, self._held_on(vault)), *on_objects)
        return self._last_held_in[1]

    def _gaps_at_identities(self, vault: Vault) -> Iterator[Gap]:
        """What was not read where something runs as a holder of access to a vault."""
        if not self._estate.resource_identities and not self._estate.user_assigned_identities:
            return
        for holding in self._held_on(vault):
            for target in self.takeovers.targets(holding.principal_id) if holding.principal_id else ():
                yield from self._identities.gaps(target)

    def _reached(self, way: Takeover, vault: Vault) -> int:
        """The operations that a takeover leads to: mostly those that its target holds, itself or through its groups."""
        if way.mask:
            return way.mask
        if self._last_masks[0] != vault.scope:
            masks: dict[str, int] = {}
            for item in self._held_on(vault):
                if item.principal_id:
                    held = item.allowed | item.conditional | item.unknown
                    masks[item.principal_id] = masks.get(item.principal_id, 0) | held
            self._last_masks = (vault.scope, masks)
        masks_of = self._last_masks[1]
        return sum_of(masks_of.get(name, 0) for name in (way.target, *self._directory.chains_up(way.target)))

    def _gathered(self, vault: Vault) -> Iterator[Takeover]:
        for holding in self._held_on(vault):
            if holding.principal_id is None:
                continue
            access = (
                Answer.ALLOWED if holding.allowed else Answer.CONDITIONAL if holding.conditional else Answer.UNKNOWN
            )
            for way in self.takeovers.of_holder(holding.principal_id):
                yield replace(way, answer=weaker(way.answer, access), limit=access)
        yield from self._elevating
        yield from self._delegations.ways(vault)

    def _ways_of(self, principal_id: str, vault: Vault) -> Iterator[Takeover]:
        """The routes through identities of a principal and of its groups."""
        ways, halves = self._ways_and_halves(vault)
        if not ways and not halves:
            return
        yield from dict.fromkeys((*ways.get(principal_id, ()), *self._ways_by_groups(principal_id, vault)))

    def _ways_by_groups(self, principal_id: str, vault: Vault) -> Iterator[Takeover]:
        """What somebody can do by the rights of its groups, of several together, and with what denies leave it of them."""
        ways, halves = self._ways_and_halves(vault)
        chains, awaited = self._directory.chains_up(principal_id), self._directory.ways_up(principal_id)
        for group in sorted((chains.keys() | awaited.keys()) & (ways.keys() | halves.keys())):
            for way in (*ways.get(group, ()), *halves.get(group, ())):
                if way.again is not None:
                    for mine in way.again(principal_id):
                        answer = weaker(mine.answer, way.limit)
                        if answer is not Answer.DENIED and mine.target != principal_id:
                            yield replace(mine, answer=answer, limit=way.limit)
                elif way.target != principal_id:
                    yield for_member(way, principal_id, group, self._directory)


def _order(item: EscalationRoute) -> tuple[str, int, str, str, str]:
    return (
        item.principal_id or "~",
        route_number(item.id),
        item.target or "",
        item.via[0].id.casefold() if item.via else "",
        item.steps,
    )
