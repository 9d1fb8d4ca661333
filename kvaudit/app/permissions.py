"""`permissions`: what kvaudit itself must be allowed to read, and a custom role that holds just that."""

from collections.abc import Iterable
from typing import Any

from kvaudit.collectors.catalogue import COLLECTORS, permissions_needed
from kvaudit.collectors.collector import Feature, Plane

_READ_EVERYTHING = "*/read"


def features_of(names: Iterable[str]) -> frozenset[Feature]:
    """Features by their names; none means all of them, and `access` is always among them."""
    chosen = frozenset(map(Feature, names))
    return chosen | {Feature.ACCESS} if chosen else frozenset(Feature)


def permission_shapes(features: Iterable[Feature] = Feature) -> list[dict[str, Any]]:
    """One entry per source of records of these features: what is read, through which endpoint, and what it needs."""
    chosen = frozenset(features)
    return [
        {
            "kind": item.kind,
            "feature": item.feature.value,
            "plane": item.plane.value,
            "api_version": item.api_version,
            "requires": list(item.requires),
            "path": item.path,
        }
        for item in COLLECTORS
        if item.feature in chosen
    ]


def role_shape(assignable_scopes: tuple[str, ...], features: Iterable[Feature] = Feature) -> dict[str, Any]:
    """A custom role for `az role definition create --role-definition`, holding what the audit reads and nothing else.

    Args:
        assignable_scopes: resource IDs; a role without data actions may be assigned at a management group.
        features: what is to be read. An action that another one holds is left out.
    """
    chosen = frozenset(features)
    actions = permissions_needed(chosen)[Plane.ARM]
    return {
        "Name": "kvaudit reader",
        "Description": f"Reads what kvaudit audits ({', '.join(sorted(chosen))}). No data plane, no writes.",
        "Actions": [_READ_EVERYTHING] if _READ_EVERYTHING in actions else list(actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": list(assignable_scopes),
    }
