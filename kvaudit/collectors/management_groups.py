"""The tree of management groups.

`descendants` answers flat rows below a group (groups and subscriptions, each with its parent); the group itself is
read by its own GET and stored under the same kind, so that the tree has its root.
"""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model import scopes
from kvaudit.model.hierarchy import HierarchyNode

_API_VERSION = "2023-04-01"


def parse(raw: Raw, scope: str) -> HierarchyNode:  # noqa: ARG001 - every parser has this signature
    """A node from a row of `descendants` (`properties.parent.id`) or from a group's GET (`properties.details.parent.id`)."""
    item = payload.mapping(raw, "management group")
    properties = payload.optional_mapping(item, "properties")
    return HierarchyNode(
        scope=_node_scope(payload.text(item, "id")),
        parent=_parent(properties) or next(iter(chain_of(raw)), None),
        display_name=payload.shown_text(properties, "displayName") or _row_name(item),
    )


def _row_name(item: Mapping[str, Any]) -> str | None:
    """The display name of a subscription in Resource Graph, whose rows are named by it."""
    return payload.shown_text(item, "name") if "subscriptionId" in item else None


def _node_scope(identifier: str) -> str:
    """The folded scope of a node.

    Some answers give a subscription as `.../managementGroups/{group}/subscriptions/{id}`: its scope is the part
    from `/subscriptions/` on (specification of management groups 2023-04-01).
    """
    folded = scopes.fold(identifier)
    if scopes.is_management_group(folded):
        return folded
    at = folded.rfind(scopes.SUBSCRIPTION_PREFIX)
    subscription = folded[at:] if at >= 0 else ""
    if len(subscription.split("/")) != 3 or subscription.endswith("/"):
        raise payload.UnreadableItemError("id is neither a management group nor a subscription")
    return subscription


def _parent(properties: Mapping[str, Any]) -> str | None:
    details = payload.optional_mapping(properties, "details")
    parent = payload.optional_mapping(properties, "parent") or payload.optional_mapping(details, "parent")
    identifier = payload.optional_text(parent, "id")
    return scopes.fold(identifier) if identifier else None


def chain_of(raw: Raw) -> tuple[str, ...]:
    """The folded management groups above a subscription, nearest first, from its row in Resource Graph.

    Empty where the row does not tell them all: a part of the chain would look like the whole.
    """
    properties = raw.get("properties") if isinstance(raw, dict) else None
    chain = properties.get("managementGroupAncestorsChain") if isinstance(properties, dict) else None
    names = (
        [group.get("name") if isinstance(group, dict) else None for group in chain] if isinstance(chain, list) else []
    )
    if not all(isinstance(name, str) and name.strip() and "/" not in name for name in names):
        return ()
    return tuple(scopes.fold(f"{scopes.MANAGEMENT_GROUP_PREFIX}{name}") for name in names)


def nodes_above(raw: Raw) -> tuple[HierarchyNode, ...]:
    """The management groups that a subscription's row in Resource Graph tells, each with its parent; else nothing."""
    chain = chain_of(raw)
    if not chain:
        return ()
    shown = [payload.shown_text(group, "displayName") for group in raw["properties"]["managementGroupAncestorsChain"]]
    return tuple(map(HierarchyNode, chain, (*chain[1:], None), shown))


MANAGEMENT_GROUPS = Collector(
    kind="management_groups",
    plane=Plane.ARM,
    path="{scope}/descendants",
    api_version=_API_VERSION,
    requires=("Microsoft.Management/managementGroups/descendants/read",),
    parse=parse,
)

MANAGEMENT_GROUP = Collector(
    kind="management_groups",
    plane=Plane.ARM,
    path="{scope}",
    api_version=_API_VERSION,
    requires=("Microsoft.Management/managementGroups/read",),
    parse=parse,
)
"""The group at the top of the tree itself: one item, no list."""
