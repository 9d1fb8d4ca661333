"""Who can act as somebody else in an estate file: managed identities and what runs as them, federated credentials, PIM for
Groups, Entra roles, permissions and consents; as raw payloads.
"""

import uuid

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.estate_names import Names
from kvaudit.lab.estate_yaml import Mistakes, Table, plain
from kvaudit.lab.graph_app_roles import APP_ROLES, GRAPH_APP_ID, app_roles
from kvaudit.lab.graph_directory_roles import directory_roles

_NAMESPACE = uuid.UUID("00000000-0000-0000-0000-00000000c0de")
_START = "2026-01-05T08:00:00Z"
IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


def compile_identities(document: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    """Adds identities, resources, credentials, memberships, Entra roles and permissions of the document to the estate."""
    for item in document.get("identities") or ():
        _identity(item, estate, mistakes, names)
    for item in document.get("resources") or ():
        _resource(item, estate, mistakes, names)
    for item in document.get("applications") or ():
        if "federated_credentials" in item:
            credentials = [_federated(entry, "") for entry in item["federated_credentials"]]
            estate.federated_credentials[fold(str(item["id"]))] = credentials
    for section in ("group_eligible", "group_active"):
        for item in document.get(section) or ():
            _group_instance(item, estate, names, eligible=section == "group_eligible")
    estate.directory_role_definitions |= directory_roles()
    for item in document.get("directory_roles") or ():
        _directory_role(item, estate, names)
    _app_roles(estate)
    for item in document.get("consents") or ():
        _consent(item, estate, names)


def _named(kind: str, *parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{'/'.join(str(part) for part in parts)}".casefold()))


def _placed(item: Table, kind: str, estate: Estate, mistakes: Mistakes, names: Names) -> Raw | None:
    """A resource in its resource group, which is made when it is not there."""
    subscription = names.subscription(item)
    if subscription is None:
        return None
    group, location = str(item["group"]), str(item.get("location") or "westeurope")
    base = f"/subscriptions/{subscription}/resourceGroups/{group}"
    identity = f"{base}/providers/{kind}/{item['name']}"
    if fold(identity) in estate.other_resources:
        mistakes.add(item.place, f"the resource {item['name']!r} stands here a second time")
    names.add("resource", str(item["name"]), identity, item.place)
    estate.resource_groups.setdefault(fold(base), resource_group(base, location))
    raw: Raw = {"id": identity, "name": item["name"], "type": kind, "location": location}
    estate.other_resources[fold(identity)] = raw | {"tags": dict(item.get("tags") or {})}
    return estate.other_resources[fold(identity)]


def resource_group(identity: str, location: str) -> Raw:
    """A resource group as Resource Manager sends it."""
    return {
        "id": identity,
        "name": identity.rsplit("/", 1)[-1],
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _identity(item: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    principal = names.principal(item, "principal")
    raw = _placed(item, IDENTITY_TYPE, estate, mistakes, names)
    if principal is None or raw is None:
        return
    service_principal = estate.service_principals.get(principal, {})
    raw["properties"] = {
        "tenantId": estate.home_tenant,
        "principalId": principal,
        "clientId": service_principal.get("appId"),
    }
    _belongs_to(service_principal, str(raw["id"]), explicit=True)
    credentials = [_federated(entry, str(raw["id"])) for entry in item.get("federated_credentials") or ()]
    if credentials:
        estate.identity_federated_credentials[fold(str(raw["id"]))] = credentials


def _belongs_to(service_principal: Raw, resource: str, *, explicit: bool) -> None:
    """Names the resource of a managed identity on its service principal, as Entra does."""
    if service_principal and not service_principal.get("alternativeNames"):
        service_principal["alternativeNames"] = [f"isExplicit={explicit}", resource]


def _federated(entry: Table, identity: str) -> Raw:
    """A federated credential: an item of Resource Manager below a user-assigned identity, else one of Graph."""
    told = {name: entry[name] for name in ("issuer", "subject")}
    told["audiences"] = list(entry.get("audiences") or ["api://AzureADTokenExchange"])
    if not identity:
        return {"id": _named("federated", entry["name"], told), "name": entry["name"], "description": "", **told}
    return {
        "id": f"{identity}/federatedIdentityCredentials/{entry['name']}",
        "name": entry["name"],
        "type": f"{IDENTITY_TYPE}/federatedIdentityCredentials",
        "properties": told,
    }


def _resource(item: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    raw = _placed(item, str(item["type"]), estate, mistakes, names)
    system = names.principal(item, "system_identity") if "system_identity" in item else None
    attached = [
        names.resource(item, "user_identities", index) for index in range(len(item.get("user_identities") or ()))
    ]
    if raw is None:
        return
    if "kind" in item:
        raw["kind"] = item["kind"]
    raw["properties"] = plain(item.get("properties") or {}) | {"provisioningState": "Succeeded"}
    if system is None and not attached:
        return
    kinds = (["SystemAssigned"] if system else []) + (["UserAssigned"] if attached else [])
    raw["identity"] = {"type": ", ".join(kinds)}
    if system:
        raw["identity"] |= {"principalId": system, "tenantId": estate.home_tenant}
        _belongs_to(estate.service_principals.get(system, {}), str(raw["id"]), explicit=False)
    if attached:
        raw["identity"]["userAssignedIdentities"] = {key: _ids_of(estate, key) for key in attached if key}


def _ids_of(estate: Estate, identity: str) -> Raw:
    properties = estate.other_resources.get(fold(identity), {}).get("properties") or {}
    return {name: properties.get(name) for name in ("principalId", "clientId")}


def _group_instance(item: Table, estate: Estate, names: Names, *, eligible: bool) -> None:
    group, principal = names.principal(item, "group"), names.principal(item, "principal")
    if group is None or principal is None:
        return
    access = str(item.get("access") or "member")
    schedule = _named("eligible" if eligible else "active", group, principal, access)
    instance: Raw = {
        "id": f"{group}_{access}_{schedule}",
        "groupId": group,
        "principalId": principal,
        "accessId": access,
        "memberType": "direct",
        "startDateTime": item.get("start") or _START,
        "endDateTime": item.get("end"),
    }
    if eligible:
        estate.group_eligibility_schedule_instances[instance["id"]] = instance | {"eligibilityScheduleId": schedule}
        return
    more = {"assignmentScheduleId": schedule, "assignmentType": "activated" if item.get("end") else "assigned"}
    estate.group_assignment_schedule_instances[instance["id"]] = instance | more


def _directory_role(item: Table, estate: Estate, names: Names) -> None:
    role, principal = names.directory_role(item), names.principal(item, "principal")
    if role is None or principal is None:
        return
    scope = str(item.get("scope") or "/")
    raw: Raw = {
        "id": _named("directory role", role, principal, scope, bool(item.get("eligible"))),
        "roleDefinitionId": role,
        "principalId": principal,
        "directoryScopeId": scope,
        "appScopeId": None,
    }
    if not item.get("eligible"):
        estate.directory_role_assignments[raw["id"]] = raw
        return
    times = {"startDateTime": item.get("start") or _START, "endDateTime": item.get("end"), "memberType": "Direct"}
    estate.directory_role_eligibility_schedule_instances[raw["id"]] = (
        raw | times | {"roleEligibilityScheduleId": raw["id"]}
    )


def _app_roles(estate: Estate) -> None:
    """Microsoft Graph's service principal with its app roles, and an assignment for each permission that others hold."""
    for key, raw in estate.service_principals.items():
        if fold(str(raw["appId"])) != GRAPH_APP_ID:
            continue
        raw["appRoles"] = app_roles()
        for holder, permissions in estate.graph_permissions.items():
            if estate.tenant_of(holder) == estate.tenant_of(key):
                for permission in sorted(permissions & set(APP_ROLES)):
                    assignment = _app_role(estate, holder, raw, permission)
                    estate.app_role_assignments[assignment["id"]] = assignment


def _app_role(estate: Estate, holder: str, api: Raw, permission: str) -> Raw:
    return {
        "id": _named("app role", holder, api["id"], permission),
        "appRoleId": APP_ROLES[permission],
        "createdDateTime": "2026-03-02T09:00:00Z",
        "deletedDateTime": None,
        "principalDisplayName": estate.service_principals[holder]["displayName"],
        "principalId": holder,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": api["displayName"],
        "resourceId": api["id"],
    }


def _consent(item: Table, estate: Estate, names: Names) -> None:
    client, resource = names.principal(item, "client"), names.principal(item, "resource")
    who = names.principal(item, "principal") if "principal" in item else None
    if client is None or resource is None:
        return
    identity = _named("consent", client, resource, who)
    estate.oauth2_permission_grants[identity] = {
        "id": identity,
        "clientId": client,
        "consentType": "Principal" if who else "AllPrincipals",
        "principalId": who,
        "resourceId": resource,
        "scope": " ".join(item.get("scopes") or ["user_impersonation"]),
    }
