"""From the friendly form of an estate file to raw payloads: the directory, the hierarchy and verbatim payloads.

What stands on vaults, what assigns access and who acts as whom is in `estate_vaults`, `estate_access` and
`estate_identities`; what watches over scopes in `estate_governance`.
"""

from typing import Any

from kvaudit.lab.estate import Estate, Identity, Raw, fold
from kvaudit.lab.estate_access import compile_access
from kvaudit.lab.estate_check import check_form
from kvaudit.lab.estate_form import ESTATE
from kvaudit.lab.estate_governance import compile_governance
from kvaudit.lab.estate_identities import compile_identities
from kvaudit.lab.estate_names import Names
from kvaudit.lab.estate_vaults import compile_vaults
from kvaudit.lab.estate_verbatim import add_arm_payload
from kvaudit.lab.estate_verbatim_graph import add_graph_payload
from kvaudit.lab.estate_yaml import Mistakes, Place, Rows, Table, plain
from kvaudit.lab.graph_directory_roles import DIRECTORY_ROLES


def compile_estate(document: Table, mistakes: Mistakes, roles: dict[str, Raw]) -> Estate:
    """The estate of a document; what is wrong with it is added to `mistakes`.

    Args:
        roles: built-in role definitions by folded GUID.
    """
    check_form(document, ESTATE, mistakes)
    estate = Estate(name=str(document.get("name") or "estate"), role_definitions=roles)
    names = Names(estate, mistakes)
    for name, role in DIRECTORY_ROLES.items():
        names.add("directory role", name, role, document.place)
    _tenants(document, estate, names)
    _hierarchy(document, estate, mistakes, names)
    _directory(document, estate, names)
    compile_vaults(document, estate, mistakes, names)
    compile_identities(document, estate, mistakes, names)
    compile_governance(document, estate, mistakes, names)
    compile_access(document, estate, mistakes, names)
    for section, add in (("arm", add_arm_payload), ("graph", add_graph_payload)):
        for place, item in _items(document, section):
            for problem in add(estate, plain(item)):
                mistakes.add(place, problem)
    if "paging" in document:
        estate.paging |= plain(document["paging"])
    return estate


def _items(document: Table, section: str) -> list[tuple[Place, Table]]:
    """The entries of a section with their places; their form has been checked."""
    rows = document.get(section)
    return list(zip(rows.places, rows, strict=True)) if isinstance(rows, Rows) else []


def _tenants(document: Table, estate: Estate, names: Names) -> None:
    home = document.get("tenant")
    if home is None:
        return
    estate.home_tenant = str(home["id"]).casefold()
    estate.premium = home.get("premium", True)
    for item in (home, *(entry for _, entry in _items(document, "other_tenants"))):
        identity = str(item["id"]).casefold()
        names.add("tenant", str(item["name"]), identity, item.place)
        domain = str(item.get("domain") or f"{item['name']}.example".casefold().replace(" ", "-"))
        estate.tenants[identity] = {
            "id": f"/tenants/{identity}",
            "tenantId": identity,
            "displayName": item["name"],
            "defaultDomain": domain,
            "domains": [domain],
            "countryCode": "DE",
            "tenantCategory": "Home",
        }


def _hierarchy(document: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    for place, item in _items(document, "management_groups"):
        name, parent = str(item["name"]), item.get("parent")
        if parent is not None and fold(str(parent)) not in estate.management_groups:
            mistakes.add(item.where("parent"), f"no management group {parent!r} stands above this one")
        estate.management_groups[fold(name)] = {
            "id": f"/providers/Microsoft.Management/managementGroups/{name}",
            "name": name,
            "displayName": item.get("display_name") or name,
            "parent": fold(str(parent)) if parent else None,
            "tenantId": estate.home_tenant,
        }
        names.add("management group", str(item.get("display_name") or name), fold(name), place)
    for place, item in _items(document, "subscriptions"):
        identity = str(item["id"]).casefold()
        estate.subscriptions[identity] = {
            "id": f"/subscriptions/{identity}",
            "subscriptionId": identity,
            "displayName": item["name"],
            "state": item.get("state", "Enabled"),
            "tenantId": str(item.get("tenant") or estate.home_tenant),
            "managedByTenants": plain(item.get("managed_by_tenants") or []),
            "authorizationSource": "RoleBased",
            "subscriptionPolicies": {"quotaId": "EnterpriseAgreement_2014-09-01", "spendingLimit": "Off"},
        }
        names.add("subscription", str(item["name"]), identity, place)
        above = item.get("management_group")
        if above is not None and fold(str(above)) not in estate.management_groups:
            mistakes.add(item.where("management_group"), f"there is no management group {above!r}")
        elif above is not None:
            estate.subscription_parent[identity] = fold(str(above))


def _directory(document: Table, estate: Estate, names: Names) -> None:
    sections: tuple[tuple[str, dict[str, Raw], Any], ...] = (
        ("users", estate.users, _user),
        ("groups", estate.groups, _group),
        ("service_principals", estate.service_principals, _service_principal),
        ("applications", estate.applications, _application),
    )
    for section, store, make in sections:
        for place, item in _items(document, section):
            identity = str(item["id"]).casefold()
            store[identity] = make(item, identity, estate)
            names.add("principal", str(item["name"]), identity, place)
            if "tenant" in item:
                estate.object_tenant[identity] = str(item["tenant"]).casefold()
    for place, item in _items(document, "deleted_principals"):
        identity = str(item["id"]).casefold()
        estate.deleted_directory_objects[identity] = {
            "@odata.type": f"#microsoft.graph.{item.get('type') or 'user'}",
            "id": identity,
            "displayName": item["name"],
            "deletedDateTime": item.get("deleted") or "2026-11-10T08:00:00Z",
        }
        names.add("principal", str(item["name"]), identity, place)
    for section in ("groups", "service_principals", "applications"):
        for _, item in _items(document, section):
            _edges(item, section, estate, names)


def _edges(item: Table, section: str, estate: Estate, names: Names) -> None:
    """Members and owners, which may be named before they are defined."""
    identity = str(item["id"]).casefold()
    for key, edges in (("members", estate.members), ("owners", estate.owners)):
        if key in item:
            named = (names.principal(item, key, index) for index in range(len(item[key])))
            edges[identity] = [found for found in named if found]
    if section == "groups":
        estate.members.setdefault(identity, [])
        if item.get("hidden_members"):
            estate.hidden_members.add(identity)


def _user(item: Table, identity: str, estate: Estate) -> Raw:
    domain = estate.tenants.get(estate.home_tenant, {}).get("defaultDomain", "contoso.example")
    guest = bool(item.get("guest"))
    return {
        "id": identity,
        "displayName": item["name"],
        "userPrincipalName": item.get("upn") or f"{str(item['name']).replace(' ', '.').casefold()}@{domain}",
        "accountEnabled": item.get("enabled", True),
        "userType": "Guest" if guest else "Member",
        "mail": None,
    }


def _group(item: Table, identity: str, estate: Estate) -> Raw:  # noqa: ARG001 - one shape for every maker
    return {
        "id": identity,
        "displayName": item["name"],
        "securityEnabled": True,
        "mailEnabled": False,
        "isAssignableToRole": item.get("role_assignable", False),
        "groupTypes": ["DynamicMembership"] if item.get("dynamic") else [],
        "visibility": "HiddenMembership" if item.get("hidden_members") else None,
    }


def _service_principal(item: Table, identity: str, estate: Estate) -> Raw:
    app_id = str(item["app_id"])
    if item.get("secret"):
        estate.client_secrets[app_id.casefold()] = {str(item["secret"])}
        name = str(item.get("identity") or item["name"])
        tenant = str(item.get("tenant") or estate.home_tenant).casefold()
        estate.identities[name] = Identity(name, tenant, identity, app_id, str(item["secret"]))
    if item.get("graph"):
        estate.graph_permissions[identity] = frozenset(str(word) for word in item["graph"])
    return {
        "id": identity,
        "appId": app_id,
        "displayName": item["name"],
        "accountEnabled": item.get("enabled", True),
        "servicePrincipalType": item.get("kind") or "Application",
        "alternativeNames": plain(item.get("alternative_names") or []),
        "appOwnerOrganizationId": str(item.get("tenant") or estate.home_tenant),
    }


def _application(item: Table, identity: str, estate: Estate) -> Raw:  # noqa: ARG001 - one shape for every maker
    return {"id": identity, "appId": str(item["app_id"]), "displayName": item["name"]}
