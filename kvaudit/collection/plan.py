"""What a collection would ask, how many requests that takes and which permissions, before it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kvaudit.clients.azure import Azure
from kvaudit.collection.collect import each_once
from kvaudit.collection.control_plane import LISTS, further_lists, is_wanted
from kvaudit.collection.identities import API_KINDS, APPLICATION_KINDS, GROUP_KINDS, TENANT_KINDS
from kvaudit.collection.listing import Reading
from kvaudit.collection.objects import SOURCES
from kvaudit.collection.request import CollectRequest, Progress
from kvaudit.collection.resource_graph import BATCH, FROM_GRAPH
from kvaudit.collection.scope import read_subscriptions, read_tree
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector, Feature, Plane
from kvaudit.collectors.consents import APP_ROLES
from kvaudit.collectors.diagnostic_settings import DIAGNOSTIC_SETTINGS
from kvaudit.collectors.directory import (
    DELETED_PRINCIPALS,
    GROUP_MEMBERS,
    PRINCIPALS,
    SERVICE_PRINCIPAL_GROUPS,
    SERVICE_PRINCIPALS,
)
from kvaudit.collectors.federated_credentials import FEDERATED_CREDENTIALS
from kvaudit.collectors.management_groups import MANAGEMENT_GROUP, MANAGEMENT_GROUPS
from kvaudit.collectors.owners import SERVICE_PRINCIPAL_OWNED_OBJECTS, SERVICE_PRINCIPAL_OWNERS
from kvaudit.collectors.resource_graph import TABLES
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.collectors.subscriptions import SUBSCRIPTIONS
from kvaudit.collectors.vaults import VAULTS
from kvaudit.snapshot.writer import SnapshotWriter

_DIRECTORY = (
    (PRINCIPALS, "one for 1,000 principals that records name"),
    (DELETED_PRINCIPALS, "one for 20 principals that the directory does not know"),
    (GROUP_MEMBERS, "one for 20 groups, and for every further 999 members"),
    (SERVICE_PRINCIPALS, "one for 999 service principals of the tenant"),
    (SERVICE_PRINCIPAL_GROUPS, "one for 20 service principals of the tenant"),
)

_IDENTITIES = (
    (FEDERATED_CREDENTIALS, "one for each user-assigned identity that holds access"),
    *((item, "one for the tenant, and for every further page") for item, _ in TENANT_KINDS),
    *((item, "one for 20 groups that hold access") for item in GROUP_KINDS),
    (SERVICE_PRINCIPAL_OWNED_OBJECTS, "one for 20 service principals of the tenant"),
    (SERVICE_PRINCIPAL_OWNERS, "one for 20 service principals that hold access"),
    *((item, "one for 20 registrations of service principals that hold access") for item in APPLICATION_KINDS),
    *((item, "one for the tenant, and for every further page") for item in (*API_KINDS, APP_ROLES)),
)


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """What would be asked about one kind of record.

    Attributes:
        requests: how many at least: longer lists take one for every further page. None where it depends on records that
            were not read.
        note: in words.
        requires: permissions, each needed.
    """

    kind: str
    plane: Plane
    requests: int | None
    note: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a collection would ask.

    Attributes:
        subscriptions: how many would be read.
        vaults: how many were found in them; those of subscriptions whose list failed are missing.
        reads: by kind, in the order in which they would be made.
    """

    subscriptions: int
    vaults: int
    reads: tuple[PlannedRead, ...]

    @property
    def requests(self) -> int:
        """Requests to Resource Manager and to vaults, at least, where Resource Graph answers nothing."""
        return sum(read.requests or 0 for read in self.reads)

    @property
    def requests_with_graph(self) -> int:
        """The same where Resource Graph answers everything that it has, its own queries included."""
        others = sum(read.requests or 0 for read in self.reads if read.kind not in _THROUGH_GRAPH)
        return others + _QUERIES * -(-self.subscriptions // BATCH) + _ONCE_WITH_GRAPH


_THROUGH_GRAPH = FROM_GRAPH | {ROLE_DEFINITIONS.kind, MANAGEMENT_GROUPS.kind, MANAGEMENT_GROUP.kind}

_QUERIES = len(TABLES) + 2
"""Queries of a batch of subscriptions: the tables, which custom roles there are, and what proves that all is shown."""

_ONCE_WITH_GRAPH = 2
"""The caller's own permissions at the root, and the built-in roles."""


async def plan(
    azure: Azure, request: CollectRequest, writer: SnapshotWriter, *, progress: Progress, now: Callable[[], str]
) -> Plan:
    """Reads what the numbers depend on (the tree, the subscriptions and their vaults) and nothing else.

    Args:
        azure: reads.
        request: what would be collected.
        writer: of a snapshot that nobody keeps.
        progress: is told what was done.
        now: the time, ISO 8601.

    Raises:
        CredentialError, ScopeError: as `collect`.
    """
    caller = await azure.sign_in()
    tenant = caller.tenant_id.casefold() if caller.tenant_id else None
    reading = Reading(azure, writer, progress, now)
    nodes = await read_tree(reading, request, tenant)
    subscriptions = await read_subscriptions(reading, request, nodes, tenant)
    found = await together(
        reading.list_arm(VAULTS, item.scope, keep=lambda vault: is_wanted(request, vault)) for item in subscriptions
    )
    vaults = len(each_once(vault for part in found for vault in part))
    each = f"one for each of {len(subscriptions)} subscriptions"
    per_vault = (*SOURCES[request.objects], *((DIAGNOSTIC_SETTINGS,) if Feature.SETTINGS in request.features else ()))
    directory = (*_DIRECTORY, *(_IDENTITIES if Feature.IDENTITIES in request.features else ()))
    roots = len(request.management_groups) or (1 if tenant else 0)
    return Plan(
        len(subscriptions),
        vaults,
        (
            _read(MANAGEMENT_GROUPS, roots, "the tree"),
            _read(MANAGEMENT_GROUP, roots, "its top"),
            _read(SUBSCRIPTIONS, 1, "the list"),
            *(_read(item, len(subscriptions), each) for item in (*LISTS, *further_lists(request))),
            *(_read(item, vaults, f"one for each of {vaults} vaults") for item in per_vault),
            *(_read(item, None, note) for item, note in directory),
        ),
    )


def _read(collector: Collector[Any], requests: int | None, note: str) -> PlannedRead:
    return PlannedRead(collector.kind, collector.plane, requests, note, collector.requires)
