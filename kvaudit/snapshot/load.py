"""From a snapshot to an estate: every raw item parsed; one that cannot be read becomes a gap."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.directory import deleted_scope, object_type, parse_principal
from kvaudit.model import scopes
from kvaudit.model.authorization import EVERYONE, DenyAssignment, RoleAssignment, ScheduleInstance
from kvaudit.model.directory import Membership, Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import Vault
from kvaudit.snapshot.reader import Snapshot

Listed = TypeVar("Listed", RoleAssignment, DenyAssignment, ScheduleInstance)


def load_estate(snapshot: Snapshot) -> Estate:
    """The estate of a snapshot.

    Records that several listings returned are one record that knows them all (`listed_from`). An item that does not parse
    becomes a gap with the code `UnreadableItem` at the scope of its listing.

    Raises:
        SnapshotError: a file is corrupt.
    """
    reading = _Reading(snapshot)
    vaults = _by_id(reading.records("vaults"))
    assignments = _merged(reading.records("role_assignments"))
    denies = _merged(reading.records("deny_assignments"))
    instances = (
        *_merged(reading.records("role_eligibility_schedule_instances")),
        *_merged(reading.records("role_assignment_schedule_instances")),
    )
    listings = tuple(item.listing for item in snapshot.listings())
    asked_deleted = {scopes.fold(item.scope) for item in listings if item.kind == "deleted_principals"}
    principals = _principals(reading)
    for principal_id, foreign in _named(vaults, assignments, denies, instances).items():
        if principal_id not in principals:
            principals[principal_id] = Principal(
                principal_id,
                state=_state(principal_id, foreign, asked_deleted),
                type="ForeignGroup" if foreign == "ForeignGroup" else None,
            )
    hierarchy = {node.scope: node for node in reading.records("management_groups")}
    return Estate(
        tenant_id=snapshot.tenant_id,
        collected_at=snapshot.ended_at,
        subscriptions=tuple({item.subscription_id: item for item in reading.records("subscriptions")}.values()),
        hierarchy=tuple(hierarchy.values()),
        vaults=vaults,
        deleted_vaults=tuple({item.id.casefold(): item for item in reading.records("deleted_vaults")}.values()),
        role_assignments=assignments,
        role_definitions={item.name: item for item in reading.records("role_definitions")},
        deny_assignments=denies,
        schedule_instances=instances,
        principals=principals,
        memberships=tuple(dict.fromkeys(reading.records("group_members"))),
        member_of=_member_of(reading, listings_of(listings, "service_principal_groups")),
        objects=tuple(
            {
                (item.vault_id, str(item.ref).casefold()): item
                for kind in ("secrets", "keys", "certificates")
                for item in reading.records(kind)
            }.values()
        ),
        gaps=tuple({gap.id: gap for gap in (*snapshot.gaps(), *reading.gaps)}.values()),
        listings=listings,
    )


def listings_of(listings: Iterable[Any], kind: str) -> tuple[str, ...]:
    """The scopes of the finished listings of a kind."""
    return tuple(item.scope for item in listings if item.kind == kind)


class _Reading:
    """Parses the items of a snapshot and collects the gaps of those that do not parse."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.gaps: list[Gap] = []

    def records(self, kind: str) -> Iterator[Any]:
        """Every record of a kind."""
        parse = by_kind()[kind].parse
        for scope, raw in self.snapshot.items(kind):
            try:
                yield parse(raw, scope)
            except (KeyError, TypeError, ValueError) as problem:
                self.unreadable(kind, scope, problem)

    def unreadable(self, kind: str, scope: str, problem: Exception) -> None:
        """Notes an item that no parser understands."""
        self.gaps.append(Gap(kind, scope, f"an item could not be understood: {problem}", code="UnreadableItem"))


def _by_id(vaults: Iterable[Vault]) -> tuple[Vault, ...]:
    """Each vault once; a payload with properties wins over one without."""
    found: dict[str, Vault] = {}
    for vault in vaults:
        if vault.scope not in found or found[vault.scope].permission_model is None:
            found[vault.scope] = vault
    return tuple(found.values())


def _merged(records: Iterable[Listed]) -> tuple[Listed, ...]:
    """Each record once, with the union of the scopes that listed it."""
    found: dict[str, Listed] = {}
    for record in records:
        key = scopes.fold(record.id)
        old = found.get(key)
        if old is None:
            found[key] = record
        elif not record.listed_from <= old.listed_from:
            found[key] = replace(old, listed_from=old.listed_from | record.listed_from)
    return tuple(found.values())


def _principals(reading: _Reading) -> dict[str, Principal]:
    """Every directory object that was read, by ID; a fuller description wins over a shorter one."""
    found: dict[str, Principal] = {}
    for principal in reading.records("deleted_principals"):
        found[principal.id] = replace(principal, state=PrincipalState.DELETED_RESTORABLE)
    for scope, raw in reading.snapshot.items("group_members"):
        try:
            member = parse_principal(raw, scope)
        except (KeyError, TypeError, ValueError):
            continue  # told once, when the same item is read as a membership
        if member.type in {"User", "Group", "ServicePrincipal", "Device"}:
            found[member.id] = _fuller(found.get(member.id), member)
    for kind in ("principals", "service_principals"):
        for principal in reading.records(kind):
            found[principal.id] = _fuller(found.get(principal.id), principal)
    return found


def _fuller(old: Principal | None, new: Principal) -> Principal:
    if old is None or old.state is not PrincipalState.FOUND:
        return new
    return replace(
        new,
        type=new.type or old.type,
        display_name=new.display_name or old.display_name,
        user_principal_name=new.user_principal_name or old.user_principal_name,
        app_id=new.app_id or old.app_id,
        account_enabled=old.account_enabled if new.account_enabled is None else new.account_enabled,
        user_type=new.user_type or old.user_type,
        service_principal_type=new.service_principal_type or old.service_principal_type,
        alternative_names=new.alternative_names or old.alternative_names,
    )


def _named(
    vaults: Iterable[Vault],
    assignments: Iterable[RoleAssignment],
    denies: Iterable[DenyAssignment],
    instances: Iterable[ScheduleInstance],
) -> dict[str, str | None]:
    """Every principal that a record names -> what makes it foreign (`ForeignGroup`, `tenant`), or None."""
    found: dict[str, str | None] = {}
    records: tuple[RoleAssignment | ScheduleInstance, ...] = (*assignments, *instances)
    for record in records:
        foreign = "ForeignGroup" if (record.principal_type or "").casefold() == "foreigngroup" else None
        found[record.principal_id] = found.get(record.principal_id) or foreign
    for vault in vaults:
        for policy in vault.access_policies or ():
            other = (
                policy.tenant_id is not None
                and vault.tenant_id is not None
                and policy.tenant_id != vault.tenant_id.casefold()
            )
            found[policy.object_id] = found.get(policy.object_id) or ("tenant" if other else None)
    for deny in denies:
        for principal in (*deny.principals, *deny.exclude_principals):
            if principal.id != EVERYONE:
                found.setdefault(principal.id, None)
    return found


def _state(principal_id: str, foreign: str | None, asked_deleted: set[str]) -> PrincipalState:
    """What is known of a principal that no answer of Graph described.

    `asked_deleted` holds it only after getByIds, read to its end, did not return it and the deleted items said 404.
    """
    if foreign is not None:
        return PrincipalState.FOREIGN
    if scopes.fold(deleted_scope(principal_id)) in asked_deleted:
        return PrincipalState.NOT_FOUND
    return PrincipalState.UNRESOLVED


def _member_of(reading: _Reading, read: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Service principal -> every group it is in, for those whose listing was read to its end."""
    found: dict[str, list[str]] = {scope.partition("/")[2].casefold(): [] for scope in read}
    parse = by_kind()["service_principal_groups"].parse
    for scope, raw in reading.snapshot.items("service_principal_groups"):
        try:
            if object_type(raw) not in {"Group", None}:
                continue
            edge: Membership = parse(raw, scope)
        except (KeyError, TypeError, ValueError) as problem:
            reading.unreadable("service_principal_groups", scope, problem)
            continue
        if edge.member in found:
            found[edge.member].append(edge.group)
    return {member: tuple(sorted(set(groups))) for member, groups in found.items()}
