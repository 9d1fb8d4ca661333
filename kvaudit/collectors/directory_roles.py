"""Entra directory roles that somebody holds or is eligible for, from Microsoft Graph v1.0.

`roleAssignments` holds the activated ones too and needs no licence, so it is asked and not the schedule of assignments.
"""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model.identities import DirectoryRoleAssignment

DIRECTORY_SCOPE = "directory"
"""The listing's scope: there is one for the tenant."""

_EXPAND = {"$expand": "roleDefinition"}


def parse_held(raw: Raw, scope: str) -> DirectoryRoleAssignment:  # noqa: ARG001 - every parser has this signature
    """One of roleAssignments."""
    return _parse(raw, eligible=False)


def parse_eligible(raw: Raw, scope: str) -> DirectoryRoleAssignment:  # noqa: ARG001 - every parser has this signature
    """One of roleEligibilityScheduleInstances."""
    return _parse(raw, eligible=True)


def _parse(raw: Raw, *, eligible: bool) -> DirectoryRoleAssignment:
    """The role's template ID is the same in every tenant; of a built-in role the definition's ID is the same."""
    item = payload.mapping(raw, "directory role assignment")
    role = payload.optional_mapping(item, "roleDefinition")
    place = payload.optional_text(item, "directoryScopeId") or payload.text(item, "appScopeId")
    return DirectoryRoleAssignment(
        id=payload.text(item, "id"),
        role_id=payload.optional_identifier(role, "templateId") or payload.identifier(item, "roleDefinitionId"),
        principal_id=payload.identifier(item, "principalId"),
        directory_scope=place,
        eligible=eligible,
        role_name=payload.shown_text(role, "displayName"),
        end=payload.optional_text(item, "endDateTime"),
    )


DIRECTORY_ROLE_ASSIGNMENTS = Collector(
    kind="directory_role_assignments",
    plane=Plane.GRAPH,
    path="/v1.0/roleManagement/directory/roleAssignments",
    query=_EXPAND,
    requires=("RoleManagement.Read.Directory",),
    parse=parse_held,
    feature=Feature.IDENTITIES,
)

DIRECTORY_ROLE_ELIGIBILITY_SCHEDULE_INSTANCES = Collector(
    kind="directory_role_eligibility_schedule_instances",
    plane=Plane.GRAPH,
    path="/v1.0/roleManagement/directory/roleEligibilityScheduleInstances",
    query=_EXPAND,
    requires=("RoleEligibilitySchedule.Read.Directory",),
    parse=parse_eligible,
    feature=Feature.IDENTITIES,
)
