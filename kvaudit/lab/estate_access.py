"""Access in an estate file: custom roles, role assignments, PIM instances and deny assignments, as raw payloads."""

import uuid
from typing import Any

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.estate_names import Names
from kvaudit.lab.estate_yaml import Mistakes, Table

_NAMESPACE = uuid.UUID("00000000-0000-0000-0000-00000000c0de")
_BLOCK = {
    "actions": "actions",
    "not_actions": "notActions",
    "data_actions": "dataActions",
    "not_data_actions": "notDataActions",
}


def compile_access(document: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    """Adds roles, assignments, eligible and active instances and denies of the document to the estate."""
    for item in document.get("roles") or ():
        _role(item, estate, names)
    for item in document.get("assignments") or ():
        _assignment(item, estate, mistakes, names)
    for section in ("eligible", "active"):
        for item in document.get(section) or ():
            _instance(item, estate, mistakes, names, eligible=section == "eligible")
    for item in document.get("denies") or ():
        _deny(item, estate, names)


def _role(item: Table, estate: Estate, names: Names) -> None:
    guid = str(item.get("id") or uuid.uuid5(_NAMESPACE, f"role/{item['name']}")).casefold()
    names.add("role", str(item["name"]), guid, item.place)
    scopes = []
    for index, _ in enumerate(item.get("assignable_scopes") or ()):
        holder = Table(item.place)
        holder["scope"] = item["assignable_scopes"][index]
        holder.places["scope"] = item.where("assignable_scopes")
        scopes.append(names.scope(holder))
    estate.role_definitions[guid] = {
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
        "properties": {
            "roleName": item["name"],
            "type": "CustomRole",
            "description": item.get("description") or "",
            "assignableScopes": scopes or ["/"],
            "permissions": [_block(block) for block in item["permissions"]],
        },
    }


def _block(block: Table) -> Raw:
    raw: Raw = {azure: list(block.get(ours) or []) for ours, azure in _BLOCK.items()}
    if block.get("condition"):
        raw |= {"condition": block["condition"], "conditionVersion": "2.0"}
    return raw


def _common(item: Table, estate: Estate, names: Names) -> Raw | None:
    """Scope, role and principal of an entry, or None where one of them is a mistake."""
    scope, role, principal = names.scope(item), names.role(item), names.principal(item, "principal")
    if scope is None or role is None or principal is None:
        return None
    return {
        "roleDefinitionId": f"{_subscription_part(scope)}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": principal,
        "principalType": item.get("type") or _principal_type(estate, principal),
        "scope": scope,
        "condition": item.get("condition"),
        "conditionVersion": "2.0" if item.get("condition") else None,
    }


def _subscription_part(scope: str) -> str:
    return "/".join(scope.split("/")[:3]) if scope.startswith("/subscriptions/") else ""


def _principal_type(estate: Estate, principal: str) -> str:
    if principal in estate.groups:
        return "Group"
    if principal in estate.service_principals:
        return "ServicePrincipal"
    deleted = str(estate.deleted_directory_objects.get(principal, {}).get("@odata.type", "")).casefold()
    return {"#microsoft.graph.serviceprincipal": "ServicePrincipal", "#microsoft.graph.group": "Group"}.get(
        deleted, "User"
    )


def _name(kind: str, properties: Raw, item: Table) -> str:
    seed = f"{kind}/{properties['scope']}/{properties['roleDefinitionId']}/{properties['principalId']}/{item.get('condition')}"
    return str(item.get("id") or uuid.uuid5(_NAMESPACE, seed.casefold()))


def _identity(scope: str, collection: str, name: str) -> str:
    return f"{'' if scope == '/' else scope.rstrip('/')}/providers/Microsoft.Authorization/{collection}/{name}"


def _assignment(item: Table, estate: Estate, mistakes: Mistakes, names: Names) -> Raw | None:
    properties = _common(item, estate, names)
    if properties is None:
        return None
    name = _name("assignment", properties, item)
    identity = _identity(properties["scope"], "roleAssignments", name)
    properties |= {
        "description": item.get("description"),
        "createdOn": item.get("created") or "2026-03-02T09:00:00.0000000Z",
        "updatedOn": item.get("created") or "2026-03-02T09:00:00.0000000Z",
        "createdBy": "",
        "updatedBy": "",
        "delegatedManagedIdentityResourceId": item.get("delegated_managed_identity"),
    }
    raw = {"properties": properties, "id": identity, "type": "Microsoft.Authorization/roleAssignments", "name": name}
    if fold(identity) in estate.role_assignments:
        mistakes.add(item.place, "this assignment stands here a second time")
    estate.role_assignments[fold(identity)] = raw
    return raw


def _instance(item: Table, estate: Estate, mistakes: Mistakes, names: Names, *, eligible: bool) -> None:
    """An eligible instance, or an active one, which shows as a role assignment too."""
    properties = _common(item, estate, names)
    if properties is None:
        return
    name = _name("eligible" if eligible else "active", properties, item)
    collection = "roleEligibilityScheduleInstances" if eligible else "roleAssignmentScheduleInstances"
    properties |= {
        "status": "Provisioned",
        "memberType": "Direct",
        "startDateTime": item.get("start") or "2026-01-05T08:00:00Z",
        "endDateTime": item.get("end"),
    }
    if not eligible:
        shown = _assignment(item, estate, mistakes, names)
        properties |= {
            "assignmentType": item.get("assignment_type") or "Assigned",
            "originRoleAssignmentId": shown["id"] if shown else None,
        }
    identity = _identity(properties["scope"], collection, name)
    store = estate.role_eligibility_schedule_instances if eligible else estate.role_assignment_schedule_instances
    store[fold(identity)] = {
        "properties": properties,
        "id": identity,
        "type": f"Microsoft.Authorization/{collection}",
        "name": name,
    }


def _deny(item: Table, estate: Estate, names: Names) -> None:
    scope = names.scope(item)
    if scope is None:
        return
    name = str(item.get("id") or uuid.uuid5(_NAMESPACE, f"deny/{scope}/{item.get('name')}"))
    identity = _identity(scope, "denyAssignments", name)
    estate.deny_assignments[fold(identity)] = {
        "properties": {
            "denyAssignmentName": item.get("name") or name,
            "description": item.get("description") or "",
            "permissions": [_block(block) for block in item["permissions"]],
            "scope": scope,
            "doNotApplyToChildScopes": bool(item.get("only_this_scope")),
            "principals": _principals(item, "principals", estate, names),
            "excludePrincipals": _principals(item, "exclude", estate, names),
            "isSystemProtected": bool(item.get("system")),
            "condition": item.get("condition"),
            "conditionVersion": "2.0" if item.get("condition") else None,
            "denyAssignmentEffect": item.get("effect") or "enforced",
        },
        "id": identity,
        "type": "Microsoft.Authorization/denyAssignments",
        "name": name,
    }


def _principals(item: Table, key: str, estate: Estate, names: Names) -> list[dict[str, Any]]:
    found = []
    for index, value in enumerate(item.get(key) or ()):
        if value == "everyone":
            found.append({"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"})
            continue
        identity = names.principal(item, key, index)
        if identity is not None:
            found.append({"id": identity, "type": _principal_type(estate, identity)})
    return found
