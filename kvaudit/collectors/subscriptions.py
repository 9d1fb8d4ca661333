"""Subscriptions that the caller can see."""

from collections.abc import Mapping
from typing import Any

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Plane, Raw
from kvaudit.model.hierarchy import Subscription


def parse(raw: Raw, scope: str) -> Subscription:  # noqa: ARG001 - every parser has this signature
    """A subscription from `GET /subscriptions`."""
    item = payload.mapping(raw, "subscription")
    return Subscription(
        subscription_id=payload.text(item, "subscriptionId").strip().casefold(),
        display_name=payload.shown_text(item, "displayName"),
        tenant_id=_folded(payload.optional_text(item, "tenantId")),
        state=payload.shown_text(item, "state"),
        managed_by_tenants=tuple(_managing_tenants(item)),
    )


def _managing_tenants(item: Mapping[str, Any]) -> list[str]:
    return [
        payload.text(payload.mapping(entry, "managedByTenants"), "tenantId").casefold()
        for entry in payload.items(item, "managedByTenants")
    ]


def _folded(value: str | None) -> str | None:
    return value.casefold() if value else None


SUBSCRIPTIONS = Collector(
    kind="subscriptions",
    plane=Plane.ARM,
    path="/subscriptions",
    api_version="2022-12-01",
    requires=("Microsoft.Resources/subscriptions/read",),
    parse=parse,
)
