"""Vaults of an estate file: payload, access policies, objects with planted values, and soft-deleted vaults."""

import hashlib

from kvaudit.lab.estate import Estate, Raw, StoredObject, StoredVersion, fold
from kvaudit.lab.estate_identities import resource_group
from kvaudit.lab.estate_names import Names
from kvaudit.lab.estate_yaml import Mistakes, Table, plain

_KINDS = ("secrets", "keys", "certificates")
_EPOCH = 1_767_225_600
"""2026-01-01T00:00:00Z, when the objects of sample estates were made."""


def compile_vaults(document: Table, estate: Estate, mistakes: Mistakes, names: Names) -> None:
    """Adds every vault and soft-deleted vault of the document to the estate."""
    for section in ("vaults", "deleted_vaults"):
        for item in document.get(section) or ():
            _vault(item, estate, mistakes, names, deleted=section == "deleted_vaults")


def _vault(item: Table, estate: Estate, mistakes: Mistakes, names: Names, *, deleted: bool) -> None:
    subscription = names.subscription(item)
    if subscription is None:
        return
    group = f"/subscriptions/{subscription}/resourceGroups/{item['group']}"
    name = str(item["name"])
    identity = f"{group}/providers/Microsoft.KeyVault/vaults/{name}"
    if fold(identity) in estate.vaults:
        mistakes.add(item.place, f"the vault {name!r} stands here a second time")
    names.add("vault", name, identity, item.place)
    location = str(item.get("location") or "westeurope")
    estate.resource_groups.setdefault(fold(group), resource_group(group, location))
    raw: Raw = {
        "id": identity,
        "name": name,
        "type": "Microsoft.KeyVault/vaults",
        "location": location,
        "tags": dict(item.get("tags") or {}),
        "properties": _properties(item, estate, names, name),
    }
    if deleted:
        _add_deleted(estate, raw, group)
        return
    estate.vaults[fold(identity)] = raw
    estate.objects[fold(identity)] = {kind: _objects(item, kind) for kind in _KINDS}
    _add_certificate_halves(estate.objects[fold(identity)])
    for entry in item.get("diagnostic_settings") or ():
        estate.diagnostic_settings.setdefault(fold(identity), []).append(_diagnostic_setting(identity, entry))
    for index in range(int(item.get("private_endpoints") or 0)):
        _private_endpoint(estate, raw, group, index + 1)


def _private_endpoint(estate: Estate, vault: Raw, group: str, number: int) -> None:
    """A private endpoint in the vault's resource group, and the vault's connection to it."""
    identity = str(vault["id"])
    name = f"{vault['name']}-{number}"
    endpoint = f"{group}/providers/Microsoft.Network/privateEndpoints/{name}"
    status = {"privateLinkServiceConnectionState": {"status": "Approved"}, "provisioningState": "Succeeded"}
    connection = {
        "id": f"{identity}/privateEndpointConnections/{name}",
        "properties": {"privateEndpoint": {"id": endpoint}, **status},
    }
    estate.private_endpoints.setdefault(fold(identity), []).append(connection)
    vault["properties"].setdefault("privateEndpointConnections", []).append(connection)
    link = {"name": name, "properties": {"privateLinkServiceId": identity, "groupIds": ["vault"], **status}}
    estate.other_resources[fold(endpoint)] = {
        "id": endpoint,
        "name": name,
        "type": "Microsoft.Network/privateEndpoints",
        "location": vault["location"],
        "properties": {"privateLinkServiceConnections": [link], "provisioningState": "Succeeded"},
    }


def _diagnostic_setting(vault_id: str, entry: Table) -> Raw:
    """A setting that sends logs to a Log Analytics workspace: the audit log, unless it names others."""
    workspace = str(entry["name"])
    logs = [{"category": name} for name in entry.get("logs") or ()]
    logs += [{"categoryGroup": name} for name in entry.get("groups") or ()]
    if "logs" not in entry and "groups" not in entry:
        logs = [{"category": "AuditEvent"}]
    return {
        "id": f"{vault_id}/providers/microsoft.insights/diagnosticSettings/{workspace}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": workspace,
        "properties": {
            "workspaceId": f"{'/'.join(vault_id.split('/')[:5])}/providers/Microsoft.OperationalInsights/workspaces/{workspace}",
            "logs": [{**log, "enabled": True, "retentionPolicy": {"enabled": False, "days": 0}} for log in logs],
            "metrics": [],
        },
    }


def _properties(item: Table, estate: Estate, names: Names, name: str) -> Raw:
    properties: Raw = {
        "sku": {"family": "A", "name": str(item.get("sku") or "standard")},
        "tenantId": str(item.get("tenant") or estate.home_tenant),
        "accessPolicies": [_policy(entry, estate, names) for entry in item.get("policies") or ()],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "vaultUri": f"https://{name}.vault.azure.net/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
    }
    if "rbac" in item:
        properties["enableRbacAuthorization"] = item["rbac"]
    for key, value in (item.get("properties") or {}).items():
        if value == "ABSENT":
            properties.pop(key, None)
        else:
            properties[key] = plain(value)
    return properties


def _policy(entry: Table, estate: Estate, names: Names) -> Raw:
    raw: Raw = {
        "tenantId": str(entry.get("tenant") or estate.home_tenant),
        "objectId": names.principal(entry, "principal"),
        "permissions": {kind: list(entry[kind]) for kind in (*_KINDS, "storage") if kind in entry},
    }
    if entry.get("application"):
        raw["applicationId"] = str(entry["application"])
    return raw


def _objects(item: Table, kind: str) -> dict[str, StoredObject]:
    found = (
        StoredObject(str(entry["name"]), [_version(entry, kind, str(item["name"]))]) for entry in item.get(kind) or ()
    )
    return {stored.name.casefold(): stored for stored in found}


def _version(table: Table, kind: str, vault: str) -> StoredVersion:
    name = str(table["name"])
    digest = hashlib.sha256(f"{vault}/{kind}/{name}".encode()).hexdigest()
    version = StoredVersion(
        version=digest[:32],
        enabled=table.get("enabled", True),
        created=int(table.get("created") or _EPOCH),
        updated=int(table.get("created") or _EPOCH),
        expires=table.get("expires"),
        content_type=table.get("content_type"),
        tags=dict(table.get("tags") or {}),
    )
    if kind == "secrets":
        version.value = str(table.get("value") or f"kvaudit-planted-{digest[32:56]}")
    else:
        version.key = {
            "kty": table.get("kty") or "RSA",
            "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
            "n": digest,
            "e": "AQAB",
        }
    if kind == "certificates":
        version.x5t = digest[:27]
    return version


def _add_certificate_halves(objects: dict[str, dict[str, StoredObject]]) -> None:
    """A certificate makes a key and a secret of the same name, both managed (azure.md 3)."""
    for name, certificate in objects["certificates"].items():
        current = certificate.current
        planted = f"kvaudit-planted-{current.version[:24]}"
        secret = StoredVersion(
            current.version,
            created=current.created,
            updated=current.updated,
            value=planted,
            content_type="application/x-pkcs12",
        )
        key = StoredVersion(current.version, created=current.created, updated=current.updated, key=current.key)
        objects["secrets"].setdefault(name, StoredObject(certificate.name, [secret], managed=True))
        objects["keys"].setdefault(name, StoredObject(certificate.name, [key], managed=True))


def _add_deleted(estate: Estate, raw: Raw, group: str) -> None:
    subscription = group.split("/")[2]
    identity = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{raw['location']}/deletedVaults/{raw['name']}"
    estate.deleted_vault_bodies[fold(identity)] = raw
    estate.deleted_vaults[fold(identity)] = {
        "id": identity,
        "name": raw["name"],
        "type": "Microsoft.KeyVault/deletedVaults",
        "properties": {
            "vaultId": raw["id"],
            "location": raw["location"],
            "tags": raw["tags"],
            "deletionDate": "2026-11-02T09:00:00Z",
            "scheduledPurgeDate": "2027-01-31T09:00:00Z",
            "purgeProtectionEnabled": bool(raw["properties"].get("enablePurgeProtection")),
        },
    }
