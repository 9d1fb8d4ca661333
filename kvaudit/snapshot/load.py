"""From a snapshot to an estate: every raw item parsed; one that cannot be read becomes a gap."""

import gc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.directory import object_type, parse_principal
from kvaudit.collectors.management_groups import nodes_above
from kvaudit.collectors.owners import owned_scope
from kvaudit.collectors.vault_objects import OBJECT_KINDS
from kvaudit.model import scopes
from kvaudit.model.assignments import RoleAssignments
from kvaudit.model.authorization import RoleDefinition
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.identities import ApplicationPermission, DirectoryRoleAssignment, GroupScheduleInstance, Ownership
from kvaudit.model.vaults import DeletedVault, Vault, VaultObject
from kvaudit.snapshot import layout
from kvaudit.snapshot.assignments import KIND as ASSIGNMENTS
from kvaudit.snapshot.assignments import counted, read_assignments
from kvaudit.snapshot.columns import named_in
from kvaudit.snapshot.layout import ListingKey
from kvaudit.snapshot.lines import corrupt
from kvaudit.snapshot.members import KIND as MEMBERS
from kvaudit.snapshot.members import GroupMembers, read_members
from kvaudit.snapshot.merging import Merged, merge_listed, telling_first
from kvaudit.snapshot.principals import complete_principals, described_principals, named_principals
from kvaudit.snapshot.reader import Snapshot
from kvaudit.snapshot.second_process import SecondProcess, second_process

MODEL_UNKNOWN = "PermissionModelUnknown"
INTERRUPTED = "SnapshotIncomplete"

_MEMBER_TYPES = frozenset({"User", "Group", "ServicePrincipal", "Device"})

_OWNERS = ("application_owners", "group_owners", "service_principal_owners")
_GROUP_SCHEDULES = ("group_assignment_schedule_instances", "group_eligibility_schedule_instances")
_PROOFS = frozenset({"deleted_principals", "service_principal_groups"})
"""Kinds of whose listings it decides something that they were read to their end."""

_MANY = 100_000
"""Objects that a search for cycles goes through in a few milliseconds."""

_DIRECTORY_ROLES = ("directory_role_assignments", "directory_role_eligibility_schedule_instances")


def load_estate(snapshot: Snapshot, *, apart: bool | None = None) -> Estate:
    """The estate of a snapshot. Its order does not depend on the order in which the snapshot was written.

    Records that several listings returned are one record that knows them all (`listed_from`). These become gaps: an
    item that does not parse (`UnreadableItem`, at the scope of its listing), a vault whose permission model cannot be
    told (`PermissionModelUnknown`), a record that two listings describe differently (`ChangedWhileReading`), and
    everything at all where the collection was interrupted (`SnapshotIncomplete`).

    Args:
        snapshot: the snapshot.
        apart: whether a second process reads a part of it; None where that saves time.

    Raises:
        SnapshotError: a file is corrupt, or holds less than its listings promise.
    """
    with no_collector_pauses(), second_process(snapshot, apart=apart) as beside:
        return _Loading(snapshot, beside).estate()


@contextmanager
def no_collector_pauses() -> Iterator[None]:
    """Loading makes millions of objects and no cycles: searching for cycles meanwhile takes a third of the time.

    So does writing an index. Many of these objects are never searched afterwards either: what follows would pay for nothing.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if gc.get_count()[0] >= _MANY:  # of objects that came to stay meanwhile
                gc.freeze()
            gc.enable()


class _Loading:
    """Parses the items of a snapshot and collects the gaps."""

    def __init__(self, snapshot: Snapshot, beside: SecondProcess | None) -> None:
        self._snapshot = snapshot
        self._beside = beside
        self._gaps: set[Gap] = set(snapshot.gaps())
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def estate(self) -> Estate:
        vaults = self._vaults()
        assignments = self._assignments()
        denies = self._listed("deny_assignments")
        instances = (
            *self._listed("role_eligibility_schedule_instances"),
            *self._listed("role_assignment_schedule_instances"),
        )
        subscriptions: tuple[Subscription, ...] = self._once(
            "subscriptions", lambda item: item.subscription_id, lambda item: item.scope
        )
        hierarchy: tuple[HierarchyNode, ...] = self._once(
            "management_groups",
            lambda item: item.scope,
            lambda item: item.scope,
            # Of a group that a list of its own shows without its parent, the row with the parent says more.
            prefer=lambda item: item.parent is not None,
        )
        deleted: tuple[DeletedVault, ...] = self._once(
            "deleted_vaults", lambda item: scopes.fold(item.id), lambda item: item.id
        )
        roles: tuple[RoleDefinition, ...] = self._once("role_definitions", lambda item: item.name, lambda item: item.id)
        objects = tuple(item for kind in sorted(OBJECT_KINDS) for item in self._objects(kind))
        further = {**self._identities(), **self._settings()}
        named = named_principals(self._snapshot.tenant_id, vaults, named_in(assignments), instances, denies)
        looked_up = [list(self._records(kind)) for kind in ("service_principals", "principals")]
        member_edges = set(self._group_edges())
        assigned = set(self._records("assigned_groups"))
        finished_with = [(item.listing, item.stored) for item in self._snapshot.each_listing()]
        members = self._members()  # the last thing to wait for
        described = self._described(members.described, looked_up)
        listings = self._whole_listings(finished_with)
        finished = frozenset(layout.listing_key(item.kind, item.scope) for item in listings if item.kind in _PROOFS)
        member_of, rest = _member_of(member_edges, finished)
        rest |= assigned
        return Estate(
            tenant_id=self._snapshot.tenant_id,
            collected_at=self._snapshot.ended_at,
            subscriptions=subscriptions,
            hierarchy=hierarchy,
            vaults=vaults,
            deleted_vaults=deleted,
            role_assignments=assignments,
            role_definitions={item.name: item for item in roles},
            deny_assignments=denies,
            schedule_instances=instances,
            principals=complete_principals(described, named, finished),
            memberships=members.with_further(rest),
            member_of=member_of,
            objects=objects,
            gaps=self._all_gaps(),
            listings=listings,
            **further,
        )

    def _identities(self) -> dict[str, tuple[Any, ...]]:
        """The records of who can act as somebody else, by field of the estate."""
        return {
            "applications": self._once("applications", lambda item: item.id, lambda _: "applications"),
            "ownerships": self._ownerships(),
            "group_schedule_instances": tuple(
                found for kind in _GROUP_SCHEDULES for found in self._group_schedules(kind)
            ),
            "resource_identities": self._by_resource("resource_identities"),
            "user_assigned_identities": self._by_resource("user_assigned_identities"),
            "federated_credentials": tuple(
                found
                for kind, place in (
                    ("application_federated_credentials", "applications/"),
                    ("federated_credentials", ""),
                )
                for found in self._credentials(kind, place)
            ),
            "directory_roles": tuple(found for kind in _DIRECTORY_ROLES for found in self._directory_roles(kind)),
            "application_permissions": self._application_permissions(),
            "delegated_permissions": self._once(
                "delegated_permissions", lambda item: item.id, lambda item: f"servicePrincipals/{item.resource_id}"
            ),
            "delegations": self._once("delegations", lambda item: scopes.fold(item.id), lambda item: item.scope),
        }

    def _settings(self) -> dict[str, tuple[Any, ...]]:
        """The records of what stands around vaults, by field of the estate."""
        return {
            "diagnostic_settings": self._once(
                "diagnostic_settings", lambda item: scopes.fold(item.id), lambda item: item.vault_id
            ),
            "locks": self._once("locks", lambda item: scopes.fold(item.id), lambda item: item.scope),
            "defender_plans": self._once("defender_plans", lambda item: item.scope, lambda item: item.scope),
            "classic_administrators": self._once(
                "classic_administrators", lambda item: scopes.fold(item.id), lambda item: item.scope
            ),
            "resource_groups": self._once("resource_groups", lambda item: item.scope, lambda item: item.scope),
            "managed_hsms": self._once("managed_hsms", lambda item: item.scope, lambda item: item.scope),
        }

    def _ownerships(self) -> tuple[Ownership, ...]:
        """Each ownership once: owners of applications are told from both sides."""

        def read(kind: str, place: Callable[[Any], str]) -> tuple[Ownership, ...]:
            return self._once(kind, lambda item: f"{item.target}\0{item.owner}", place)

        found = [
            *(
                owned
                for kind in _OWNERS
                for owned in read(kind, lambda item: owned_scope(item.target_kind, item.target))
            ),
            *read("service_principal_owned_objects", lambda item: f"servicePrincipals/{item.owner}"),
        ]
        return tuple(dict.fromkeys(found))

    def _group_schedules(self, kind: str) -> tuple[GroupScheduleInstance, ...]:
        return self._once(kind, lambda item: item.id, lambda item: f"groups/{item.group}")

    def _directory_roles(self, kind: str) -> tuple[DirectoryRoleAssignment, ...]:
        return self._once(kind, lambda item: item.id, lambda _: "directory")

    def _by_resource(self, kind: str) -> tuple[Any, ...]:
        return self._once(kind, lambda item: item.resource_id, lambda item: item.resource_id)

    def _credentials(self, kind: str, place: str) -> tuple[Any, ...]:
        return self._once(kind, lambda item: f"{item.target}\0{item.name}", lambda item: place + item.target)

    def _application_permissions(self) -> tuple[ApplicationPermission, ...]:
        """Permissions with the published names of their roles, where the API's service principal was read with them."""
        kind = "application_permissions"
        found: tuple[ApplicationPermission, ...] = self._once(
            kind,
            lambda item: f"{item.principal_id}\0{item.resource_id}\0{item.app_role_id}",
            lambda item: f"servicePrincipals/{item.resource_id}",
        )
        names = {(roles.resource_id, guid): name for roles in self._records("app_roles") for guid, name in roles.names}
        return tuple(replace(item, value=names.get((item.resource_id, item.app_role_id))) for item in found)

    def _items(self, kind: str) -> Iterator[tuple[str, Any]]:
        """The items of a kind, counted by listing."""
        counts: Counter[str] = Counter()
        for froms, items in counted(self._snapshot.batches(kind), counts):
            yield from zip(froms, items, strict=True)
        self._count(kind, counts)

    def _count(self, kind: str, counts: Mapping[str, int], unreadable: Iterable[tuple[str, str]] = ()) -> None:
        """Take in how many items of a kind stand in each listing, and the listings with one that does not parse."""
        for scope, number in counts.items():
            self._counts[kind][scopes.fold(scope)] += number
        for scope, why in unreadable:
            self._unreadable(kind, scope, why)

    def _records(self, kind: str) -> Iterator[Any]:
        """Every record of a kind; what does not parse becomes a gap."""
        parse = by_kind()[kind].parse
        for scope, raw in self._items(kind):
            try:
                yield parse(raw, scope)
                if kind == "management_groups":
                    yield from nodes_above(raw)
            except (KeyError, TypeError, ValueError) as problem:
                self._unreadable(kind, scope, problem)

    def _unreadable(self, kind: str, scope: str, problem: object) -> None:
        self._gaps.add(Gap(kind, scope, f"an item could not be understood: {problem}", code=layout.UNREADABLE_ITEM))

    def _once(
        self,
        kind: str,
        key: Callable[[Any], str],
        place: Callable[[Any], str],
        prefer: Callable[[Any], int] = lambda _: 0,
    ) -> tuple[Any, ...]:
        merged: Merged[Any] = Merged(kind, place, prefer)
        for record in self._records(kind):
            merged.add(key(record), record)
        self._gaps.update(merged.gaps())
        return merged.records()

    def _listed(self, kind: str) -> tuple[Any, ...]:
        records, gaps = merge_listed(kind, self._records(kind))
        self._gaps.update(gaps)
        return records

    def _vaults(self) -> tuple[Vault, ...]:
        """Vaults; one without a permission model stays, with the gap that says so."""
        vaults: tuple[Vault, ...] = self._once(
            "vaults",
            lambda item: item.scope,
            lambda item: item.id,
            prefer=lambda item: item.permission_model is not None,
        )
        for vault in vaults:
            if vault.permission_model is None:
                reason = f"the properties of the vault {vault.name} are missing or could not be understood"
                need = by_kind()["vaults"].requires[0]
                self._gaps.add(Gap("vaults", vault.id, reason, code=MODEL_UNKNOWN, permission=need))
        return vaults

    def _objects(self, kind: str) -> tuple[VaultObject, ...]:
        return self._once(kind, lambda item: f"{item.vault_id}\0{item.ref.name.casefold()}", lambda item: item.vault_id)

    def _assignments(self) -> RoleAssignments:
        beside = self._beside
        found = (
            read_assignments(self._snapshot, beside.cut, beside.assignments)
            if beside
            else read_assignments(self._snapshot)
        )
        self._count(ASSIGNMENTS, found.counts, found.unreadable)
        records, gaps = found.done()
        self._gaps.update(gaps)
        return records

    def _members(self) -> GroupMembers:
        found = (self._beside.members() if self._beside else None) or read_members(self._snapshot)
        self._count(MEMBERS, found.counts, found.unreadable)
        return found

    def _described(self, members: list[Principal], looked_up: list[list[Principal]]) -> dict[str, Principal]:
        """Every directory object that Graph described. Members of groups are described there too.

        Args:
            members: those of groups. All lists are emptied: they would take as much memory as what is made of them.
            looked_up: those that Graph was asked for, in the order in which later ones complete others.
        """
        return described_principals(
            (
                (
                    replace(item, state=PrincipalState.DELETED_RESTORABLE)
                    for item in self._records("deleted_principals")
                ),
                (item for item in chain(_emptied(members), self._owners()) if item.type in _MEMBER_TYPES),
                *map(_emptied, looked_up),
            )
        )

    def _owners(self) -> Iterator[Principal]:
        for kind in _OWNERS:
            for _, raw in self._snapshot.items(kind):
                try:
                    yield parse_principal(raw, kind)
                except (KeyError, TypeError, ValueError):
                    continue  # told once, when the same item is read as an ownership

    def _group_edges(self) -> Iterator[Membership]:
        """Groups of service principals; `transitiveMemberOf` answers directory roles and units too, which grant nothing here."""
        kind = "service_principal_groups"
        parse = by_kind()[kind].parse
        for scope, raw in self._items(kind):
            try:
                edge = parse(raw, scope)
                if object_type(raw) in {"Group", None}:
                    yield edge
            except (KeyError, TypeError, ValueError) as problem:
                self._unreadable(kind, scope, problem)

    def _whole_listings(self, finished_with: Iterable[tuple[Listing, int]]) -> tuple[Listing, ...]:
        """The finished listings, after all items were read: each must have the items that it promises."""
        whole = []
        for item, stored in finished_with:
            found = self._counts[item.kind].get(scopes.fold(item.scope), 0)
            if item.kind not in by_kind() or found == stored:
                whole.append(item)
            elif self._snapshot.complete:
                raise corrupt(
                    self._snapshot.path / layout.kind_file(item.kind),
                    f"it holds {found} of the {stored} items of {item.scope}",
                )
        self._counts.clear()
        return tuple(sorted(whole, key=lambda item: (item.kind, scopes.fold(item.scope))))

    def _all_gaps(self) -> tuple[Gap, ...]:
        """Each gap once: one for a kind and scope, where several reasons meet the one that has the service's answer."""
        gaps = list(self._gaps)
        if not self._snapshot.complete:
            reason = "the collection was interrupted, so anything may be missing"
            gaps += [Gap(kind, scopes.ROOT, reason, code=INTERRUPTED, retryable=True) for kind in by_kind()]
        gaps.sort(key=telling_first)
        return tuple({gap.id: gap for gap in reversed(gaps)}.values())[::-1]


def _emptied(records: list[Principal]) -> Iterator[Principal]:
    """The records of a list, which is empty afterwards."""
    yield from records
    records.clear()


def _member_of(
    edges: set[Membership], finished: frozenset[ListingKey]
) -> tuple[Mapping[str, tuple[str, ...]], set[Membership]]:
    """Service principal -> its groups, where the list was read to its end; and the edges of the other lists.

    What was seen of a list that failed half way is still a membership, and says nothing of the rest.
    """
    kind = "service_principal_groups"
    asked = [scope.rpartition("/")[2] for other, scope in sorted(finished) if other == kind]
    table: dict[str, list[str]] = {identifier: [] for identifier in asked}
    rest = set()
    for edge in edges:
        if edge.member in table:
            table[edge.member].append(edge.group)
        else:
            rest.add(edge)
    return {member: tuple(sorted(groups)) for member, groups in table.items()}, rest
