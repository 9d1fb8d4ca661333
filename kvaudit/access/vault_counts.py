"""The counts of one vault, or None where they are not certain: then `Access` is asked (see `kvaudit.access.bulk`)."""

from collections.abc import Iterator
from functools import cached_property

from pyroaring import BitMap

from kvaudit.access.bulk import Bulk, Node, Sets, Who
from kvaudit.access.counting import BroadGrants, ControlGrants, DataGrants, Question, Tally
from kvaudit.access.denies import Meets, reaches, taken, takes_action
from kvaudit.access.directory import GROUP_MEMBERS, SERVICE_PRINCIPAL_GROUPS
from kvaudit.access.grants import Record, given_by_policy
from kvaudit.access.memberships import ELIGIBLE_MEMBERS
from kvaudit.access.numbering import NOBODY
from kvaudit.access.roles import RolePower
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import DenyAssignment, RoleAssignment
from kvaudit.model.permissions import iter_operations
from kvaudit.model.vaults import PermissionModel

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

    def type_of(self, principal_id: str) -> str | None:
        """The type of a principal, by the directory or by the records that name it."""
        return self._bulk.around.directory.type_of(principal_id)

    @cached_property
    def _node(self) -> Node:
        return self._bulk.node_of(self.vault)

    @cached_property
    def _trusts_its_subscription(self) -> bool:
        return not self._bulk.around.doubts_tenant(self.vault)

    def has_no_gap(self, kinds: frozenset[str]) -> bool:
        """Whether everything of these kinds was read that reaches the vault. False says nothing."""
        vault = self.vault
        if self._bulk.has_gap_of(kinds) or self._node.odd:
            return False
        if vault.permission_model is None or vault.access_policies is None:
            return False
        if self._bulk.around.unasked(vault.subscription_id or "") & kinds:
            return False
        if vault.permission_model is PermissionModel.ACCESS_POLICIES:
            hides = kinds & _ABOUT_GROUPS and any(self._bulk.hides(item.object_id) for item in vault.access_policies)
            return not hides and all(bool(item.tenant_id) == bool(vault.tenant_id) for item in vault.access_policies)
        hides = self._node.hides and kinds & _ABOUT_GROUPS
        return self._trusts_its_subscription and not self._node.has_gap and not hides

    def data(self, question: DataGrants) -> list[Sets] | None:
        """For each operation of a question, who holds it by records that name him."""
        if self.vault.permission_model is PermissionModel.ACCESS_POLICIES:
            return self._by_policies(question)
        node, effects = self._node, self._bulk.effects
        if self._is_uncertain() or self._taken_of(question.mask):
            return None
        found = []
        for operation in iter_operations(question.mask):
            first = effects.operations[operation.mask]
            allowed, conditional, unknown = node.sets[first : first + 3]
            conditional = conditional - allowed if conditional else conditional
            if unknown:
                unknown = unknown - allowed - conditional
            if conditional and self._is_doubted(conditional):
                return None
            found.append((allowed, conditional, unknown))
        return found

    def tally(self, question: Question, who: Who | None = None) -> Tally | None:
        """The grants of a question, counted.

        Args:
            question: one of those that the counts were made for.
            who: for `DataGrants`, whose grants count; None for everybody's.
        """
        if isinstance(question, DataGrants):
            found = self.data(question)
            return None if found is None else tally_of(self._bulk.among(found, who) if who else found)
        certain = (
            self._control_is_certain(question) if isinstance(question, ControlGrants) else self._broad_is(question)
        )
        if not certain:
            return None
        first, counter = self._bulk.effects.sets_of[question], self._bulk.effects.counts_of[question]
        allowed, conditional, unknown = self._node.counts[counter : counter + 3]
        holders = self._node.sets[first : first + 3]
        return Tally(allowed, len(holders[0]), conditional, len(holders[1]), unknown, len(holders[2]))

    def power(self, role: str) -> RolePower:
        """What a role holds, by its folded GUID."""
        return self._bulk.around.grants.power(role)

    def roles_on_vault(self) -> Iterator[str]:
        """The folded GUID of the role of each assignment on the vault or on an object in it."""
        return self._bulk.roles_on(self.vault)

    def strays_on_vault(self) -> Iterator[RoleAssignment]:
        """The assignments on the vault, or on an object in it, whose principal is not simply there in the directory."""
        return self._bulk.strays_on(self.vault)

    def strays(self) -> tuple[Record, ...] | None:
        """The data-plane records of an Azure RBAC vault whose principal is not simply there in the directory."""
        node = self._node
        if not node.strays:
            return () if self._trusts_its_subscription and not node.odd else None
        turning = {record.id for record, _ in node.turning}
        if self._is_uncertain() or node.denies or any(item.id in turning for item in node.strays):
            return None
        return node.strays

    def _is_uncertain(self) -> bool:
        bulk, vault = self._bulk, self.vault
        return (
            vault.permission_model is not PermissionModel.AZURE_RBAC
            or self._node.odd
            or not self._trusts_its_subscription
            or bulk.hides_denies(vault)
            or bool(bulk.around.objects_with_records(vault))
        )

    def _broad_is(self, question: BroadGrants) -> bool:
        """A record counts as long as one of its operations is left, so a deny that leaves each record one changes nothing."""
        if self._is_uncertain():
            return False
        taken_away = self._taken_of(question.mask)
        return all(mask & ~taken_away for mask in (given & question.mask for given in self._node.broad) if mask)

    def _control_is_certain(self, question: ControlGrants) -> bool:
        if self._node.odd or self._bulk.hides_denies(self.vault):
            return False
        actions = [item for item in (question.action, question.also) if item]
        return not any(
            self._may_meet(deny) and any(takes_action(deny, item, self.vault) is not Meets.NO for item in actions)
            for deny in self._reaching
        )

    @cached_property
    def _reaching(self) -> list[DenyAssignment]:
        return [item for item in self._node.denies if reaches(item, self.vault.scope)]

    def _taken_of(self, mask: int) -> int:
        """Those of some operations that a deny assignment may take from somebody whom a record names."""
        found = 0
        for deny in self._reaching:
            certain, possible = taken(deny, self.vault, None)
            if (certain | possible) & mask and self._may_meet(deny):
                found |= certain | possible
        return found & mask

    def _may_meet(self, deny: DenyAssignment) -> bool:
        met = self._bulk.may_meet(deny)
        return met is None or bool(met & self._node.named)

    def _is_doubted(self, principals: BitMap) -> bool:
        """Whether somebody may be in one of these groups although nothing says so."""
        directory, ids = self._bulk.around.directory, self._bulk.numbers.ids
        return any(directory.hides_members(ids[number]) for number in principals)

    def _by_policies(self, question: DataGrants) -> list[Sets] | None:
        """The same for a vault on access policies: its entries are all that counts."""
        if self.vault.access_policies is None:
            return None
        masks: dict[int, int] = {}
        for index, entry in enumerate(self.vault.access_policies):
            given = given_by_policy(self.vault, index, entry)
            if given is None:
                continue
            if given.citation.answer is not Answer.ALLOWED:
                return None
            number = self._bulk.numbers.of(entry.object_id.casefold())
            if number != NOBODY:
                masks[number] = masks.get(number, 0) | given.citation.mask
        nobody = BitMap()
        return [
            (BitMap(number for number, mask in masks.items() if mask & item.mask), nobody, nobody)
            for item in iter_operations(question.mask)
        ]


def tally_of(found: list[Sets]) -> Tally:
    """The grants of several operations together, each principal once among the holders."""
    if len(found) == 1:
        allowed, conditional, unknown = map(len, found[0])
        return Tally(allowed, allowed, conditional, conditional, unknown, unknown)
    numbers = []
    for place in range(3):
        sets = [item[place] for item in found]
        numbers += [sum(map(len, sets)), len(BitMap.union(*sets))]
    return Tally(*numbers)
