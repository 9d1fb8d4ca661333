"""Routes of the control plane over a vault, for everybody at once: shared by all vaults that stand alike.

What somebody has at a scope differs from what it has above only where a record at the scope names it or a group of it, or
a deny assignment stands there. So each scope keeps what differs, and looks the rest up above.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from kvaudit.access.escalation import actions
from kvaudit.access.escalation.answers import route_number
from kvaudit.access.escalation.control_plane import steps_of
from kvaudit.access.escalation.halves import Halves
from kvaudit.access.escalation.kept import Kept
from kvaudit.access.escalation.moves import Moves
from kvaudit.access.escalation.node import Node, Taken
from kvaudit.access.escalation.powers import NONE, Powers, joined, stronger, sum_of, weaker
from kvaudit.access.escalation.role_definitions import CustomRoles
from kvaudit.access.escalation.standing import Standings
from kvaudit.access.escalation.steps import Setting, Step
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment
from kvaudit.model.permissions import all_operations_mask
from kvaudit.model.vaults import Vault

_STEPS = 200_000
"""Principals at places whose steps are kept: questions come vault by vault, and neighbours share most of them."""

_BY_ROLE = frozenset({"E4", "E5", "E6", "E8"})
"""Routes that end in a data role: denies on the data plane close them."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a vault stands and what it is like. Vaults of one context have the same routes of the control plane.

    Attributes:
        customised: the scopes over the vault at which a custom role is assigned that somebody there may rewrite.
        group: folded scope of the resource group where somebody may move vaults out of it, else empty.
        subscription: the folded subscription where somebody may make virtual machines in it, else empty.
    """

    node: Node
    setting: Setting
    customised: tuple[str, ...]
    group: str
    subscription: str


class Found:
    """The routes of everybody named at a scope or above it."""

    __slots__ = ("gone", "own", "parent")

    def __init__(self, parent: "Found | None", own: dict[str, tuple[Step, ...]]) -> None:
        self.parent = parent
        self.own = own
        self.gone = frozenset(name for name, steps in own.items() if not steps)

    def get(self, principal_id: str) -> tuple[Step, ...] | None:
        """The steps of a named principal, or None: no record names it."""
        found: Found | None = self
        while found is not None:
            steps = found.own.get(principal_id)
            if steps is not None:
                return steps
            found = found.parent
        return None

    def principals(self) -> set[str]:
        """Everybody who has a route, in a set of its own."""
        chain, found = list[Found](), set[str]()
        above: Found | None = self
        while above is not None:
            chain.append(above)
            above = above.parent
        for item in reversed(chain):
            found.update(item.own)
            found.difference_update(item.gone)
        return found


class VaultRoutes:
    """Routes of the control plane. Answers are kept.

    Args:
        around: where the records are.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._directory = around.directory
        self._found: Kept[tuple[Node, Setting], Found] = Kept(_STEPS)
        self._adjusted: Kept[Context, dict[str, tuple[Step, ...]]] = Kept(_STEPS)
        self._completed: Kept[tuple[str, Node, str | None], Powers] = Kept(_STEPS)
        self._best: Kept[tuple[str, str | None, int], Answer] = Kept(_STEPS)
        self._halved: Kept[tuple[Node, Setting, tuple[str, ...], str], frozenset[str]] = Kept(_STEPS)
        self._last: tuple[Vault, Context] | None = None

    @cached_property
    def standings(self) -> Standings:
        """Who stands where with what."""
        return Standings(self._around)

    @cached_property
    def custom_roles(self) -> CustomRoles:
        """Where custom roles are assigned, and who may rewrite them."""
        return CustomRoles(self._around, self.standings)

    @cached_property
    def moves(self) -> Moves:
        """Who may move vaults to where it already holds data."""
        return Moves(self._around, self.standings)

    @cached_property
    def halves(self) -> Halves:
        """Members of groups who may have what neither of two groups has itself."""
        return Halves(self._directory, self.standings)

    def setting(self, vault: Vault) -> Setting:
        """The properties of a vault on which routes depend."""
        return Setting(
            vault.permission_model,
            bool(vault.enabled_for_template_deployment),
            bool(vault.enabled_for_deployment),
            bool(vault.enable_purge_protection),
            self._around.tenants_differ(vault),
        )

    def delegated(self, principal_id: str, node: Node, setting: Setting) -> Step | None:
        """E5 alone of one principal at a node: it hangs on one bit."""
        standings = self.standings
        held = standings.after_denies(principal_id, node, standings.granted(principal_id, node))
        held = joined(held, standings.awaited(principal_id, node))
        steps = steps_of(held.within(actions.ASSIGN_DATA_LIMITED), setting)
        return next(iter(self._shaken(principal_id, node, steps)), None)

    def context(self, vault: Vault) -> Context:
        """The context of a vault; kept for the last one, since questions come vault by vault."""
        if self._last is None or self._last[0] is not vault:
            self._last = vault, self._context(vault)
        return self._last[1]

    def _context(self, vault: Vault) -> Context:
        setting = self.setting(vault)
        node = self.standings.node(vault.scope)
        writers = self.standings.naming_over(node, actions.ROLES_WRITE)
        customised = self.custom_roles.over(vault.scope) if writers else ()
        moves = setting.may_use_roles and self.moves.can_leave(node)
        return Context(
            node,
            setting,
            customised,
            vault.scope.partition("/providers/")[0] if moves else "",
            subscription if (subscription := vault.subscription_id or "") in self.standings.installing else "",
        )

    def principals(self, vault: Vault) -> set[str]:
        """Everybody whom a record names and who has a route to the vault."""
        context = self.context(vault)
        adjusted = self._adjustments(context)
        found = self._found_at(context.node, context.setting).principals()
        found.update(adjusted)
        found.difference_update([name for name, steps in adjusted.items() if not steps])
        return found

    def steps(self, principal_id: str, vault: Vault) -> tuple[Step, ...]:
        """The routes of one principal to a vault, its own and its groups', by number."""
        context = self.context(vault)
        adjustments = self._adjustments(context)
        adjusted = adjustments.get(principal_id)
        if adjusted is not None:
            return adjusted
        found = self._found_at(context.node, context.setting)
        named = found.get(principal_id)
        if named is not None:
            return named
        # A member of two groups may have a route that neither of them has.
        if self.standings.groups_of(principal_id) and self.standings.given_at(principal_id, context.node):
            return self._steps_in(principal_id, context)
        return ()

    def members_of_two(self, vault: Vault) -> frozenset[str]:
        """Those whom no record names and who have a route by two groups that no group of theirs has.

        Groups that have another route themselves are looked at for the halves of deployments (E9, E10) alone.
        """
        context = self.context(vault)
        key = (context.node, context.setting, context.customised, context.subscription)
        found = self._halved.get(key)
        if found is None:
            found = frozenset(self._in_two(vault, context))
            self._halved.put(key, found, 1 + len(found))
        return found

    def _in_two(self, vault: Vault, context: Context) -> Iterator[str]:
        first = self.halves.first(context.node, context.setting, is_customised=bool(context.customised))
        groups = (
            name for name in first if self._directory.may_be_group(name) and self._may_be_half(name, vault, context)
        )
        equals = dict(item for group in groups for item in self.halves.members(group).items())
        for names in equals.values():
            told = {item.route for item in self.steps(names[0], vault)}
            for group in self.standings.groups_of(names[0]) if told else ():
                told.difference_update(item.route for item in self.steps(group, vault))
            if told:
                yield from names

    def _may_be_half(self, group: str, vault: Vault, context: Context) -> bool:
        """Whether what a group has may be half of a route that it has not."""
        own = {item.route for item in self.steps(group, vault)}
        setting = context.setting
        deployments = (("E9", setting.for_templates), ("E10", setting.for_machines))
        return not own or any(is_on and route not in own for route, is_on in deployments)

    def members_who_move(self, vault: Vault) -> frozenset[str]:
        """Those who may move the vault through one group and hold data through another: no group has that route itself."""
        context = self.context(vault)
        return self.moves.members_at(context.node) if context.group else frozenset()

    def _found_at(self, node: Node, setting: Setting) -> Found:
        found = self._found.get((node, setting))
        if found is None:
            found = node.from_above(
                lambda item: self._found.get((item, setting)), lambda *args: self._made(setting, *args)
            )
        return found

    def _made(self, setting: Setting, node: Node, above: Found | None) -> Found:
        own: dict[str, tuple[Step, ...]] = {}
        for principal in self._touched(node, above):
            steps = self._shaken(principal, node, steps_of(self.completed(principal, node), setting))
            if steps or above is not None:
                own[principal] = steps
        return self._found.put((node, setting), Found(above, own), 1 + len(own))

    def _touched(self, node: Node, above: Found | None) -> frozenset[str]:
        """Those for whom a node may differ from what stands above it."""
        members = map(self.standings.named_in, node.own)
        touched = frozenset(node.own).union(*members)
        if node.denies or node.data_denies or (node.parent is not None and node.doubted != node.parent.doubted):
            touched |= self.standings.named(node)
            if above is not None:  # members too, whom records name elsewhere
                touched |= above.principals()
        return touched

    def completed(self, principal_id: str, node: Node, subscription: str | None = None) -> Powers:
        """What a principal holds at a node, with what follows from several records together.

        Args:
            principal_id: folded.
            node: where.
            subscription: the folded subscription of the vault, where the node may stand above it.
        """
        subscription = subscription or scopes.subscription_of(node.scope)
        node = self.standings.settled(principal_id, node)
        key = (principal_id, node, subscription)
        found = self._completed.get(key)
        return found or self._completed.put(key, self._worked_out(principal_id, node, subscription))

    def _worked_out(self, principal_id: str, node: Node, subscription: str | None) -> Powers:
        held = self.standings.powers(principal_id, node)
        both = actions.DEPLOY_GROUP | actions.DEPLOYMENTS_WRITE
        found = held
        if held.any & actions.DEPLOY:
            answer = held.answer(both)
            found = found.plus(
                actions.DEPLOYS, self._elsewhere(principal_id, None, both) if answer is Answer.DENIED else answer
            )
            answer = held.answer(actions.MACHINES_WRITE)
            if answer is Answer.DENIED and subscription:
                answer = self._elsewhere(principal_id, subscription, actions.MACHINES_WRITE)
            found = found.plus(actions.INSTALLS, answer)
        if held.any & actions.ASSIGN_SUBSCRIPTION:
            answer = self._elsewhere(principal_id, None, actions.MOVE_SUBSCRIPTIONS)
            found = found.plus(actions.MOVES_SUBSCRIPTION, answer)
        if any(item.denies for item in node.upwards()):
            found = found.plus(actions.LIFTS_DENY, self._lifts(principal_id, node))
        return found

    def anywhere(self, principal_id: str) -> int:
        """Every bit that a record at any scope gives a principal or a group of it."""
        names = (principal_id, *self._directory.chains_up(principal_id), *self._directory.ways_up(principal_id))
        return sum_of(self.standings.anywhere.get(name, 0) for name in names)

    def _elsewhere(self, principal_id: str, subscription: str | None, bits: int) -> Answer:
        """The best answer for bits at any scope at which a record names a principal or a group of it."""
        if self.anywhere(principal_id) & bits != bits:
            return Answer.DENIED
        key = (principal_id, subscription, bits)
        found = self._best.get(key)
        if found is None:
            found = Answer.DENIED
            for scope in self.standings.places_of(principal_id):
                if subscription in (None, scopes.subscription_of(scope)):
                    held = self.standings.powers(principal_id, self.standings.node(scope))
                    found = stronger(found, held.answer(bits))
                    if found is Answer.ALLOWED:
                        break
            self._best.put(key, found)
        return found

    def _lifts(self, principal_id: str, node: Node) -> Answer:
        """Whether a principal may remove a deny assignment that takes something from it."""
        powers = NONE
        for _, answer in self.lifted(principal_id, node):
            powers = powers.plus(actions.LIFTS_DENY, answer)
        return powers.answer(actions.LIFTS_DENY)

    def lifted(self, principal_id: str, node: Node) -> Iterator[tuple[DenyAssignment, Answer]]:
        """The deny assignments that take something from a principal and that it may remove, and how surely."""
        for taken in self._closing(principal_id, node):
            held = self.standings.powers(principal_id, self.standings.node(taken.deny.scope))
            mine, _ = held.best(actions.DENIES_DELETE, actions.DENIES_WRITE)
            stack, _ = held.best(actions.STACKS_DENY_SETTING, actions.STACKS_DELETE)
            if taken.deny.is_system_protected is not True and mine is not Answer.DENIED:
                yield taken.deny, mine
            if taken.deny.is_system_protected is not False and stack is not Answer.DENIED:
                # Whether a deployment stack made it, or something that nobody here can undo, is not on record.
                yield taken.deny, weaker(stack, Answer.CONDITIONAL)

    def _closing(self, principal_id: str, node: Node) -> Iterator[Taken]:
        """The deny assignments that take something from a principal, or from a group that it can come into."""
        ways = self._directory.ways_up(principal_id)
        found = dict[Taken, None]()
        for name in (principal_id, *(way.chain[-1] for way in ways.values())):
            granted = self.standings.granted(name, node).any
            found.update(dict.fromkeys(self.standings.closing(name, node, granted & ~actions.LIFTS_DENY)))
        yield from found

    def _shaken(self, principal_id: str, node: Node, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Steps that end in a data role, where deny assignments take the data plane away again."""
        if not steps or not any(item.data_denies for item in node.upwards()):
            return steps
        mine, everybodys = self.standings.closed_data(principal_id, node)
        everything = all_operations_mask()
        if everybodys == everything:
            return tuple(item for item in steps if item.route not in _BY_ROLE)
        if mine | everybodys != everything:
            return steps
        note = "a deny assignment closes the data plane for this principal: only through another one that it lets in"
        return tuple(
            replace(item, answer=weaker(item.answer, Answer.CONDITIONAL), note=note) if item.route in _BY_ROLE else item
            for item in steps
        )

    def _adjustments(self, context: Context) -> dict[str, tuple[Step, ...]]:
        """The steps of those for whom custom roles or moves make a difference in this context."""
        if not context.customised and not context.group and not context.subscription:
            return {}
        found = self._adjusted.get(context)
        if found is None:
            concerned = self.moves.movers_at(context.node) | self._installers(context)
            if context.customised:
                writers = self.standings.naming_over(context.node, actions.ROLES_WRITE)
                concerned = concerned.union(writers, *map(self.standings.named_in, writers))
            found = {name: self._steps_in(name, context) for name in concerned}
            self._adjusted.put(context, found, 1 + len(found))
        return found

    def _installers(self, context: Context) -> frozenset[str]:
        """Those who may make virtual machines in a vault's subscription, and have from above it what else E10 takes."""
        standings, node = self.standings, context.node
        named = standings.installing.get(context.subscription, ())
        names = frozenset(named).union(*map(standings.named_in, named))
        return frozenset(
            name
            for name in names
            if scopes.subscription_of(standings.settled(name, node).scope) is None
            and standings.powers(name, node).any & actions.DEPLOY
        )

    def _steps_in(self, principal_id: str, context: Context) -> tuple[Step, ...]:
        node = context.node
        held = self.completed(principal_id, node, context.subscription)
        if context.customised and held.any & actions.ROLES_WRITE:
            rewriting = self.custom_roles.rewriting(principal_id, context.customised)
            held = held.plus(actions.REWRITES_ROLE, rewriting)
        steps = self._shaken(principal_id, node, steps_of(held, context.setting))
        if context.group and held.any & actions.MOVE:
            moving = tuple(self.moves.steps(principal_id, held, context.group))
            steps = tuple(sorted((*steps, *moving), key=lambda item: route_number(item.route)))
        return steps
