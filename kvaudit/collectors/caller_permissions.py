"""What the caller itself may do at a scope, by Resource Manager's own list of permission blocks.

It is asked for the one question whether Resource Graph can be complete: that leaves out, without a word, what the caller may
not read. The list says nothing of deny assignments (facts azure.md 2.5), which are looked at apart.
"""

from collections.abc import Iterable
from typing import Any

from kvaudit.collectors.collector import Raw
from kvaudit.collectors.permission_blocks import permission_blocks
from kvaudit.model.authorization import Permission

API_VERSION = "2022-05-01-preview"
"""The first that shows the conditions of blocks (facts azure.md 2.5)."""

PATH = "{scope}/providers/Microsoft.Authorization/permissions"


def parse(items: Iterable[Raw]) -> tuple[Permission, ...]:
    """The blocks of a list. Raises ValueError, TypeError or KeyError for one that cannot be read."""
    return permission_blocks({"permissions": list(items)})


def holds(blocks: Iterable[Permission], action: str) -> bool:
    """Whether an action is certainly held: by a block without a condition that does not take it away again."""
    return any(
        block.condition is None and _one_matches(block.actions, action) and not _one_meets(block.not_actions, action)
        for block in blocks
    )


def hides(denies: Iterable[Any], action: str) -> bool:
    """Whether a raw deny assignment of a listing may take an action from somebody; one that cannot be read may."""
    for item in denies:
        try:
            properties = item["properties"]
            blocks = permission_blocks(properties)
            audited = str(properties.get("denyAssignmentEffect")).casefold() == "audit"
        except (KeyError, TypeError, ValueError, AttributeError):
            return True
        denied = any(
            _one_meets(block.actions, action) and not _one_matches(block.not_actions, action) for block in blocks
        )
        if denied and not audited:
            return True
    return False


def _one_matches(patterns: Iterable[str], action: str) -> bool:
    """Whether a pattern covers an action, which may be a pattern itself (`*/read`): then all that it stands for."""
    return any(_fits(pattern, action.casefold()) for pattern in patterns)


def _one_meets(patterns: Iterable[str], action: str) -> bool:
    """Whether a pattern covers an action or, where the action is a pattern itself, may cover something of it."""
    patterns = tuple(patterns)
    if "*" in action:
        return any(pattern.casefold().endswith(("*", action.rsplit("/", 1)[-1].casefold())) for pattern in patterns)
    return _one_matches(patterns, action)


def _fits(pattern: str, action: str) -> bool:
    """Whether a pattern fits, part by part: no regular expression, whose backtracking a tenant's own role could drive."""
    first, *rest = pattern.casefold().split("*")
    if not rest:
        return first == action
    last = rest.pop()
    if not action.startswith(first) or len(action) < len(first) + len(last) or not action.endswith(last):
        return False
    middle, at = action[: len(action) - len(last)], len(first)
    for part in rest:
        found = middle.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True
