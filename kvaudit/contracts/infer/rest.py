"""Calls without a library: a literal address or path of the vault's REST interface, and what it asks for."""

import json
import re
from functools import cache
from importlib.resources import files

from kvaudit.contracts.infer.catalogue import Asked, object_name, words

_VAULT = re.compile(
    r"https?://([a-z][a-z0-9-]{1,22}[a-z0-9])\.vault\.(?:azure\.net|usgovcloudapi\.net|azure\.cn)", re.IGNORECASE
)
_PATH = re.compile(r"/(?:deleted)?(?:secrets|keys|certificates)(?:[/?]|$)[^\s\"']*", re.IGNORECASE)
_ADDRESS = re.compile(
    r"\.vault\.(?:azure\.net|usgovcloudapi\.net|azure\.cn)|[?&]api-version=(?:2016-10-01|7\.\d|2025-\d\d-\d\d)",
    re.IGNORECASE,
)
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE")


def vault_in(text: str) -> str | None:
    """The name of the vault whose address a text holds, or None."""
    found = _VAULT.search(text)
    return found.group(1).casefold() if found else None


def object_in(text: str) -> str | None:
    """The literal name of the object that an address is about, or None."""
    path = _PATH.search(text)
    parts = path.group().partition("?")[0].split("/") if path else []
    return object_name(parts[2]) if len(parts) > 2 else None


def asked_by(method: str, text: str) -> Asked | None:
    """What a request asks for; None when the text is no address of an object in a vault.

    Args:
        method: HTTP method in any case, or the name of a client's function: `get`, `PostAsync`.
        text: the address, where `{}` stands for what is not literal.
    """
    path = _PATH.search(text)
    if path is None or not _ADDRESS.search(text):
        return None
    asked_path = path.group().partition("?")[0].rstrip("/").casefold()
    verb = next((name for name in _METHODS if method.upper().startswith(name)), None)
    for known, pattern, operation in _routes():
        if known == verb and pattern.fullmatch(asked_path):
            return Asked(operation, words()[operation])
    return None


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Method, pattern of the path, operation; more fixed words first."""
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())["dataPlane"]
    names = {"key.wrap": "keys/wrapKey", "key.unwrap": "keys/unwrapKey"}
    found = []
    for item in raw:
        kind, _, name = item["id"].partition(".")
        operation = names.get(item["id"], f"{kind}s/{name}")
        if operation not in words():
            continue
        parts = item["path"].casefold().strip("/").split("/")
        pattern = "".join(_segment(part) for part in parts)
        fixed = sum(not part.startswith("{") for part in parts)
        found.append((item["method"], re.compile(pattern), operation, fixed))
    return tuple(
        (method, pattern, operation) for method, pattern, operation, _ in sorted(found, key=lambda item: -item[3])
    )


def _segment(part: str) -> str:
    if part == "{version}":
        return "(?:/[^/]+)?"
    return "/[^/]+" if part.startswith("{") else f"/{re.escape(part)}"
