"""PIM for Groups: who is eligible for membership or ownership of a group, and who has it for a time (Graph v1.0)."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model.identities import GroupScheduleInstance

_PATH = "/v1.0/identityGovernance/privilegedAccess/group/"
_FILTER = {"$filter": "groupId eq '{id}'"}  # Graph wants it: without a group or principal it answers 400


def parse_eligible(raw: Raw, scope: str) -> GroupScheduleInstance:
    """One of eligibilityScheduleInstances."""
    return _parse(raw, scope, eligible=True)


def parse_active(raw: Raw, scope: str) -> GroupScheduleInstance:
    """One of assignmentScheduleInstances."""
    return _parse(raw, scope, eligible=False)


def _parse(raw: Raw, scope: str, *, eligible: bool) -> GroupScheduleInstance:
    item = payload.mapping(raw, "schedule instance")
    return GroupScheduleInstance(
        id=payload.text(item, "id"),
        group=payload.optional_identifier(item, "groupId") or payload.scope_id(scope, "groups"),
        principal_id=payload.identifier(item, "principalId"),
        access=payload.text(item, "accessId").strip().casefold(),
        eligible=eligible,
        member_type=payload.shown_text(item, "memberType"),
        start=payload.optional_text(item, "startDateTime"),
        end=payload.optional_text(item, "endDateTime"),
    )


GROUP_ELIGIBILITY_SCHEDULE_INSTANCES = Collector(
    kind="group_eligibility_schedule_instances",
    plane=Plane.GRAPH,
    path=_PATH + "eligibilityScheduleInstances",
    query=_FILTER,
    requires=("PrivilegedEligibilitySchedule.Read.AzureADGroup",),
    parse=parse_eligible,
    feature=Feature.IDENTITIES,
)

GROUP_ASSIGNMENT_SCHEDULE_INSTANCES = Collector(
    kind="group_assignment_schedule_instances",
    plane=Plane.GRAPH,
    path=_PATH + "assignmentScheduleInstances",
    query=_FILTER,
    requires=("PrivilegedAssignmentSchedule.Read.AzureADGroup",),
    parse=parse_active,
    feature=Feature.IDENTITIES,
)
