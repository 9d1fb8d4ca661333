"""The shape of a collector: what is asked, with which api-version, permission and parser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

Record_co = TypeVar("Record_co", covariant=True)

Raw = Any
"""An item as Azure sent it: any JSON value. Parsers answer any of them with a record or a ValueError."""


class Plane(StrEnum):
    """Which endpoint answers."""

    ARM = "arm"
    GRAPH = "graph"
    VAULT = "vault"


@dataclass(frozen=True, slots=True)
class Collector(Generic[Record_co]):
    """One kind of record.

    Attributes:
        kind: name of the file in the snapshot; word in a rule's `needs` and in gaps.
        plane: which endpoint answers.
        path: path with `{scope}` where the listing's scope goes; starts with `/` or `{scope}`.
        query: query parameters beside api-version.
        api_version: pinned; None on Graph, whose version is in the path (`/v1.0/...`).
        requires: Azure actions or Graph permissions that the read needs; `kvaudit permissions` is made of these.
        parse: raw item and the scope it was listed from -> record. Raises ValueError, TypeError or KeyError for an
            item it cannot read; the loader turns that into a gap.
    """

    kind: str
    plane: Plane
    path: str
    parse: Callable[[Raw, str], Record_co]
    requires: tuple[str, ...]
    api_version: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
