"""Secrets, keys and certificates by name, with their attributes. Never a value.

Two sources answer the same question in two shapes. Resource Manager is quiet and past the firewall, and knows
secrets and keys; the vault endpoint knows all three. The listing's scope is the vault's resource ID in both cases.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.collectors.vaults import API_VERSION, OLDER_API_VERSIONS
from kvaudit.model import scopes
from kvaudit.model.vaults import ObjectRef, VaultObject

OBJECT_KINDS = frozenset({"secrets", "keys", "certificates"})

_VAULT_API_VERSION = "7.5"  # the newest that sovereign clouds have had for years; lists did not change since

_KEPT = frozenset({"id", "kid", "name", "type", "location", "tags", "attributes", "contentType", "managed"})
_KEPT_PROPERTIES = frozenset({"attributes", "contentType", "kty", "keySize", "curveName", "keyOps", "managed"})
_KEPT_ATTRIBUTES = frozenset(
    {"enabled", "created", "updated", "exp", "nbf", "expires", "recoveryLevel", "recoverableDays", "exportable"}
)


def metadata_only(raw: Raw) -> Raw:
    """The item with the properties that a list of objects has, and nothing else.

    Lists hold no values, but what answers may not be a vault: nothing that could be a value or key material reaches
    the disk. Anything that is not an object becomes null.
    """
    if not isinstance(raw, dict):
        return None
    kept = {key: value for key, value in raw.items() if key in _KEPT}
    if "attributes" in kept:
        kept["attributes"] = _only(kept["attributes"], _KEPT_ATTRIBUTES)
    properties = raw.get("properties")
    if isinstance(properties, dict):
        kept["properties"] = _only(properties, _KEPT_PROPERTIES)
        if "attributes" in kept["properties"]:
            kept["properties"]["attributes"] = _only(kept["properties"]["attributes"], _KEPT_ATTRIBUTES)
    return kept


def _only(value: Any, keys: frozenset[str]) -> Any:
    return {key: item for key, item in value.items() if key in keys} if isinstance(value, dict) else None


def _parser(kind: str) -> Callable[[Raw, str], VaultObject]:
    def parse(raw: Raw, scope: str) -> VaultObject:
        item = payload.mapping(raw, kind)
        properties = payload.optional_mapping(item, "properties")  # Resource Manager's shape
        inner = properties or item
        attributes = payload.optional_mapping(inner, "attributes")
        return VaultObject(
            vault_id=scopes.fold(scope),
            ref=ObjectRef(kind, _name(item, kind)),
            enabled=payload.optional_flag(attributes, "enabled"),
            created=payload.shown_number(attributes, "created"),
            updated=payload.shown_number(attributes, "updated"),
            expires=payload.shown_number(attributes, "exp"),
            not_before=payload.shown_number(attributes, "nbf"),
            managed=payload.shown_flag(inner, "managed"),
            content_type=payload.shown_text(inner, "contentType"),
        )

    return parse


def _name(item: Mapping[str, Any], kind: str) -> str:
    """The object's name, the segment after its kind in a resource ID or in a vault's identifier.

    Keys are identified by `kid` in the vault's shape. Identifiers in lists carry no version; one that does is borne.
    """
    identifier = payload.optional_text(item, "kid") or payload.text(item, "id")
    try:
        path = urlsplit(identifier).path
    except ValueError as error:
        raise payload.UnreadableItemError("id is not an identifier") from error
    segments = path.split("/")
    folded = [segment.casefold() for segment in segments]
    if kind not in folded:
        raise payload.UnreadableItemError(f"id does not name one of the {kind}")
    at = len(folded) - 1 - folded[::-1].index(kind)
    if at + 1 == len(segments):  # an object that is named like its kind, as in `/secrets/secrets`
        at = folded.index(kind)
    name = segments[at + 1] if at + 1 < len(segments) else ""
    if not name:
        raise payload.UnreadableItemError(f"id does not name one of the {kind}")
    return name


SECRETS = Collector(
    kind="secrets",
    plane=Plane.ARM,
    path="{scope}/secrets",
    api_version=API_VERSION,
    older=OLDER_API_VERSIONS,
    requires=("Microsoft.KeyVault/vaults/secrets/read",),
    parse=_parser("secrets"),
    feature=Feature.OBJECTS,
)

KEYS = Collector(
    kind="keys",
    plane=Plane.ARM,
    path="{scope}/keys",
    api_version=API_VERSION,
    older=OLDER_API_VERSIONS,
    requires=("Microsoft.KeyVault/vaults/keys/read",),
    parse=_parser("keys"),
    feature=Feature.OBJECTS,
)

SECRETS_AT_VAULT = Collector(
    kind="secrets",
    plane=Plane.VAULT,
    path="/secrets",
    api_version=_VAULT_API_VERSION,
    requires=("Microsoft.KeyVault/vaults/secrets/readMetadata/action",),
    parse=_parser("secrets"),
    feature=Feature.OBJECTS,
)

KEYS_AT_VAULT = Collector(
    kind="keys",
    plane=Plane.VAULT,
    path="/keys",
    api_version=_VAULT_API_VERSION,
    requires=("Microsoft.KeyVault/vaults/keys/read",),
    parse=_parser("keys"),
    feature=Feature.OBJECTS,
)

CERTIFICATES = Collector(
    kind="certificates",
    plane=Plane.VAULT,  # Resource Manager has no read for certificates (facts azure.md 3)
    path="/certificates",
    api_version=_VAULT_API_VERSION,
    requires=("Microsoft.KeyVault/vaults/certificates/read",),
    parse=_parser("certificates"),
    feature=Feature.OBJECTS,
)
