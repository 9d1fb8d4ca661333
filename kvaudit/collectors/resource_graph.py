"""What Resource Graph is asked: one query a table, whose rows are kept under the kinds that Resource Manager's lists have.

Rows have the shape of Resource Manager's items in what is parsed here (`id`, `name`, `type`, `location`, `properties`,
`identity`); types and subscription IDs are in lower case. Every query projects `id`, is ordered and holds no limit, or its
pages could not be followed. Tables and their gaps: facts azure.md 2.6.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kvaudit.collectors.collector import Collector, Raw
from kvaudit.collectors.delegations import DELEGATIONS
from kvaudit.collectors.managed_identities import RESOURCE_IDENTITIES, USER_ASSIGNED_IDENTITIES, has_identity
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.collectors.subscription_settings import MANAGED_HSMS, RESOURCE_GROUPS
from kvaudit.collectors.vaults import VAULTS

SUBSCRIPTION_TYPE = "microsoft.resources/subscriptions"

CUSTOM_ROLES_QUERY = (
    "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' and properties.type =~ 'CustomRole' "
    "| project id, name, properties, subscriptionId | order by id asc"
)
"""Which custom roles there are. What they hold is read from Resource Manager: rows here may lack a block's condition."""

PROOFS_QUERY = (
    "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' "
    "and (isnotempty(properties.condition) or (properties.scope contains '/providers/Microsoft.KeyVault/vaults/' and "
    "(properties.scope contains '/secrets/' or properties.scope contains '/keys/' "
    "or properties.scope contains '/certificates/'))) | project id, properties | order by id asc"
)
"""Assignments on single objects, and those with a condition. Whether Resource Graph shows either is not established (facts
azure.md 2.6; it empties their descriptions, Azure/enterprise-azure-policy-as-code 1126): one that it shows proves it; none
proves nothing. A condition that were left out would make a grant look like one without."""


def shows_objects(rows: Iterable[Raw]) -> bool:
    """Whether one of the rows of `PROOFS_QUERY` is an assignment on a single object."""
    return any(
        word in scope and "/providers/microsoft.keyvault/vaults/" in scope
        for row in rows
        for scope in [str(_properties(row).get("scope")).casefold()]
        for word in ("/secrets/", "/keys/", "/certificates/")
    )


def shows_conditions(rows: Iterable[Raw]) -> bool:
    """Whether one of the rows of `PROOFS_QUERY` has a condition."""
    return any(_properties(row).get("condition") for row in rows)


def _properties(row: Raw) -> dict[str, Any]:
    properties = row.get("properties") if isinstance(row, dict) else None
    return properties if isinstance(properties, dict) else {}


@dataclass(frozen=True, slots=True)
class Route:
    """Which rows of a table are records of a kind.

    Attributes:
        collector: the kind, with the permission that its reader needs. Resource Graph leaves out what the caller may
            not read without a word, so the permission has to be known.
        where: the condition in the query's language.
        matches: the same of a row, or of an item of Resource Manager's list.
    """

    collector: Collector[Any]
    where: str
    matches: Callable[[Raw], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """One table and the kinds that its rows belong to.

    Attributes:
        name: of the table.
        columns: that are projected.
        routes: to kinds.
        also: condition of rows that are read for no kind.
    """

    name: str
    columns: str
    routes: tuple[Route, ...]
    also: str | None = None

    def query(self, routes: Iterable[Route]) -> str:
        """The query for some of the kinds."""
        wanted = [route.where for route in self.routes if route in tuple(routes)]
        conditions = " or ".join((*((self.also,) if self.also else ()), *wanted))
        return f"{self.name} | where {conditions} | project {self.columns} | order by id asc"


def _of_type(name: str) -> Callable[[Raw], bool]:
    return lambda row: isinstance(row, dict) and str(row.get("type")).casefold() == name


def _route(collector: Collector[Any], name: str) -> Route:
    return Route(collector, f"type =~ '{name}'", _of_type(name))


def _is_resource_group(row: Raw) -> bool:
    """Resource Manager's own list says `Microsoft.Resources/resourceGroups`."""
    return isinstance(row, dict) and str(row.get("type")).casefold().endswith("/resourcegroups")


RESOURCES = Table(
    "resources",
    "id, name, type, location, tags, identity, properties, subscriptionId, resourceGroup",
    (
        _route(VAULTS, "microsoft.keyvault/vaults"),
        _route(MANAGED_HSMS, "microsoft.keyvault/managedhsms"),
        _route(USER_ASSIGNED_IDENTITIES, "microsoft.managedidentity/userassignedidentities"),
        Route(RESOURCE_IDENTITIES, "isnotnull(identity)", has_identity),
    ),
)

CONTAINERS = Table(
    "resourcecontainers",
    "id, name, type, location, managedBy, tenantId, properties, subscriptionId",
    (Route(RESOURCE_GROUPS, f"type =~ '{SUBSCRIPTION_TYPE}/resourcegroups'", _is_resource_group),),
    also=f"type =~ '{SUBSCRIPTION_TYPE}'",  # they tell the management groups above them
)

ASSIGNMENTS = Table(
    "authorizationresources",
    "id, name, type, properties, subscriptionId",
    (_route(ROLE_ASSIGNMENTS, "microsoft.authorization/roleassignments"),),
)

DEFINITION_TYPE = "microsoft.managedservices/registrationdefinitions"

DELEGATED = Table(
    "managedserviceresources",
    "id, name, type, properties, subscriptionId",
    (_route(DELEGATIONS, "microsoft.managedservices/registrationassignments"),),
    also=f"type =~ '{DEFINITION_TYPE}'",  # an assignment names its definition, which says who gets what
)

TABLES = (CONTAINERS, RESOURCES, ASSIGNMENTS, DELEGATED)

is_definition = _of_type(DEFINITION_TYPE)
"""Whether a row is what a Lighthouse delegation gives."""

is_subscription = _of_type(SUBSCRIPTION_TYPE)
"""Whether a row is a subscription."""


def subscription_of_row(row: Raw) -> str | None:
    """The folded scope of the subscription that a row lies in, or None above subscriptions."""
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        return None
    identifier = row.get("subscriptionId")
    if isinstance(identifier, str) and identifier.strip():
        return f"/subscriptions/{identifier.strip().casefold()}"
    parts = row["id"].casefold().split("/")
    return "/".join(parts[:3]) if parts[1:2] == ["subscriptions"] and len(parts) > 2 and parts[2] else None
