"""Counts for many vaults: the scopes are walked once from the root, and each hands what stands above to what lies below.

A set of principals for each thing that is counted (`counting.Effects`) is the parent's set and what the records of the
scope itself add, as roaring bitmaps. No product of vaults and principals is ever formed.

This is no second evaluator. What a record gives is asked of `Grants` and `ControlPlane`; and where the answers of two
principals are not independent of each other, or something was not read, the counts say so by being None, and the caller
asks `Access`. That is the case where

- a deny assignment reaches the vault, takes what is counted, and may meet anybody whom a record names there;
- a listing of deny assignments was not read, or a record may or may not stand above the subscription;
- a group holds something on a condition only, and somebody may be in it although nothing says so;
- the vault trusts another tenant, its access policies were not read, or an entry names an application too;
- records stand at single objects in the vault.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TypeVar, cast

from pyroaring import BitMap

from kvaudit.access.control import ControlPlane
from kvaudit.access.counting import BROAD, AnyGrant, DataGrants, Effect, Effects, Question, Tally
from kvaudit.access.deny_counts import DenyCounts
from kvaudit.access.grants import Record
from kvaudit.access.holders import HolderCounts
from kvaudit.access.member_sets import MemberSets, numbered_first
from kvaudit.access.nodes import Adding, Node, Sets
from kvaudit.access.numbering import NOBODY, SINGLE, Classes, Numbers
from kvaudit.access.on_vaults import OnVaults
from kvaudit.access.places import DENY_ASSIGNMENTS
from kvaudit.access.subject import VaultAccess
from kvaudit.access.surroundings import Surroundings
from kvaudit.access.takeover_counts import TakeoverCounts
from kvaudit.access.tallies import Asked, Who, tally_of, tally_of_records, with_grants, with_records
from kvaudit.model import scopes
from kvaudit.model.authorization import DenyAssignment, RoleAssignment
from kvaudit.model.directory import PrincipalState
from kvaudit.model.vaults import PermissionModel, Vault

_KEPT = 64
"""Resource groups, and subscriptions, whose sets are kept: vaults of one mostly follow each other."""

Made = TypeVar("Made")

_UNASKED, _TOLD_APART = -2, -3
"""Instead of the number of a principal: nobody asked for it yet; it may be a stray, hide members or be nobody."""

_TURNS = Effect(0, (), has_gap=False, gives=0, is_plain=False)
"""Stands for an effect that turns on the vault."""
_NOTHING = Effect(0, (), has_gap=False, gives=0)
"""Stands for no effect at all."""

_EMPTY = BitMap()


class Bulk:
    """Counts for the vaults of one estate that has any.

    Args:
        around: the records, by scope.
        control: the evaluator of the control plane.
        questions: everything that will be counted.
    """

    def __init__(self, around: Surroundings, control: ControlPlane, questions: Iterable[Question]) -> None:
        self.around = around
        self.estate = around.estate
        self.effects = Effects(around.grants, control, questions, self.estate.vaults[0])
        self.numbers = Numbers(around.directory, numbered_first(self.estate.membership_columns))
        self._columns = self.estate.assignment_columns
        self._principals = self.numbers.sort(self._columns.values.principals, self.estate.principals, _UNASKED)
        self.denies = DenyCounts(around.directory, self.numbers)
        self.members = MemberSets(self.estate, around.directory, self.numbers)
        self._hiding = Classes(self.numbers, self.hides)
        self._unusual = [place for place, number in enumerate(self._principals) if number == _UNASKED]
        self.on_vaults = OnVaults(self._columns, self._unusual, self._is_stray, around.grants.power)
        powers = len(self._columns.values.powers)
        self._effects: dict[bool, list[Effect | None]] = {broad: [None] * powers for broad in (True, False)}
        self._parents: dict[str, Node] = {}
        self._subscriptions: dict[str | None, Node] = {}
        self._asked: dict[tuple[int, Who | None], Asked] = {}
        self._kept: list[Question] = []
        self._hides: dict[str, bool] = {}
        self._of_estate: dict[Callable[[VaultAccess], object], object] = {}
        self._grounds: dict[tuple[str, str | None], tuple[bool, frozenset[str]]] = {}
        self._filters: dict[Who, Classes[bool | None]] = {}
        self._denies_hidden: dict[str, bool] = {}
        self._holders: dict[tuple[int, Classes[int]], HolderCounts | None] = {}
        self._gap_scopes = frozenset(scopes.fold(gap.scope) for gap in self.estate.gaps)
        self._gap_kinds = frozenset(gap.kind for gap in self.estate.gaps)
        self._root = Node()

    def _node_above(self, vault: Vault) -> Node:
        """What stands above a vault. Vaults side by side share it."""
        if len(self._parents) >= _KEPT:
            self._parents.clear()
        node = self._parents[vault.scope.rpartition("/")[0]] = self._walk(vault)
        return node

    def node_of(self, vault: Vault) -> Node:
        """What stands above a vault and at the vault itself; what turns on its name is settled."""
        scope = vault.scope
        above = self._parents.get(scope.rpartition("/")[0]) or self._node_above(vault)
        denies = self.around.denies.beside_columns(scope)  # they have no columns
        beside = self.around.records.beside_columns(scope)
        if scope not in self._columns.starts and not beside and not denies and not above.turning:
            return above
        adding = self._added(above, scope, beside, broad=False)
        for record, broad in (*above.turning, *adding.turning):
            self._settle(adding, record, vault, broad=broad)
        if adding.is_empty and not denies:
            return above
        return self._with_denies(adding.node(), denies)

    def _settle(self, adding: Adding, record: Record, vault: Vault, *, broad: bool) -> None:
        """Add what a record gives that turns on the vault's name. No name changes what it gives of the control plane."""
        if vault.permission_model is PermissionModel.ACCESS_POLICIES:  # nothing else of it is counted there
            effect = self.effects.of(record, broad=broad)
            effect = effect if effect and effect.touches & self.effects.of_control else None
        else:
            effect = self.effects.at(record, vault, broad=broad)
        adding.add(effect, self.numbers.of(record.principal_id))

    @cached_property
    def _has_several_roots(self) -> bool:
        """Whether records stand at `/` of one of several tenants."""
        around = self.around
        at_root = around.records.at(scopes.ROOT) or around.denies.at(scopes.ROOT)
        return bool(at_root) and not self.estate.is_of_one_tenant

    def _walk(self, vault: Vault) -> Node:
        """From the root down to what is next above a vault. The nodes of management groups are kept."""
        node = self._subscriptions.get(vault.subscription_id)
        if node is None:
            if len(self._subscriptions) >= _KEPT:
                self._subscriptions.clear()
            node = self._subscriptions[vault.subscription_id] = self._walk_broad(vault)
        for scope in scopes.path_ancestors(vault.scope)[1:-1]:  # the first is the subscription
            denies = self.around.denies.beside_columns(scope)
            node = self._below(node, scope, self.around.records.beside_columns(scope), denies, broad=False)
        return node

    def _walk_broad(self, vault: Vault) -> Node:
        """From the root down to a vault's subscription."""
        chain, subscription = self.around.chain(vault), vault.subscription_id or ""
        own = f"{scopes.SUBSCRIPTION_PREFIX}{subscription}"
        node = self._root
        for scope in chain[:-1]:
            if scopes.level_of(scope) not in BROAD:
                continue
            known = node.children.get(scope)
            if known is None:
                beside, denies = self.around.records.beside_columns(scope), self.around.denies.at(scope)
                if scope == own:
                    beside = (*beside, *self.around.records.listed_below(subscription, chain))
                    denies = (*denies, *self.around.denies.listed_below(subscription, chain))
                known = self._below(node, scope, beside, denies, broad=True)
                if scope == own:
                    unplaced = self.around.records.unplaced(subscription, chain)
                    known.odd = (
                        bool(unplaced or self.around.denies.unplaced(subscription, chain)) or self._has_several_roots
                    )
                else:
                    node.children[scope] = known
            node = known
        return node

    def _below(
        self, parent: Node, scope: str, beside: Sequence[Record], denies: Sequence[DenyAssignment], *, broad: bool
    ) -> Node:
        """A scope's node: its parent's, and what stands at the scope, in columns and beside them."""
        return self._with_denies(self._added(parent, scope, beside, broad=broad).node(is_broad=broad), denies)

    def _with_denies(self, node: Node, denies: Sequence[DenyAssignment]) -> Node:
        if denies:
            node.denies = (*node.denies, *denies)
        return node

    def _added(self, parent: Node, scope: str, beside: Sequence[Record], *, broad: bool) -> Adding:
        """What stands at a scope, which is one of `BROAD` or not."""
        adding = Adding(parent)
        if self.around.grants.holds_timed(scope):  # time is a matter of the single record
            beside = (*beside, *self._columns.at(scope))
        elif scope in self._columns.starts:
            self._add_columns(adding, scope, broad=broad)
        for record in beside:
            turns = self.effects.turns_on_vault(record)
            effect = None if turns else self.effects.of(record, broad=broad)
            if turns or effect:
                number = self.numbers.of(record.principal_id)
                if turns:
                    adding.turn(record, number, broad=broad)
                else:
                    adding.add(effect, number)
                adding.hides |= self.hides(record.principal_id)
                if self._is_stray_holder(record.principal_id, number) and (effect is None or effect.gives):
                    adding.strays.append(record)
        return adding

    def _add_columns(self, adding: Adding, scope: str, *, broad: bool) -> None:
        start, stop = self._columns.starts[scope]
        columns, effects, principals = self._columns.columns, self._effects[broad], self._principals
        given, named = adding.given, columns.principals[start:stop]
        for row, power, place in zip(range(start, stop), columns.powers[start:stop], named, strict=True):
            effect = effects[power] or self._effect(power, scope, broad=broad)
            if effect is _NOTHING:
                continue
            number = principals[place]
            if number >= 0 and effect.is_plain:  # as nearly all are
                known = given.get(effect)
                if known is None:
                    given[effect] = [number]
                else:
                    known.append(number)
            else:
                self._add_unusual(adding, row, effect, broad=broad)

    def _add_unusual(self, adding: Adding, row: int, effect: Effect, *, broad: bool) -> None:
        """Add a record that turns on the vault, or whose role or principal is not simply known."""
        who = self._columns.columns.principals[row]
        if self._principals[who] == _UNASKED:
            self._principals[who] = self._principal(who)
        name, number = self._columns.values.principals[who], self._principals[who]
        if number == _TOLD_APART:
            number = self.numbers.of(name)
            adding.hides |= self.hides(name)
            if self._is_stray_holder(name, number) and (effect is _TURNS or effect.gives):
                adding.strays.append(self._columns.record(row))
        if effect is _TURNS:
            adding.turn(self._columns.record(row), number, broad=broad)
        else:
            adding.add(effect, number)

    def _effect(self, power: int, scope: str, *, broad: bool) -> Effect:
        """What an assignment of a role with a condition adds, whoever has it. From then on it is known."""
        role, condition = self._columns.values.powers[power]
        sample = RoleAssignment("", scope, role, "", condition=condition)
        found = _TURNS if self.effects.turns_on_vault(sample) else self.effects.of(sample, broad=broad) or _NOTHING
        self._effects[broad][power] = found
        return found

    def _principal(self, place: int) -> int:
        """The number of a principal of the columns; `_TOLD_APART` where more is to be said of it."""
        name = self._columns.values.principals[place]
        usual = not self._is_stray(name) and not self.hides(name) and self.numbers.of(name) != NOBODY
        return self.numbers.of(name) if usual else _TOLD_APART

    def hides(self, principal_id: str) -> bool:
        """Whether somebody may hold something through a principal whom nobody saw in it."""
        principal = self.estate.principals.get(principal_id)
        if principal and principal.type in SINGLE and principal.state is PrincipalState.FOUND:
            return False
        found = self._hides.get(principal_id)
        if found is None:
            found = self._hides[principal_id] = bool(self.around.directory.hides_members(principal_id))
        return found

    def _is_stray_holder(self, principal_id: str, number: int) -> bool:
        """Whether somebody holds what a record gives and is not simply there: an application registration holds nothing."""
        return number != NOBODY and self._is_stray(principal_id)

    def _is_stray(self, principal_id: str) -> bool:
        return self.estate.principal(principal_id).state is not PrincipalState.FOUND

    def has_gap_of(self, kinds: frozenset[str]) -> bool:
        """Whether anything of these kinds was not read, anywhere."""
        return not self._gap_kinds.isdisjoint(kinds)

    def hides_denies(self, vault: Vault) -> bool:
        """Whether a listing of deny assignments that reaches a vault was not read."""
        unasked = self.around.unasked(vault.subscription_id or "")
        if not self._gap_scopes and DENY_ASSIGNMENTS not in unasked:
            return False
        if unasked or vault.scope in self._gap_scopes:
            return bool(self.around.gaps_at(vault, (DENY_ASSIGNMENTS,)))
        above = vault.scope.rpartition("/")[0]
        if above not in self._denies_hidden:
            self._denies_hidden[above] = bool(self.around.gaps_at(vault, (DENY_ASSIGNMENTS,)))
        return self._denies_hidden[above]

    def ground(self, vault: Vault) -> tuple[bool, frozenset[str]]:
        """Whether role assignments count on a vault, for all that is known of its tenant; which decisive lists were not read."""
        subscription = vault.subscription_id or ""
        key = (subscription, vault.tenant_id)
        if key not in self._grounds:
            self._grounds[key] = not self.around.doubts_tenant(vault), self.around.unasked(subscription)
        return self._grounds[key]

    def of_estate(self, make: "Callable[[VaultAccess], Made]", subject: VaultAccess) -> "Made":
        """What is the same for every vault of the estate, worked out at the first."""
        if make not in self._of_estate:
            self._of_estate[make] = make(subject)
        return cast("Made", self._of_estate[make])

    def tally(self, node: Node, question: Question, who: Who | None) -> Tally | None:
        """A question counted from a node's sets; None where somebody's answer hangs on whom nobody saw in a group.

        A scope at which nothing is added to it shares what was counted above.
        """
        asked = self._asked.get((id(question), who))  # questions are few objects, and their values slow to hash
        if asked is None:
            same = (item for item in self._asked.values() if item.question == question and item.who is who)
            asked = self._asked[id(question), who] = next(same, None) or self._new(question, who)
            self._kept.append(question)  # so that no other has its identity
        return self._tally_at(node, asked)

    def _tally_at(self, node: Node, asked: Asked) -> Tally | None:
        number, touched = asked.number, asked.touched
        above, passed = node, []
        while number not in above.tallies and above.parent is not None and not above.touched & touched:
            passed.append(above)
            above = above.parent
        if number not in above.tallies:
            above.tallies[number] = self._tally(above, asked)
        found = above.tallies[number]
        for item in passed:
            item.tallies[number] = found
        return found

    def _new(self, question: Question, who: Who | None) -> Asked:
        effects, kind_of = self.effects, self.kinds(who).of if who else None
        touched, triples = effects.touched_by[question], effects.triples_of[question]
        return Asked(question, who, len(self._asked), touched, triples, isinstance(question, DataGrants), kind_of)

    def _tally(self, node: Node, asked: Asked) -> Tally | None:
        above = self._tally_at(node.parent, asked) if node.parent and not node.is_broad else None
        if asked.is_of_data:
            if self._names_unasked and self._is_doubted(node, asked.triples):
                return None
            if above is not None:
                return with_grants(above, node, asked.triples, asked.kind_of, self._hiding.of)
            sets = self._data(node, asked.triples)
            return None if sets is None else self._tally_among(sets, asked.who)
        (triple,) = asked.triples
        return tally_of_records(node, triple) if above is None else with_records(above, node, triple)

    @cached_property
    def _names_unasked(self) -> bool:
        """Whether records name somebody who was not asked for his groups, although all whom the directory lists were."""
        named, instances = self._columns.values.principals, self.estate.schedule_instances
        names = (*(named[place] for place in self._unusual), *(item.principal_id for item in instances))
        return self.members.has_unasked(self.numbers.set_of(names))

    def _is_doubted(self, node: Node, triples: Sequence[int]) -> bool:
        """Whether such a one may be in a group that holds something on a condition only: then nothing is certain of him."""
        through = (found for triple in triples if (found := node.sets(triple)[1]))
        return any(self.members.may_hold_through(node.named, found) for found in through)

    def _data(self, node: Node, triples: Sequence[int]) -> list[Sets] | None:
        """For each of some operations, who holds it by records that name him; None as for `tally`."""
        found = [node.apart(triple) for triple in triples]
        if any(conditional and self._hiding.has(True, conditional) for _, conditional, _ in found):
            return None
        return found

    def holders(self, question: DataGrants, classes: Classes[int], width: int) -> HolderCounts | None:
        """Counts who holds the one operation of a question, by class; None where memberships alone do not tell it."""
        key = (id(question), classes)
        if key not in self._holders:
            (triple,) = self.effects.triples_of[question]

            def data(node: Node) -> Sets | None:
                found = self._data(node, (triple,))
                return found[0] if found else None

            any_triple = self.effects.triples[AnyGrant()]
            found = HolderCounts(self.members, classes, width, triple, any_triple, data, self.spared)
            self._holders[key] = found if self.members.are_whole else None
        return self._holders[key]

    def spared(self, node: Node) -> list[BitMap]:
        """Those whom the deny assignments at a node or above exclude, one set for each."""
        return [self.denies.spared(deny) for deny in node.denies]

    def kinds(self, who: Who) -> Classes[bool | None]:
        """Who is meant (see `Who`)."""
        if who not in self._filters:
            estate, type_of = self.estate, self.around.directory.type_of
            self._filters[who] = Classes(self.numbers, lambda item: who(estate, item, type_of(item)))
        return self._filters[who]

    def _tally_among(self, found: list[Sets], who: Who | None) -> Tally:
        """Sets counted without those who are not meant; of whom that cannot be told, nothing is certain."""
        if who is None:
            return tally_of(found)
        kinds, kept = self.kinds(who), list[Sets]()
        for one, two, three in found:
            together = BitMap.union(one, two, three) if two or three else one
            sets = kinds.sets(together)
            meant, unclear = sets.get(True, _EMPTY), sets.get(None, _EMPTY)
            doubts = unclear & together if unclear else _EMPTY
            kept.append((meant & one, meant & two if two else two, doubts | meant & three if three else doubts))
        return tally_of(kept)

    def takeover_counts(self, subject: VaultAccess) -> TakeoverCounts:
        """Counts who can act as whom, for all vaults of the estate of one."""
        return TakeoverCounts(subject.takeovers, self.numbers, self.members)
