"""Managed identities: the user-assigned ones of a subscription, and which resources run as one."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.identities import ResourceIdentity, UserAssignedIdentity


def parse_user_assigned(raw: Raw, scope: str) -> UserAssignedIdentity:  # noqa: ARG001 - every parser has this signature
    """A user-assigned identity; its principal ID is the object ID of its service principal."""
    item = payload.mapping(raw, "user-assigned identity")
    properties = payload.optional_mapping(item, "properties")
    return UserAssignedIdentity(
        resource_id=payload.identifier(item, "id"),
        principal_id=payload.optional_identifier(properties, "principalId"),
        client_id=payload.optional_identifier(properties, "clientId"),
    )


def has_identity(raw: Raw) -> bool:
    """Whether a resource of the generic list runs as a managed identity: the others are not kept."""
    return isinstance(raw, dict) and raw.get("identity") is not None


def parse_resource(raw: Raw, scope: str) -> ResourceIdentity:  # noqa: ARG001 - every parser has this signature
    """A resource with its `identity`: the system-assigned one, and the user-assigned ones that are attached."""
    item = payload.mapping(raw, "resource")
    identity = payload.mapping(item.get("identity"), "identity")
    attached = payload.optional_mapping(identity, "userAssignedIdentities")
    pairs = []
    for resource_id, details in attached.items():
        if not resource_id.strip():
            raise payload.UnreadableItemError("userAssignedIdentities name no identity")
        known = payload.mapping(details, "userAssignedIdentities") if details is not None else {}
        pairs.append((scopes.fold(resource_id), payload.optional_identifier(known, "principalId") or ""))
    pairs.sort()
    return ResourceIdentity(
        resource_id=payload.identifier(item, "id"),
        resource_type=payload.text(item, "type").strip().casefold(),
        principal_id=payload.optional_identifier(identity, "principalId"),
        user_assigned=tuple(resource_id for resource_id, _ in pairs),
        user_assigned_principals=tuple(principal_id for _, principal_id in pairs),
    )


USER_ASSIGNED_IDENTITIES = Collector(
    kind="user_assigned_identities",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
    api_version="2023-01-31",
    requires=("Microsoft.ManagedIdentity/userAssignedIdentities/read",),
    parse=parse_user_assigned,
    feature=Feature.IDENTITIES,
)

RESOURCE_IDENTITIES = Collector(
    kind="resource_identities",
    plane=Plane.ARM,
    path="{scope}/resources",
    api_version="2021-04-01",
    # The generic list holds what the caller may read, and says nothing of the rest: a narrower right is not enough.
    requires=("Microsoft.Resources/subscriptions/resources/read", "*/read"),
    parse=parse_resource,
    feature=Feature.IDENTITIES,
)
