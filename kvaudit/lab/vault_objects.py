"""What secrets, keys and certificates have in common: payloads, lists, deletion, recovery, backup."""

import base64
import hashlib
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kvaudit.lab.estate import StoredObject, StoredVersion, fold
from kvaudit.lab.http import Response
from kvaudit.lab.vault_answers import (
    NOUNS,
    RefusedError,
    VaultCall,
    deleted_missing,
    name_in_deleted_state,
    object_missing,
    paged,
    vault_error,
)

Payload = dict[str, Any]

OBJECT_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
DEFAULT_RETENTION = 90
"""Days a deleted object is kept unless the vault says otherwise (facts azure.md 1.6)."""
_DAY = 86_400


def living(call: VaultCall, kind: str, name: str) -> StoredObject:
    """The object of this name. Raises RefusedError: 404."""
    item = call.kind(kind).get(name.casefold())
    if item is None or item.deleted_at is not None:
        raise RefusedError(object_missing(kind, name))
    return item


def version_of(kind: str, item: StoredObject, version: str | None) -> StoredVersion:
    """The named version, or the newest. Raises RefusedError: 404."""
    if not version:
        return item.current
    found = next((known for known in item.versions if known.version.casefold() == version.casefold()), None)
    if found is None:
        raise RefusedError(object_missing(kind, f"{item.name}/{version}"))
    return found


def for_writing(call: VaultCall, kind: str, name: str) -> StoredObject:
    """The object that a new version goes to, made when it is not there.

    Raises:
        RefusedError: 400 for a name that is none, 409 for the name of a deleted object or of another's part.
    """
    if not OBJECT_NAME.fullmatch(name):
        raise RefusedError(vault_error(400, "BadParameter", f"The request URI contains an invalid name: {name}"))
    item = call.kind(kind).get(name.casefold())
    if item is None:
        item = StoredObject(name)
        call.kind(kind)[name.casefold()] = item
    elif item.deleted_at is not None:
        raise RefusedError(name_in_deleted_state(kind, name))
    return item


def new_version(call: VaultCall, body: Payload) -> StoredVersion:
    """A version with the attributes and tags of a request body."""
    now = call.now()
    version = StoredVersion(uuid.uuid4().hex, created=now, updated=now)
    apply_attributes(call, version, body)
    return version


def apply_attributes(call: VaultCall, version: StoredVersion, body: Payload) -> None:
    """Take over what a body says of enabled, exp, nbf, tags and contentType; what it leaves out stays."""
    attributes = body.get("attributes")
    if isinstance(attributes, dict):
        if attributes.get("enabled") is not None:
            version.enabled = attributes["enabled"] is True
        version.expires = attributes.get("exp", version.expires)
        version.not_before = attributes.get("nbf", version.not_before)
    if isinstance(body.get("tags"), dict):
        version.tags = {str(name): str(value) for name, value in body["tags"].items()}
    if body.get("contentType") is not None:
        version.content_type = str(body["contentType"])
    version.updated = call.now()


def attributes_of(call: VaultCall, version: StoredVersion) -> Payload:
    """The `attributes` of an answer."""
    shown: Payload = {"enabled": version.enabled}
    if version.not_before is not None:
        shown["nbf"] = version.not_before
    if version.expires is not None:
        shown["exp"] = version.expires
    days = retention_days(call)
    return shown | {
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": _recovery_level(call, days),
        "recoverableDays": days,
    }


def retention_days(call: VaultCall) -> int:
    """Days that a deleted object of this vault is kept."""
    days = (call.vault.get("properties") or {}).get("softDeleteRetentionInDays")
    return days if isinstance(days, int) else DEFAULT_RETENTION


def purge_protected(call: VaultCall) -> bool:
    """Whether deleted objects cannot be purged."""
    return (call.vault.get("properties") or {}).get("enablePurgeProtection") is True


def _recovery_level(call: VaultCall, days: int) -> str:
    level = "Recoverable" if days == DEFAULT_RETENTION else "CustomizedRecoverable"
    return level if purge_protected(call) else f"{level}+Purgeable"


def identifier(call: VaultCall, kind: str, item: StoredObject, version: StoredVersion | None = None) -> str:
    """`https://vault/kind/name` and the version when one is given."""
    base = f"{call.base}/{kind}/{item.name}"
    return base if version is None else f"{base}/{version.version}"


Shape = Callable[[VaultCall, StoredObject, StoredVersion], Payload]
"""Makes an answer out of an object and one of its versions."""


def list_items(call: VaultCall, kind: str, entry: Shape) -> Response:
    """GET /{kind}: every living object, by name, each with its newest version's attributes."""
    items = sorted(call.kind(kind).items())
    return paged(call, [entry(call, item, item.current) for _, item in items if item.deleted_at is None])


def list_versions(call: VaultCall, kind: str, name: str, entry: Callable[..., Payload]) -> Response:
    """GET /{kind}/{name}/versions: an empty page for a name that is not there."""
    item = call.kind(kind).get(name.casefold())
    if item is None or item.deleted_at is not None:
        return paged(call, [])
    return paged(call, [entry(call, item, version, versioned=True) for version in reversed(item.versions)])


def list_deleted(call: VaultCall, kind: str, entry: Shape) -> Response:
    """GET /deleted{kind}: without the parts of certificates, which go and come with them."""
    items = sorted(call.kind(kind).items())
    deleted = [item for _, item in items if item.deleted_at is not None and not item.managed]
    return paged(call, [deletion(call, kind, item) | entry(call, item, item.current) for item in deleted])


def deleted(call: VaultCall, kind: str, name: str) -> StoredObject:
    """The deleted object of this name. Raises RefusedError: 404."""
    item = call.kind(kind).get(name.casefold())
    if item is None or item.deleted_at is None:
        raise RefusedError(deleted_missing(kind, name))
    return item


def deletion(call: VaultCall, kind: str, item: StoredObject) -> Payload:
    """What a deleted object's answer has beside the object."""
    return {
        "recoveryId": f"{call.base}/deleted{kind}/{item.name}",
        "deletedDate": item.deleted_at,
        "scheduledPurgeDate": item.purge_at,
    }


def _parts(call: VaultCall, kind: str, item: StoredObject) -> list[StoredObject]:
    """The object, and for a certificate the key and the secret that belong to it."""
    if kind != "certificates":
        return [item]
    named = (call.kind(other).get(item.name.casefold()) for other in ("keys", "secrets"))
    return [item, *(part for part in named if part is not None and part.managed)]


def delete(call: VaultCall, kind: str, name: str, shape: Shape) -> Response:
    """DELETE /{kind}/{name}: soft delete, at once."""
    item = living(call, kind, name)
    if item.managed:
        # The service refuses to delete a certificate's parts one by one; its exact text was not found.
        noun = NOUNS[kind].casefold()
        raise RefusedError(vault_error(403, "Forbidden", f"Operation delete is not allowed on a managed {noun}."))
    for part in _parts(call, kind, item):
        part.deleted_at = call.now()
        part.purge_at = call.now() + retention_days(call) * _DAY
    call.world.changed()
    return Response(200, deletion(call, kind, item) | shape(call, item, item.current))


def recover(call: VaultCall, kind: str, name: str, shape: Shape) -> Response:
    """POST /deleted{kind}/{name}/recover."""
    known = call.kind(kind).get(name.casefold())
    if known is not None and known.deleted_at is None:
        message = f"{NOUNS[kind]} exists already: {name}"
        raise RefusedError(vault_error(400, "MethodNotAllowed", message, "RequestNotAllowedOnNonDeletedObject"))
    item = deleted(call, kind, name)
    for part in _parts(call, kind, item):
        part.deleted_at = part.purge_at = None
    call.world.changed()
    return Response(200, shape(call, item, item.current))


def purge(call: VaultCall, kind: str, name: str) -> Response:
    """DELETE /deleted{kind}/{name}."""
    item = deleted(call, kind, name)
    if purge_protected(call):
        # Code and innererror of this refusal were not found in a primary text.
        message = (
            'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will '
            "automatically purge it after the retention period has passed."
        )
        raise RefusedError(vault_error(403, "Forbidden", message, "ForbiddenByPolicy"))
    for part in _parts(call, kind, item):
        for store in call.objects.values():
            for key in [key for key, stored in store.items() if stored is part]:
                del store[key]
    call.world.changed()
    return Response(204)


_BLOB_HEAD = {
    "secrets": b"(AzureKeyVaultSecretBackupV1.microsoft.com",
    "keys": b"&AzureKeyVaultKeyBackupV1.microsoft.com",
    "certificates": b"-AzureKeyVaultCertificateBackupV1.microsoft.com",
}


def backup(call: VaultCall, kind: str, name: str) -> Response:
    """POST /{kind}/{name}/backup: the object sealed for this lab, its subscription with it."""
    item = living(call, kind, name)
    parts = {other: asdict(part) for other, part in zip(_part_kinds(kind), _parts(call, kind, item), strict=False)}
    sealed = orjson.dumps({"subscription": _subscription(call), "parts": parts})
    nonce = os.urandom(12)
    blob = _BLOB_HEAD[kind] + nonce + _cipher(call).encrypt(nonce, sealed, _BLOB_HEAD[kind])
    return Response(200, {"value": base64.urlsafe_b64encode(blob).decode().rstrip("=")})


def restore(call: VaultCall, kind: str, shape: Shape) -> Response:
    """POST /{kind}/restore: within the subscription only, and never over an object that is there."""
    content = _open_blob(call, kind, call.body().get("value"))
    if content is None or content["subscription"] != _subscription(call):
        # The refusal of a foreign blob is documented (general/backup.md), its text was not found.
        raise RefusedError(vault_error(400, "BadParameter", "Backup blob is not valid for this vault."))
    restored = {other: _stored(raw) for other, raw in content["parts"].items()}
    item = restored[kind]
    known = call.kind(kind).get(item.name.casefold())
    if known is not None:
        noun = NOUNS[kind].casefold()
        message = (
            f"Conflict while restoring {noun} {identifier(call, kind, item, item.current)} - {noun} already exists or "
            "concurrent access"
        )
        raise RefusedError(vault_error(409, "Conflict", message))
    for other, part in restored.items():
        call.kind(other)[part.name.casefold()] = part
    call.world.changed()
    return Response(200, shape(call, item, item.current))


def _part_kinds(kind: str) -> tuple[str, ...]:
    return ("certificates", "keys", "secrets") if kind == "certificates" else (kind,)


def _subscription(call: VaultCall) -> str:
    return fold(str(call.vault["id"])).split("/")[2]


def _cipher(call: VaultCall) -> AESGCM:
    return AESGCM(hashlib.sha256(b"backup" + call.world.signing_key).digest())


def _open_blob(call: VaultCall, kind: str, value: Any) -> dict[str, Any] | None:
    head = _BLOB_HEAD[kind]
    try:
        blob = base64.urlsafe_b64decode(str(value) + "=" * (-len(str(value)) % 4))
        sealed = blob.removeprefix(head)
        opened: dict[str, Any] = orjson.loads(_cipher(call).decrypt(sealed[:12], sealed[12:], head))
    except (ValueError, InvalidTag):
        return None
    return opened


def _stored(raw: dict[str, Any]) -> StoredObject:
    return StoredObject(**(raw | {"versions": [StoredVersion(**version) for version in raw["versions"]]}))
