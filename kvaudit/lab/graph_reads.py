"""What the lab's Graph answers about objects, groups and membership; one function for each route.

Each function checks the caller's app permission, then finds the object, then answers, as Graph does: a caller
without permission never learns whether an id exists.
"""

import re
from collections.abc import Callable
from typing import Any

from kvaudit.lab.graph_answers import (
    GraphCall,
    answer_object,
    answer_page,
    answer_values,
    bad_request,
    not_found,
    refused,
)
from kvaudit.lab.graph_permissions import (
    APPLICATION,
    GROUP,
    MEMBER_READERS,
    MEMBERSHIP_READERS,
    ORGANIZATION_READERS,
    READERS,
    SERVICE_PRINCIPAL,
    USER,
)
from kvaudit.lab.http import Response

ENTITY_TYPES = {"users": USER, "groups": GROUP, "serviceprincipals": SERVICE_PRINCIPAL, "applications": APPLICATION}

GET_BY_IDS_LIMIT = 1000
"""Most ids in one getByIds (learn.microsoft.com/graph/api/directoryobject-getbyids)."""

CHECK_GROUPS_LIMIT = 20
"""Most ids in one checkMemberGroups (learn.microsoft.com/graph/api/directoryobject-checkmembergroups)."""

EXPAND_LIMIT = 20
"""Most objects that `$expand=members` returns (learn.microsoft.com/graph/api/group-list-members, known issue)."""

Handler = Callable[..., Response]


def list_objects(call: GraphCall, entity: str) -> Response:
    """GET /users, /groups, /servicePrincipals, /applications."""
    object_type = ENTITY_TYPES[entity.casefold()]
    if not call.directory.allows(READERS[object_type]):
        return refused(call.world)
    return answer_page(call, entity, call.directory.collection(object_type))


def get_object(call: GraphCall, entity: str, object_id: str) -> Response:
    """GET /users/{id} and its sisters; a user also by its userPrincipalName."""
    object_type = ENTITY_TYPES[entity.casefold()]
    if not call.directory.allows(READERS[object_type]):
        return refused(call.world)
    raw = call.directory.get(object_type, object_id)
    if raw is None and object_type == USER:
        wanted = object_id.casefold()
        users = call.directory.collection(USER)
        raw = next((user for user in users if str(user.get("userPrincipalName")).casefold() == wanted), None)
    if raw is None:
        return not_found(call.world, object_id)
    if object_type == GROUP and "members" in call.request.query.get("$expand", ""):
        return _with_members(call, raw)
    return answer_object(call, entity, raw)


def _with_members(call: GraphCall, group: Any) -> Response:
    if not call.directory.members_readable(group):
        return refused(call.world)
    # The one v1.0 answer in which service principals do appear among the members.
    members = [call.directory.shown(kind, raw) for kind, raw in call.directory.members(str(group["id"]))]
    return answer_object(call, "groups", dict(group) | {"members": members[:EXPAND_LIMIT]})


def get_by_app_id(call: GraphCall, entity: str, app_id: str) -> Response:
    """GET /servicePrincipals(appId='…') and /applications(appId='…')."""
    object_type = ENTITY_TYPES[entity.casefold()]
    if not call.directory.allows(READERS[object_type]):
        return refused(call.world)
    raw = call.directory.by_app_id(object_type, app_id)
    return not_found(call.world, app_id) if raw is None else answer_object(call, entity, raw)


def get_directory_object(call: GraphCall, object_id: str) -> Response:
    """GET /directoryObjects/{id}."""
    found = call.directory.find(object_id)
    if not call.directory.permissions:
        return refused(call.world)
    if found is None:
        return not_found(call.world, object_id)
    return answer_object(call, "directoryObjects", call.directory.shown(*found))


def get_by_ids(call: GraphCall) -> Response:
    """POST /directoryObjects/getByIds: ids that do not exist are simply not in the answer."""
    if not any(call.directory.allows(READERS[object_type]) for object_type in READERS):
        return refused(call.world)
    body = call.request.json()
    ids = _strings(body, "ids")
    if ids is None:
        return bad_request(call.world, "The required parameter 'ids' is missing or is not a collection of strings.")
    if len(ids) > GET_BY_IDS_LIMIT:
        return bad_request(call.world, f"The number of ids exceeds the limit of {GET_BY_IDS_LIMIT}.")
    types = {name.casefold() for name in (_strings(body, "types") or [])}
    found = (call.directory.find(object_id) for object_id in dict.fromkeys(ids))
    shown = [
        call.directory.shown(*item)
        for item in found
        if item is not None and (not types or _short(item[0]) in types or "directoryobject" in types)
    ]
    return answer_page(call, "directoryObjects", shown)


def list_members(call: GraphCall, group_id: str, relation: str, cast: str | None = None) -> Response:
    """GET /groups/{id}/members, /transitiveMembers and their casts.

    v1.0 leaves service principals out of `members` (known issue on its page). Whether it does so for
    `transitiveMembers` is not documented (facts 12.14): the lab leaves them out there too, since a client that
    relies on seeing them would meet the gap in a real tenant first.
    """
    if not call.directory.allows(MEMBER_READERS):
        return refused(call.world)
    group = call.directory.get(GROUP, group_id)
    if group is None:
        return not_found(call.world, group_id)
    if not call.directory.members_readable(group):
        return refused(call.world)
    transitive = relation.casefold() == "transitivemembers"
    members = (call.directory.transitive_members if transitive else call.directory.members)(group_id)
    shown = [
        call.directory.shown(object_type, raw)
        for object_type, raw in members
        if (call.version != "v1.0" or object_type != SERVICE_PRINCIPAL) and _is_cast(object_type, cast)
    ]
    return answer_page(call, "directoryObjects", shown)


def list_groups_of(call: GraphCall, entity: str, object_id: str, relation: str, cast: str | None = None) -> Response:
    """GET /users|groups|servicePrincipals/{id}/memberOf and /transitiveMemberOf."""
    object_type = ENTITY_TYPES[entity.casefold()]
    if not call.directory.allows(MEMBERSHIP_READERS.get(object_type, frozenset())):
        return refused(call.world)
    if call.directory.get(object_type, object_id) is None:
        return not_found(call.world, object_id)
    groups = call.directory.groups_of(object_id, transitive=relation.casefold() == "transitivememberof")
    shown = [call.directory.shown(GROUP, raw) for raw in groups if _is_cast(GROUP, cast)]
    return answer_page(call, "directoryObjects", shown)


def member_groups(call: GraphCall, object_id: str, action: str) -> Response:
    """POST …/getMemberGroups, /checkMemberGroups and /getMemberObjects: ids of groups, transitively."""
    found = call.directory.find(object_id)
    needed = frozenset().union(*MEMBERSHIP_READERS.values()) if found is None else MEMBERSHIP_READERS.get(found[0])
    if not call.directory.allows(needed or frozenset()):
        return refused(call.world)
    if found is None:
        return not_found(call.world, object_id)
    body = call.request.json()
    groups = call.directory.groups_of(object_id, transitive=True)
    if isinstance(body, dict) and body.get("securityEnabledOnly") is True:
        groups = [group for group in groups if group.get("securityEnabled") is not False]
    held = [str(group["id"]) for group in groups]
    if action.casefold() != "checkmembergroups":
        return answer_values(call, "Collection(Edm.String)", held)
    asked = _strings(body, "groupIds")
    if asked is None or len(asked) > CHECK_GROUPS_LIMIT:
        return bad_request(call.world, f"Number of groups to be checked cannot be more than {CHECK_GROUPS_LIMIT}")
    wanted = {group.casefold() for group in asked}
    return answer_values(call, "Collection(Edm.String)", [group for group in held if group.casefold() in wanted])


def get_deleted(call: GraphCall, object_id: str) -> Response:
    """GET /directory/deletedItems/{id}."""
    found = call.directory.deleted(object_id)
    readers = frozenset().union(*READERS.values()) if found is None else READERS[found[0]]
    if not call.directory.allows(readers):
        return refused(call.world)
    if found is None:
        return not_found(call.world, object_id)
    return answer_object(call, "directoryObjects", {"@odata.type": found[0]} | dict(found[1]))


def list_deleted(call: GraphCall, cast: str) -> Response:
    """GET /directory/deletedItems/microsoft.graph.user, .group, .servicePrincipal, .application."""
    object_type = next((known for known in READERS if _short(known) == cast.casefold()), None)
    if object_type is None:
        return bad_request(call.world, f"Resource not found for the segment 'microsoft.graph.{cast}'.", "BadRequest")
    if not call.directory.allows(READERS[object_type]):
        return refused(call.world)
    return answer_page(call, "directoryObjects", call.directory.all_deleted(object_type))


def organization(call: GraphCall) -> Response:
    """GET /organization: the caller's tenant."""
    if not call.directory.allows(ORGANIZATION_READERS):
        return refused(call.world)
    caller = call.request.caller
    tenant = call.world.estate.tenants.get(caller.tenant_id.casefold()) if caller else None
    if tenant is None:
        return answer_values(call, "organization", [])
    shown = {
        "id": tenant.get("tenantId") or str(tenant["id"]).rpartition("/")[2],
        "displayName": tenant.get("displayName"),
        "tenantType": "AAD",
        "verifiedDomains": [
            {"name": domain, "isDefault": index == 0} for index, domain in enumerate(tenant.get("domains") or ())
        ],
    }
    return answer_page(call, "organization", [shown])


def me(call: GraphCall) -> Response:
    """GET /me: users only."""
    caller = call.request.caller
    raw = call.directory.get(USER, caller.object_id) if caller else None
    if raw is None:
        return bad_request(call.world, "/me request is only valid with delegated authentication flow.", "BadRequest")
    return answer_object(call, "users", raw)


def _strings(body: Any, name: str) -> list[str] | None:
    values = body.get(name) if isinstance(body, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return values


def _short(object_type: str) -> str:
    return object_type.rpartition(".")[2].casefold()


def _is_cast(object_type: str, cast: str | None) -> bool:
    return cast is None or _short(object_type) == cast.casefold()


_ENTITY = r"(users|groups|servicePrincipals|applications)"
_HOLDER = "users|groups|servicePrincipals|directoryObjects"
_ID = r"([^/()]+)"
_CAST = r"(?:/microsoft\.graph\.(\w+))?"

ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(pattern, re.IGNORECASE), handler)
    for method, pattern, handler in (
        ("GET", rf"/{_ENTITY}", list_objects),
        ("GET", r"/me", me),
        ("GET", r"/organization", organization),
        ("GET", rf"/{_ENTITY}\(appId='([^']+)'\)", get_by_app_id),
        ("GET", rf"/{_ENTITY}/{_ID}", get_object),
        ("GET", rf"/directoryObjects/{_ID}", get_directory_object),
        ("POST", r"/directoryObjects/getByIds", get_by_ids),
        ("GET", rf"/groups/{_ID}/(members|transitiveMembers){_CAST}", list_members),
        ("GET", rf"/(users|groups|servicePrincipals)/{_ID}/(memberOf|transitiveMemberOf){_CAST}", list_groups_of),
        (
            "POST",
            rf"/(?:{_HOLDER})/{_ID}/(getMemberGroups|checkMemberGroups|getMemberObjects)",
            member_groups,
        ),
        ("GET", r"/directory/deletedItems/microsoft\.graph\.(\w+)", list_deleted),
        ("GET", rf"/directory/deletedItems/{_ID}", get_deleted),
    )
)
