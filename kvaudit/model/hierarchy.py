"""Subscriptions and management groups: the tree above resource groups."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that the caller can see. `subscription_id` is folded."""

    subscription_id: str
    display_name: str | None = None
    tenant_id: str | None = None
    state: str | None = None
    managed_by_tenants: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """The folded scope."""
        return f"/subscriptions/{self.subscription_id}"


@dataclass(frozen=True, slots=True)
class HierarchyNode:
    """A management group or subscription and its parent management group.

    Attributes:
        scope: folded scope of the node.
        parent: folded scope of the parent management group, or None for the tenant's root group.
    """

    scope: str
    parent: str | None
    display_name: str | None = None
