"""`permissions`: what kvaudit itself must be allowed to read, and a custom role that holds just that."""

from typing import Any

from kvaudit.collectors.catalogue import COLLECTORS, permissions_needed
from kvaudit.collectors.collector import Plane


def permission_shapes() -> list[dict[str, Any]]:
    """One entry per source of records: what is read, through which endpoint, and what it needs."""
    return [
        {
            "kind": item.kind,
            "plane": item.plane.value,
            "api_version": item.api_version,
            "requires": list(item.requires),
            "path": item.path,
        }
        for item in COLLECTORS
    ]


def role_shape(assignable_scopes: tuple[str, ...]) -> dict[str, Any]:
    """A custom role for `az role definition create --role-definition`, holding what the audit reads and nothing else.

    Args:
        assignable_scopes: resource IDs; a role without data actions may be assigned at a management group.
    """
    return {
        "Name": "kvaudit reader",
        "Description": "Reads what kvaudit audits: vaults, assignments, roles, denies, PIM schedules. No data plane, no writes.",
        "Actions": list(permissions_needed()[Plane.ARM]),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": list(assignable_scopes),
    }
