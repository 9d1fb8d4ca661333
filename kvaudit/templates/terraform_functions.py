"""Functions and operators of Terraform that can be decided before a plan. Source: HashiCorp's function reference."""

import json
import operator
from collections.abc import Callable
from typing import Any

from kvaudit.templates.unknown import Unknown

LONGEST_TEXT = 1_000_000
"""Characters that a function may make."""


def text(value: Any) -> str:
    """A value as Terraform writes it into a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else str(value)


def call(name: str, arguments: list[Any]) -> Any:
    """The value of a function, or `Unknown` when it is not known here or does not take what it is given."""
    function = _FUNCTIONS.get(name)
    if function is None:
        return Unknown(f"the function {name}() is not evaluated")
    try:
        value = function(*arguments)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as problem:
        return Unknown(f"{name}() does not take what it is given: {str(problem)[:120]}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return Unknown(f"{name}() makes a text of more than {LONGEST_TEXT} characters")
    return value


def operate(sign: str, values: list[Any]) -> Any:
    """The value of an operator with known operands, or `Unknown`."""
    try:
        if sign == "!":
            return not _truth(values[0])
        if len(values) == 1:
            return -values[0]
        if sign in ("&&", "||"):
            one, other = _truth(values[0]), _truth(values[1])
            return (one and other) if sign == "&&" else (one or other)
        return _OPERATORS[sign](*values)
    except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError) as problem:
        return Unknown(f"{sign} does not take what it is given: {str(problem)[:80]}")


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}[value]


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}

_MISSING = object()


def _lookup(table: dict[str, Any], key: Any, default: Any = _MISSING) -> Any:
    if key in table:
        return table[key]
    if default is _MISSING:
        raise KeyError(key)
    return default


def _merge(*tables: dict[str, Any] | None) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for table in tables:
        merged.update(table or {})
    return merged


def _format(pattern: str, *values: Any) -> str:
    parts, rest = [], list(values)
    pieces = pattern.split("%")
    parts.append(pieces[0])
    skip = False
    for piece in pieces[1:]:
        if skip:
            parts.append(piece)
            skip = False
        elif piece == "":
            parts.append("%")
            skip = True
        elif piece[0] in "sdv":
            parts.append(text(rest.pop(0)) + piece[1:])
        else:
            raise ValueError(f"the verb %{piece[0]}")
    return "".join(parts)


def _unique(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    found.extend(item for item in items if item not in found)
    return found


def _flatten(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        found.extend(_flatten(item) if isinstance(item, list) else [item])
    return found


def _bool(value: Any) -> bool | None:
    return None if value is None else _truth(value)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lower": lambda value: value.lower(),
    "upper": lambda value: value.upper(),
    "trimspace": lambda value: value.strip(),
    "replace": lambda value, old, new: value.replace(old, new),
    "substr": lambda value, start, length: value[start:] if length < 0 else value[start : start + length],
    "join": lambda mark, items: mark.join(text(item) for item in items),
    "split": lambda mark, value: value.split(mark),
    "format": _format,
    "concat": lambda *lists: [item for items in lists for item in items],
    "merge": _merge,
    "lookup": _lookup,
    "element": lambda items, index: items[index % len(items)],
    "length": len,
    "contains": lambda items, item: item in items,
    "keys": sorted,
    "values": lambda table: [table[key] for key in sorted(table)],
    "tostring": lambda value: None if value is None else text(value),
    "tobool": _bool,
    "tonumber": lambda value: int(value) if value is not None else None,
    "tolist": list,
    "toset": _unique,
    "tomap": dict,
    "distinct": _unique,
    "compact": lambda items: [item for item in items if item not in (None, "")],
    "flatten": _flatten,
    "one": lambda items: items[0] if items else None,
    "jsonencode": lambda value: value,  # a body that is encoded for azapi is looked at as it is
    "jsondecode": json.loads,
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
    "min": min,
    "max": max,
    "nonsensitive": lambda value: value,
    "sensitive": lambda value: value,
    "title": lambda value: value.title(),
    "alltrue": all,
    "anytrue": any,
}

STRUCTURAL = frozenset(
    {
        *("concat", "element", "jsonencode", "keys", "length", "lookup", "merge", "nonsensitive", "one", "sensitive"),
        *("tolist", "tomap", "values"),
    }
)
"""Functions that take lists and objects with unknown values inside."""
