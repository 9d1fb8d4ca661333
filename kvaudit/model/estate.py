"""Everything that one snapshot says, parsed: the only input of `access`, `rules` and `report`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kvaudit.model import scopes
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.authorization import DenyAssignment, RoleAssignment, RoleDefinition, ScheduleInstance
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.edges import Memberships
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.identities import (
    Application,
    ApplicationPermission,
    DelegatedPermission,
    Delegation,
    DirectoryRoleAssignment,
    FederatedCredential,
    GroupScheduleInstance,
    Ownership,
    ResourceIdentity,
    UserAssignedIdentity,
)
from kvaudit.model.lists import MadeOnDemand
from kvaudit.model.people import PeopleInGroups
from kvaudit.model.settings import (
    ClassicAdministrator,
    DefenderPlan,
    DiagnosticSetting,
    Lock,
    ManagedHsm,
    ResourceGroup,
)
from kvaudit.model.vaults import DeletedVault, Vault, VaultObject


@dataclass(frozen=True)
class Estate:
    """The records of one snapshot. Frozen: build a new one to change it.

    Attributes:
        tenant_id: folded ID of the tenant that was asked.
        collected_at: ISO 8601 UTC time of the end of collection.
        hierarchy: management groups and subscriptions with their parents.
        role_definitions: by folded GUID, as the snapshot holds them.
        principals: by folded object ID; a principal that a record names and that was not resolved is absent or
            `UNRESOLVED`.
        memberships: direct edges, read group by group (Graph v1.0 leaves service principals out of these).
        member_of: for service principals asked the other way round: folded ID -> folded IDs of every group it is in,
            transitively. A service principal that is absent was not asked.
        gaps: what could not be read.
        listings: what was read to its end.
    """

    tenant_id: str | None = None
    collected_at: str | None = None
    subscriptions: tuple[Subscription, ...] = ()
    hierarchy: tuple[HierarchyNode, ...] = ()
    vaults: tuple[Vault, ...] = ()
    deleted_vaults: tuple[DeletedVault, ...] = ()
    role_assignments: Sequence[RoleAssignment] = ()
    role_definitions: Mapping[str, RoleDefinition] = field(default_factory=dict)
    deny_assignments: tuple[DenyAssignment, ...] = ()
    schedule_instances: tuple[ScheduleInstance, ...] = ()
    principals: Mapping[str, Principal] = field(default_factory=dict)
    memberships: Sequence[Membership] = ()
    member_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objects: tuple[VaultObject, ...] = ()
    gaps: tuple[Gap, ...] = ()
    listings: tuple[Listing, ...] = ()
    applications: tuple[Application, ...] = ()
    ownerships: tuple[Ownership, ...] = ()
    group_schedule_instances: tuple[GroupScheduleInstance, ...] = ()
    resource_identities: tuple[ResourceIdentity, ...] = ()
    user_assigned_identities: tuple[UserAssignedIdentity, ...] = ()
    federated_credentials: tuple[FederatedCredential, ...] = ()
    directory_roles: tuple[DirectoryRoleAssignment, ...] = ()
    application_permissions: tuple[ApplicationPermission, ...] = ()
    delegated_permissions: tuple[DelegatedPermission, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    diagnostic_settings: tuple[DiagnosticSetting, ...] = ()
    locks: tuple[Lock, ...] = ()
    defender_plans: tuple[DefenderPlan, ...] = ()
    classic_administrators: tuple[ClassicAdministrator, ...] = ()
    resource_groups: tuple[ResourceGroup, ...] = ()
    managed_hsms: tuple[ManagedHsm, ...] = ()

    @cached_property
    def assignment_columns(self) -> RoleAssignments:
        """The role assignments by column, and by scope."""
        return RoleAssignments.of(self.role_assignments)

    @cached_property
    def membership_columns(self) -> Memberships:
        """The memberships by column, by group and by member."""
        return Memberships.of(self.memberships)

    @cached_property
    def _parents(self) -> dict[str, str | None]:
        return {node.scope: node.parent for node in self.hierarchy}

    def management_group_chain(self, subscription_id: str) -> tuple[str, ...]:
        """Folded management-group scopes above a subscription, nearest first; empty where the tree was not read.

        A cycle in what was sent ends the chain.
        """
        chain: list[str] = []
        parent = self._parents.get(f"{scopes.SUBSCRIPTION_PREFIX}{subscription_id}")
        while parent is not None and parent not in chain:
            chain.append(parent)
            parent = self._parents.get(parent)
        return tuple(chain)

    def scopes_over(self, scope: str) -> tuple[str, ...]:
        """Every folded scope whose grants reach a folded scope: from `/` down to the scope itself."""
        subscription = scopes.subscription_of(scope)
        above = tuple(reversed(self.management_group_chain(subscription))) if subscription else ()
        return (scopes.ROOT, *above, *scopes.path_ancestors(scope))

    @cached_property
    def _tenants(self) -> Mapping[str, str]:
        return {item.subscription_id: item.tenant_id.casefold() for item in self.subscriptions if item.tenant_id}

    @cached_property
    def is_of_one_tenant(self) -> bool:
        """Whether nothing says that a subscription belongs to another tenant than the one that was asked (Lighthouse)."""
        home = {self.tenant_id.casefold()} if self.tenant_id else set()
        return len(home.union(self._tenants.values())) <= 1

    def is_abroad(self, subscription_id: str) -> bool:
        """Whether a folded subscription is known to belong to another tenant than the one that was asked."""
        tenant = self._tenants.get(subscription_id)
        return bool(tenant and self.tenant_id) and tenant != (self.tenant_id or "").casefold()

    def may_stand_over(self, listed_from: Iterable[str], subscription_id: str | None) -> bool:
        """Whether a record at `/` may reach a folded subscription: each tenant has a `/` of its own.

        Args:
            listed_from: folded scopes of the listings that returned the record; none says nothing of its tenant.
            subscription_id: the subscription, or None for the tenant that was asked.
        """
        home = self.tenant_id.casefold() if self.tenant_id else None
        tenant = self._tenants.get(subscription_id) if subscription_id else home
        found = {self._tenants.get(item) if item else home for item in map(scopes.subscription_of, listed_from)}
        return not found or tenant is None or not found.isdisjoint({None, tenant})

    @cached_property
    def subscription_names(self) -> Mapping[str, str]:
        """Display names by folded subscription ID, of the subscriptions that have one."""
        return {item.subscription_id: item.display_name for item in self.subscriptions if item.display_name}

    def principal(self, principal_id: str) -> Principal:
        """The principal of a folded ID; one that the snapshot does not describe comes back `UNRESOLVED`."""
        return self.principals.get(principal_id) or Principal(principal_id, state=PrincipalState.UNRESOLVED)

    @cached_property
    def ids_by_type(self) -> Mapping[str | None, Sequence[str]]:
        """The folded IDs of `principals` by their type."""
        found: dict[str | None, list[str]] = {}
        for name, item in self.principals.items():
            if item.type in found:
                found[item.type].append(name)
            else:
                found[item.type] = [name]
        return found

    @cached_property
    def _complete(self) -> frozenset[tuple[str, str]]:
        return frozenset((listing.kind, scopes.fold(listing.scope)) for listing in self.listings)

    def was_read(self, kind: str, scope: str) -> bool:
        """Whether the listing of `kind` at exactly `scope` was read to its end."""
        return (kind, scope) in self._complete or (kind, scopes.fold(scope)) in self._complete

    @cached_property
    def people_in_groups(self) -> PeopleInGroups:
        """Which groups have people in them."""
        instances = self.group_schedule_instances
        return PeopleInGroups(
            self.membership_columns,
            self.principals,
            lambda group: self.was_read("group_members", f"groups/{group}"),
            [(item.group, item.principal_id) for item in instances if not item.eligible and item.access == "member"],
        )

    @cached_property
    def role_assignments_by_vault(self) -> Mapping[str, tuple[RoleAssignment, ...]]:
        """Role assignments that stand on a vault or on an object in it, by the vault's folded scope."""
        assignments = self.assignment_columns
        table: dict[str, list[str]] = {}
        for scope in assignments.starts:
            vault = scopes.vault_of(scope)
            if vault is not None:
                table.setdefault(vault, []).append(scope)
        return MadeOnDemand(table, lambda found: tuple(item for scope in found for item in assignments.at(scope)))

    @cached_property
    def cross_tenant_assignment_ids(self) -> frozenset[str]:
        """IDs of role assignments of managed identities of another tenant (Lighthouse): this directory has none of them."""
        return frozenset(map(self.assignment_columns.id, self.assignment_columns.delegated_rows()))

    def gaps_over(self, scope: str, kinds: frozenset[str] | None = None) -> tuple[Gap, ...]:
        """Gaps of these kinds (all when None) whose scope is at or above a folded scope.

        Gaps of the directory (scopes that do not start with `/subscriptions` or a management group, such as
        `groups/{id}` or `servicePrincipals`) reach every vault.
        """
        over = frozenset(self.scopes_over(scope))
        return tuple(
            gap
            for gap in self.gaps
            if (kinds is None or gap.kind in kinds)
            and (scopes.fold(gap.scope) in over or not gap.scope.startswith("/"))
        )
