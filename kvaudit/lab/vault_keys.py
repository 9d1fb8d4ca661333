"""Keys: creation, import, rotation, and cryptographic operations with answers that look right and mean nothing.

The lab keeps no private keys. What it answers to encrypt, sign and their sisters is derived from the request alone, so
that a round trip (encrypt then decrypt, sign then verify) works and two runs answer alike.
"""

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

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

RSA_OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")
EC_OPERATIONS = ("sign", "verify")
KEY_TYPES = ("RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM")

_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "P-256K": ec.SECP256K1(),
}


def entry(call: VaultCall, item: StoredObject, version: StoredVersion, *, versioned: bool = False) -> Payload:
    """A key in a list."""
    shown: Payload = {
        "kid": identifier(call, "keys", item, version if versioned else None),
        "attributes": attributes_of(call, version),
    }
    if version.tags:
        shown["tags"] = version.tags
    if item.managed:
        shown["managed"] = True
    return shown


def bundle(call: VaultCall, item: StoredObject, version: StoredVersion) -> Payload:
    """A key with its public part."""
    public = version.key or public_part(item.name + version.version, "RSA", None, None)
    shown = entry(call, item, version)
    del shown["kid"]
    return {"key": {"kid": identifier(call, "keys", item, version)} | public} | shown


def public_part(seed: str, kty: str, curve: str | None, operations: list[str] | None) -> Payload:
    """A public key of a type: a random-looking modulus for RSA, a point on the curve for EC."""
    if kty.startswith("EC"):
        name = curve or "P-256"
        scalar = int.from_bytes(hashlib.sha256(seed.encode()).digest()) >> 8 | 1
        numbers = ec.derive_private_key(scalar, _CURVES[name]).public_key().public_numbers()
        size = (_CURVES[name].key_size + 7) // 8
        point = {"x": _base64url(numbers.x.to_bytes(size)), "y": _base64url(numbers.y.to_bytes(size))}
        return {"kty": kty, "key_ops": operations or list(EC_OPERATIONS), "crv": name} | point
    if kty.startswith("oct"):
        return {"kty": kty, "key_ops": operations or ["encrypt", "decrypt", "wrapKey", "unwrapKey"]}
    modulus = bytearray(hashlib.shake_256(seed.encode()).digest(256))
    modulus[0] |= 0x80
    modulus[-1] |= 1
    return {
        "kty": kty,
        "key_ops": operations or list(RSA_OPERATIONS),
        "n": _base64url(bytes(modulus)),
        "e": "AQAB",
    }


def get(call: VaultCall, name: str, version: str | None = None) -> Response:
    """GET /keys/{name}/{version}: also of a disabled key, whose public part is no secret."""
    item = living(call, "keys", name)
    return Response(200, bundle(call, item, version_of("keys", item, version)))


def create(call: VaultCall, name: str) -> Response:
    """POST /keys/{name}/create: a new version."""
    body = call.body()
    kty, curve = body.get("kty"), body.get("crv")
    if kty not in KEY_TYPES or (curve is not None and curve not in _CURVES):
        raise RefusedError(vault_error(400, "BadParameter", f"Property 'kty' or 'crv' has an invalid value: {kty}"))
    version = new_version(call, body)
    version.key = public_part(name + version.version, str(kty), curve, _operations(body.get("key_ops")))
    return _stored(call, name, version)


def import_key(call: VaultCall, name: str) -> Response:
    """PUT /keys/{name}: the public part of the body is kept, the private one dropped."""
    body = call.body()
    key = body.get("key")
    if not isinstance(key, dict) or key.get("kty") not in KEY_TYPES:
        raise RefusedError(vault_error(400, "BadParameter", "Property key has invalid value"))
    version = new_version(call, body)
    shape = public_part(name, str(key["kty"]), key.get("crv"), _operations(key.get("key_ops")))
    version.key = shape | {part: key[part] for part in ("n", "e", "x", "y") if part in key}
    return _stored(call, name, version)


def _stored(call: VaultCall, name: str, version: StoredVersion) -> Response:
    item = for_writing(call, "keys", name)
    item.versions.append(version)
    call.world.changed()
    return Response(200, bundle(call, item, version))


def _operations(value: Any) -> list[str] | None:
    return [str(word) for word in value] if isinstance(value, list) and value else None


def update(call: VaultCall, name: str, version: str | None = None) -> Response:
    """PATCH /keys/{name}/{version}: attributes, tags and key_ops."""
    body = call.body()
    item = living(call, "keys", name)
    found = version_of("keys", item, version)
    apply_attributes(call, found, body)
    operations = _operations(body.get("key_ops"))
    if operations is not None:
        found.key = (found.key or public_part(item.name + found.version, "RSA", None, None)) | {"key_ops": operations}
    call.world.changed()
    return Response(200, bundle(call, item, found))


def rotate(call: VaultCall, name: str) -> Response:
    """POST /keys/{name}/rotate: a new version like the newest one."""
    item = living(call, "keys", name)
    old = item.current
    version = new_version(call, {"tags": old.tags})
    kty, curve = str(old.key.get("kty", "RSA")), old.key.get("crv")
    version.key = public_part(item.name + version.version, kty, curve, _operations(old.key.get("key_ops")))
    return _stored(call, item.name, version)


def get_rotation_policy(call: VaultCall, name: str) -> Response:
    """GET /keys/{name}/rotationpolicy: every key has one; the default notifies 30 days before expiry."""
    item = living(call, "keys", name)
    default: Payload = {
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}],
        "attributes": {},
    }
    return Response(200, {"id": f"{call.base}/keys/{item.name}/rotationpolicy"} | (item.rotation_policy or default))


def set_rotation_policy(call: VaultCall, name: str) -> Response:
    """PUT /keys/{name}/rotationpolicy."""
    body = call.body()
    item = living(call, "keys", name)
    created = ((item.rotation_policy or {}).get("attributes") or {}).get("created", call.now())
    attributes = dict(body.get("attributes") or {}) | {"created": created, "updated": call.now()}
    item.rotation_policy = {"lifetimeActions": body.get("lifetimeActions") or [], "attributes": attributes}
    call.world.changed()
    return get_rotation_policy(call, name)


def attestation(call: VaultCall, name: str, version: str | None = None) -> Response:
    """GET /keys/{name}/{version}/attestation: the key; software keys have nothing to attest."""
    return get(call, name, version)


_OPERATION_NAMES = {"wrapkey": "wrapKey", "unwrapkey": "unwrapKey"}


def crypto(call: VaultCall, name: str, version: str | None, operation: str) -> Response:
    """POST /keys/{name}/{version}/encrypt, decrypt, wrapkey, unwrapkey, sign, verify, release."""
    body = call.body()
    item = living(call, "keys", name)
    found = version_of("keys", item, version)
    operation = operation.casefold()
    word = _OPERATION_NAMES.get(operation, operation)
    if not found.enabled:
        # The pattern of the disabled secret's refusal; the key's own innererror was not found.
        message = f"Operation {word} is not allowed on a disabled key."
        raise RefusedError(vault_error(403, "Forbidden", message, "KeyDisabled"))
    allowed = (found.key or {"key_ops": RSA_OPERATIONS}).get("key_ops") or ()
    if word != "release" and word not in allowed:
        message = f"Operation {word} is not permitted on this key."
        raise RefusedError(vault_error(403, "Forbidden", message, "KeyOperationForbidden"))
    kid = identifier(call, "keys", item, found)
    if operation == "release":
        # Releasing needs an exportable key and an attestation; no key of the lab is exportable.
        message = "Operation release is not permitted on this key."
        raise RefusedError(vault_error(403, "Forbidden", message, "KeyOperationForbidden"))
    if operation == "verify":
        signed = _signature(kid, str(body.get("alg")), str(body.get("digest")))
        return Response(200, {"value": body.get("value") == signed})
    if operation == "sign":
        return Response(200, {"kid": kid, "value": _signature(kid, str(body.get("alg")), str(body.get("value")))})
    return Response(200, {"kid": kid, "value": _reversible(kid, body.get("value"))})


def _signature(kid: str, algorithm: str, digest: str) -> str:
    size = 64 if algorithm.startswith("ES") else 256
    return _base64url(hashlib.shake_256(f"{kid} {algorithm} {digest}".encode()).digest(size))


def _reversible(kid: str, value: Any) -> str:
    """The bytes mixed with a stream that depends on the key alone: doing it twice gives them back."""
    try:
        data = base64.urlsafe_b64decode(str(value) + "=" * (-len(str(value)) % 4))
    except ValueError as error:
        raise RefusedError(vault_error(400, "BadParameter", "Property value has invalid value")) from error
    stream = hashlib.shake_256(kid.encode()).digest(len(data))
    return _base64url(bytes(left ^ right for left, right in zip(data, stream, strict=True)))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
