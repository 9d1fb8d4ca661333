"""Vaults, through `.../providers/Microsoft.KeyVault/vaults`: the generic resource list has no properties."""

from collections.abc import Mapping
from sys import intern
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model.vaults import (
    AccessPolicy,
    NetworkAcls,
    PermissionModel,
    PermissionModelSource,
    PrivateEndpointConnection,
    Vault,
)

_NO_TAGS: dict[str, str] = {}
"""The same for all vaults without tags, of which there may be a million. Nobody writes into it."""

_TYPE = "/providers/microsoft.keyvault/vaults/"


def parse(raw: Raw, scope: str) -> Vault:  # noqa: ARG001 - every parser has this signature
    """A vault. One whose properties are absent or unreadable is kept by its ID, with an unknown permission model.

    A vault that raised would be missing from the report, so only an item without a vault's ID does.
    """
    item = payload.mapping(raw, "vault")
    identifier = payload.text(item, "id")
    parent, found, name = identifier.casefold().rstrip("/").rpartition(_TYPE)
    if not found or not name or "/" in name or not parent.startswith("/subscriptions/"):
        raise payload.UnreadableItemError("id is not the resource ID of a vault")
    name = identifier.rstrip("/").rsplit("/", 1)[-1]
    location, tags = _shared(payload.shown_text(item, "location")), _tags(item)
    properties = item.get("properties")
    if isinstance(properties, dict):
        try:
            return _full(identifier, name, location, tags, properties)
        except payload.UnreadableItemError:
            pass  # falls through to the vault with an unknown model, which the loader tells as a gap
    return Vault(id=identifier, name=name, location=location, tags=tags)


def _full(
    identifier: str, name: str, location: str | None, tags: dict[str, str], properties: Mapping[str, Any]
) -> Vault:
    model, source = permission_model(properties)
    return Vault(
        id=identifier,
        name=name,
        location=location,
        tags=tags,
        tenant_id=_folded(payload.optional_text(properties, "tenantId")),
        vault_uri=payload.shown_text(properties, "vaultUri"),
        sku=_sku(properties),
        permission_model=model,
        permission_model_source=source,
        access_policies=_access_policies(properties),
        enable_soft_delete=payload.optional_flag(properties, "enableSoftDelete"),
        soft_delete_retention_in_days=payload.shown_number(properties, "softDeleteRetentionInDays"),
        enable_purge_protection=payload.optional_flag(properties, "enablePurgeProtection"),
        public_network_access=_shared(payload.optional_text(properties, "publicNetworkAccess")),
        network_acls=_network_acls(properties),
        enabled_for_deployment=payload.optional_flag(properties, "enabledForDeployment"),
        enabled_for_disk_encryption=payload.optional_flag(properties, "enabledForDiskEncryption"),
        enabled_for_template_deployment=payload.optional_flag(properties, "enabledForTemplateDeployment"),
        private_endpoint_connections=tuple(
            _private_endpoint_connection(entry) for entry in payload.items(properties, "privateEndpointConnections")
        ),
        provisioning_state=_shared(payload.shown_text(properties, "provisioningState")),
    )


def permission_model(properties: Mapping[str, Any]) -> tuple[PermissionModel, PermissionModelSource]:
    """The permission model and how its flag stood. Only an explicit true means Azure RBAC (facts azure.md 1.1).

    Raises `UnreadableItemError` for a flag that is neither true, false nor null: then the model is unknown.
    """
    if "enableRbacAuthorization" not in properties:
        return PermissionModel.ACCESS_POLICIES, PermissionModelSource.ABSENT
    flag = payload.optional_flag(properties, "enableRbacAuthorization")
    if flag is None:
        return PermissionModel.ACCESS_POLICIES, PermissionModelSource.NULL
    model = PermissionModel.AZURE_RBAC if flag else PermissionModel.ACCESS_POLICIES
    return model, PermissionModelSource.EXPLICIT


def _access_policies(properties: Mapping[str, Any]) -> tuple[AccessPolicy, ...] | None:
    if properties.get("accessPolicies") is None:
        return None
    return tuple(_access_policy(entry) for entry in payload.items(properties, "accessPolicies"))


def _access_policy(raw: Any) -> AccessPolicy:
    entry = payload.mapping(raw, "access policy")
    permissions = payload.optional_mapping(entry, "permissions")
    return AccessPolicy(
        tenant_id=_folded(payload.optional_text(entry, "tenantId")),
        object_id=intern(payload.text(entry, "objectId").strip().casefold()),
        application_id=_folded(payload.optional_text(entry, "applicationId")),
        keys=payload.optional_texts(permissions, "keys"),
        secrets=payload.optional_texts(permissions, "secrets"),
        certificates=payload.optional_texts(permissions, "certificates"),
        storage=payload.optional_texts(permissions, "storage"),
    )


def _network_acls(properties: Mapping[str, Any]) -> NetworkAcls | None:
    if properties.get("networkAcls") is None:
        return None
    acls = payload.mapping(properties["networkAcls"], "networkAcls")
    return NetworkAcls(
        bypass=payload.optional_text(acls, "bypass"),
        default_action=payload.optional_text(acls, "defaultAction"),
        ip_rules=tuple(
            payload.text(payload.mapping(rule, "ipRules"), "value") for rule in payload.items(acls, "ipRules")
        ),
        virtual_network_rules=tuple(
            payload.text(payload.mapping(rule, "virtualNetworkRules"), "id")
            for rule in payload.items(acls, "virtualNetworkRules")
        ),
    )


def _private_endpoint_connection(raw: Any) -> PrivateEndpointConnection:
    entry = payload.mapping(raw, "private endpoint connection")
    properties = payload.optional_mapping(entry, "properties")
    endpoint = payload.optional_mapping(properties, "privateEndpoint")
    state = payload.optional_mapping(properties, "privateLinkServiceConnectionState")
    return PrivateEndpointConnection(
        id=payload.shown_text(entry, "id") or payload.shown_text(endpoint, "id") or "",
        status=payload.optional_text(state, "status"),
    )


def _sku(properties: Mapping[str, Any]) -> str | None:
    """The SKU in lower case: the service sends `standard` and `Standard`."""
    sku = properties.get("sku")
    name = payload.shown_text(sku, "name") if isinstance(sku, dict) else None
    return _folded(name)


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    tags = item.get("tags")
    if not isinstance(tags, dict) or not tags:
        return _NO_TAGS
    return {key: value for key, value in tags.items() if isinstance(value, str)}


def _folded(value: str | None) -> str | None:
    return _shared(value.strip().casefold()) if value else None


def _shared(value: str | None) -> str | None:
    return None if value is None else payload.shared_text(value)


API_VERSION = "2026-02-01"

OLDER_API_VERSIONS = ("2023-07-01", "2021-10-01")
"""Sovereign clouds were years behind with versions of Key Vault (Azure/azure-cli 18006, 20226). Those before 2021-10-01 do
not show `publicNetworkAccess`."""

VAULTS = Collector(
    kind="vaults",
    plane=Plane.ARM,
    path="{scope}/providers/Microsoft.KeyVault/vaults",
    api_version=API_VERSION,
    older=OLDER_API_VERSIONS,
    requires=("Microsoft.KeyVault/vaults/read",),
    parse=parse,
)
