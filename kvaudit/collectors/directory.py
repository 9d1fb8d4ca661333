"""Principals and memberships, from Microsoft Graph v1.0.

What a caller may not read comes back with its ID and null fields, so a null name says nothing about the object.
Pages have 999 items where Graph allows it. v1.0 answers a small set of a user's properties unless asked for others: without
`$select` nobody would be a guest or disabled (learn.microsoft.com/graph/api/directoryobject-getbyids; resources/user).
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model.directory import Membership, Principal, PrincipalState

GET_BY_IDS_LIMIT = 1000
"""IDs that one getByIds request may hold (Graph: directoryObject getByIds)."""

_PAGE = {"$top": "999"}

PRINCIPAL_PROPERTIES = "id,displayName,userPrincipalName,appId,accountEnabled,userType,servicePrincipalType,alternativeNames,isAssignableToRole,visibility"
"""What is asked of a principal of any type. Graph leaves out what a type does not have. That `$select` may name properties
of several types is not documented; public tools do it (KelvinTegelaar/CIPP-API, AzureAD/AzureADAssessment)."""

PRINCIPAL_DETAILS = "principal_details"
"""Kind of the gap of principals that Graph answered without these properties."""

_TYPES = {
    "user": "User",
    "group": "Group",
    "serviceprincipal": "ServicePrincipal",
    "device": "Device",
    "application": "Application",
}


def batch_scope(ids: Iterable[str]) -> str:
    """The listing scope of one getByIds request: the same IDs give the same scope in every run, so resume works."""
    digest = hashlib.sha256("\n".join(sorted(item.casefold() for item in ids)).encode("utf-8", "surrogatepass"))
    return f"directoryObjects/getByIds/{digest.hexdigest()[:20]}"


def deleted_scope(principal_id: str) -> str:
    """The listing scope of one deleted directory object.

    It is asked for an ID that getByIds, read to its end, did not return. 404 is an answer: finish the listing with no
    items. Anything else that is not 200 is a gap.
    """
    return f"directory/deletedItems/{principal_id}"


def members_scope(group_id: str) -> str:
    """The listing scope of one group's direct members."""
    return f"groups/{group_id}"


def groups_scope(service_principal_id: str) -> str:
    """The listing scope of the groups that one service principal is in."""
    return f"servicePrincipals/{service_principal_id}"


def parse_principal(raw: Raw, scope: str) -> Principal:
    """A directory object. Its type is in `@odata.type`, or follows from the list it came from."""
    item = payload.mapping(raw, "directory object")
    get, text, flag = item.get, payload.shown, payload.shown_or_not
    return Principal(
        intern(payload.text(item, "id").strip().casefold()),
        object_type(raw) or ("ServicePrincipal" if scope.casefold().startswith("serviceprincipals") else None),
        PrincipalState.FOUND,
        text(get("displayName")),
        text(get("userPrincipalName")),
        text(get("appId")),
        flag(get("accountEnabled")),
        _word(get("userType")),
        _word(get("servicePrincipalType")),
        payload.shown_texts(item, "alternativeNames"),
        flag(get("isAssignableToRole")),
        _word(get("visibility")),
    )


def _word(value: Any) -> str | None:
    """A word of Graph's, shown: there are few, and each is kept once."""
    return intern(value) if isinstance(value, str) and value else None


def object_type(raw: Raw) -> str | None:
    """The principal type of a directory object in Azure's words (`User`), from `#microsoft.graph.user`.

    None when the type is absent; a type that cannot be a principal (`directoryRole`) keeps Graph's own word.
    """
    name = payload.optional_text(payload.mapping(raw, "directory object"), "@odata.type")
    return None if name is None else _type_named(name)


@lru_cache(maxsize=256)
def _type_named(name: str) -> str:
    word = name.rsplit(".", 1)[-1]
    return _TYPES.get(word.casefold(), word)


def parse_member(raw: Raw, scope: str) -> Membership:
    """A direct member of the group that the listing's scope `groups/{id}` names."""
    item = payload.mapping(raw, "member")
    return Membership(
        group=payload.scope_id(scope, "groups"),
        member=payload.text(item, "id").strip().casefold(),
        member_type=object_type(raw),
    )


def parse_group_of(raw: Raw, scope: str) -> Membership:
    """A group that the service principal of the listing's scope `servicePrincipals/{id}` is in, transitively.

    `transitiveMemberOf` also answers directory roles and administrative units; `member_type` is always the service
    principal's, so tell those by `object_type` of the raw item.
    """
    item = payload.mapping(raw, "group")
    return Membership(
        group=payload.text(item, "id").strip().casefold(),
        member=payload.scope_id(scope, "servicePrincipals"),
        member_type="ServicePrincipal",
    )


PRINCIPALS = Collector(
    kind="principals",
    plane=Plane.GRAPH,
    path="/v1.0/directoryObjects/getByIds",  # POST {"ids": [...]}: a read, on the allow-list of the read-only policy
    query={"$select": PRINCIPAL_PROPERTIES},
    requires=("Directory.Read.All",),
    parse=parse_principal,
)

SERVICE_PRINCIPALS = Collector(
    kind="service_principals",
    plane=Plane.GRAPH,
    path="/v1.0/servicePrincipals",
    query={
        "$select": "id,appId,displayName,accountEnabled,servicePrincipalType,alternativeNames,appOwnerOrganizationId",
        **_PAGE,
    },
    requires=("Application.Read.All",),
    parse=parse_principal,
)

DELETED_PRINCIPALS = Collector(
    kind="deleted_principals",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}",
    requires=("User.Read.All", "Group.Read.All", "Application.Read.All"),
    parse=parse_principal,
)

GROUP_MEMBERS = Collector(
    kind="group_members",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}/members",
    query={"$select": PRINCIPAL_PROPERTIES, **_PAGE},
    requires=("GroupMember.Read.All", "Member.Read.Hidden"),
    parse=parse_member,
)

SERVICE_PRINCIPAL_GROUPS = Collector(
    kind="service_principal_groups",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}/transitiveMemberOf",
    query={"$select": "id", **_PAGE},  # `@odata.type` comes with it
    requires=("Application.Read.All",),
    parse=parse_group_of,
)
