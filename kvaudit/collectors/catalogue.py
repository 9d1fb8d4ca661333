"""Every collector: what an audit can read, and what each read needs."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from kvaudit.collectors.applications import APPLICATIONS
from kvaudit.collectors.assigned_groups import ASSIGNED_GROUPS
from kvaudit.collectors.collector import Collector, Feature, Plane
from kvaudit.collectors.consents import APP_ROLES, APPLICATION_PERMISSIONS, DELEGATED_PERMISSIONS
from kvaudit.collectors.delegations import DELEGATIONS
from kvaudit.collectors.deleted_vaults import DELETED_VAULTS
from kvaudit.collectors.deny_assignments import DENY_ASSIGNMENTS
from kvaudit.collectors.diagnostic_settings import DIAGNOSTIC_SETTINGS
from kvaudit.collectors.directory import (
    DELETED_PRINCIPALS,
    GROUP_MEMBERS,
    PRINCIPALS,
    SERVICE_PRINCIPAL_GROUPS,
    SERVICE_PRINCIPALS,
)
from kvaudit.collectors.directory_roles import (
    DIRECTORY_ROLE_ASSIGNMENTS,
    DIRECTORY_ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.federated_credentials import APPLICATION_FEDERATED_CREDENTIALS, FEDERATED_CREDENTIALS
from kvaudit.collectors.group_schedules import (
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.managed_identities import RESOURCE_IDENTITIES, USER_ASSIGNED_IDENTITIES
from kvaudit.collectors.management_groups import MANAGEMENT_GROUP, MANAGEMENT_GROUPS
from kvaudit.collectors.owners import (
    APPLICATION_OWNERS,
    GROUP_OWNERS,
    SERVICE_PRINCIPAL_OWNED_OBJECTS,
    SERVICE_PRINCIPAL_OWNERS,
)
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.collectors.schedule_instances import (
    ROLE_ASSIGNMENT_SCHEDULE_INSTANCES,
    ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.subscription_settings import (
    CLASSIC_ADMINISTRATORS,
    DEFENDER_PLANS,
    LOCKS,
    MANAGED_HSMS,
    RESOURCE_GROUPS,
)
from kvaudit.collectors.subscriptions import SUBSCRIPTIONS
from kvaudit.collectors.vault_objects import CERTIFICATES, KEYS, KEYS_AT_VAULT, SECRETS, SECRETS_AT_VAULT
from kvaudit.collectors.vaults import VAULTS

COLLECTORS: tuple[Collector[Any], ...] = (
    SUBSCRIPTIONS,
    MANAGEMENT_GROUPS,
    MANAGEMENT_GROUP,
    VAULTS,
    DELETED_VAULTS,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    DENY_ASSIGNMENTS,
    ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
    ROLE_ASSIGNMENT_SCHEDULE_INSTANCES,
    SECRETS,
    SECRETS_AT_VAULT,
    KEYS,
    KEYS_AT_VAULT,
    CERTIFICATES,
    PRINCIPALS,
    SERVICE_PRINCIPALS,
    DELETED_PRINCIPALS,
    GROUP_MEMBERS,
    SERVICE_PRINCIPAL_GROUPS,
    ASSIGNED_GROUPS,
    RESOURCE_IDENTITIES,
    USER_ASSIGNED_IDENTITIES,
    FEDERATED_CREDENTIALS,
    DELEGATIONS,
    GROUP_OWNERS,
    GROUP_ELIGIBILITY_SCHEDULE_INSTANCES,
    GROUP_ASSIGNMENT_SCHEDULE_INSTANCES,
    SERVICE_PRINCIPAL_OWNERS,
    SERVICE_PRINCIPAL_OWNED_OBJECTS,
    APPLICATIONS,
    APPLICATION_OWNERS,
    APPLICATION_FEDERATED_CREDENTIALS,
    DIRECTORY_ROLE_ASSIGNMENTS,
    DIRECTORY_ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
    APP_ROLES,
    APPLICATION_PERMISSIONS,
    DELEGATED_PERMISSIONS,
    DIAGNOSTIC_SETTINGS,
    LOCKS,
    DEFENDER_PLANS,
    RESOURCE_GROUPS,
    CLASSIC_ADMINISTRATORS,
    MANAGED_HSMS,
)
"""Every source of every kind. A kind with two sources (Resource Manager and the vault, a list and one object) stands twice, the
quiet one first."""


@cache
def by_kind() -> Mapping[str, Collector[Any]]:
    """The first source of each kind. Sources of one kind share their parser, so this is what loading needs."""
    table: dict[str, Collector[Any]] = {}
    for collector in COLLECTORS:
        table.setdefault(collector.kind, collector)
    return table


def permissions_needed(features: Iterable[Feature] = Feature) -> Mapping[Plane, tuple[str, ...]]:
    """What the caller must hold to read what these features read, by plane, sorted.

    On `Plane.ARM` these are Azure actions, on `Plane.GRAPH` Graph permissions, on `Plane.VAULT` Azure data actions
    (or the access-policy permission `list` of the kind).
    """
    chosen = frozenset(features)
    return {
        plane: tuple(
            sorted(
                {
                    need
                    for item in COLLECTORS
                    if item.plane is plane and item.feature in chosen
                    for need in item.requires
                }
            )
        )
        for plane in Plane
    }
