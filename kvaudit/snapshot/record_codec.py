"""Records of the model as JSON and back, by the types of their fields: for what is derived and may be thrown away.

A snapshot holds what Azure sent. Its index holds records that were already understood, so that they need not be again.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

_PLAIN = frozenset({str, int, float, bool, type(None), Any})


def encode(value: Any) -> bytes:
    """Compact JSON of records, and of lists, sets and mappings of them. Raises ValueError where JSON cannot hold a text."""
    try:
        return orjson.dumps(value, default=_as_list)
    except TypeError as problem:
        raise ValueError(f"cannot be written as JSON: {problem}") from problem


def _as_list(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no part of a record")


@cache
def decoder(hint: Any) -> Callable[[Any], Any]:
    """What makes a value of a type out of its JSON. Raises TypeError for types that records do not have."""
    if hint in _PLAIN:
        return _same
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint) and isinstance(hint, type):
        return _record_decoder(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional_decoder(hint, parts)
    if origin is tuple and len(parts) == 2 and parts[1] is ...:
        item = decoder(parts[0])
        return tuple if item is _same else lambda value: tuple(map(item, value))
    if origin is tuple:
        each = tuple(map(decoder, parts))
        return lambda value: tuple(make(item) for make, item in zip(each, value, strict=True))
    if origin in (frozenset, Sequence):
        item, kind = decoder(parts[0]), frozenset if origin is frozenset else tuple
        return lambda value: kind(map(item, value))
    if origin in (Mapping, dict):
        item = decoder(parts[1])
        return lambda value: {key: item(found) for key, found in value.items()}
    raise TypeError(f"{hint} is no type of a record's field")


def _same(value: Any) -> Any:
    return value


def _optional_decoder(hint: Any, parts: tuple[Any, ...]) -> Callable[[Any], Any]:
    rest = [item for item in parts if item is not type(None)]
    if all(item in _PLAIN for item in rest):
        return _same
    if len(rest) != 1:
        raise TypeError(f"{hint} is no type of a record's field")
    make = decoder(rest[0])
    return lambda value: None if value is None else make(value)


def _record_decoder(record: type) -> Callable[[Any], Any]:
    hints = get_type_hints(record)
    each = [(item.name, decoder(hints[item.name])) for item in fields(record)]
    if all(make is _same for _, make in each):
        return lambda value: record(**value)
    return lambda value: record(**{name: make(value[name]) for name, make in each})
