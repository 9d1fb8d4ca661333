"""What surrounds a vault: which records and which gaps reach it, gathered once and shared by the vaults below a scope."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from kvaudit.access.consents import Consents
from kvaudit.access.directory import Directory
from kvaudit.access.grants import Grants, Record, kind_mask
from kvaudit.access.moments import Clock
from kvaudit.access.places import (
    ACTIVE,
    DENY_ASSIGNMENTS,
    ELIGIBILITY,
    ROLE_ASSIGNMENTS,
    ByScope,
    Layer,
    Place,
    layer_of,
    policy_layer,
    unsure_layer,
)
from kvaudit.model import scopes
from kvaudit.model.authorization import DenyAssignment, RoleAssignment, ScheduleInstance
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, once
from kvaudit.model.permissions import all_operations_mask
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault, VaultObject

HIERARCHY = "management_groups"
VAULTS = "vaults"
OBJECT_KINDS = ("secrets", "keys", "certificates")
GRANT_KINDS = (ROLE_ASSIGNMENTS, ELIGIBILITY)
_DECISIVE = {
    ROLE_ASSIGNMENTS: "Microsoft.Authorization/roleAssignments/read",
    DENY_ASSIGNMENTS: "Microsoft.Authorization/denyAssignments/read",
    ELIGIBILITY: "Microsoft.Authorization/roleEligibilityScheduleInstances/read",
}
"""Kinds that are asked for in every subscription, with what reading them takes."""


class Surroundings:
    """Gathers the place of any vault or object of an estate."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.grants = Grants(
            estate.role_definitions, estate.assignment_columns, tuple(_upholding(estate)), estate.collected_at
        )
        self.directory = Directory(estate, _types(estate), _elsewhere(estate))
        self.consents = Consents(estate)
        self.records: ByScope[RoleAssignment | ScheduleInstance] = ByScope(
            estate, self.grants.loose_instances, estate.assignment_columns
        )
        self.denies: ByScope[DenyAssignment] = ByScope(estate, estate.deny_assignments)
        self._gaps: dict[str, list[Gap]] = {}
        for gap in estate.gaps:
            where = scopes.fold(gap.scope) if gap.scope.startswith("/") else ""
            self._gaps.setdefault(where, []).append(gap)
        self._layers: dict[tuple[str, str | None], Layer] = {}
        self._unasked: dict[str, frozenset[str]] = {}
        self._tenants = {item.subscription_id: item.tenant_id for item in estate.subscriptions}

    def place(self, vault: Vault, ref: ObjectRef | None = None) -> Place:
        """The place of a vault, or of an object in it."""
        ref = self.spelled(vault, ref) if ref else None
        place = Place(vault, ref, kind_mask(ref.kind) if ref else all_operations_mask())
        if vault.permission_model is None:
            layers = (*self._policies(vault), *self._role_layers(vault, ref))
            return replace(place, layers=layers, blind=self._blind(vault))
        if vault.permission_model is PermissionModel.ACCESS_POLICIES:
            return replace(place, layers=self._policies(vault), hidden=self._unread_policies(vault))
        return self._azure_rbac(place)

    def spelled(self, vault: Vault, ref: ObjectRef) -> ObjectRef:
        """The object by the name that its listing spells, else in lower case.

        Conditions compare names with their letter case; which casing reaches them is not published, so the answer must
        not turn on how somebody typed the question.
        """
        folded = ObjectRef(ref.kind, ref.name.casefold())
        listed = self.objects.get(vault.scope, ())
        return next((item.ref for item in listed if str(item.ref).casefold() == str(folded)), folded)

    def tenants_differ(self, vault: Vault) -> bool:
        """Whether the vault trusts another tenant than its subscription's: then role assignments are worth nothing."""
        tenant = self._tenants.get(vault.subscription_id or "")
        return bool(tenant and vault.tenant_id) and (tenant or "").casefold() != (vault.tenant_id or "").casefold()

    def doubts_tenant(self, vault: Vault) -> bool:
        """Whether the vault trusts another tenant than its subscription's, or nobody knows which one that is."""
        return self.tenants_differ(vault) or bool(self._tenant_not_read(vault))

    def gaps_at(self, vault: Vault, kinds: Iterable[str], ref: ObjectRef | None = None) -> tuple[Gap, ...]:
        """Gaps of these kinds that reach a place: at or above it, or at a management group that may stand above it.

        A tree of management groups that was not read hides grants and denies of these kinds too, unless the
        subscription's own listing of them, which shows what is inherited, was read.
        """
        return self.gaps_over(ref.scope_in(vault) if ref else vault.scope, kinds)

    def gaps_over(self, place: str, kinds: Iterable[str]) -> tuple[Gap, ...]:
        """The same for any folded scope: a resource of any kind, a group, a subscription."""
        kinds, subscription = frozenset(kinds), scopes.subscription_of(place) or ""
        chain = self.estate.scopes_over(place)
        found = [gap for scope in (*chain, "") for gap in self._gaps.get(scope, ()) if gap.kind in kinds]
        own = f"{scopes.SUBSCRIPTION_PREFIX}{subscription}"
        unlisted = frozenset(kind for kind in kinds if not self.estate.was_read(kind, own))
        if unlisted and self._gaps and not self.records.is_whole(subscription):
            for scope, gaps in self._gaps.items():
                if scopes.is_management_group(scope) and scope not in chain:
                    found.extend(gap for gap in gaps if gap.kind in unlisted)
                if unlisted & {ROLE_ASSIGNMENTS, ELIGIBILITY, DENY_ASSIGNMENTS}:
                    found.extend(gap for gap in gaps if gap.kind == HIERARCHY)
        found.extend(self._not_asked(place, subscription, kinds.difference(gap.kind for gap in found)))
        return once(found)

    def unasked(self, subscription: str) -> frozenset[str]:
        """The kinds without which nobody is certain of an answer and whose list of a whole subscription was not read."""
        if subscription not in self._unasked:
            own = f"{scopes.SUBSCRIPTION_PREFIX}{subscription}"
            self._unasked[subscription] = frozenset(kind for kind in _DECISIVE if not self.estate.was_read(kind, own))
        return self._unasked[subscription]

    def _not_asked(self, place: str, subscription: str, kinds: frozenset[str]) -> Iterator[Gap]:
        """Gaps that no collector told: neither a list at or below the subscription nor a refusal of one is on record."""
        path = scopes.path_ancestors(place) if subscription else ()
        for kind in sorted(self.unasked(subscription) & kinds):
            if not any(self.estate.was_read(kind, scope) for scope in path):
                reason = "no list of these records is in the snapshot, and nothing says that one was refused"
                scope = f"{scopes.SUBSCRIPTION_PREFIX}{subscription}"
                yield Gap(kind, scope, reason, permission=_DECISIVE[kind])

    def chain(self, vault: Vault, ref: ObjectRef | None = None) -> tuple[str, ...]:
        """The folded scopes whose records reach a place, from the root down."""
        return self.estate.scopes_over(ref.scope_in(vault) if ref else vault.scope)

    def records_over(self, vault: Vault) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """Role assignments and schedule instances that reach a vault, and those that may."""
        return self.records_at_or_above(vault.scope)

    def records_at_or_above(self, place: str) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """The same for any folded scope: a resource of any kind, a group, a subscription."""
        chain, subscription = self.estate.scopes_over(place), scopes.subscription_of(place) or ""
        placed = (item for scope in chain for item in self.records.over(scope, subscription))
        return (
            (*placed, *self.records.listed_below(subscription, chain)),
            self.records.unplaced(subscription, chain),
        )

    def denies_over(
        self, vault: Vault, ref: ObjectRef | None = None
    ) -> tuple[tuple[DenyAssignment, ...], tuple[DenyAssignment, ...]]:
        """Deny assignments that reach a place, and those that may."""
        chain, subscription = self.chain(vault, ref), vault.subscription_id or ""
        placed = (item for scope in chain for item in self.denies.over(scope, subscription))
        return (
            (*placed, *self.denies.listed_below(subscription, chain)),
            self.denies.unplaced(subscription, chain),
        )

    def objects_with_records(self, vault: Vault) -> tuple[ObjectRef, ...]:
        """The objects of a vault at which a role or deny assignment stands, named as the listing spells them, sorted."""
        found = self._object_scopes.get(vault.scope)
        if not found:
            return ()
        names = {str(item.ref).casefold(): item.ref for item in self.objects.get(vault.scope, ())}
        return tuple(sorted(names.get(str(item), item) for item in found))

    @cached_property
    def objects(self) -> dict[str, list[VaultObject]]:
        """The objects that were listed, by the folded scope of their vault."""
        table: dict[str, list[VaultObject]] = {}
        for item in self.estate.objects:
            table.setdefault(item.vault_id, []).append(item)
        return table

    @cached_property
    def _object_scopes(self) -> dict[str, set[ObjectRef]]:
        table: dict[str, set[ObjectRef]] = {}
        for scope in (*self.records.scopes(), *self.denies.scopes()):
            if scope.count("/") <= scopes.SLASHES_IN_VAULT:
                continue
            vault, _, name = scope.rpartition("/")
            vault, _, kind = vault.rpartition("/")
            if kind in OBJECT_KINDS and "/microsoft.keyvault/vaults/" in vault:
                table.setdefault(vault, set()).add(ObjectRef(kind, name))
        return table

    def hierarchy_gap(self, vault: Vault) -> Gap:
        """The gap that hides whether a management group stands above a vault's subscription."""
        known = [gap for gaps in self._gaps.values() for gap in gaps if gap.kind == HIERARCHY]
        return (
            known[0]
            if known
            else Gap(
                HIERARCHY,
                f"{scopes.SUBSCRIPTION_PREFIX}{vault.subscription_id}",
                "which management groups stand above this subscription was not read",
                permission="Microsoft.Management/managementGroups/read",
            )
        )

    def _azure_rbac(self, place: Place) -> Place:
        vault, ref = place.vault, place.object
        if self.tenants_differ(vault):
            return place
        denies, unplaced = self.denies_over(vault, ref)
        return replace(
            place,
            layers=self._role_layers(vault, ref),
            denies=denies,
            unplaced_denies=unplaced,
            hidden=self.gaps_at(vault, GRANT_KINDS, ref),
            hidden_denies=self.gaps_at(vault, (DENY_ASSIGNMENTS,), ref),
            blind=self._tenant_not_read(vault),
        )

    def _tenant_not_read(self, vault: Vault) -> tuple[Gap, ...]:
        asked, trusted = self.estate.tenant_id, vault.tenant_id
        if self._tenants.get(vault.subscription_id or "") or not asked or not trusted or asked == trusted.casefold():
            return ()
        scope = f"{scopes.SUBSCRIPTION_PREFIX}{vault.subscription_id}"
        return (Gap("subscriptions", scope, "the vault trusts another tenant, and its subscription's was not read"),)

    def _policies(self, vault: Vault) -> tuple[Layer, ...]:
        return (policy_layer(vault, lambda item: self.directory.type_of(item) != "Application"),)

    def _unread_policies(self, vault: Vault) -> tuple[Gap, ...]:
        if vault.access_policies is not None:
            return ()
        return (Gap(VAULTS, vault.id, "the access policies were not in what Azure sent", permission=_READ),)

    def _blind(self, vault: Vault) -> tuple[Gap, ...]:
        known = self.gaps_at(vault, (VAULTS,))
        return known or (Gap(VAULTS, vault.id, "the permission model of the vault was not read", permission=_READ),)

    def _role_layers(self, vault: Vault, ref: ObjectRef | None) -> tuple[Layer, ...]:
        chain, subscription = self.chain(vault), vault.subscription_id or ""
        layers = [self._shared(scope, subscription) for scope in chain[:-1]]
        layers.append(self._extra(subscription, chain))
        layers.append(layer_of(self.records.at(vault.scope), self.grants))
        unplaced = self.records.unplaced(subscription, chain)
        if unplaced:
            layers.append(unsure_layer(unplaced, self.grants, self.hierarchy_gap(vault)))
        if ref:
            own = self.records.at(ref.scope_in(vault))
            layers.append(layer_of(own, self.grants, ref, at_object=True))
        return tuple(layer for layer in layers if layer.settled or layer.open)

    def _shared(self, scope: str, subscription: str) -> Layer:
        """The layer of a scope above vaults; that of `/` is another one for each tenant."""
        is_split = scope == scopes.ROOT and not self.estate.is_of_one_tenant
        key = scope, self._tenants.get(subscription) if is_split else None
        if key not in self._layers:
            self._layers[key] = layer_of(self.records.over(scope, subscription), self.grants)
        return self._layers[key]

    def _extra(self, subscription: str, chain: tuple[str, ...]) -> Layer:
        key = "above", subscription
        if key not in self._layers:
            self._layers[key] = layer_of(self.records.listed_below(subscription, chain), self.grants)
        return self._layers[key]


_READ = "Microsoft.KeyVault/vaults/read"


def _upholding(estate: Estate) -> Iterator[ScheduleInstance]:
    """The schedule instances that say something of the assignments which they uphold.

    An active one that is over says nothing where the rest of its list was not read: another may uphold the assignment.
    """
    clock = Clock(estate.collected_at)
    for item in estate.schedule_instances:
        is_over = not item.eligible and clock.is_past(item.end)
        if not is_over or not item.listed_from or any(estate.was_read(ACTIVE, place) for place in item.listed_from):
            yield item


def _elsewhere(estate: Estate) -> frozenset[str]:
    """The object IDs that records name for another tenant than the one that was asked, and nothing else names.

    Access policies name a tenant, delegations are for principals of the managing one, and so is an assignment to a managed
    identity of another tenant. An ID that a record of this tenant names too may be one of this directory's.
    """
    home: set[str] = set()
    away: set[str] = set()
    for vault in estate.vaults:
        for entry in vault.access_policies or ():
            other = estate.tenant_id and entry.tenant_id and entry.tenant_id.casefold() != estate.tenant_id.casefold()
            (away if other else home).add(entry.object_id.casefold())
    assignments = estate.assignment_columns
    away.update(assignments.record(row).principal_id for row in assignments.delegated_rows())
    for delegation in estate.delegations:
        if delegation.managed_by_tenant not in (None, (estate.tenant_id or "").casefold()):
            away.update(item.principal_id for item in delegation.authorizations or ())
    home.update(item.principal_id for item in estate.schedule_instances)
    away -= home
    return frozenset(away - assignments.principals_at_home if away else away)


def _types(estate: Estate) -> dict[str, str | None]:
    """Every principal that a grant of Azure RBAC names -> what records say of its type."""
    types = dict(estate.assignment_columns.recorded_types)
    for record in estate.schedule_instances:
        types[record.principal_id] = record.principal_type or types.get(record.principal_id)
    for deny in estate.deny_assignments:
        for item in (*deny.principals, *deny.exclude_principals):
            if item.type in ("User", "Group", "ServicePrincipal"):
                types.setdefault(item.id.casefold(), item.type)
    return types
