"""Every route of a vault endpoint, what it needs, and what answers it.

The needs are written here from the facts, not read from the product's data; a test prints where the two differ.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from kvaudit.lab import vault_certificates, vault_keys, vault_objects, vault_secrets
from kvaudit.lab.http import Response
from kvaudit.lab.vault_answers import NOUNS, VaultCall, paged
from kvaudit.lab.words import Word, word

Handler = Callable[..., Response]

_KEY_VAULT = "Microsoft.KeyVault/vaults/"
_METADATA = {
    "secrets": f"{_KEY_VAULT}secrets/readMetadata/action",
    "keys": f"{_KEY_VAULT}keys/read",
    "certificates": f"{_KEY_VAULT}certificates/read",
}
"""The data action that reads names and attributes."""


@dataclass(frozen=True, slots=True)
class Route:
    """One REST call.

    Attributes:
        pattern: of the path; its first group is the object's name when `on_object`, the others go to the handler too.
        needs: permission word and data action.
        on_object: the permission is asked for on the object, not on the vault.
        reads: what the caller lacks in the words of an access policy refusal (`secrets get`).
    """

    method: str
    pattern: re.Pattern[str]
    needs: Word
    on_object: bool
    handler: Handler


def _versions(kind: str) -> Word:
    """Listing the versions of one object: the list word, but on the object itself."""
    return Word(f"{kind}/list", _METADATA[kind], frozenset({f"{kind}/list"}))


def _deleted(kind: str) -> Word:
    """Reading a deleted object: the get word in a policy; the data action is inferred (operations are silent on it)."""
    return Word(f"{kind}/get", _METADATA[kind], frozenset({f"{kind}/get"}))


_NAME = r"([^/]+)"
_VERSION = r"(?:/([^/]*))?"
_CRYPTO = {
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "wrapkey": "wrapKey",
    "unwrapkey": "unwrapKey",
    "sign": "sign",
    "verify": "verify",
    "release": "release",
}


def _route(method: str, path: str, needs: Word | str, handler: Handler, *, on_object: bool = True) -> Route:
    wanted = word(needs) if isinstance(needs, str) else needs
    return Route(method, re.compile(path, re.IGNORECASE), wanted, on_object, handler)


def _common(kind: str, entry: Callable[..., dict[str, object]], whole: vault_objects.Shape) -> Iterator[Route]:
    """The routes that all three kinds have."""
    objects = vault_objects
    listed = partial(objects.list_items, kind=kind, entry=entry)
    deleted = partial(objects.list_deleted, kind=kind, entry=entry)

    def get_deleted(call: VaultCall, name: str) -> Response:
        item = objects.deleted(call, kind, name)
        return Response(200, objects.deletion(call, kind, item) | whole(call, item, item.current))

    def versions(call: VaultCall, name: str) -> Response:
        return objects.list_versions(call, kind, name, entry)

    def delete(call: VaultCall, name: str) -> Response:
        return objects.delete(call, kind, name, whole)

    def recover(call: VaultCall, name: str) -> Response:
        return objects.recover(call, kind, name, whole)

    def purge(call: VaultCall, name: str) -> Response:
        return objects.purge(call, kind, name)

    def backup(call: VaultCall, name: str) -> Response:
        return objects.backup(call, kind, name)

    def restore(call: VaultCall) -> Response:
        return objects.restore(call, kind, whole)

    yield _route("GET", rf"/{kind}", f"{kind}/list", listed, on_object=False)
    yield _route("POST", rf"/{kind}/restore", f"{kind}/restore", restore, on_object=False)
    yield _route("GET", rf"/deleted{kind}", f"{kind}/list", deleted, on_object=False)
    yield _route("GET", rf"/deleted{kind}/{_NAME}", _deleted(kind), get_deleted)
    yield _route("DELETE", rf"/deleted{kind}/{_NAME}", f"{kind}/purge", purge)
    yield _route("POST", rf"/deleted{kind}/{_NAME}/recover", f"{kind}/recover", recover)
    yield _route("GET", rf"/{kind}/{_NAME}/versions", _versions(kind), versions)
    yield _route("POST", rf"/{kind}/{_NAME}/backup", f"{kind}/backup", backup)
    yield _route("DELETE", rf"/{kind}/{_NAME}", f"{kind}/delete", delete)


def _secrets() -> Iterator[Route]:
    yield from _common("secrets", vault_secrets.entry, vault_secrets.without_value)
    yield _route("GET", rf"/secrets/{_NAME}{_VERSION}", "secrets/get", vault_secrets.get)
    yield _route("PUT", rf"/secrets/{_NAME}", "secrets/set", vault_secrets.set_value)
    yield _route("PATCH", rf"/secrets/{_NAME}{_VERSION}", "secrets/update", vault_secrets.update)


def _keys() -> Iterator[Route]:
    yield from _common("keys", vault_keys.entry, vault_keys.bundle)
    yield _route("POST", rf"/keys/{_NAME}/create", "keys/create", vault_keys.create)
    yield _route("POST", rf"/keys/{_NAME}/rotate", "keys/rotate", vault_keys.rotate)
    policy = rf"/keys/{_NAME}/rotationpolicy"
    yield _route("GET", policy, "keys/getrotationpolicy", vault_keys.get_rotation_policy)
    yield _route("PUT", policy, "keys/setrotationpolicy", vault_keys.set_rotation_policy)
    for operation, name in _CRYPTO.items():
        path = rf"/keys/{_NAME}{_VERSION}/({operation})"
        yield _route("POST", path, f"keys/{name}", vault_keys.crypto)
    yield _route("GET", rf"/keys/{_NAME}{_VERSION}/attestation", "keys/get", vault_keys.attestation)
    yield _route("GET", rf"/keys/{_NAME}{_VERSION}", "keys/get", vault_keys.get)
    yield _route("PUT", rf"/keys/{_NAME}", "keys/import", vault_keys.import_key)
    yield _route("PATCH", rf"/keys/{_NAME}{_VERSION}", "keys/update", vault_keys.update)


def _list_issuers(call: VaultCall) -> Response:
    return paged(call, vault_certificates.list_issuers(call))


def _certificates() -> Iterator[Route]:
    certificates = vault_certificates
    for method in ("GET", "PUT", "DELETE"):
        path = "/certificates/contacts"
        yield _route(method, path, "certificates/managecontacts", certificates.contacts, on_object=False)
    yield _route("GET", "/certificates/issuers", "certificates/listissuers", _list_issuers, on_object=False)
    for method, name in (("GET", "get"), ("PUT", "set"), ("PATCH", "set"), ("DELETE", "delete")):
        path = rf"/certificates/issuers/{_NAME}"
        yield _route(method, path, f"certificates/{name}issuers", certificates.issuer, on_object=False)
    yield from _common("certificates", certificates.entry, certificates.bundle)
    pending = rf"/certificates/{_NAME}/pending"
    yield _route("GET", pending, "certificates/get", certificates.get_operation)
    yield _route("PATCH", pending, "certificates/update", certificates.update_operation)
    yield _route("DELETE", pending, "certificates/update", certificates.delete_operation)
    yield _route("POST", f"{pending}/merge", "certificates/create", certificates.merge)
    policy = rf"/certificates/{_NAME}/policy"
    yield _route("GET", policy, "certificates/get", certificates.get_policy)
    yield _route("PATCH", policy, "certificates/update", certificates.update_policy)
    yield _route("POST", rf"/certificates/{_NAME}/create", "certificates/create", certificates.create)
    yield _route("POST", rf"/certificates/{_NAME}/import", "certificates/import", certificates.import_certificate)
    yield _route("GET", rf"/certificates/{_NAME}{_VERSION}", "certificates/get", certificates.get)
    yield _route("PATCH", rf"/certificates/{_NAME}{_VERSION}", "certificates/update", certificates.update)


ROUTES: tuple[Route, ...] = (*_secrets(), *_keys(), *_certificates())
"""Asked in order: a literal segment stands before a pattern that would match it too."""

_BY_PLACE: dict[tuple[str, str], list[Route]] = {}
for _one in ROUTES:
    _place = re.match(r"/(\w+)", _one.pattern.pattern)
    if _place is not None:
        _BY_PLACE.setdefault((_one.method, _place.group(1)), []).append(_one)

KNOWN_PLACES = frozenset(NOUNS) | {f"deleted{kind}" for kind in NOUNS}


def find_route(method: str, path: str) -> tuple[Route, tuple[str | None, ...]] | None:
    """The route of a call and the parts of its path, or None when there is no such call."""
    path = "/" + path.strip("/")
    place = path[1:].partition("/")[0].casefold()
    for route in _BY_PLACE.get((method, place), ()):
        match = route.pattern.fullmatch(path)
        if match is not None:
            return route, match.groups()
    return None
