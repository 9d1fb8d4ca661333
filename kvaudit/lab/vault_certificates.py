"""Certificates: creation, policies, pending operations, contacts and issuers.

A certificate makes a key and a secret of its name (facts azure.md 3). Contacts, issuers and pending operations are kept
beside the objects of the vault, under the kinds `contacts`, `issuers` and `pending`, in `StoredObject.policy`.
"""

import base64
import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kvaudit.lab.estate import StoredObject, StoredVersion
from kvaudit.lab.http import Response
from kvaudit.lab.vault_answers import RefusedError, VaultCall, vault_error
from kvaudit.lab.vault_keys import public_part
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

PKCS12 = "application/x-pkcs12"
_MONTH = 2_629_746
"""Seconds of a mean month."""


@lru_cache(maxsize=256)
def _der(seed: str, start: int, end: int) -> bytes:
    """A self-signed certificate of a name. The key is derived from it, so that two runs answer alike."""
    scalar = int.from_bytes(hashlib.sha256(seed.encode()).digest()) >> 8 | 1
    key = ec.derive_private_key(scalar, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, seed.rpartition("/")[0][:60] or "kvaudit-lab")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1 + int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8]))
        .not_valid_before(datetime.fromtimestamp(start, UTC))
        .not_valid_after(datetime.fromtimestamp(max(end, start + 1), UTC))
    )
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def _certificate(item: StoredObject, version: StoredVersion) -> tuple[str, str]:
    """`cer` and `x5t` of a version; the thumbprint is the stored one where there is one."""
    start = version.not_before if version.not_before is not None else version.created
    end = version.expires if version.expires is not None else start + 12 * _MONTH
    der = _der(f"{item.name}/{version.version}", start, end)
    thumbprint = hashlib.sha1(der, usedforsecurity=False).digest()
    return base64.b64encode(der).decode(), version.x5t or base64.urlsafe_b64encode(thumbprint).decode().rstrip("=")


def entry(call: VaultCall, item: StoredObject, version: StoredVersion, *, versioned: bool = False) -> Payload:
    """A certificate in a list."""
    attributes = attributes_of(call, version)
    del attributes["recoveryLevel"], attributes["recoverableDays"]  # lists of certificates leave them out [recordings]
    shown: Payload = {
        "id": identifier(call, "certificates", item, version if versioned else None),
        "x5t": _certificate(item, version)[1],
        "attributes": attributes,
        "subject": "",
    }
    if version.tags:
        shown["tags"] = version.tags
    return shown


def bundle(call: VaultCall, item: StoredObject, version: StoredVersion) -> Payload:
    """A certificate: its public X.509, and where its key and its secret are."""
    cer, x5t = _certificate(item, version)
    shown: Payload = {
        "id": identifier(call, "certificates", item, version),
        "kid": f"{call.base}/keys/{item.name}/{version.version}",
        "sid": f"{call.base}/secrets/{item.name}/{version.version}",
        "x5t": x5t,
        "cer": cer,
        "attributes": attributes_of(call, version),
        "policy": _policy(call, item),
    }
    if version.tags:
        shown["tags"] = version.tags
    return shown


def _policy(call: VaultCall, item: StoredObject) -> Payload:
    default: Payload = {
        "key_props": {"exportable": True, "kty": "RSA", "key_size": 2048, "reuse_key": False},
        "secret_props": {"contentType": PKCS12},
        "x509_props": {"subject": f"CN={item.name}", "ekus": ["1.3.6.1.5.5.7.3.1"], "validity_months": 12},
        "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}],
        "issuer": {"name": "Self"},
        "attributes": {"enabled": True, "created": item.versions[0].created if item.versions else call.now()},
    }
    return {"id": f"{call.base}/certificates/{item.name}/policy"} | default | (item.policy or {})


def get(call: VaultCall, name: str, version: str | None = None) -> Response:
    """GET /certificates/{name}/{version}."""
    item = living(call, "certificates", name)
    return Response(200, bundle(call, item, version_of("certificates", item, version)))


def create(call: VaultCall, name: str) -> Response:
    """POST /certificates/{name}/create: 202 with the pending operation.

    The issuer `Self` is done by the next look at the operation; `Unknown` waits for a merge; any other issuer has to be
    one of the vault's.
    """
    body = call.body()
    policy = body.get("policy") if isinstance(body.get("policy"), dict) else {}
    issuer = str(((policy or {}).get("issuer") or {}).get("name") or "Self")
    if issuer not in {"Self", "Unknown"}:
        _issuer(call, issuer)
    if name.casefold() not in call.kind("certificates"):
        item = for_writing(call, "certificates", name)
    else:
        item = living(call, "certificates", name)
    item.policy = (item.policy or {}) | (policy or {})
    if issuer == "Unknown":
        if not item.versions:
            # Nothing is listed until the merge; the real service lists it only with includePending.
            del call.kind("certificates")[name.casefold()]
    else:
        _issue(call, item, body)
    waiting = {
        "issuer": {"name": issuer},
        "csr": base64.b64encode(name.encode()).decode(),
        "cancellation_requested": False,
    }
    call.kind("pending")[name.casefold()] = StoredObject(name, policy=waiting | {"body": body})
    call.world.changed()
    return Response(202, _pending_payload(call, name, "inProgress"))


def _issue(call: VaultCall, item: StoredObject, body: Payload) -> StoredVersion:
    """A new version with its key and its secret."""
    months = ((item.policy or {}).get("x509_props") or {}).get("validity_months")
    version = new_version(call, body)
    version.not_before = call.now()
    version.expires = call.now() + (months if isinstance(months, int) else 12) * _MONTH
    item.versions.append(version)
    for kind in ("keys", "secrets"):
        part = call.kind(kind).setdefault(item.name.casefold(), StoredObject(item.name, managed=True))
        copy = StoredVersion(
            version.version,
            enabled=version.enabled,
            created=version.created,
            updated=version.updated,
            expires=version.expires,
            not_before=version.not_before,
        )
        if kind == "keys":
            copy.key = public_part(item.name + version.version, "RSA", None, None)
        else:
            copy.value, copy.content_type = "kvaudit-planted-private-key", PKCS12
        part.versions.append(copy)
    return version


def import_certificate(call: VaultCall, name: str) -> Response:
    """POST /certificates/{name}/import: the answer holds a certificate of the lab's own."""
    body = call.body()
    if not isinstance(body.get("value"), str):
        raise RefusedError(vault_error(400, "BadParameter", "Property value has invalid value"))
    item = for_writing(call, "certificates", name)
    if isinstance(body.get("policy"), dict):
        item.policy = body["policy"]
    version = _issue(call, item, body)
    call.world.changed()
    return Response(200, bundle(call, item, version))


def update(call: VaultCall, name: str, version: str | None = None) -> Response:
    """PATCH /certificates/{name}/{version}."""
    body = call.body()
    item = living(call, "certificates", name)
    found = version_of("certificates", item, version)
    apply_attributes(call, found, body)
    if isinstance(body.get("policy"), dict):
        item.policy = (item.policy or {}) | body["policy"]
    call.world.changed()
    return Response(200, bundle(call, item, found))


def get_policy(call: VaultCall, name: str) -> Response:
    """GET /certificates/{name}/policy."""
    return Response(200, _policy(call, living(call, "certificates", name)))


def update_policy(call: VaultCall, name: str) -> Response:
    """PATCH /certificates/{name}/policy: what the body leaves out stays."""
    body = call.body()
    item = living(call, "certificates", name)
    item.policy = (item.policy or {}) | body
    call.world.changed()
    return Response(200, _policy(call, item))


def _pending(call: VaultCall, name: str) -> Payload:
    stored = call.kind("pending").get(name.casefold())
    if stored is None or stored.policy is None:
        message = f"Pending certificate not found: {name}"
        raise RefusedError(vault_error(404, "PendingCertificateNotFound", message))
    return stored.policy


def _pending_payload(call: VaultCall, name: str, status: str) -> Payload:
    stored = _pending(call, name)
    shown = {key: value for key, value in stored.items() if key != "body"}
    answer = {"id": f"{call.base}/certificates/{name}/pending"} | shown | {"status": status}
    return answer | ({"target": f"{call.base}/certificates/{name}"} if status == "completed" else {})


def _status(call: VaultCall, name: str) -> str:
    stored = _pending(call, name)
    if stored["issuer"]["name"] == "Unknown":
        return "inProgress"
    return "cancelled" if stored["cancellation_requested"] else "completed"


def get_operation(call: VaultCall, name: str) -> Response:
    """GET /certificates/{name}/pending."""
    return Response(200, _pending_payload(call, name, _status(call, name)))


def update_operation(call: VaultCall, name: str) -> Response:
    """PATCH /certificates/{name}/pending: asks to cancel."""
    _pending(call, name)["cancellation_requested"] = call.body().get("cancellation_requested") is True
    return Response(200, _pending_payload(call, name, "inProgress"))


def delete_operation(call: VaultCall, name: str) -> Response:
    """DELETE /certificates/{name}/pending."""
    answer = _pending_payload(call, name, _status(call, name))
    del call.kind("pending")[name.casefold()]
    return Response(200, answer)


def merge(call: VaultCall, name: str) -> Response:
    """POST /certificates/{name}/pending/merge: ends an operation of the issuer Unknown."""
    body = call.body()
    stored = _pending(call, name)
    if not isinstance(body.get("x5c"), list) or not body["x5c"]:
        raise RefusedError(vault_error(400, "BadParameter", "Property x5c has invalid value"))
    item = for_writing(call, "certificates", name)
    item.policy = (item.policy or {}) | (stored["body"].get("policy") or {})
    version = _issue(call, item, body)
    del call.kind("pending")[name.casefold()]
    call.world.changed()
    return Response(201, bundle(call, item, version))


def contacts(call: VaultCall) -> Response:
    """GET, PUT and DELETE /certificates/contacts."""
    stored = call.kind("contacts").get("contacts")
    if call.request.method == "PUT":
        stored = StoredObject("contacts", policy={"contacts": call.body().get("contacts") or []})
        call.kind("contacts")["contacts"] = stored
        call.world.changed()
    if stored is None:
        raise RefusedError(vault_error(404, "ContactsNotFound", "Contacts not found"))
    if call.request.method == "DELETE":
        del call.kind("contacts")["contacts"]
        call.world.changed()
    return Response(200, {"id": f"{call.base}/certificates/contacts"} | (stored.policy or {}))


def list_issuers(call: VaultCall) -> list[Payload]:
    """The entries of GET /certificates/issuers."""
    issuers = sorted(call.kind("issuers").items())
    return [{"id": _issuer_id(call, item.name), "provider": (item.policy or {}).get("provider")} for _, item in issuers]


def issuer(call: VaultCall, name: str) -> Response:
    """GET, PUT, PATCH and DELETE /certificates/issuers/{name}."""
    method = call.request.method
    if method == "PUT":
        attributes: dict[str, Any] = {"enabled": True, "created": call.now(), "updated": call.now()}
        raw = call.body() | {"attributes": attributes | (call.body().get("attributes") or {})}
        call.kind("issuers")[name.casefold()] = StoredObject(name, policy=raw)
    item = _issuer(call, name)
    if method == "PATCH":
        body = call.body()
        attributes = dict((item.policy or {}).get("attributes") or {}) | (body.get("attributes") or {})
        item.policy = (item.policy or {}) | body | {"attributes": attributes | {"updated": call.now()}}
    if method == "DELETE":
        del call.kind("issuers")[name.casefold()]
    if method != "GET":
        call.world.changed()
    return Response(200, {"id": _issuer_id(call, item.name)} | (item.policy or {}))


def _issuer(call: VaultCall, name: str) -> StoredObject:
    item = call.kind("issuers").get(name.casefold())
    if item is None:
        raise RefusedError(vault_error(404, "CertificateIssuerNotFound", f"Issuer {name} not found"))
    return item


def _issuer_id(call: VaultCall, name: str) -> str:
    return f"{call.base}/certificates/issuers/{name}"
