"""Role assignments, inherited ones and those below the listing's scope included."""

from collections.abc import Mapping
from sys import intern
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.authorization import RoleAssignment, role_guid


def parse(raw: Raw, scope: str) -> RoleAssignment:
    """A role assignment. `principalType` is absent in old answers; `condition` in those without one."""
    item = payload.mapping(raw, "role assignment")
    properties = payload.mapping(item.get("properties"), "properties")
    return RoleAssignment(
        id=payload.text(item, "id"),
        scope=scope_of(properties),
        role=role_of(properties),
        principal_id=principal_of(properties),
        principal_type=payload.optional_text(properties, "principalType"),
        condition=payload.optional_text(properties, "condition"),
        description=payload.shown_text(properties, "description"),
        created_on=payload.shown_text(properties, "createdOn"),
        delegated_managed_identity_resource_id=payload.optional_text(properties, "delegatedManagedIdentityResourceId"),
        listed_from=payload.listed_from(scope),
    )


def scope_of(properties: Mapping[str, Any]) -> str:
    """The folded scope."""
    return intern(scopes.fold(payload.text(properties, "scope")))


def role_of(properties: Mapping[str, Any]) -> str:
    """The folded GUID of the role."""
    return intern(role_guid(payload.text(properties, "roleDefinitionId")))


def principal_of(properties: Mapping[str, Any]) -> str:
    """The folded ID of the principal."""
    return intern(payload.text(properties, "principalId").strip().casefold())


ROLE_ASSIGNMENTS = Collector(
    kind="role_assignments",
    plane=Plane.ARM,
    # No filter: at, above and below the scope. `atScope()` would leave out what is below (facts azure.md 2.5).
    path="{scope}/providers/Microsoft.Authorization/roleAssignments",
    api_version="2022-04-01",
    requires=("Microsoft.Authorization/roleAssignments/read",),
    parse=parse,
)
