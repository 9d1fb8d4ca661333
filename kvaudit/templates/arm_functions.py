"""Functions of the template language that can be decided before deployment. Everything else is unknown, with the reason.

Source: Microsoft's documentation "ARM template functions". `uniqueString` is a hash whose algorithm is not published;
`reference`, `list*`, `newGuid`, `utcNow` and the like are decided by the deployment.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from kvaudit.templates.unknown import Unknown

LONGEST_TEXT = 131_072
"""Characters: the limit of Resource Manager for a value (documentation, "Template limits")."""

LARGEST_RANGE = 10_000
"""Elements that `range` may make (documentation of `range`)."""

_GUID_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
"""Of the UUIDv5 that `guid()` makes of its arguments, joined by hyphens."""


class FunctionError(ValueError):
    """Arguments that a function does not take: the deployment would fail."""


def call(name: str, arguments: list[Any]) -> Any:
    """The value of a function, or `Unknown`.

    Args:
        name: folded.
        arguments: plain values, none of them unknown.

    Raises:
        FunctionError: the arguments do not fit.
    """
    function = _FUNCTIONS.get(name)
    if function is None:
        return Unknown(_DECIDED_LATER.get(name, f"the function {name}() is decided by the deployment"))
    try:
        value = function(*arguments)
    except FunctionError:
        raise
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, ZeroDivisionError, OverflowError) as problem:
        raise FunctionError(f"{name}() does not take what it is given: {str(problem)[:120]}") from problem
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise FunctionError(f"{name}() makes a text of more than {LONGEST_TEXT} characters")
    return value


_DECIDED_LATER = {
    "uniquestring": "uniqueString() is a hash whose algorithm is not published",
    "reference": "reference() reads a resource during the deployment",
    "newguid": "newGuid() is drawn during the deployment",
    "utcnow": "utcNow() is the time of the deployment",
    "deployment": "deployment() describes the deployment itself",
    "environment": "environment() describes the cloud of the deployment",
}


def text(value: Any) -> str:
    """A value as `string()` and `concat()` write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return (
        json.dumps(value, separators=(",", ":"), ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    )


def _concat(*parts: Any) -> Any:
    if parts and isinstance(parts[0], list):
        return [item for part in parts for item in part]
    return "".join(text(part) for part in parts)


def _format(pattern: str, *values: Any) -> str:
    def one(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[2]:
            raise FunctionError("format() with a format specifier is not decided here")
        return text(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{([0-9]{1,3})((?:,|:)[^}]*)?\}", one, pattern)


def _resource_id(levels: Mapping[str, str], parts: tuple[Any, ...]) -> str:
    """`resourceId` and its kin: optional subscription and group, a type, and a name for each segment of the type."""
    words = [str(part) for part in parts]
    index = next(index for index, word in enumerate(words) if "/" in word)
    kinds = words[index].split("/")
    names = words[index + 1 :]
    if len(names) == 1 and "/" in names[0] and len(kinds) > 2:
        names = names[0].split("/")
    if len(names) != len(kinds) - 1:
        raise FunctionError(f"resourceId() names {len(names)} of the {len(kinds) - 1} segments of {words[index]}")
    chosen = dict(levels)
    given = words[:index]
    if given:
        chosen["group"] = given[-1]
    if len(given) > 1:
        chosen["subscription"] = given[0]
    path = "/".join(f"{kind}/{name}" for kind, name in zip(kinds[1:], names, strict=True))
    return f"/subscriptions/{chosen['subscription']}/resourceGroups/{chosen['group']}/providers/{kinds[0]}/{path}"


def resource_id(subscription: Any, group: Any, parts: tuple[Any, ...]) -> Any:
    """`resourceId()` in a group; unknown where the place of the deployment is needed and unknown."""
    given = next((index for index, part in enumerate(parts) if "/" in str(part)), len(parts))
    for needed, value in ((given < 2, subscription), (given < 1, group)):
        if needed and isinstance(value, Unknown):
            return value
    return _resource_id({"subscription": str(subscription), "group": str(group)}, parts)


def scoped_id(scope: str, parts: tuple[Any, ...]) -> str:
    """`extensionResourceId`, `subscriptionResourceId`, `tenantResourceId`: a scope, a type, a name for each segment."""
    kinds = str(parts[0]).split("/")
    names = [str(part) for part in parts[1:]]
    if len(names) == 1 and "/" in names[0] and len(kinds) > 2:
        names = names[0].split("/")
    if len(names) != len(kinds) - 1:
        raise FunctionError(f"a resource ID names {len(names)} of the {len(kinds) - 1} segments of {parts[0]}")
    path = "/".join(f"{kind}/{name}" for kind, name in zip(kinds[1:], names, strict=True))
    return f"{scope}/providers/{kinds[0]}/{path}"


def _union(*parts: Any) -> Any:
    if isinstance(parts[0], list):
        found: list[Any] = []
        for part in parts:
            found += [item for item in part if item not in found]
        return found
    merged: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = _union(merged[key], value) if both else value
    return merged


def _intersection(first: Any, *parts: Any) -> Any:
    if isinstance(first, list):
        return [item for item in first if all(item in part for part in parts)]
    return {key: value for key, value in first.items() if all(part.get(key) == value for part in parts)}


def _equals(one: Any, other: Any) -> bool:
    # Texts are compared with their case (documentation of `equals`: "The comparison is case-sensitive").
    return type(one) is type(other) and bool(one == other)


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, dict):
        return str(what).casefold() in {key.casefold() for key in where}
    return text(what) in where if isinstance(where, str) else what in where


def _split(whole: str, marks: Any) -> list[str]:
    pattern = "|".join(re.escape(mark) for mark in ([marks] if isinstance(marks, str) else marks))
    return re.split(pattern, whole)


def _substring(whole: str, start: int, length: int | None = None) -> str:
    if start > len(whole) or (length is not None and start + length > len(whole)):
        raise FunctionError("substring() reaches beyond the text")
    return whole[start:] if length is None else whole[start : start + length]


def _pad_left(value: Any, width: int, sign: str = " ") -> str:
    return text(value).rjust(min(width, LONGEST_TEXT), sign)


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}[value.casefold()]
    return bool(value)


def _create_object(*pairs: Any) -> dict[str, Any]:
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def _range(start: int, count: int) -> list[int]:
    if not 0 <= count <= LARGEST_RANGE:
        raise FunctionError(f"range() makes at most {LARGEST_RANGE} elements")
    return list(range(start, start + count))


def _index_of(whole: str, part: str) -> int:
    return whole.casefold().find(part.casefold())


def _flatten(items: list[Any]) -> list[Any]:
    return [inner for item in items for inner in item]


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _items(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _try_get(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = next((item for name, item in value.items() if name.casefold() == str(key).casefold()), None)
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def _numbers(values: tuple[Any, ...]) -> list[int]:
    return values[0] if isinstance(values[0], list) else list(values)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": _concat,
    "format": _format,
    "string": text,
    "tolower": lambda value: value.lower(),
    "toupper": lambda value: value.upper(),
    "trim": lambda value: value.strip(),
    "replace": lambda value, old, new: value.replace(old, new),
    "substring": _substring,
    "padleft": _pad_left,
    "startswith": lambda value, part: value.casefold().startswith(part.casefold()),
    "endswith": lambda value, part: value.casefold().endswith(part.casefold()),
    "indexof": _index_of,
    "lastindexof": lambda value, part: value.casefold().rfind(part.casefold()),
    "split": _split,
    "join": lambda items, mark: mark.join(text(item) for item in items),
    "length": len,
    "empty": _empty,
    "contains": _contains,
    "first": lambda value: value[0] if value else ("" if isinstance(value, str) else None),
    "last": lambda value: value[-1] if value else ("" if isinstance(value, str) else None),
    "take": lambda value, count: value[: max(count, 0)],
    "skip": lambda value, count: value[max(count, 0) :],
    "array": lambda value: value if isinstance(value, list) else [value],
    "createarray": lambda *items: list(items),
    "createobject": _create_object,
    "union": _union,
    "intersection": _intersection,
    "flatten": _flatten,
    "range": _range,
    "items": _items,
    "tryget": _try_get,
    "objectkeys": sorted,
    "min": lambda *values: min(_numbers(values)),
    "max": lambda *values: max(_numbers(values)),
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "mul": lambda one, other: one * other,
    "div": lambda one, other: int(one / other),
    "mod": lambda one, other: one % other,
    "int": int,
    "bool": _bool,
    "json": json.loads,
    "base64": _base64,
    "base64tostring": lambda value: base64.b64decode(value, validate=True).decode(),
    "uricomponent": lambda value: "".join(
        sign if re.fullmatch(r"[A-Za-z0-9_.!~*'()-]", sign) else "".join(f"%{byte:02X}" for byte in sign.encode())
        for sign in value
    ),
    "equals": _equals,
    "not": lambda value: not _bool(value),
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "guid": lambda *parts: str(uuid.uuid5(_GUID_NAMESPACE, "-".join(text(part) for part in parts))),
    "subscriptionresourceid": lambda *parts: _subscription_resource_id(parts),
    "extensionresourceid": lambda scope, *parts: scoped_id(scope, parts),
    "tenantresourceid": lambda *parts: scoped_id("", parts),
    "shallowmerge": lambda items: {key: value for item in items for key, value in item.items()},
}

STRUCTURAL = frozenset(
    {
        *("array", "contains", "createarray", "createobject", "empty", "first", "flatten", "items", "last", "length"),
        *("objectkeys", "shallowmerge", "skip", "take", "tryget", "union"),
    }
)
"""Functions that take lists and objects with unknown values inside: they look at the outside only."""


def _subscription_resource_id(parts: tuple[Any, ...]) -> str:
    if "/" in str(parts[0]):
        raise FunctionError("subscriptionResourceId() needs the subscription of the deployment here")
    return scoped_id(f"/subscriptions/{parts[0]}", parts[1:])
