"""What the lab's Graph answers about who can act as an application, service principal or group: owners, federated
credentials, app role assignments and consents.
"""

import re
from collections.abc import Mapping
from typing import Any

from kvaudit.lab.estate import fold
from kvaudit.lab.graph_answers import GraphCall, answer_page, not_found, refused
from kvaudit.lab.graph_permissions import (
    APP_ROLE_READERS,
    APPLICATION,
    FEDERATED_CREDENTIAL_READERS,
    GRANT_READERS,
    GROUP,
    MEMBER_READERS,
    READERS,
    SERVICE_PRINCIPAL,
)
from kvaudit.lab.graph_reads import ENTITY_TYPES, Handler
from kvaudit.lab.http import Response

Raw = Mapping[str, Any]


def _addressed(call: GraphCall, object_type: str, object_id: str | None, app_id: str | None) -> Raw | None:
    """The object that a path names by its id, or by `(appId='…')`."""
    if object_id is not None:
        return call.directory.get(object_type, object_id)
    return call.directory.by_app_id(object_type, app_id or "")


def list_owners(call: GraphCall, entity: str, object_id: str | None, app_id: str | None) -> Response:
    """GET …/owners of a group, application or service principal.

    v1.0 leaves service principals out of the owners of a group, as it does with members (a note of group-list-owners);
    `servicePrincipals/{id}/ownedObjects` tells them.
    """
    object_type = ENTITY_TYPES[entity.casefold()]
    if not call.directory.allows(MEMBER_READERS if object_type == GROUP else READERS[object_type]):
        return refused(call.world)
    raw = _addressed(call, object_type, object_id, app_id)
    if raw is None:
        return not_found(call.world, object_id or app_id or "")
    hides = object_type == GROUP and call.version == "v1.0"
    owners = [
        call.directory.shown(kind, owner)
        for kind, owner in call.directory.owners(str(raw["id"]))
        if not (hides and kind == SERVICE_PRINCIPAL)
    ]
    return answer_page(call, "directoryObjects", owners)


def owned_objects(call: GraphCall, object_id: str | None, app_id: str | None) -> Response:
    """GET /servicePrincipals/{id}/ownedObjects: groups, applications and service principals."""
    if not call.directory.allows(READERS[SERVICE_PRINCIPAL]):
        return refused(call.world)
    raw = _addressed(call, SERVICE_PRINCIPAL, object_id, app_id)
    if raw is None:
        return not_found(call.world, object_id or app_id or "")
    found = (call.directory.find(key) for key, owners in call.world.estate.owners.items() if fold(raw["id"]) in owners)
    return answer_page(call, "directoryObjects", [call.directory.shown(*item) for item in found if item is not None])


def federated_credentials(call: GraphCall, object_id: str | None, app_id: str | None) -> Response:
    """GET /applications/{id}/federatedIdentityCredentials."""
    if not call.directory.allows(FEDERATED_CREDENTIAL_READERS):
        return refused(call.world)
    raw = _addressed(call, APPLICATION, object_id, app_id)
    if raw is None:
        return not_found(call.world, object_id or app_id or "")
    found = call.world.estate.federated_credentials.get(fold(raw["id"]), [])
    return answer_page(call, f"applications('{raw['id']}')/federatedIdentityCredentials", found)


def app_roles(call: GraphCall, object_id: str | None, app_id: str | None, relation: str) -> Response:
    """GET /servicePrincipals/{id}/appRoleAssignedTo: who holds its app roles; /appRoleAssignments: what it holds."""
    if not call.directory.allows(APP_ROLE_READERS):
        return refused(call.world)
    raw = _addressed(call, SERVICE_PRINCIPAL, object_id, app_id)
    if raw is None:
        return not_found(call.world, object_id or app_id or "")
    side = "resourceId" if relation.casefold() == "approleassignedto" else "principalId"
    wanted = fold(raw["id"])
    found = [item for item in call.world.estate.app_role_assignments.values() if fold(item[side]) == wanted]
    return answer_page(call, f"servicePrincipals('{raw['id']}')/{relation}", found)


def consents(call: GraphCall) -> Response:
    """GET /oauth2PermissionGrants."""
    if not call.directory.allows(GRANT_READERS):
        return refused(call.world)
    here = call.directory.get
    grants = call.world.estate.oauth2_permission_grants.values()
    found = [raw for raw in grants if here(SERVICE_PRINCIPAL, str(raw["clientId"])) is not None]
    return answer_page(call, "oauth2PermissionGrants", found)


def consents_of(call: GraphCall, object_id: str | None, app_id: str | None) -> Response:
    """GET /servicePrincipals/{id}/oauth2PermissionGrants: what was consented to for this client."""
    if not call.directory.allows(GRANT_READERS):
        return refused(call.world)
    raw = _addressed(call, SERVICE_PRINCIPAL, object_id, app_id)
    if raw is None:
        return not_found(call.world, object_id or app_id or "")
    grants = call.world.estate.oauth2_permission_grants.values()
    return answer_page(call, "oauth2PermissionGrants", [item for item in grants if fold(item["clientId"]) == raw["id"]])


_ADDRESS = r"(?:/([^/()]+)|\(appId='([^']+)'\))"

ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    ("GET", re.compile(pattern, re.IGNORECASE), handler)
    for pattern, handler in (
        (rf"/(groups|servicePrincipals|applications){_ADDRESS}/owners", list_owners),
        (rf"/servicePrincipals{_ADDRESS}/ownedObjects", owned_objects),
        (rf"/applications{_ADDRESS}/federatedIdentityCredentials", federated_credentials),
        (rf"/servicePrincipals{_ADDRESS}/(appRoleAssignedTo|appRoleAssignments)", app_roles),
        (rf"/servicePrincipals{_ADDRESS}/oauth2PermissionGrants", consents_of),
        (r"/oauth2PermissionGrants", consents),
    )
)
