"""Secrets: answers and the operations that only secrets have."""

from kvaudit.lab.estate import StoredObject, StoredVersion
from kvaudit.lab.http import Response
from kvaudit.lab.vault_answers import RefusedError, VaultCall, vault_error
from kvaudit.lab.vault_objects import (
    Payload,
    apply_attributes,
    attributes_of,
    for_writing,
    identifier,
    living,
    new_version,
    version_of,
)

SECRET_LIMIT = 25 * 1024
"""Largest value of a secret in bytes (facts azure.md 7)."""


def entry(call: VaultCall, item: StoredObject, version: StoredVersion, *, versioned: bool = False) -> Payload:
    """A secret in a list: never its value."""
    shown: Payload = {"id": identifier(call, "secrets", item, version if versioned else None)}
    if version.content_type is not None:
        shown = {"contentType": version.content_type} | shown
    shown["attributes"] = attributes_of(call, version)
    if version.tags:
        shown["tags"] = version.tags
    if item.managed:
        shown["managed"] = True
    return shown


def without_value(call: VaultCall, item: StoredObject, version: StoredVersion) -> Payload:
    """A secret as update, delete, recover and restore answer it."""
    shown = entry(call, item, version, versioned=True)
    if item.managed:
        shown["kid"] = f"{call.base}/keys/{item.name}/{version.version}"
    return shown


def get(call: VaultCall, name: str, version: str | None = None) -> Response:
    """GET /secrets/{name}/{version}: the value."""
    item = living(call, "secrets", name)
    found = version_of("secrets", item, version)
    if not found.enabled:
        message = "Operation get is not allowed on a disabled secret."
        raise RefusedError(vault_error(403, "Forbidden", message, "SecretDisabled"))
    return Response(200, {"value": found.value or ""} | without_value(call, item, found))


def set_value(call: VaultCall, name: str) -> Response:
    """PUT /secrets/{name}: a new version."""
    body = call.body()
    value = body.get("value")
    if not isinstance(value, str):
        raise RefusedError(vault_error(400, "BadParameter", "Property value has invalid value"))
    if len(value.encode()) > SECRET_LIMIT:
        message = "The secret value is too large: it may hold 25600 bytes."
        raise RefusedError(vault_error(400, "BadParameter", message))
    item = for_writing(call, "secrets", name)
    version = new_version(call, body)
    version.value = value
    item.versions.append(version)
    call.world.changed()
    return Response(200, {"value": value} | without_value(call, item, version))


def update(call: VaultCall, name: str, version: str | None = None) -> Response:
    """PATCH /secrets/{name}/{version}: attributes, never the value."""
    body = call.body()
    item = living(call, "secrets", name)
    found = version_of("secrets", item, version)
    apply_attributes(call, found, body)
    call.world.changed()
    return Response(200, without_value(call, item, found))
