"""What watches over scopes in an estate file: Lighthouse delegations, locks, Defender plans, classic administrators."""

import uuid

from kvaudit.lab.arm_governance import plan
from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.estate_names import Names
from kvaudit.lab.estate_yaml import Mistakes, Table

_NAMESPACE = uuid.UUID("00000000-0000-0000-0000-00000000c0de")


def compile_governance(document: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    """Adds delegations, locks, plans and classic administrators of the document to the estate."""
    for item in document.get("delegations") or ():
        _delegation(item, estate, mistakes, names)
    for item in document.get("locks") or ():
        _lock(item, estate, mistakes, names)
    for item in document.get("subscriptions") or ():
        subscription = fold(str(item["id"]))
        if "defender" in item:
            estate.pricings[subscription] = [plan(subscription, str(name), "Standard") for name in item["defender"]]
        if "classic_administrators" in item:
            administrators = [_administrator(entry, subscription) for entry in item["classic_administrators"]]
            estate.classic_administrators[subscription] = administrators


def _administrator(entry: Table, subscription: str) -> Raw:
    name = str(uuid.uuid5(_NAMESPACE, f"classic/{subscription}/{entry['email']}"))
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Authorization/classicAdministrators/{name}",
        "name": name,
        "type": "Microsoft.Authorization/classicAdministrators",
        "properties": {"emailAddress": entry["email"], "role": entry.get("role") or "CoAdministrator"},
    }


def _lock(item: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    scope = names.scope(item)
    if scope is None:
        return
    identity = f"{'' if scope == '/' else scope}/providers/Microsoft.Authorization/locks/{item['name']}"
    if fold(identity) in estate.locks:
        mistakes.add(item.place, f"the lock {item['name']!r} stands here a second time")
    properties: Raw = {"level": item.get("level") or "CanNotDelete"}
    if item.get("notes"):
        properties["notes"] = item["notes"]
    estate.locks[fold(identity)] = {
        "id": identity,
        "name": item["name"],
        "type": "Microsoft.Authorization/locks",
        "properties": properties,
    }


def _delegation(item: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    scope, tenant = names.scope(item), names.tenant(item)
    lines: dict[bool, list[Raw]] = {False: [], True: []}
    for entry in item["authorizations"]:
        line = _authorization(entry, names)
        if line is not None:
            lines[bool(entry.get("eligible"))].append(line)
    if scope is None or tenant is None:
        return
    if not scope.startswith("/subscriptions/") or len(scope.split("/")) > 5:
        mistakes.add(item.where("scope"), "a subscription or a resource group is delegated, nothing else")
        return
    base = f"{scope}/providers/Microsoft.ManagedServices"
    name = str(uuid.uuid5(_NAMESPACE, f"delegation/{scope}/{item['name']}".casefold()))
    definition = {
        "id": f"{base}/registrationDefinitions/{name}",
        "name": name,
        "type": "Microsoft.ManagedServices/registrationDefinitions",
        "properties": {
            "registrationDefinitionName": item["name"],
            "description": item["name"],
            "managedByTenantId": tenant,
            "managedByTenantName": estate.tenants.get(tenant, {}).get("displayName"),
            "manageeTenantId": estate.home_tenant,
            "authorizations": lines[False],
            "eligibleAuthorizations": lines[True],
            "provisioningState": "Succeeded",
        },
    }
    identity = f"{base}/registrationAssignments/{name}"
    estate.delegations[fold(identity)] = {
        "id": identity,
        "name": name,
        "type": "Microsoft.ManagedServices/registrationAssignments",
        "properties": {
            "registrationDefinitionId": definition["id"],
            "provisioningState": "Succeeded",
            "registrationDefinition": definition,
        },
    }
    subscription = estate.subscriptions.get(fold(scope.split("/")[2]))
    if subscription is not None:
        subscription.setdefault("managedByTenants", []).append({"tenantId": tenant})


def _authorization(entry: Table, names: Names) -> Raw | None:
    principal, role = names.principal(entry, "principal"), names.role(entry)
    assignable = [
        names.role(entry, "delegated_roles", index) for index in range(len(entry.get("delegated_roles") or ()))
    ]
    if principal is None or role is None:
        return None
    line: Raw = {"principalId": principal, "roleDefinitionId": role}
    line["principalIdDisplayName"] = entry.get("name") or entry["principal"]
    if assignable:
        line["delegatedRoleDefinitionIds"] = [found for found in assignable if found]
    if entry.get("eligible"):
        policy = {"multiFactorAuthProvider": "Azure", "maximumActivationDuration": "PT8H"}
        line["justInTimeAccessPolicy"] = policy
    return line
