"""The shape of a collector: what is asked, with which api-version, permission and parser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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


class Feature(StrEnum):
    """What a read is for. Each can be left out; what it would have told is then not assessed."""

    ACCESS = "access"
    """Vaults, and who may do what in them: assignments, roles, denies, PIM, groups."""

    OBJECTS = "objects"
    """Names and attributes of secrets, keys and certificates."""

    IDENTITIES = "identities"
    """Who can act as somebody who has access: owners, credentials, identities of resources, directory roles."""

    SETTINGS = "settings"
    """What stands around vaults: logging, locks, Defender, resource groups, classic administrators, managed HSMs."""


@dataclass(frozen=True, slots=True)
class Collector(Generic[Record_co]):
    """One kind of record.

    Attributes:
        kind: name of the file in the snapshot; word in a rule's `needs` and in gaps.
        plane: which endpoint answers.
        path: path with `{scope}` where the listing's scope goes; starts with `/` or `{scope}`.
        query: query parameters beside api-version. `{id}` stands for the last part of the listing's scope.
        api_version: pinned; None on Graph, whose version is in the path (`/v1.0/...`).
        older: versions that answer the same, newest first, for clouds that do not offer the pinned one yet.
        requires: Azure actions or Graph permissions that the read needs; `kvaudit permissions` is made of these.
        parse: raw item and the scope it was listed from -> record. Raises ValueError, TypeError or KeyError for an
            item it cannot read; the loader turns that into a gap.
        feature: what the read is for.
    """

    kind: str
    plane: Plane
    path: str
    parse: Callable[[Raw, str], Record_co]
    requires: tuple[str, ...]
    api_version: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    feature: Feature = Feature.ACCESS
    older: tuple[str, ...] = ()

    def query_at(self, scope: str) -> dict[str, str]:
        """The query parameters of the listing of a scope."""
        last = scope.rpartition("/")[2]
        return {name: value.replace("{id}", last) for name, value in self.query.items()}

    def without_select(self) -> "Collector[Record_co]":
        """The same read, answered with the properties that the service sends unasked."""
        return replace(self, query={name: value for name, value in self.query.items() if name != "$select"})
