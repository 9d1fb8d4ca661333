"""Payloads of Microsoft Graph that `az rest` exported from a real tenant, served as they are: single items, or whole lists.

An item says what it is by `@odata.type`; in a list that does not, by the list's `@odata.context`.
"""

import re
from collections.abc import Iterator
from typing import Any

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.instants import moment_of

_STORES: dict[str, tuple[str, tuple[str, ...]]] = {
    "user": ("users", ()),
    "group": ("groups", ()),
    "servicePrincipal": ("service_principals", ()),
    "application": ("applications", ()),
    "device": ("devices", ()),
    "appRoleAssignment": ("app_role_assignments", ("principalId", "resourceId", "appRoleId")),
    "oAuth2PermissionGrant": ("oauth2_permission_grants", ("clientId", "resourceId")),
    "privilegedAccessGroupEligibilityScheduleInstance": (
        "group_eligibility_schedule_instances",
        ("groupId", "principalId"),
    ),
    "privilegedAccessGroupAssignmentScheduleInstance": (
        "group_assignment_schedule_instances",
        ("groupId", "principalId"),
    ),
    "unifiedRoleDefinition": ("directory_role_definitions", ()),
    "unifiedRoleAssignment": ("directory_role_assignments", ("principalId", "roleDefinitionId")),
    "unifiedRoleEligibilityScheduleInstance": (
        "directory_role_eligibility_schedule_instances",
        ("principalId", "roleDefinitionId"),
    ),
}
"""By type: the store, and the texts that an item needs beside its id."""

_TYPES = {f"#microsoft.graph.{name}".casefold(): name for name in _STORES}

_CONTEXTS = (
    (r"users", "user"),
    (r"groups", "group"),
    (r"servicePrincipals", "servicePrincipal"),
    (r"applications", "application"),
    (r"devices", "device"),
    (r"(servicePrincipals\(.*\)/)?appRole(Assignments|AssignedTo)", "appRoleAssignment"),
    (r"(servicePrincipals\(.*\)/)?oauth2PermissionGrants", "oAuth2PermissionGrant"),
    (
        r"identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        "privilegedAccessGroupEligibilityScheduleInstance",
    ),
    (
        r"identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
        "privilegedAccessGroupAssignmentScheduleInstance",
    ),
    (r"roleManagement/directory/roleDefinitions", "unifiedRoleDefinition"),
    (r"roleManagement/directory/roleAssignments", "unifiedRoleAssignment"),
    (r"roleManagement/directory/roleEligibilityScheduleInstances", "unifiedRoleEligibilityScheduleInstance"),
)
_CREDENTIALS = re.compile(r"applications\('([^']+)'\)/federatedIdentityCredentials", re.IGNORECASE)


def add_graph_payload(estate: Estate, raw: Raw, kind: str = "") -> Iterator[str]:
    """Adds a Graph object, or every item of a list of them; gives what is wrong with them.

    A group may hold its `members` and `owners`, an application its `owners` and `federatedIdentityCredentials`, as
    `$expand` gives them.

    Args:
        kind: type of the items of the list that this one is of, where the list says it.
    """
    if "id" not in raw and isinstance(raw.get("value"), list):
        yield from _add_list(estate, raw)
        return
    declared, identity = str(raw.get("@odata.type") or "").casefold(), raw.get("id")
    kind = _TYPES.get(declared, kind)
    if not kind or not isinstance(identity, str):
        yield f"a payload under graph: needs id and @odata.type, one of {', '.join(sorted(_TYPES))}"
        return
    store, needed = _STORES[kind]
    missing = [name for name in needed if not isinstance(raw.get(name), str)]
    if missing:
        yield f"a payload under graph: {kind} needs {', '.join(missing)}"
        return
    times = [name for name in ("startDateTime", "endDateTime") if not _is_time(raw.get(name))]
    if times:
        yield f"a payload under graph: {', '.join(times)} is no time"
        return
    getattr(estate, store)[fold(identity)] = raw
    _add_expanded(estate, raw, kind, fold(identity))


def _add_list(estate: Estate, raw: Raw) -> Iterator[str]:
    context = str(raw.get("@odata.context") or "").partition("#")[2]
    credentials = _CREDENTIALS.match(context)
    if credentials:
        found = [item for item in raw["value"] if isinstance(item, dict)]
        estate.federated_credentials.setdefault(fold(credentials[1]), []).extend(found)
        return
    # What `$select` chose follows in brackets: `users(id,displayName)`.
    named = re.sub(r"\([^()']*\)$", "", context)
    kind = next((kind for pattern, kind in _CONTEXTS if re.fullmatch(pattern, named, re.IGNORECASE)), "")
    for number, item in enumerate(raw["value"], start=1):
        problems = add_graph_payload(estate, item, kind) if isinstance(item, dict) else iter(("it is no mapping",))
        yield from (f"item {number} of value: {problem}" for problem in problems)


def _add_expanded(estate: Estate, raw: Raw, kind: str, key: str) -> None:
    if kind == "group":
        estate.members.setdefault(key, []).extend(_ids(raw.get("members")))
    if kind in {"group", "application", "servicePrincipal"} and raw.get("owners"):
        estate.owners.setdefault(key, []).extend(_ids(raw["owners"]))
    credentials = raw.get("federatedIdentityCredentials")
    if kind == "application" and isinstance(credentials, list):
        found = [item for item in credentials if isinstance(item, dict)]
        estate.federated_credentials.setdefault(key, []).extend(found)


def _is_time(value: Any) -> bool:
    try:
        return value is None or (isinstance(value, str) and moment_of(value) is not None)
    except ValueError:
        return False


def _ids(items: Any) -> list[str]:
    found = items if isinstance(items, list) else []
    return [fold(str(item["id"])) for item in found if isinstance(item, dict) and item.get("id")]
