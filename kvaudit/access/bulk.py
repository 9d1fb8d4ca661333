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

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyroaring import BitMap

from kvaudit.access.control import ControlPlane
from kvaudit.access.counting import BROAD, Effect, Effects, Question
from kvaudit.access.denies import is_idle
from kvaudit.access.grants import Record
from kvaudit.access.numbering import NOBODY, Filter, Numbers
from kvaudit.access.places import DENY_ASSIGNMENTS
from kvaudit.access.surroundings import Surroundings
from kvaudit.model import scopes
from kvaudit.model.authorization import EVERYONE, DenyAssignment, RoleAssignment
from kvaudit.model.directory import PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.vaults import Vault

_KEPT = 4096
"""Resource groups whose sets are kept: vaults of one group mostly follow each other."""

Sets = tuple[BitMap, BitMap, BitMap]
"""Principals whose own records allow, allow on a condition, or may allow an operation; nobody stands in two."""

Who = Callable[[Estate, str, str | None], bool | None]
"""Whether a principal (folded ID, type) is one of those who are meant; None where that cannot be told."""


_ASK = Effect((), (), has_gap=False, gives=0)
"""Stands where nobody has asked yet."""

_TURNS = Effect((), (), has_gap=False, gives=0)
"""Stands for an effect that turns on the vault."""


@dataclass(slots=True)
class Node:
    """What the records of a scope and of everything above it add up to.

    Attributes:
        parent: the node above, None at the root.
        sets, counts: by the numbers of `Effects`.
        names: the numbers of those whom records name here.
        turning: records whose effect turns on the vault's name, and whether their scope is broad.
        denies: the deny assignments that stand here or above; those that only audit are left out.
        strays: data-plane records whose principal is not simply there in the directory.
        broad: what single records of broad scopes give of the data plane.
        odd: whether a record may or may not stand above, so that nothing is counted here.
        has_gap: whether the role of one of these records was not read.
        hides: whether a group that they name may have members whom nobody saw.
    """

    parent: "Node | None"
    sets: list[BitMap]
    counts: list[int]
    names: Sequence[int] = ()
    turning: tuple[tuple[Record, bool], ...] = ()
    denies: tuple[DenyAssignment, ...] = ()
    strays: tuple[Record, ...] = ()
    broad: frozenset[int] = frozenset()
    odd: bool = False
    has_gap: bool = False
    hides: bool = False
    children: dict[str, "Node"] = field(default_factory=dict)

    @property
    def named(self) -> BitMap:
        """Everybody whom records name here or above. Few ask: only deny assignments make it matter."""
        above = self.parent.named if self.parent else BitMap()
        return above | BitMap(number for number in self.names if number != NOBODY)


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
        self.numbers = Numbers(around.directory)
        self._columns = self.estate.assignment_columns
        powers = len(self._columns.values.powers)
        self._effects: dict[bool, list[Effect | None]] = {broad: [_ASK] * powers for broad in (True, False)}
        self._principals: list[tuple[int, bool, bool] | None] = [None] * len(self._columns.values.principals)
        self._parents: dict[str, Node] = {}
        self._filters: dict[Who, tuple[Filter, Filter]] = {}
        self._met: dict[str, BitMap | None] = {}
        self._denies_hidden: dict[str, bool] = {}
        self._gap_scopes = frozenset(scopes.fold(gap.scope) for gap in self.estate.gaps)
        self._gap_kinds = frozenset(gap.kind for gap in self.estate.gaps)
        self._root = Node(None, [BitMap()] * self.effects.sets, [0] * self.effects.counts)

    def node_above(self, vault: Vault) -> Node:
        """What stands above a vault. Vaults side by side share it."""
        above = vault.scope.rpartition("/")[0]
        node = self._parents.get(above)
        if node is None:
            if len(self._parents) >= _KEPT:
                self._parents.clear()
            node = self._parents[above] = self._walk(vault)
        return node

    def node_of(self, vault: Vault) -> Node:
        """The same with what stands at the vault itself; records that turn on its name are settled."""
        parent, scope = self.node_above(vault), vault.scope
        denies = self.around.denies.at(scope)
        beside = self.around.records.beside_columns(scope)
        if scope not in self._columns.starts and not beside and not denies and not parent.turning:
            return parent
        node = self._below(parent, scope, beside, denies)
        if not node.turning:
            return node
        settled = Adding(node)
        for record, broad in node.turning:
            settled.add(self.effects.at(record, vault, broad=broad), self.numbers.of(record.principal_id), broad=broad)
        return settled.node()

    @cached_property
    def _has_several_roots(self) -> bool:
        """Whether records stand at `/` of one of several tenants."""
        around = self.around
        at_root = around.records.at(scopes.ROOT) or around.denies.at(scopes.ROOT)
        return bool(at_root) and not self.estate.is_of_one_tenant

    def strays_on(self, vault: Vault) -> Iterator[RoleAssignment]:
        """The assignments on a vault, or on an object in it, whose principal is not simply there in the directory."""
        columns = self._columns
        for scope in self._scopes_on.get(vault.scope, ()):
            for row in columns.rows_at(scope):
                if self._principal(columns.columns.principals[row])[1]:
                    yield columns.record(row)

    def roles_on(self, vault: Vault) -> Iterator[str]:
        """The role of each assignment on a vault, or on an object in it."""
        columns = self._columns
        for scope in self._scopes_on.get(vault.scope, ()):
            for row in columns.rows_at(scope):
                yield columns.values.powers[columns.columns.powers[row]][0]

    @cached_property
    def _scopes_on(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for scope in self._columns.starts:
            vault = scopes.vault_of(scope)
            if vault is not None:
                table.setdefault(vault, []).append(scope)
        return table

    def _walk(self, vault: Vault) -> Node:
        """From the root down to what is next above a vault. The nodes of subscriptions and above are kept."""
        chain, subscription = self.around.chain(vault), vault.subscription_id or ""
        own = f"{scopes.SUBSCRIPTION_PREFIX}{subscription}"
        node = self._root
        for scope in chain[:-1]:
            known = node.children.get(scope)
            if known is None:
                beside, denies = self.around.records.beside_columns(scope), self.around.denies.at(scope)
                if scope == own:
                    beside = (*beside, *self.around.records.listed_below(subscription, chain))
                    denies = (*denies, *self.around.denies.listed_below(subscription, chain))
                known = self._below(node, scope, beside, denies)
                if scope == own:
                    unplaced = self.around.records.unplaced(subscription, chain)
                    known.odd = (
                        bool(unplaced or self.around.denies.unplaced(subscription, chain)) or self._has_several_roots
                    )
                if scopes.level_of(scope) in BROAD:
                    node.children[scope] = known
            node = known
        return node

    def _below(self, parent: Node, scope: str, beside: Sequence[Record], denies: Sequence[DenyAssignment]) -> Node:
        """A scope's node: its parent's, and what stands at the scope, in columns and beside them."""
        adding = Adding(parent)
        broad = scopes.level_of(scope) in BROAD
        if self.around.grants.holds_timed(scope):  # time is a matter of the single record
            beside = (*beside, *self._columns.at(scope))
        elif scope in self._columns.starts:
            self._add_columns(adding, scope, broad=broad)
        for record in beside:
            turns = self.effects.turns_on_vault(record)
            effect = None if turns else self.effects.of(record, broad=broad)
            if turns or effect:
                adding.take(record, self.numbers.of(record.principal_id), effect, broad=broad)
                adding.hides |= self.hides(record.principal_id)
                if self._is_stray(record.principal_id) and (effect is None or effect.gives):
                    adding.strays.append(record)
        node = adding.node()
        if denies:
            node.denies = (*parent.denies, *(item for item in denies if not is_idle(item)))
        return node

    def _add_columns(self, adding: "Adding", scope: str, *, broad: bool) -> None:
        rows, columns = self._columns.rows_at(scope), self._columns.columns
        effects, principals = self._effects[broad], columns.principals
        for row, power in enumerate(columns.powers[rows.start : rows.stop], start=rows.start):
            effect = effects[power]
            if effect is _ASK:
                effect = effects[power] = self._effect(power, scope, broad=broad)
            if effect is None:
                continue
            number, stray, hides = self._principals[principals[row]] or self._principal(principals[row])
            adding.hides |= hides
            if effect is _TURNS:
                adding.take(self._columns.record(row), number, None, broad=broad)
            else:
                adding.add(effect, number, broad=broad)
                adding.names.append(number)
            if stray and (effect is _TURNS or effect.gives):
                adding.strays.append(self._columns.record(row))

    def _effect(self, power: int, scope: str, *, broad: bool) -> Effect | None:
        """What an assignment of a role with a condition adds, whoever has it."""
        role, condition = self._columns.values.powers[power]
        sample = RoleAssignment("", scope, role, "", condition=condition)
        return _TURNS if self.effects.turns_on_vault(sample) else self.effects.of(sample, broad=broad)

    def _principal(self, place: int) -> tuple[int, bool, bool]:
        """The number of a principal of the columns, whether it is a stray, and whether it hides members."""
        known = self._principals[place]
        if known is None:
            name = self._columns.values.principals[place]
            known = self._principals[place] = (self.numbers.of(name), self._is_stray(name), self.hides(name))
        return known

    def hides(self, principal_id: str) -> bool:
        """Whether somebody may hold something through a principal whom nobody saw in it."""
        return bool(self.around.directory.hides_members(principal_id))

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

    def among(self, found: list[Sets], who: Who) -> list[Sets]:
        """Sets without those who are not meant; of whom that cannot be told, nothing is certain."""
        if who not in self._filters:
            estate, type_of = self.estate, self.around.directory.type_of
            self._filters[who] = (
                Filter(self.numbers, lambda item: who(estate, item, type_of(item)) is True),
                Filter(self.numbers, lambda item: who(estate, item, type_of(item)) is None),
            )
        meant, unclear = self._filters[who]
        kept = [(meant.of(one), meant.of(two), meant.of(three)) for one, two, three in found]
        if not unclear.is_empty():
            pairs = zip(kept, found, strict=True)
            kept = [(one, two, three | unclear.of(BitMap.union(*sets))) for (one, two, three), sets in pairs]
        return kept

    def may_meet(self, deny: DenyAssignment) -> BitMap | None:
        """Everybody whom a deny assignment may meet, or more; None: anybody. Whom it spares is left aside."""
        if deny.id not in self._met:
            self._met[deny.id] = self._named_by(deny)
        return self._met[deny.id]

    def _named_by(self, deny: DenyAssignment) -> BitMap | None:
        directory = self.around.directory
        found = BitMap()
        for item in {item.id.casefold() for item in deny.principals}:
            if item == EVERYONE or directory.hides_members(item):
                return None
            found |= self.numbers.set_of((item, *directory.everyone_below(item)))
        return found


class Adding:
    """A node that is being added to: what does not change is shared with the parent."""

    def __init__(self, parent: Node) -> None:
        self._parent = parent
        self._sets: dict[int, list[int]] = {}
        self._counts: dict[int, int] = {}
        self._has_gap = parent.has_gap
        self.hides = parent.hides
        self._broad: set[int] = set()
        self._turning: list[tuple[Record, bool]] = []
        self.names: list[int] = []
        self.strays: list[Record] = []

    def take(self, record: Record, number: int, effect: Effect | None, *, broad: bool) -> None:
        """Add a record; without an effect it turns on the vault."""
        self.names.append(number)
        if effect is None:
            self._turning.append((record, broad))
        else:
            self.add(effect, number, broad=broad)

    def add(self, effect: Effect | None, number: int, *, broad: bool) -> None:
        """Add what one record gives to the principal of a number."""
        if effect is None:
            return
        self._has_gap |= effect.has_gap
        if number == NOBODY:
            return
        for index in effect.sets:
            self._sets.setdefault(index, []).append(number)
        for index, more in effect.counts:
            self._counts[index] = self._counts.get(index, 0) + more
        if broad and effect.gives:
            self._broad.add(effect.gives)

    def node(self) -> Node:
        """The node."""
        parent = self._parent
        sets, counts = parent.sets, parent.counts
        if self._sets:
            sets = sets.copy()
            for index, numbers in self._sets.items():
                sets[index] = sets[index] | BitMap(numbers)
        if self._counts:
            counts = counts.copy()
            for index, more in self._counts.items():
                counts[index] += more
        return Node(
            parent,
            sets,
            counts,
            self.names,
            (*parent.turning, *self._turning) if self._turning else parent.turning,
            parent.denies,
            (*parent.strays, *self.strays) if self.strays else parent.strays,
            parent.broad | self._broad if self._broad else parent.broad,
            parent.odd,
            self._has_gap,
            self.hides,
        )
