"""What the lab's Graph answers about privileges: PIM for Groups, and Entra roles with who is eligible for them.

Behind these routes stands the service of PIM, which has refusals of its own: its error travels as text inside the
message of an `UnknownError` (public reports: EasyPIM 37, microsoft-graph-docs-contrib 17), and a tenant without the
licence gets a 400 (maester 1421).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from kvaudit.lab.estate import fold
from kvaudit.lab.graph_answers import GraphCall, answer_page, bad_request, graph_error, refused
from kvaudit.lab.graph_permissions import (
    GROUP_ELIGIBILITY_READERS,
    GROUP_SCHEDULE_READERS,
    ROLE_ELIGIBILITY_READERS,
    ROLE_READERS,
    ROLE_SCHEDULE_READERS,
)
from kvaudit.lab.graph_reads import Handler
from kvaudit.lab.http import Response
from kvaudit.lab.instants import runs

Raw = Mapping[str, Any]

LICENSE_CODE = "AadPremiumLicenseRequired"
LICENSE_MESSAGE = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."

_GROUP_PATH = "identityGovernance/privilegedAccess/group"
_ROLE_PATH = "roleManagement/directory"


def _refuse_pim(call: GraphCall, readers: tuple[str, ...]) -> Response | None:
    """The refusals of PIM: without one of its permissions, and in a tenant without the licence."""
    if not call.directory.allows(frozenset(readers)):
        missing = f"Authorization failed due to missing permission scope {','.join(readers)}."
        inner = {"errorCode": "PermissionScopeNotGranted", "message": missing, "instanceAnnotations": []}
        return graph_error(call.world, 403, "UnknownError", orjson.dumps(inner).decode())
    if not call.world.estate.premium:
        return graph_error(call.world, 400, LICENSE_CODE, LICENSE_MESSAGE)
    return None


def _running(call: GraphCall, store: Mapping[str, Raw]) -> list[Raw]:
    """The instances of a store that have begun and not ended; PIM knows the home tenant only."""
    caller = call.request.caller
    if caller is None or caller.tenant_id.casefold() != call.world.estate.home_tenant.casefold():
        return []
    now = call.world.now()
    return [raw for raw in store.values() if runs(raw.get("startDateTime"), raw.get("endDateTime"), now)]


def group_instances(call: GraphCall, kind: str) -> Response:
    """GET …/privilegedAccess/group/eligibilityScheduleInstances and …/assignmentScheduleInstances.

    The call needs a filter by group or principal. Its page says so; the text of the refusal was not found, and reports
    differ between an error and nothing: an error, which nobody takes for an empty group.
    """
    eligible = kind.casefold().startswith("eligibility")
    refusal = _refuse_pim(call, GROUP_ELIGIBILITY_READERS if eligible else GROUP_SCHEDULE_READERS)
    if refusal is not None:
        return refusal
    if not re.search(r"\b(groupId|principalId)\s+eq\s", call.request.query.get("$filter", "")):
        return bad_request(call.world, "A filter by groupId or principalId is required.", "BadRequest")
    estate = call.world.estate
    store = estate.group_eligibility_schedule_instances if eligible else estate.group_assignment_schedule_instances
    return answer_page(call, f"{_GROUP_PATH}/{kind}", _running(call, store))


def role_assignments(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleAssignments, with `$expand=roleDefinition` or `principal`."""
    if not call.directory.allows(ROLE_READERS):
        return refused(call.world)
    found = _expanded(call, _running(call, call.world.estate.directory_role_assignments))
    return answer_page(call, f"{_ROLE_PATH}/roleAssignments", found)


def role_definitions(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleDefinitions."""
    if not call.directory.allows(ROLE_READERS):
        return refused(call.world)
    definitions = list(call.world.estate.directory_role_definitions.values())
    return answer_page(call, f"{_ROLE_PATH}/roleDefinitions", definitions)


def role_eligibility(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleEligibilityScheduleInstances."""
    refusal = _refuse_pim(call, ROLE_ELIGIBILITY_READERS)
    if refusal is not None:
        return refusal
    found = _expanded(call, _running(call, call.world.estate.directory_role_eligibility_schedule_instances))
    return answer_page(call, f"{_ROLE_PATH}/roleEligibilityScheduleInstances", found)


def role_schedules(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleAssignmentScheduleInstances: the assignments as PIM shows them."""
    refusal = _refuse_pim(call, ROLE_SCHEDULE_READERS)
    if refusal is not None:
        return refusal
    found = [
        {"startDateTime": None, "endDateTime": None, "assignmentType": "Assigned", "memberType": "Direct"}
        | dict(raw)
        | {"roleAssignmentOriginId": raw["id"]}
        for raw in _running(call, call.world.estate.directory_role_assignments)
    ]
    return answer_page(call, f"{_ROLE_PATH}/roleAssignmentScheduleInstances", _expanded(call, found))


def _expanded(call: GraphCall, items: Iterable[Raw]) -> list[Raw]:
    wanted = {name.partition("(")[0].strip() for name in call.request.query.get("$expand", "").split(",")}
    return [_with_relations(call, raw, wanted) for raw in items]


def _with_relations(call: GraphCall, raw: Raw, wanted: set[str]) -> Raw:
    shown = dict(raw)
    if "roleDefinition" in wanted:
        shown["roleDefinition"] = call.world.estate.directory_role_definitions.get(fold(str(raw["roleDefinitionId"])))
    if "principal" in wanted:
        found = call.directory.find(str(raw["principalId"]))
        shown["principal"] = None if found is None else call.directory.shown(*found)
    return shown


ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    ("GET", re.compile(pattern, re.IGNORECASE), handler)
    for pattern, handler in (
        (rf"/{_GROUP_PATH}/(eligibilityScheduleInstances|assignmentScheduleInstances)", group_instances),
        (rf"/{_ROLE_PATH}/roleAssignments", role_assignments),
        (rf"/{_ROLE_PATH}/roleDefinitions", role_definitions),
        (rf"/{_ROLE_PATH}/roleEligibilityScheduleInstances", role_eligibility),
        (rf"/{_ROLE_PATH}/roleAssignmentScheduleInstances", role_schedules),
    )
)
