"""Payloads that `az rest` exported from a real tenant, served as they are: single items, or whole lists (`value`)."""

import re
from collections.abc import Iterator
from typing import Any

from kvaudit.lab.estate import Estate, Raw, StoredObject, StoredVersion, fold

_STORES = {
    "microsoft.keyvault/vaults": "vaults",
    "microsoft.keyvault/deletedvaults": "deleted_vaults",
    "microsoft.authorization/roleassignments": "role_assignments",
    "microsoft.authorization/denyassignments": "deny_assignments",
    "microsoft.authorization/roleeligibilityscheduleinstances": "role_eligibility_schedule_instances",
    "microsoft.authorization/roleassignmentscheduleinstances": "role_assignment_schedule_instances",
    "microsoft.resources/resourcegroups": "resource_groups",
    "microsoft.authorization/locks": "locks",
    "microsoft.managedservices/registrationassignments": "delegations",
}
_NEEDED = {
    "microsoft.authorization/roleassignments": ("scope", "principalId", "roleDefinitionId"),
    "microsoft.authorization/roleassignmentscheduleinstances": ("scope", "principalId", "roleDefinitionId"),
    "microsoft.authorization/roleeligibilityscheduleinstances": ("scope", "principalId", "roleDefinitionId"),
    "microsoft.authorization/denyassignments": ("scope",),
    "microsoft.managedservices/registrationassignments": ("registrationDefinitionId",),
}
_LISTED = {
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials": (
        "identity_federated_credentials",
        "/federatedidentitycredentials/",
    ),
    "microsoft.insights/diagnosticsettings": ("diagnostic_settings", "/providers/microsoft.insights/"),
    "microsoft.keyvault/vaults/privateendpointconnections": ("private_endpoints", "/privateendpointconnections/"),
    "microsoft.security/pricings": ("pricings", "/providers/microsoft.security/"),
    "microsoft.authorization/classicadministrators": (
        "classic_administrators",
        "/providers/microsoft.authorization/",
    ),
}
"""Stores that hold lists, and what follows in the id after the thing that the list is of."""


def add_arm_payload(estate: Estate, raw: Raw) -> Iterator[str]:
    """Adds a Resource Manager payload, or every item of a list of them; gives what is wrong with them."""
    if "id" not in raw and isinstance(raw.get("value"), list):
        for number, item in enumerate(raw["value"], start=1):
            problems = add_arm_payload(estate, item) if isinstance(item, dict) else iter(("it is no mapping",))
            yield from (f"item {number} of value: {problem}" for problem in problems)
        return
    identity = raw.get("id")
    if not isinstance(identity, str) or not identity.startswith("/"):
        yield "a payload under arm: needs the id that Azure sent"
        return
    kind = str(raw.get("type") or _type_of(identity)).casefold()
    problem = _lacking(kind, raw)
    if problem:
        yield problem
        return
    _add(estate, raw, fold(identity), kind)
    _add_subscription_of(estate, identity)


def _lacking(kind: str, raw: Raw) -> str | None:
    """What keeps the lab from serving a payload, or None."""
    held = raw.get("properties")
    if held is not None and not isinstance(held, dict):
        return "properties is no mapping"
    if kind == "microsoft.keyvault/vaults" and not isinstance(raw.get("name"), str):
        return "a vault needs the name that Azure sent"
    if kind == "microsoft.authorization/roledefinitions" and held is None:
        return "a role definition needs the properties that Azure sent"
    for name in ("permissions", "accessPolicies", "principals", "excludePrincipals"):
        items = (held or {}).get(name)
        if items is not None and not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
            return f"properties.{name} is no list of mappings"
    problem = _wrong_definition(held) if kind == "microsoft.managedservices/registrationassignments" else None
    if problem:
        return problem
    missing = [name for name in _NEEDED.get(kind, ()) if not isinstance((held or {}).get(name), str)]
    return f"{kind} needs properties.{', properties.'.join(missing)}" if missing else None


def _wrong_definition(held: Raw | None) -> str | None:
    """What is wrong with the definition that a registration assignment was exported with, or None."""
    definition = (held or {}).get("registrationDefinition")
    if definition is None:
        return None
    properties = definition.get("properties") if isinstance(definition, dict) else None
    lines = properties.get("authorizations") if isinstance(properties, dict) else None
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        return "properties.registrationDefinition has no properties.authorizations that are a list of mappings"
    return None


def _bag(raw: Raw, *path: str) -> Raw:
    """The mapping at a path, or an empty one where anything else stands."""
    value: Any = raw
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _seconds(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _add(estate: Estate, raw: Raw, key: str, kind: str) -> None:
    if kind == "microsoft.authorization/roledefinitions":
        estate.role_definitions[fold(str(raw.get("name") or key.rsplit("/", 1)[-1]))] = raw
    elif kind == "microsoft.management/managementgroups":
        _add_management_group(estate, raw, key)
    elif re.fullmatch(r"/subscriptions/[^/]+", key):
        _add_subscription(estate, raw, key)
    elif re.search(r"/vaults/[^/]+/(secrets|keys)/[^/]+$", key):
        _add_object(estate, raw, key)
    elif kind in _LISTED:
        name, mark = _LISTED[kind]
        owner = key.rpartition(mark)[0]
        owner = owner.rsplit("/", 1)[-1] if name in {"pricings", "classic_administrators"} else owner
        getattr(estate, name).setdefault(owner, []).append(raw)
    elif kind in _STORES:
        getattr(estate, _STORES[kind])[key] = raw
        if kind == "microsoft.keyvault/vaults":
            estate.objects.setdefault(key, {"secrets": {}, "keys": {}, "certificates": {}})
    else:
        estate.other_resources[key] = raw


def _parent(raw: Raw) -> str | None:
    """Folded name of the management group that a payload names as its parent, in either of two places."""
    parent = _bag(raw, "properties", "parent") or _bag(raw, "properties", "details", "parent")
    return fold(str(parent["id"])).rsplit("/", 1)[-1] if parent.get("id") else None


def _add_management_group(estate: Estate, raw: Raw, key: str) -> None:
    name = key.rsplit("/", 1)[-1]
    properties = _bag(raw, "properties")
    estate.management_groups[name] = {
        "id": raw["id"],
        "name": raw.get("name") or name,
        "displayName": properties.get("displayName") or name,
        "parent": _parent(raw),
        "tenantId": properties.get("tenantId") or estate.home_tenant,
    }


def _add_subscription(estate: Estate, raw: Raw, key: str) -> None:
    """An item of `GET /subscriptions`, or a row of a management group's descendants, which tells the parent only."""
    name = key.rsplit("/", 1)[-1]
    if "subscriptionId" in raw:
        estate.subscriptions[name] = raw
    parent = _parent(raw)
    if parent:
        estate.subscription_parent[name] = parent


def _add_object(estate: Estate, raw: Raw, key: str) -> None:
    """A secret or key as Resource Manager lists it: its name and attributes."""
    vault, kind, name = key.rsplit("/", 2)
    properties, attributes = _bag(raw, "properties"), _bag(raw, "properties", "attributes")
    version = StoredVersion(
        version="0" * 32,
        enabled=attributes.get("enabled") is not False,
        created=_seconds(attributes.get("created")) or 0,
        updated=_seconds(attributes.get("updated")) or 0,
        expires=_seconds(attributes.get("exp")),
        not_before=_seconds(attributes.get("nbf")),
        content_type=properties.get("contentType"),
        tags=_bag(raw, "tags"),
        key={"kty": properties.get("kty") or "RSA"} if kind == "keys" else {},
    )
    store = estate.objects.setdefault(vault, {"secrets": {}, "keys": {}, "certificates": {}})
    store[kind][name] = StoredObject(str(raw.get("name") or name), [version])


def _add_subscription_of(estate: Estate, identity: str) -> None:
    """A subscription that payloads name and none describes."""
    parts = identity.split("/")
    if len(parts) < 4 or parts[1] != "subscriptions" or fold(parts[2]) in estate.subscriptions:
        return
    estate.subscriptions[fold(parts[2])] = {
        "id": f"/subscriptions/{parts[2]}",
        "subscriptionId": parts[2],
        "displayName": parts[2],
        "state": "Enabled",
        "tenantId": estate.home_tenant,
    }


def _type_of(identity: str) -> str:
    if "/providers/" not in identity:
        return "/subscriptions" if identity.casefold().startswith("/subscriptions/") else ""
    parts = identity.rsplit("/providers/", 1)[-1].split("/")
    return "/".join([parts[0], *parts[1::2]])
