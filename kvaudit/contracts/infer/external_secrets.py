"""Needs that manifests of the External Secrets Operator state, where their store is the provider `azurekv`.

An `ExternalSecret` names a store by kind and name only: which provider and which vault that is stands in the store, often in
another file. The operator asks the vault as the identity of the store. Which calls it makes is read from its own source
(`provider/azure/keyvault`): an object that is written is read first, and `find` lists secrets and gets each that fits.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kvaudit.contracts.infer import rest
from kvaudit.contracts.infer.catalogue import object_name, words
from kvaudit.contracts.infer.needs import Grade, Need
from kvaudit.sources.located import Node

_GROUP = "external-secrets.io/"
_STORES = ("SecretStore", "ClusterSecretStore")
_READS = {"ExternalSecret": None, "ClusterExternalSecret": "externalSecretSpec"}
_WRITES = {"PushSecret": None, "ClusterPushSecret": "pushSecretSpec"}
"""Kind -> the key of `spec` under which the rest stands, where there is one."""

_KINDS = {"secret": "secrets", "key": "keys", "cert": "certificates"}
_WRITTEN_BY = {"secrets": "secrets/set", "keys": "keys/import", "certificates": "certificates/import"}
_SOUNDS_LIKE_AZURE = re.compile(r"azure|akv|key-?vault", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Store:
    """A `SecretStore` or `ClusterSecretStore`.

    Attributes:
        folder: of the file that declares it.
        is_azure: whether its provider is `azurekv`.
        vault: name of the vault, where its address is literal.
    """

    folder: str
    kind: str
    name: str
    is_azure: bool
    vault: str | None = None


def stores_in(root: Node, file: str) -> Iterator[Store]:
    """The stores of a document."""
    for item in _objects(root):
        kind, provider = _text(item.get("kind")), _at(item, "spec", "provider")
        name = _text(_at(item, "metadata", "name"))
        if kind in _STORES and name is not None and provider is not None:
            azure = provider.get("azurekv")
            address = _text(azure.get("vaultUrl")) if azure else None
            yield Store(_folder(file), kind, name, azure is not None, rest.vault_in(address) if address else None)


def external_needs(root: Node, file: str, stores: Sequence[Store]) -> Iterator[Need]:
    """The needs of a document: what is read, and what is written to a vault.

    Args:
        root: of the document.
        file: as it is to be shown.
        stores: of every file that was looked at. A store that is not there may be of any provider: a need by name only.
    """
    for item in _objects(root):
        kind, spec = _text(item.get("kind")) or "", item.get("spec")
        inner = _READS.get(kind) or _WRITES.get(kind)
        spec = spec.get(inner) if spec is not None and inner else spec
        if spec is not None and kind in _READS:
            yield from _read(kind, spec, file, stores)
        elif spec is not None and kind in _WRITES:
            yield from _written(kind, spec, file, stores)


def _objects(root: Node) -> Iterator[Node]:
    """Objects of the operator: the document itself, or the items of a `List`."""
    listed = root.get("items")
    for item in listed.elements() if listed is not None else (root,):
        if (_text(item.get("apiVersion")) or "").startswith(_GROUP):
            yield item


@dataclass(frozen=True, slots=True)
class _Asked:
    """Of which store something is asked, and by what."""

    by: str
    file: str
    grade: Grade
    vault: str | None
    where: str

    def need(self, operation: str, at: Node, name: str | None, what: str) -> Need:
        why = f"{self.by}: {what}{self.where}"
        return Need(operation, words()[operation], self.grade, self.file, at.line, why, self.vault, name)


def _asked(by: str, ref: Node | None, file: str, stores: Sequence[Store]) -> _Asked | None:
    """What a reference to a store means; None where the store is of another provider."""
    name = _text(ref.get("name")) if ref is not None else None
    kind = (_text(ref.get("kind")) if ref is not None else None) or _STORES[0]
    alike = [item for item in stores if (item.kind, item.name) == (kind, name)]
    found = [item for item in alike if item.folder == _folder(file)] or alike
    azure = [item for item in found if item.is_azure]
    if azure:
        vaults = {item.vault for item in azure}
        grade = Grade.CERTAIN if len(azure) == len(found) else Grade.LIKELY
        return _Asked(by, file, grade, vaults.pop() if len(vaults) == 1 else None, "")
    if found:
        return None
    grade = Grade.LIKELY if name and _SOUNDS_LIKE_AZURE.search(name) else Grade.NAME_ONLY
    which = f"the {kind} {name}" if name else "a store without a literal name"
    return _Asked(by, file, grade, None, f", from {which}, which is in no file here")


def _read(kind: str, spec: Node, file: str, stores: Sequence[Store]) -> Iterator[Need]:
    usual = spec.get("secretStoreRef")
    for item in _elements(spec, "data"):
        asked = _asked(kind, _at(item, "sourceRef", "storeRef") or usual, file, stores)
        key = _at(item, "remoteRef", "key")
        if asked is not None and key is not None:
            yield from _get(asked, key)
    for item in _elements(spec, "dataFrom"):
        asked = _asked(kind, _at(item, "sourceRef", "storeRef") or usual, file, stores)
        if asked is None or _at(item, "sourceRef", "generatorRef") is not None:
            continue
        key = _at(item, "extract", "key") or item.get("key")
        if key is not None:
            yield from _get(asked, key)
        elif (find := item.get("find")) is not None:
            yield asked.need("secrets/list", find, None, "find")
            yield asked.need("secrets/get", find, None, "each secret that find matches")


def _get(asked: _Asked, key: Node) -> Iterator[Need]:
    for kind, name in _named(key):
        yield asked.need(f"{kind}/get", key, name, name or "an object whose name is no literal")


def _written(by: str, spec: Node, file: str, stores: Sequence[Store]) -> Iterator[Need]:
    deletes = (_text(spec.get("deletionPolicy")) or "").casefold() == "delete"
    keys = [
        key for item in _elements(spec, "data") if (key := _at(item, "match", "remoteRef", "remoteKey")) is not None
    ]
    for ref in _elements(spec, "secretStoreRefs"):
        asked = _asked(by, ref, file, stores)
        if asked is None:
            continue
        for key in keys:
            for kind, name in _named(key):
                yield from _get(asked, key)
                for operation in (_WRITTEN_BY[kind], *([f"{kind}/delete"] if deletes else [])):
                    yield asked.need(operation, key, name, name or "an object whose name is no literal")


def _named(key: Node) -> Iterator[tuple[str, str | None]]:
    """Kind and name of `db`, `secret/db`, `key/sign`, `cert/tls`; nothing for a kind that the operator refuses."""
    if key.value is None or isinstance(key.value, dict | list):
        return
    text = str(key.value)
    prefix, slash, rest_of = text.partition("/")
    if not slash:
        yield "secrets", object_name(text)
    elif prefix in _KINDS:
        yield _KINDS[prefix], object_name(rest_of.partition("/")[0])
    elif object_name(prefix) is None:  # the kind is not literal: most are secrets
        yield "secrets", None


def _elements(spec: Node, name: str) -> Iterable[Node]:
    found = spec.get(name)
    return found.elements() if found is not None else ()


def _at(node: Node, *names: str) -> Node | None:
    found: Node | None = node
    for name in names:
        found = found.get(name) if found is not None else None
    return found


def _text(node: Node | None) -> str | None:
    return node.text() if node is not None else None


def _folder(file: str) -> str:
    return file.rpartition("/")[0]
