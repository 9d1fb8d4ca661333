"""The permission blocks that role definitions and deny assignments hold."""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.model.authorization import Permission


def permission_blocks(properties: Mapping[str, Any]) -> tuple[Permission, ...]:
    """All blocks of a role definition or deny assignment. Without the list there is no telling what it gives or denies."""
    if properties.get("permissions") is None:
        raise payload.UnreadableItemError("permissions are missing")
    return tuple(_permission_block(block) for block in payload.items(properties, "permissions"))


def _permission_block(raw: Any) -> Permission:
    """One block. Old answers leave out the data actions; a block may carry its own condition.

    Every list is read strictly: a block whose `notActions` were dropped would grant more than it does, and one whose
    `actions` were dropped less.
    """
    block = payload.mapping(raw, "permissions")
    return Permission(
        actions=payload.optional_texts(block, "actions") or (),
        not_actions=payload.optional_texts(block, "notActions") or (),
        data_actions=payload.optional_texts(block, "dataActions") or (),
        not_data_actions=payload.optional_texts(block, "notDataActions") or (),
        condition=payload.optional_text(block, "condition"),
    )
