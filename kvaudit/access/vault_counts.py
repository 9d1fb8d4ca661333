"""The counts of one vault, or None where they are not certain: then `Access` is asked (see `kvaudit.access.bulk`)."""

from collections.abc import Callable, Sequence
from functools import cached_property

from pyroaring import BitMap

from kvaudit.access.bulk import Bulk, Made
from kvaudit.access.counting import AnyGrant, BroadGrants, ControlGrants, DataGrants, Question, Tally
from kvaudit.access.denies import is_idle, reaches
from kvaudit.access.directory import GROUP_MEMBERS, SERVICE_PRINCIPAL_GROUPS
from kvaudit.access.grants import Record, certain_mask
from kvaudit.access.holders import Holders
from kvaudit.access.memberships import ELIGIBLE_MEMBERS
from kvaudit.access.numbering import NOBODY, Classes
from kvaudit.access.roles import RolePower
from kvaudit.access.subject import VaultAccess
from kvaudit.access.takeover_counts import GainTally
from kvaudit.access.tallies import Who, tally_of_masks
from kvaudit.model.authorization import DenyAssignment, RoleAssignment
from kvaudit.model.vaults import PermissionModel

_ANY = AnyGrant()

_ABOUT_GROUPS = frozenset({GROUP_MEMBERS, SERVICE_PRINCIPAL_GROUPS, ELIGIBLE_MEMBERS})


class VaultCounts:
    """What is counted at one vault.

    Args:
        bulk: the counts of the estate.
        subject: the vault, for what is not counted.
    """

    def __init__(self, bulk: Bulk, subject: VaultAccess) -> None:
        self._bulk = bulk
        self.subject = subject
        self.vault = subject.vault
        self._node = bulk.node_of(self.vault)
        denies, scope = self._node.denies, self.vault.scope
        self._reaching = [item for item in denies if not is_idle(item) and reaches(item, scope)] if denies else ()
        self._trusts_its_subscription, self._unasked = bulk.ground(self.vault)
        self._uncertain: bool | None = None
        self._denies_hidden: bool | None = None
        self._holders: Holders | None = None
        self._entries_known: tuple[bool, bool] | None = None

    def type_of(self, principal_id: str) -> str | None:
        """The type of a principal, by the directory or by the records that name it."""
        return self._bulk.around.directory.type_of(principal_id)

    def of_estate(self, make: Callable[[VaultAccess], Made]) -> Made:
        """What is the same for every vault of the estate, worked out at the first."""
        return self._bulk.of_estate(make, self.subject)

    def has_no_gap(self, kinds: frozenset[str]) -> bool:
        """Whether everything of these kinds was read that reaches the vault. False says nothing."""
        vault = self.vault
        if self._bulk.has_gap_of(kinds) or self._node.odd:
            return False
        if vault.permission_model is None or vault.access_policies is None:
            return False
        if self._unasked and self._unasked & kinds:
            return False
        if vault.permission_model is PermissionModel.ACCESS_POLICIES:
            names_tenants, names_who_hides = self._entries()
            return names_tenants and not (names_who_hides and kinds & _ABOUT_GROUPS)
        hides = self._node.hides and kinds & _ABOUT_GROUPS
        return self._trusts_its_subscription and not self._node.has_gap and not hides

    def _entries(self) -> tuple[bool, bool]:
        """Whether the access policies name a tenant where the vault does; whether one may give something to whom nobody saw."""
        if self._entries_known is None:
            entries, has_tenant = self.vault.access_policies or (), bool(self.vault.tenant_id)
            names_tenants = all(bool(item.tenant_id) is has_tenant for item in entries)
            self._entries_known = names_tenants, any(self._bulk.hides(item.object_id) for item in entries)
        return self._entries_known

    def tally(self, question: Question, who: Who | None = None) -> Tally | None:
        """The grants of a question, counted.

        Args:
            question: one of those that the counts were made for.
            who: for `DataGrants`, whose grants count; None for everybody's.
        """
        if isinstance(question, DataGrants):
            if self.vault.permission_model is PermissionModel.ACCESS_POLICIES:
                return self._tally_of_policies(question, who)
            certain = not self._is_uncertain() and not self._taken_of(question.mask)
        elif isinstance(question, ControlGrants):
            if self._node.odd or self._hides_denies():
                return None
            certain = self._is_left(question)
            if not certain and self._is_taken_from_all(question):
                return Tally()
        else:
            certain = self._broad_is(question) if isinstance(question, BroadGrants) else not self._is_uncertain()
        return self._bulk.tally(self._node, question, who) if certain else None

    def holders(self, question: DataGrants, classes: Classes[int], width: int) -> list[int] | None:
        """Who holds the one operation of a question, as `Access.holdings` tells it; `AnyGrant` must have been asked for too.

        Args:
            question: the operation.
            classes: sorts principals into classes 0, 1, ...
            width: how many classes there are.

        Returns:
            `Holders.numbers`. Not to be changed.
        """
        counts = self._bulk.holders(question, classes, width)
        if counts is None:
            return None
        if self.vault.permission_model is PermissionModel.ACCESS_POLICIES:
            masks = self._held_by_policies
            return None if masks is None else counts.of_masks(masks, question.mask)
        if self._is_uncertain() or self._taken_of(question.mask):
            return None
        found = self._holders = counts.at(self._node)
        return None if found is None else found.numbers

    def gains(self) -> GainTally | None:
        """Who gains access to the vault by acting as an identity that has it, as `VaultAccess.gains` tells them."""
        bulk, node = self._bulk, self._node
        if not bulk.members.are_whole:
            return None
        counts = bulk.of_estate(bulk.takeover_counts, self.subject)
        if self.vault.permission_model is PermissionModel.ACCESS_POLICIES:
            masks = self._held_by_policies
            if masks is None or any(bulk.hides(bulk.numbers.ids[number]) for number in masks):
                return None
            return counts.tally({number: (mask, mask) for number, mask in masks.items()}, by_token=True)
        # A deny that meets nobody whom a record names may meet a member of a group.
        if any(bulk.denies.may_take(deny, self.vault) for deny in self._reaching):
            return None
        if self._is_uncertain() or self._unasked or node.has_gap or node.hides:
            return None
        return counts.tally(counts.holders(node), by_token=False)

    def has_gap_of(self, kinds: frozenset[str]) -> bool:
        """Whether anything of these kinds was not read anywhere in the estate, by gaps that were told."""
        return self._bulk.has_gap_of(kinds)

    def named(self) -> int | None:
        """How many principals records name; where deny assignments or conditions decide, perhaps fewer hold anything."""
        if self.vault.permission_model is PermissionModel.ACCESS_POLICIES:
            return None if self._held_by_policies is None else len(self._held_by_policies)
        if self._is_uncertain():
            return None
        return len(self._named) if self._holders is None else self._holders.named

    @cached_property
    def _named(self) -> BitMap:
        """Those whom a record gives something, or a deny assignment spares."""
        named, spared = self._node.sets(self._bulk.effects.triples[_ANY])[0], self._bulk.spared(self._node)
        return BitMap.union(named, *spared) if spared else named

    def roles_on_vault(self) -> Sequence[RolePower]:
        """What the role of each assignment on the vault, or on an object in it, holds."""
        return self._bulk.on_vaults.roles(self.vault)

    def strays_on_vault(self) -> Sequence[RoleAssignment]:
        """The assignments on the vault, or on an object in it, whose principal is not simply there in the directory."""
        return self._bulk.on_vaults.strays(self.vault)

    def strays(self) -> tuple[Record, ...] | None:
        """The data-plane records of an Azure RBAC vault whose principal is not simply there in the directory."""
        node = self._node
        if not node.strays:
            return () if self._trusts_its_subscription and not node.odd else None
        turning = {record.id for record, _ in node.turning}
        if self._is_uncertain() or self._reaching or any(item.id in turning for item in node.strays):
            return None
        return node.strays

    def _is_uncertain(self) -> bool:
        if self._uncertain is None:
            bulk, vault = self._bulk, self.vault
            self._uncertain = (
                vault.permission_model is not PermissionModel.AZURE_RBAC
                or self._node.odd
                or not self._trusts_its_subscription
                or self._hides_denies()
                or bool(bulk.around.objects_with_records(vault))
            )
        return self._uncertain

    def _hides_denies(self) -> bool:
        if self._denies_hidden is None:
            self._denies_hidden = self._bulk.hides_denies(self.vault)
        return self._denies_hidden

    def _broad_is(self, question: BroadGrants) -> bool:
        """A grant counts as long as one of its operations is left, so a deny that leaves each grant one changes nothing.

        Unless it spares a group that somebody may come into: then the evaluator tells apart what is left now and later.
        """
        if self._is_uncertain():
            return False
        taken_away = self._taken_of(question.mask) if self._reaching else 0
        if not taken_away:
            return True
        asked = (given & question.mask for given in self._node.broad)
        return self._bulk.members.are_whole and all(mask & ~taken_away for mask in asked if mask)

    def _is_left(self, question: ControlGrants) -> bool:
        """Whether no deny assignment may take an action from anybody who has it."""
        return not any(
            any(self._bulk.denies.may_take_action(deny, item, self.vault) for item in question.actions)
            and self._may_meet(deny)
            for deny in self._reaching
        )

    def _is_taken_from_all(self, question: ControlGrants) -> bool:
        """Whether deny assignments take it for certain from everybody, as those of deployment stacks do."""
        holders = BitMap.union(*self._node.sets(self._bulk.effects.triples[question]))
        takes = self._bulk.denies.takes_action_from_all
        return all(
            any(takes(deny, action, self.vault, holders) for deny in self._reaching) for action in question.actions
        )

    def _taken_of(self, mask: int) -> int:
        """Those of some operations that a deny assignment may take from somebody whom a record names."""
        found = 0
        for deny in self._reaching:
            may_take = self._bulk.denies.may_take(deny, self.vault)
            if may_take & mask and self._may_meet(deny):
                found |= may_take
        return found & mask

    def _may_meet(self, deny: DenyAssignment) -> bool:
        """Whether it may meet anybody who is named: by a record, or by a deny assignment that spares him."""
        met, node = self._bulk.denies.may_meet(deny), self._node
        return met is None or met.intersect(node.named) or any(map(met.intersect, self._bulk.spared(node)))

    def _tally_of_policies(self, question: DataGrants, who: Who | None) -> Tally | None:
        """The same for a vault on access policies: its entries are all that counts."""
        masks = self._held_by_policies
        return (
            None if masks is None else tally_of_masks(masks, question.mask, self._bulk.kinds(who).of if who else None)
        )

    @cached_property
    def _held_by_policies(self) -> dict[int, int] | None:
        """What the entries give, by the number of the principal; None where one of them does not give it for certain."""
        if self.vault.access_policies is None:
            return None
        masks: dict[int, int] = {}
        for entry in self.vault.access_policies:
            given = certain_mask(self.vault, entry)
            if given is None:
                return None
            number = self._bulk.numbers.of(entry.object_id.casefold()) if given else NOBODY
            if number != NOBODY:
                masks[number] = masks.get(number, 0) | given
        return masks
