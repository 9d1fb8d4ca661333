"""Names in an estate file: principals, roles and places are written by name and found here, or are a mistake."""

import difflib
import re
from typing import Any

from kvaudit.lab.estate import Estate, fold
from kvaudit.lab.estate_yaml import Mistakes, Place, Rows, Table

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Names:
    """What was named so far, by kind (`principal`, `role`, `directory role`, `tenant`, `subscription`, `management group`, `vault`,
    `resource`).
    """

    def __init__(self, estate: Estate, mistakes: Mistakes) -> None:
        self._estate = estate
        self._mistakes = mistakes
        self._known: dict[str, dict[str, str]] = {}
        for guid, raw in estate.role_definitions.items():
            self._known.setdefault("role", {})[str(raw["properties"]["roleName"]).casefold()] = guid

    def add(self, kind: str, name: str, identity: str, place: Place) -> None:
        """Makes a name known; one that is taken is a mistake."""
        table = self._known.setdefault(kind, {})
        if name.casefold() in table and table[name.casefold()] != identity:
            self._mistakes.add(place, f"another {kind} is named {name!r} already")
        table[name.casefold()] = identity

    def principal(self, item: Table, key: str, index: int | None = None) -> str | None:
        """The folded object ID of the principal that `item[key]` names; a GUID stands for itself (orphans)."""
        value, place = self._value(item, key, index)
        return self._find("principal", value, place)

    def role(self, item: Table, key: str = "role", index: int | None = None) -> str | None:
        """The folded GUID of the role that `item[key]` names."""
        value, place = self._value(item, key, index)
        return self._find("role", value, place)

    def directory_role(self, item: Table, key: str = "role") -> str | None:
        """The folded template ID of the Entra role that `item[key]` names."""
        value, place = self._value(item, key, None)
        return self._find("directory role", value, place)

    def subscription(self, item: Table, key: str = "subscription") -> str | None:
        """The id of the subscription that `item[key]` names."""
        value, place = self._value(item, key, None)
        return self._find("subscription", value, place)

    def tenant(self, item: Table, key: str = "tenant") -> str | None:
        """The id of the tenant that `item[key]` names."""
        value, place = self._value(item, key, None)
        return self._find("tenant", value, place)

    def resource(self, item: Table, key: str, index: int | None = None) -> str | None:
        """The resource ID of the identity or other resource that `item[key]` names."""
        value, place = self._value(item, key, index)
        return self._find("resource", value, place)

    def scope(self, item: Table, key: str = "scope") -> str | None:
        """The resource ID of a place: `/`, `management-group:N`, `subscription:N`, `group:SUBSCRIPTION/GROUP`, `vault:N`,
        `secret:VAULT/N`, `key:VAULT/N`, `certificate:VAULT/N`, `resource:N`, or a resource ID as it is.
        """
        value, place = self._value(item, key, None)
        text = str(value or "")
        if text.startswith("/"):
            return text
        kind, _, rest = text.partition(":")
        match kind:
            case "management-group":
                found = self._find("management group", rest, place)
                return self._estate.management_groups[found]["id"] if found in self._estate.management_groups else None
            case "subscription":
                found = self._find("subscription", rest, place)
                return f"/subscriptions/{found}" if found else None
            case "group":
                subscription, _, group = rest.partition("/")
                found = self._find("subscription", subscription, place)
                return f"/subscriptions/{found}/resourceGroups/{group}" if found else None
            case "vault":
                return self._find("vault", rest, place)
            case "resource":
                return self._find("resource", rest, place)
            case "secret" | "key" | "certificate":
                vault, _, name = rest.partition("/")
                found = self._find("vault", vault, place)
                return f"{found}/{kind}s/{name}" if found else None
        self._mistakes.add(
            place,
            f"{text!r} is no scope; write /, management-group:N, subscription:N, group:SUB/N, vault:N or secret:VAULT/N",
        )
        return None

    def _value(self, item: Table, key: str, index: int | None) -> tuple[Any, Place]:
        value, place = item.get(key), item.where(key)
        if index is not None and isinstance(value, Rows):
            return value[index], value.places[index]
        return value, place

    def _find(self, kind: str, value: Any, place: Place) -> str | None:
        text = str(value or "")
        table = self._known.get(kind, {})
        if text.casefold() in table:
            return table[text.casefold()]
        if _GUID.fullmatch(text) and kind not in {"vault", "resource"}:
            return fold(text)
        near = difflib.get_close_matches(text.casefold(), table, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        self._mistakes.add(place, f"there is no {kind} {text!r}{hint}")
        return None
