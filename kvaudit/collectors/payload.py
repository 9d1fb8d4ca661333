"""Reading one JSON value from a payload: every function answers with the value or raises ValueError or TypeError.

Two manners. What decides access is read strictly: a value of the wrong type makes the item unreadable, and the
loader turns that into a gap. What is only shown (`shown_*`) is read leniently: a wrong type counts as absent.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kvaudit.model import scopes


class UnreadableItemError(ValueError):
    """An item does not have the shape that its kind has. The message names the property, never its value."""


shared_text = lru_cache(maxsize=65_536)(str)
"""The same text for all that are equal: of places, tenants and types there are few, and millions of records that say them."""


@lru_cache(maxsize=4096)
def listed_from(scope: str) -> frozenset[str]:
    """The listing's folded scope as a set of one: the same set for all of its records, of which there are millions."""
    return frozenset((scopes.fold(scope),))


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise UnreadableItemError(f"{what} is not an object")
    return value


def optional_mapping(source: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object under a key; empty when it is null or absent."""
    value = source.get(key)
    return {} if value is None else mapping(value, key)


def text(source: Mapping[str, Any], key: str) -> str:
    """The non-empty string under a key."""
    value = source.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UnreadableItemError(f"{key} is missing or is not text")
    return value


def optional_text(source: Mapping[str, Any], key: str) -> str | None:
    """The string under a key; None when it is null, absent or empty."""
    value = source.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UnreadableItemError(f"{key} is not text")
    return value


def identifier(source: Mapping[str, Any], key: str) -> str:
    """The ID under a key, folded: an object ID, a GUID or a resource ID without its last slash."""
    return scopes.fold(text(source, key).strip())


def optional_identifier(source: Mapping[str, Any], key: str) -> str | None:
    """The ID under a key, folded; None when it is null, absent or empty."""
    value = optional_text(source, key)
    return scopes.fold(value.strip()) if value and value.strip() else None


def scope_id(scope: str, collection: str) -> str:
    """The folded ID in a listing's scope such as `groups/{id}`.

    Args:
        scope: of the listing.
        collection: what must stand before the ID, in any case.
    """
    found, _, last = scope.casefold().partition("/")
    if found != collection.casefold() or not last or "/" in last:
        raise UnreadableItemError(f"the listing's scope is not {collection}/ID")
    return last


def optional_flag(source: Mapping[str, Any], key: str) -> bool | None:
    """The boolean under a key; None when it is null or absent. Text and numbers are not booleans."""
    value = source.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise UnreadableItemError(f"{key} is neither true nor false")


def optional_texts(source: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """The strings of the array under a key; None when it is null or absent."""
    value = source.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnreadableItemError(f"{key} is not a list of text")
    return _shared(tuple(value))


@lru_cache(maxsize=4096)
def _shared(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for all that are equal: a tenant's lists of permissions are few different ones."""
    return texts


def items(source: Mapping[str, Any], key: str) -> list[Any]:
    """The array under a key; empty when it is null or absent."""
    value = source.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableItemError(f"{key} is not a list")
    return value


def shown_text(source: Mapping[str, Any], key: str) -> str | None:
    """The string under a key, or None: for what is shown and decides nothing."""
    return shown(source.get(key))


def shown(value: Any) -> str | None:
    """The value where it is text that is not empty, or None: for what is shown and decides nothing."""
    return value if isinstance(value, str) and value else None


def shown_or_not(value: Any) -> bool | None:
    """The value where it is true or false, or None: for what is shown and decides nothing."""
    return value if isinstance(value, bool) else None


def shown_number(source: Mapping[str, Any], key: str) -> int | None:
    """The whole number under a key, or None: for what is shown and decides nothing."""
    value = source.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def shown_flag(source: Mapping[str, Any], key: str) -> bool | None:
    """The boolean under a key, or None: for what is shown and decides nothing."""
    return shown_or_not(source.get(key))


def shown_texts(source: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The strings of the array under a key, whatever else stands there: for what is shown and decides nothing."""
    value = source.get(key)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
