"""Owners of groups, application registrations and service principals, from Microsoft Graph v1.0.

An owner of a group may add members, one of an application or service principal may add a credential to it (facts azure.md
8, E13 and E23). Only those are asked for that a record names, or that stand in a group which one names.

v1.0 leaves service principals out of the owners of a group (learn.microsoft.com/graph/api/group-list-owners), as it does
with members: what a service principal owns is asked of every one.
"""

from collections.abc import Callable

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.collectors.directory import PRINCIPAL_PROPERTIES, object_type
from kvaudit.model.identities import Ownership

_COLLECTIONS = {"Group": "groups", "Application": "applications", "ServicePrincipal": "servicePrincipals"}


def owned_scope(target_kind: str, target: str) -> str:
    """The listing's scope of the owners of a group, application registration or service principal."""
    return f"{_COLLECTIONS[target_kind]}/{target}"


def _parser(target_kind: str) -> Callable[[Raw, str], Ownership]:
    def parse(raw: Raw, scope: str) -> Ownership:
        item = payload.mapping(raw, "owner")
        return Ownership(
            target=payload.scope_id(scope, _COLLECTIONS[target_kind]),
            target_kind=target_kind,
            owner=payload.identifier(item, "id"),
            owner_type=object_type(raw),
        )

    return parse


def parse_owned(raw: Raw, scope: str) -> Ownership:
    """Something that the service principal of the listing's scope owns."""
    item = payload.mapping(raw, "owned object")
    return Ownership(
        target=payload.identifier(item, "id"),
        target_kind=object_type(raw) or "",
        owner=payload.scope_id(scope, "servicePrincipals"),
        owner_type="ServicePrincipal",
    )


def _collector(kind: str, target_kind: str, need: str) -> Collector[Ownership]:
    return Collector(
        kind=kind,
        plane=Plane.GRAPH,
        path="/v1.0/{scope}/owners",
        query={"$select": PRINCIPAL_PROPERTIES, "$top": "999"},
        requires=(need,),
        parse=_parser(target_kind),
        feature=Feature.IDENTITIES,
    )


GROUP_OWNERS = _collector("group_owners", "Group", "GroupMember.Read.All")
APPLICATION_OWNERS = _collector("application_owners", "Application", "Application.Read.All")
SERVICE_PRINCIPAL_OWNERS = _collector("service_principal_owners", "ServicePrincipal", "Application.Read.All")

SERVICE_PRINCIPAL_OWNED_OBJECTS = Collector(
    kind="service_principal_owned_objects",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}/ownedObjects",
    query={"$select": "id", "$top": "999"},
    requires=("Application.Read.All",),
    parse=parse_owned,
    feature=Feature.IDENTITIES,
)
