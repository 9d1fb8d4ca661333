"""Payloads that `az rest` exported from a real tenant, served as they are."""

from kvaudit.lab.estate import Estate, Raw, fold

_STORES = {
    "microsoft.keyvault/vaults": "vaults",
    "microsoft.keyvault/deletedvaults": "deleted_vaults",
    "microsoft.authorization/roleassignments": "role_assignments",
    "microsoft.authorization/denyassignments": "deny_assignments",
    "microsoft.authorization/roleeligibilityscheduleinstances": "role_eligibility_schedule_instances",
    "microsoft.authorization/roleassignmentscheduleinstances": "role_assignment_schedule_instances",
    "microsoft.resources/resourcegroups": "resource_groups",
}
_GRAPH = {
    "#microsoft.graph.user": "users",
    "#microsoft.graph.group": "groups",
    "#microsoft.graph.serviceprincipal": "service_principals",
    "#microsoft.graph.application": "applications",
    "#microsoft.graph.device": "devices",
}


def add_arm_payload(estate: Estate, raw: Raw) -> str | None:
    """Adds one Resource Manager payload; says what is wrong with it, or None."""
    identity = raw.get("id")
    if not isinstance(identity, str) or not identity.startswith("/"):
        return "a payload under arm: needs the id that Azure sent"
    kind = str(raw.get("type") or _type_of(identity)).casefold()
    if kind == "microsoft.authorization/roledefinitions":
        estate.role_definitions[fold(str(raw.get("name") or identity.rsplit("/", 1)[-1]))] = raw
    elif "subscriptionId" in raw and identity.count("/") == 2:
        estate.subscriptions[fold(raw["subscriptionId"])] = raw
    elif kind in _STORES:
        getattr(estate, _STORES[kind])[fold(identity)] = raw
        if kind == "microsoft.keyvault/vaults":
            estate.objects.setdefault(fold(identity), {"secrets": {}, "keys": {}, "certificates": {}})
    else:
        estate.other_resources[fold(identity)] = raw
    subscription = identity.split("/")[2] if identity.startswith("/subscriptions/") else None
    if subscription and fold(subscription) not in estate.subscriptions:
        estate.subscriptions[fold(subscription)] = {
            "id": f"/subscriptions/{subscription}",
            "subscriptionId": subscription,
            "displayName": subscription,
            "state": "Enabled",
            "tenantId": estate.home_tenant,
        }
    return None


def _type_of(identity: str) -> str:
    parts = identity.rsplit("/providers/", 1)[-1].split("/")
    return "/".join(parts[:2])


def add_graph_payload(estate: Estate, raw: Raw) -> str | None:
    """Adds one Graph object; says what is wrong with it, or None."""
    kind, identity = str(raw.get("@odata.type") or "").casefold(), raw.get("id")
    if kind not in _GRAPH or not isinstance(identity, str):
        return f"a payload under graph: needs id and @odata.type, one of {', '.join(sorted(_GRAPH))}"
    getattr(estate, _GRAPH[kind])[fold(identity)] = raw
    return None
