"""Every JSON object in the recorded answers of the real services, whatever format a recording has.

Formats differ in where an answer's body stands; bodies are alike: JSON in a string, or JSON itself. So every string that
is JSON is opened, and every object in it that has the identifier of a kind is an item of that kind.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_KINDS = {
    "vaults": re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.keyvault/vaults/[^/]+$"),
    "deleted_vaults": re.compile(r"/providers/microsoft\.keyvault/locations/[^/]+/deletedvaults/[^/]+$"),
    "role_assignments": re.compile(r"/providers/microsoft\.authorization/roleassignments/[^/]+$"),
    "role_definitions": re.compile(r"/providers/microsoft\.authorization/roledefinitions/[^/]+$"),
    "secrets": re.compile(r"^https://[^/]+/secrets/[^/]+(/[^/]+)?$|/vaults/[^/]+/secrets/[^/]+$"),
    "keys": re.compile(r"^https://[^/]+/keys/[^/]+(/[^/]+)?$|/vaults/[^/]+/keys/[^/]+$"),
    "certificates": re.compile(r"^https://[^/]+/certificates/[^/]+(/[0-9a-f]{32})?$"),
}


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 as vcr writes it; a few old files carry Python's own tag for text."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:python/unicode", _text)


@cache
def recorded_items(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The distinct items of each kind in a folder of recordings."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in (*_KINDS, "subscriptions", "principals")}
    for path in sorted(folder.rglob("*")):
        for value in _documents(path):
            for item in _objects(value):
                kind = _kind_of(item)
                if kind is not None:
                    found[kind].setdefault(json.dumps(item, sort_keys=True), item)
    return {kind: list(items.values()) for kind, items in found.items()}


def _documents(path: Path) -> Iterator[Any]:
    if path.suffix == ".yaml":
        yield yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader with one more tag
    elif path.suffix == ".json":
        yield json.loads(path.read_text(encoding="utf-8-sig"))
    elif path.suffix == ".jsonl":
        yield from (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str) and value.lstrip("\ufeff").startswith(("{", "[")):
            try:
                waiting.append(json.loads(value.lstrip("\ufeff")))
            except ValueError:
                continue  # text that only looks like JSON
        elif isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _kind_of(item: dict[str, Any]) -> str | None:
    identifier = item.get("kid") or item.get("id")
    if not isinstance(identifier, str):
        return None
    if str(item.get("@odata.type", "")).startswith("#microsoft.graph."):
        return "principals"
    if "subscriptionId" in item and identifier == f"/subscriptions/{item['subscriptionId']}":
        return "subscriptions"
    is_request = "properties" not in item and "attributes" not in item and "name" not in item
    if is_request:  # a reference to something, as in `"privateEndpoint": {"id": ...}`
        return None
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(identifier.rstrip("/").casefold())), None)
