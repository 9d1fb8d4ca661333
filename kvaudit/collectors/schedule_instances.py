"""PIM schedule instances: who is eligible for a role, and who holds one for a time."""

from sys import intern

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.authorization import ScheduleInstance, role_guid

_API_VERSION = "2020-10-01"


def parse_eligible(raw: Raw, scope: str) -> ScheduleInstance:
    """An eligible assignment, from roleEligibilityScheduleInstances."""
    return _parse(raw, scope, eligible=True)


def parse_active(raw: Raw, scope: str) -> ScheduleInstance:
    """An active assignment (`Assigned` or `Activated`), from roleAssignmentScheduleInstances."""
    return _parse(raw, scope, eligible=False)


def _parse(raw: Raw, scope: str, *, eligible: bool) -> ScheduleInstance:
    item = payload.mapping(raw, "schedule instance")
    properties = payload.mapping(item.get("properties"), "properties")
    return ScheduleInstance(
        id=payload.text(item, "id"),
        scope=intern(scopes.fold(payload.text(properties, "scope"))),
        role=intern(role_guid(payload.text(properties, "roleDefinitionId"))),
        principal_id=intern(payload.text(properties, "principalId").strip().casefold()),
        eligible=eligible,
        principal_type=payload.optional_text(properties, "principalType"),
        assignment_type=None if eligible else payload.optional_text(properties, "assignmentType"),
        member_type=payload.optional_text(properties, "memberType"),
        origin_role_assignment_id=None if eligible else payload.optional_text(properties, "originRoleAssignmentId"),
        condition=payload.optional_text(properties, "condition"),
        start=payload.optional_text(properties, "startDateTime"),
        end=payload.optional_text(properties, "endDateTime"),
        listed_from=payload.listed_from(scope),
    )


ROLE_ELIGIBILITY_SCHEDULE_INSTANCES = Collector(
    kind="role_eligibility_schedule_instances",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances",
    api_version=_API_VERSION,
    requires=("Microsoft.Authorization/roleEligibilityScheduleInstances/read",),
    parse=parse_eligible,
)

ROLE_ASSIGNMENT_SCHEDULE_INSTANCES = Collector(
    kind="role_assignment_schedule_instances",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleInstances",
    api_version=_API_VERSION,
    requires=("Microsoft.Authorization/roleAssignmentScheduleInstances/read",),
    parse=parse_active,
)
