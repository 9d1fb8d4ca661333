"""Who can act as somebody who has access: owners, credentials, eligibility for groups, directory roles, consents.

Of groups and service principals only those are asked about that a record names, and what stands in such a group; of
application registrations those of these service principals. Each kind needs a permission of its own, and a kind that is
refused is told once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.batches import Found, Question, ask
from kvaudit.collection.directory import SERVICE_PRINCIPALS_SCOPE, Directory, ids_of, look_up, not_asked, read_members
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.applications import APPLICATIONS, APPLICATIONS_SCOPE
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.consents import (
    APP_ROLES,
    APPLICATION_PERMISSIONS,
    DELEGATED_PERMISSIONS,
    KEY_VAULT_APP_ID,
    MICROSOFT_GRAPH_APP_ID,
    absent_scope,
    service_principal_scope,
)
from kvaudit.collectors.directory import SERVICE_PRINCIPALS
from kvaudit.collectors.directory_roles import (
    DIRECTORY_ROLE_ASSIGNMENTS,
    DIRECTORY_ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
    DIRECTORY_SCOPE,
)
from kvaudit.collectors.federated_credentials import APPLICATION_FEDERATED_CREDENTIALS, FEDERATED_CREDENTIALS
from kvaudit.collectors.group_schedules import (
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.owners import (
    APPLICATION_OWNERS,
    GROUP_OWNERS,
    SERVICE_PRINCIPAL_OWNED_OBJECTS,
    SERVICE_PRINCIPAL_OWNERS,
)
from kvaudit.model import scopes

GROUP_KINDS: tuple[Collector[Any], ...] = (
    GROUP_OWNERS,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
)
"""Asked of every group that matters."""

APPLICATION_KINDS: tuple[Collector[Any], ...] = (APPLICATION_OWNERS, APPLICATION_FEDERATED_CREDENTIALS)
"""Asked of every application registration that matters."""

TENANT_KINDS: tuple[tuple[Collector[Any], str], ...] = (
    (DIRECTORY_ROLE_ASSIGNMENTS, DIRECTORY_SCOPE),
    (DIRECTORY_ROLE_ELIGIBILITY_SCHEDULE_INSTANCES, DIRECTORY_SCOPE),
    (APPLICATIONS, APPLICATIONS_SCOPE),
)
"""Asked once for the tenant, with the listing's scope."""

API_KINDS: tuple[Collector[Any], ...] = (APPLICATION_PERMISSIONS, DELEGATED_PERMISSIONS)
"""Asked of the service principal of Microsoft Graph, and of Azure Key Vault's."""

_GROUPS = "groups"

_ROUNDS = 20
"""Groups that are eligible for groups that are eligible for groups: a longer chain than any that was reported."""


@dataclass(frozen=True, slots=True)
class UserAssigned:
    """A user-assigned identity of a subscription that was read: its resource ID and its folded principal ID."""

    resource_id: str
    principal_id: str


def user_assigned(items: Iterable[Any]) -> Iterator[UserAssigned]:
    """Those of raw identities that say who they are; the loader tells one that cannot be read."""
    for item in items:
        properties = item.get("properties") if isinstance(item, dict) else None
        ids = ids_of([properties], "principalId")
        if ids and isinstance(item.get("id"), str):
            yield UserAssigned(item["id"], ids[0])


async def read_identities(
    reading: Reading, directory: Directory, named: frozenset[str], identities: Sequence[UserAssigned]
) -> None:
    """Reads every kind of this room.

    Args:
        reading: what the collection shares.
        directory: what was read of it; principals that are found here are looked up into it.
        named: folded IDs of every principal that a record names.
        identities: user-assigned identities of the subscriptions that were read.
    """
    if directory.is_open:
        tenant = await ask(
            reading, (Question(item, scope, whole=scope, none_when=_no_premium) for item, scope in TENANT_KINDS)
        )
        await _read_groups(reading, directory, tenant)
        applications = tenant.get((APPLICATIONS.kind, APPLICATIONS_SCOPE), [])
    else:
        _tell_closed(reading)
        applications = []
    holders = named | {item for item, groups in directory.groups_of.items() if groups & directory.groups}
    await together(
        (
            _read_applications(reading, directory, holders, applications),
            _read_credentials_of_identities(reading, holders, identities),
        )
    )


def _no_premium(problem: ReadFailure) -> bool:
    """Whether the tenant has no licence for PIM: then nobody is eligible (facts azure.md 2.4)."""
    return problem.code == "AadPremiumLicenseRequired" and problem.status in {400, 403}


def _tell_closed(reading: Reading) -> None:
    for item, scope in TENANT_KINDS:
        reading.gap(item, scope, not_asked(reading))
    for item in GROUP_KINDS:
        reading.gap(item, _GROUPS, not_asked(reading))
    for item in APPLICATION_KINDS:
        reading.gap(item, APPLICATIONS_SCOPE, not_asked(reading))
    for item in (SERVICE_PRINCIPAL_OWNERS, SERVICE_PRINCIPAL_OWNED_OBJECTS, *API_KINDS):
        reading.gap(item, SERVICE_PRINCIPALS_SCOPE, not_asked(reading))


def _tell_unasked(reading: Reading, kinds: Iterable[Collector[Any]], scope: str, cause: str, why: str) -> None:
    """A gap for each kind that hangs on a list that was not read; a permission closes it where one closes the list's."""
    status = 403 if cause in reading.forbidden_kinds else None
    for item in kinds:
        reading.gap(item, scope, ReadFailure(why, status=status))


async def _read_groups(reading: Reading, directory: Directory, tenant: Found) -> None:
    """Owners and PIM of the groups that matter: also of groups that hold a directory role, or are eligible for one."""
    holders = {item for items in tenant.values() for item in ids_of(items, "principalId")}
    await look_up(reading, directory, holders)
    waiting = set(directory.groups)
    waiting |= await _with_members(reading, directory, holders)
    for _ in range(_ROUNDS):
        if not waiting:
            return
        found = await ask(
            reading,
            (
                Question(item, f"{_GROUPS}/{group}", whole=_GROUPS, none_when=_no_premium)
                for group in sorted(waiting)
                for item in GROUP_KINDS
            ),
        )
        owners = {item for (kind, _), items in found.items() if kind == GROUP_OWNERS.kind for item in ids_of(items)}
        eligible = {item for items in found.values() for item in ids_of(items, "principalId")}
        await look_up(reading, directory, owners | eligible)
        waiting = await _with_members(reading, directory, eligible)


async def _with_members(reading: Reading, directory: Directory, principals: Iterable[str]) -> set[str]:
    """Reads the members of the groups among principals; the groups that were not known before."""
    groups = {item for item in principals if directory.type_of(item) == "Group"}
    return await read_members(reading, directory, groups)


async def _read_applications(
    reading: Reading, directory: Directory, holders: Iterable[str], applications: Sequence[Any]
) -> None:
    """Owners and credentials of service principals that matter and of their registrations; and what APIs gave out."""
    if not directory.is_open:
        return
    questions = [
        *_owner_questions(directory, frozenset(holders), applications),
        *_owned_questions(reading, directory),
        *_api_questions(reading, directory),
    ]
    if not reading.is_finished(APPLICATIONS.kind, APPLICATIONS_SCOPE):
        why = "the application registrations were not read, and so nothing was asked about them"
        _tell_unasked(reading, APPLICATION_KINDS, APPLICATIONS_SCOPE, APPLICATIONS.kind, why)
    found = await ask(reading, questions)
    owners = {SERVICE_PRINCIPAL_OWNERS.kind, APPLICATION_OWNERS.kind}
    new = {item for (kind, _), items in found.items() if kind in owners for item in ids_of(items)}
    new |= {item for items in found.values() for item in ids_of(items, "principalId")}
    await look_up(reading, directory, new)


def _owner_questions(directory: Directory, holders: frozenset[str], applications: Sequence[Any]) -> Iterator[Question]:
    """About service principals that matter and their registrations."""
    everyone = {item: raw for raw in directory.service_principals for item in ids_of([raw])}
    everyone |= {
        item: raw for item, raw in directory.principals.items() if directory.type_of(item) == "ServicePrincipal"
    }
    mine = [everyone[item] for item in sorted(holders.intersection(everyone))]
    # Nobody adds a credential to a managed identity, so who owns its service principal says nothing.
    for item in ids_of(raw for raw in mine if raw.get("servicePrincipalType") != "ManagedIdentity"):
        yield Question(SERVICE_PRINCIPAL_OWNERS, service_principal_scope(item), whole=SERVICE_PRINCIPALS_SCOPE)
    app_ids = frozenset(ids_of(mine, "appId"))
    for item in ids_of(raw for raw in applications if app_ids.intersection(ids_of([raw], "appId"))):
        for collector in APPLICATION_KINDS:
            yield Question(collector, f"{APPLICATIONS_SCOPE}/{item}", whole=APPLICATIONS_SCOPE)


def _owned_questions(reading: Reading, directory: Directory) -> Iterator[Question]:
    """What every service principal owns, where a group matters: lists of a group's owners leave service principals out."""
    if not directory.groups:
        return
    if not reading.is_finished(SERVICE_PRINCIPALS.kind, SERVICE_PRINCIPALS_SCOPE):
        why = "the service principals of the tenant were not read, and so not every one was asked what it owns"
        owned = (SERVICE_PRINCIPAL_OWNED_OBJECTS,)
        _tell_unasked(reading, owned, SERVICE_PRINCIPALS_SCOPE, SERVICE_PRINCIPALS.kind, why)
    for item in ids_of(directory.service_principals):
        yield Question(SERVICE_PRINCIPAL_OWNED_OBJECTS, service_principal_scope(item), whole=SERVICE_PRINCIPALS_SCOPE)


def _api_questions(reading: Reading, directory: Directory) -> Iterator[Question]:
    """What Microsoft Graph and Azure Key Vault gave out. An API that has no service principal here gave out nothing."""
    if not reading.is_finished(SERVICE_PRINCIPALS.kind, SERVICE_PRINCIPALS_SCOPE):
        why = "the service principals of the tenant were not read, and with them who the API is here"
        _tell_unasked(reading, API_KINDS, SERVICE_PRINCIPALS_SCOPE, SERVICE_PRINCIPALS.kind, why)
        return
    by_app = {app_id: raw for raw in directory.service_principals for app_id in ids_of([raw], "appId")}
    for collector, app_id in (
        (APPLICATION_PERMISSIONS, MICROSOFT_GRAPH_APP_ID),
        (DELEGATED_PERMISSIONS, KEY_VAULT_APP_ID),
    ):
        ids = ids_of([by_app[app_id]]) if app_id in by_app else []
        for api in ids:
            scope = service_principal_scope(api)
            yield Question(collector, scope, whole=SERVICE_PRINCIPALS_SCOPE)
            if collector is APPLICATION_PERMISSIONS:
                yield Question(APP_ROLES, scope, is_object=True)
        if not ids and not reading.is_finished(collector.kind, absent_scope(app_id)):
            reading.writer.finish_listing(
                collector.kind, absent_scope(app_id), items=0, pages=0, asked_at=reading.now()
            )


async def _read_credentials_of_identities(
    reading: Reading, holders: Iterable[str], identities: Sequence[UserAssigned]
) -> None:
    """Federated credentials of the user-assigned identities that matter."""
    wanted = frozenset(holders)
    resources = {scopes.fold(item.resource_id): item.resource_id for item in identities if item.principal_id in wanted}
    await together(reading.list_arm(FEDERATED_CREDENTIALS, resources[key]) for key in sorted(resources))
