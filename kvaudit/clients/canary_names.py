"""Names of the canaries of `probe --write-canary`: the only objects that this program ever writes in a vault by probing.

A guard that was given no such names lets no write to a vault pass. Source of the routes: `data/operations.json`.
"""

import json
import re
import secrets
from typing import Any

PREFIX = "kvaudit-canary-"

_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{32}}")
_VALUE = re.compile(r"[0-9a-f]{64}")
_SECRET = re.compile(rf"/secrets/({PREFIX}[0-9a-f]{{32}})(/?)")
_DELETED = re.compile(rf"/deletedsecrets/({PREFIX}[0-9a-f]{{32}})(/recover)?")

UPDATE_BODY: dict[str, Any] = {"attributes": {"enabled": False}}
"""What the canary's update says: nothing but that it is disabled."""


def is_canary(name: str) -> bool:
    """Whether a name is one that this program gives to canaries."""
    return _NAME.fullmatch(name) is not None


def worthless_value() -> str:
    """A value for a canary: random, and forgotten."""
    return secrets.token_hex(32)


class CanaryNames:
    """Which canary may be written in which vault: one name for one host."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def new(self, host: str) -> str:
        """A new name for a vault, in the place of one that it had."""
        self._names[host.casefold()] = f"{PREFIX}{secrets.token_hex(16)}"
        return self._names[host.casefold()]

    def again(self, host: str, name: str) -> None:
        """Opens the name of an earlier canary of a vault. Raises ValueError for a name that is none."""
        if not is_canary(name):
            raise ValueError(f"{name!r} is no canary's name")
        self._names[host.casefold()] = name

    def admits(self, host: str, method: str, path: str, body: Any) -> bool:
        """Whether a write is one of the five that a canary of this vault is made for, with nothing else in its body."""
        name = self._names.get(host.casefold())
        secret, deleted = _SECRET.fullmatch(path), _DELETED.fullmatch(path)
        if name is None:
            return False
        if secret is not None and secret[1] == name:
            if method == "PUT" and not secret[2]:
                return _is_new_value(_parsed(body))
            if method == "PATCH" and secret[2]:
                return bool(_parsed(body) == UPDATE_BODY)
            return method == "DELETE" and not secret[2] and not body
        if deleted is not None and deleted[1] == name:
            return not body and method == ("POST" if deleted[2] else "DELETE")
        return False


def _parsed(body: Any) -> Any:
    try:
        return json.loads(body or b"")
    except (TypeError, ValueError):
        return None


def _is_new_value(body: Any) -> bool:
    return isinstance(body, dict) and set(body) == {"value"} and bool(_VALUE.fullmatch(str(body["value"])))
