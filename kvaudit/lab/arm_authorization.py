"""Microsoft.Authorization: role assignments, role definitions, deny assignments, the caller's permissions, PIM instances."""

import copy
import re
from collections.abc import Iterator

from kvaudit.lab.arm_answers import everything, forbid, page
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.graph_privileges import LICENSE_CODE, LICENSE_MESSAGE
from kvaudit.lab.http import Caller, Request, Response, arm_error
from kvaudit.lab.records import ByScope, by_scope, is_running, scopes_over, standing_grants
from kvaudit.lab.world import World

_FILTER = re.compile(
    r"(atscopeandbelow|atscope|astarget)\(\)|assignedto\('([^']*)'\)|(\w+) eq '([^']*)'", re.IGNORECASE
)
_FIRST_WITH_BLOCK_CONDITIONS = "2022-05-01"
_FIRST_WITH_EFFECT = "2024-07-01"


def _caller(request: Request) -> Caller:
    if request.caller is None:
        raise ValueError("the token is checked before the route")
    return request.caller


def _scopes(world: World, index: ByScope, scope: str, text: str) -> Iterator[str]:
    """Scopes of records that a listing at a scope shows: at and above it, and below unless `atScope()` stops there.

    `principalId eq` reaches below too, `assignedTo()` does not say otherwise (azure.md 2.5).
    """
    words = text.casefold()
    if "atscopeandbelow()" not in words:
        yield from (above for above in scopes_over(world, scope) if above in index.at)
    elif scope in index.at:
        yield scope
    if "atscope()" in words:
        return
    if scope.startswith("/providers/microsoft.management/"):
        for at in index.scopes:
            if at != scope and scope in scopes_over(world, at):
                yield at
    else:
        yield from index.below(scope)


def _listing(world: World, request: Request, scope: str, name: str, store: dict[str, Raw]) -> list[str] | Response:
    """Folded ids of the records of a store that a listing at a scope shows, narrowed by `$filter`, sorted."""
    text = request.query.get("$filter", "")
    conditions = list(_FILTER.finditer(text))
    if re.sub(r"\band\b|\s", "", _FILTER.sub("", text), flags=re.IGNORECASE):
        message = f"The filter '{text}' is not supported. Supported filters are either 'atScope()' or 'principalId eq '{{value}}' or assignedTo('{{value}}')'."
        return arm_error(400, "UnsupportedQuery", message)
    ids = _wanted_principals(world, conditions, _caller(request))
    index = by_scope(world, name, store)
    found = [key for at in _scopes(world, index, fold(scope or "/"), text) for key in index.at[at]]
    return sorted(key for key in found if ids is None or _principals(store[key]) & ids)


def _principals(item: Raw) -> set[str]:
    properties = item["properties"]
    named = {fold(entry["id"]) for entry in properties.get("principals") or []}
    return named | ({fold(properties["principalId"])} if properties.get("principalId") else set())


def _wanted_principals(world: World, conditions: list[re.Match[str]], caller: Caller) -> set[str] | None:
    for match in conditions:
        if match.group(2) is not None:
            return {fold(match.group(2)), *world.groups_of(match.group(2))}
        if (match.group(1) or "").casefold() == "astarget":
            return {fold(caller.object_id), *(fold(group) for group in caller.groups)}
        if (match.group(3) or "").casefold() == "principalid":
            return {fold(match.group(4))}
    return None


def role_assignments(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/.../roleAssignments`."""
    refusal = forbid(world, request, "Microsoft.Authorization/roleAssignments/read", scope or "/")
    if refusal is not None:
        return refusal
    found = _listing(world, request, scope, "assignments", world.estate.role_assignments)
    if isinstance(found, Response):
        return found
    standing = (
        {grant.key for grant in standing_grants(world)} if world.estate.role_assignment_schedule_instances else None
    )
    return page(
        world,
        request,
        [world.estate.role_assignments[key] for key in found if standing is None or key in standing],
    )


def role_assignment(world: World, request: Request, scope: str, name: str) -> Response:
    """`GET {scope}/.../roleAssignments/{name}`."""
    refusal = forbid(world, request, "Microsoft.Authorization/roleAssignments/read", scope or "/")
    raw = world.estate.role_assignments.get(fold(request.path))
    if refusal is not None:
        return refusal
    return (
        Response(200, raw)
        if raw
        else arm_error(404, "RoleAssignmentNotFound", f"The role assignment '{name}' is not found.")
    )


def create_role_assignment(world: World, request: Request, scope: str, name: str) -> Response:
    """`PUT {scope}/.../roleAssignments/{name}`: takes effect after the world's propagation delay."""
    properties = (request.json() or {}).get("properties") or {}
    role = fold(str(properties.get("roleDefinitionId", ""))).rsplit("/", 1)[-1]
    principal = fold(str(properties.get("principalId", "")))
    kind = _principal_type(world, principal)
    attributes = {
        "@request[microsoft.authorization/roleassignments:roledefinitionid]": role,
        "@request[microsoft.authorization/roleassignments:principalid]": principal,
        "@request[microsoft.authorization/roleassignments:principaltype]": str(
            properties.get("principalType") or kind or ""
        ),
    }
    refusal = forbid(world, request, "Microsoft.Authorization/roleAssignments/write", scope or "/", attributes)
    if refusal is not None:
        return refusal
    if role not in world.estate.role_definitions:
        return arm_error(
            400, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{role}' does not exist."
        )
    if kind is None:
        message = f"Principal {principal} does not exist in the directory {_caller(request).tenant_id}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group."
        return arm_error(400, "PrincipalNotFound", message)
    taken = _taken(world, request, fold(scope or "/"), principal, role)
    if taken is not None:
        return taken
    now = world.now().isoformat()
    raw = {
        "properties": {
            **properties,
            "scope": scope or "/",
            "principalType": properties.get("principalType") or kind,
            "createdOn": now,
            "updatedOn": now,
            "createdBy": _caller(request).object_id,
        },
        "id": request.path,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": name,
    }
    known = fold(request.path) in world.estate.role_assignments
    world.estate.role_assignments[fold(request.path)] = raw
    if world.propagation and not known:
        world.effective_from[fold(request.path)] = world.now() + world.propagation
    world.changed()
    return Response(200 if known else 201, raw)


def _taken(world: World, request: Request, scope: str, principal: str, role: str) -> Response | None:
    """409 when another assignment says the same, 400 when this one exists and says something else."""
    for grant in standing_grants(world, [principal]):
        if grant.key not in {None, fold(request.path)} and (grant.scope, grant.role) == (scope, role):
            message = f"The role assignment already exists. The ID of the conflicting role assignment is {grant.raw['name'].replace('-', '')}."
            return arm_error(409, "RoleAssignmentExists", message)
    old = (world.estate.role_assignments.get(fold(request.path)) or {}).get("properties")
    if old and (fold(old["principalId"]), fold(old["roleDefinitionId"]).rsplit("/", 1)[-1]) != (principal, role):
        message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        return arm_error(400, "RoleAssignmentUpdateNotPermitted", message)
    return None


def _principal_type(world: World, principal: str) -> str | None:
    estate = world.estate
    for kind, store in (
        ("User", estate.users),
        ("Group", estate.groups),
        ("ServicePrincipal", estate.service_principals),
        ("Device", estate.devices),
    ):
        if principal in store:
            return kind
    return None


def delete_role_assignment(world: World, request: Request, scope: str, name: str) -> Response:  # noqa: ARG001
    """`DELETE {scope}/.../roleAssignments/{name}`: lingers for the world's propagation delay."""
    raw = world.estate.role_assignments.get(fold(request.path))
    old = (raw or {}).get("properties") or {}
    attributes = {
        "@resource[microsoft.authorization/roleassignments:roledefinitionid]": fold(
            old.get("roleDefinitionId", "")
        ).rsplit("/", 1)[-1],
        "@resource[microsoft.authorization/roleassignments:principalid]": fold(old.get("principalId", "")),
        "@resource[microsoft.authorization/roleassignments:principaltype]": str(old.get("principalType") or ""),
    }
    refusal = forbid(world, request, "Microsoft.Authorization/roleAssignments/delete", scope or "/", attributes)
    if refusal is not None:
        return refusal
    if raw is None:
        return Response(204)
    forget_assignment(world, fold(request.path))
    if world.propagation:
        world.lingering.append((raw, world.now() + world.propagation))
    world.changed()
    return Response(200, raw)


def forget_assignment(world: World, key: str) -> None:
    """Takes an assignment out of the store, with the schedule instances that it stood for."""
    del world.estate.role_assignments[key]
    instances = world.estate.role_assignment_schedule_instances
    for name, raw in list(instances.items()):
        if fold(str(raw["properties"].get("originRoleAssignmentId") or "/")) == key:
            del instances[name]


def _assignable(world: World, definition: Raw, scope: str, *, below: bool) -> bool:
    over = set(scopes_over(world, scope))
    for text in definition["properties"].get("assignableScopes") or ["/"]:
        at = fold(text)
        if at in over or (below and at.startswith(scope.rstrip("/") + "/")):
            return True
    return False


def role_definitions(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/.../roleDefinitions`: built-in ones and the custom ones that are assignable at the scope or above.

    Those below it come with `atScopeAndBelow()`; at the tenant's own scope all of them do
    (learn.microsoft.com/azure/role-based-access-control/custom-roles-rest).
    """
    refusal = forbid(world, request, "Microsoft.Authorization/roleDefinitions/read", scope or "/")
    if refusal is not None:
        return refusal
    text = request.query.get("$filter", "")
    wanted = {
        match.group(3).casefold(): match.group(4).casefold() for match in _FILTER.finditer(text) if match.group(3)
    }
    below = "atscopeandbelow()" in text.casefold() or not scope.strip("/")
    found = []
    for raw in world.estate.role_definitions.values():
        properties = raw["properties"]
        if "type" in wanted and str(properties.get("type", "")).casefold() != wanted["type"]:
            continue
        if "rolename" in wanted and str(properties.get("roleName", "")).casefold() != wanted["rolename"]:
            continue
        if _assignable(world, raw, fold(scope or "/"), below=below):
            found.append(_definition(raw, request))
    return everything(found)


def role_definition(world: World, request: Request, scope: str, name: str) -> Response:
    """`GET {scope}/.../roleDefinitions/{guid}`."""
    refusal = forbid(world, request, "Microsoft.Authorization/roleDefinitions/read", scope or "/")
    raw = world.estate.role_definitions.get(fold(name))
    if refusal is not None:
        return refusal
    if raw is None:
        return arm_error(
            404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{name}' does not exist."
        )
    return Response(200, _definition(raw, request))


def _definition(raw: Raw, request: Request) -> Raw:
    """As the api-version shows it: versions before 2022-05-01-preview drop the conditions of permission blocks."""
    if (request.api_version or "") >= _FIRST_WITH_BLOCK_CONDITIONS:
        return raw
    if not any("condition" in block for block in raw["properties"].get("permissions") or []):
        return raw
    shown = copy.deepcopy(raw)
    for block in shown["properties"]["permissions"]:
        block.pop("condition", None)
        block.pop("conditionVersion", None)
    return shown


def deny_assignments(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/.../denyAssignments`: versions before 2024-07-01-preview hide effect and conditions."""
    refusal = forbid(world, request, "Microsoft.Authorization/denyAssignments/read", scope or "/")
    if refusal is not None:
        return refusal
    found = _listing(world, request, scope, "denies", world.estate.deny_assignments)
    if isinstance(found, Response):
        return found
    return page(world, request, [_deny(world.estate.deny_assignments[key], request) for key in found])


def deny_assignment(world: World, request: Request, scope: str, name: str) -> Response:
    """`GET {scope}/.../denyAssignments/{name}`."""
    refusal = forbid(world, request, "Microsoft.Authorization/denyAssignments/read", scope or "/")
    raw = world.estate.deny_assignments.get(fold(request.path))
    if refusal is not None:
        return refusal
    if raw is None:
        return arm_error(404, "DenyAssignmentNotFound", f"The deny assignment with ID '{name}' is not found.")
    return Response(200, _deny(raw, request))


def _deny(raw: Raw, request: Request) -> Raw:
    """As the api-version shows it."""
    return _without_effect(raw) if (request.api_version or "") < _FIRST_WITH_EFFECT else raw


def _without_effect(raw: Raw) -> Raw:
    shown = copy.deepcopy(raw)
    for name in ("denyAssignmentEffect", "condition", "conditionVersion"):
        shown["properties"].pop(name, None)
    for block in shown["properties"].get("permissions") or []:
        block.pop("condition", None)
        block.pop("conditionVersion", None)
    return shown


def permissions(world: World, request: Request, scope: str) -> Response:
    """`GET {scope}/.../permissions`: the blocks of the caller's own roles there; nothing of denies or eligibility."""
    caller = _caller(request)
    ids = {fold(caller.object_id), *(fold(group) for group in caller.groups)}
    over = set(scopes_over(world, fold(scope or "/")))
    blocks: list[Raw] = []
    for grant in standing_grants(world, ids):
        role = world.estate.role_definitions.get(grant.role) if grant.scope in over else None
        blocks += (_definition(role, request)["properties"].get("permissions") or []) if role else []
    if not blocks:
        return forbid(world, request, "Microsoft.Authorization/permissions/read", scope or "/") or everything([])
    return everything(blocks)


def schedule_instances(world: World, request: Request, scope: str, kind: str) -> Response:
    """`GET {scope}/.../role(Eligibility|Assignment)ScheduleInstances`: those that have begun and not ended."""
    eligible = kind.casefold().startswith("roleeligibility")
    action = f"Microsoft.Authorization/{'roleEligibilityScheduleInstances' if eligible else 'roleAssignmentScheduleInstances'}/read"
    refusal = forbid(world, request, action, scope or "/")
    if refusal is None and not world.estate.premium:
        refusal = arm_error(400, LICENSE_CODE, LICENSE_MESSAGE)
    if refusal is not None:
        return refusal
    store = (
        world.estate.role_eligibility_schedule_instances
        if eligible
        else world.estate.role_assignment_schedule_instances
    )
    found = _listing(world, request, scope, "eligible" if eligible else "active", store)
    if isinstance(found, Response):
        return found
    return page(world, request, [store[key] for key in found if is_running(store[key], world.now())])
