"""The built-in roles that are published by Microsoft, for roles whose definition a snapshot does not hold.

Generated into `kvaudit/data/roles.json` with source and date. A definition in the snapshot always wins: roles change.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from kvaudit.model.authorization import Permission, RoleDefinition


@cache
def _raw() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files("kvaudit.data").joinpath("roles.json").read_bytes())
    return data


def roles_date() -> str:
    """The day on which the built-in roles were read from Azure, ISO 8601."""
    return str(_raw()["_source"]["sourceDate"])


@cache
def builtin_roles() -> dict[str, RoleDefinition]:
    """Every published built-in role by its folded GUID."""
    return {item["name"].casefold(): _parse(item) for item in _raw()["value"]}


def _parse(item: dict[str, Any]) -> RoleDefinition:
    properties = item["properties"]
    return RoleDefinition(
        id=item["id"],
        name=item["name"].casefold(),
        role_name=properties["roleName"],
        role_type=properties["type"],
        assignable_scopes=tuple(properties["assignableScopes"]),
        permissions=tuple(
            Permission(
                actions=tuple(block.get("actions") or ()),
                not_actions=tuple(block.get("notActions") or ()),
                data_actions=tuple(block.get("dataActions") or ()),
                not_data_actions=tuple(block.get("notDataActions") or ()),
                condition=block.get("condition"),
            )
            for block in properties["permissions"]
        ),
    )
