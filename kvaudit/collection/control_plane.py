"""What Resource Manager says of one subscription: vaults, assignments, roles, denies, PIM; and whom they name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector
from kvaudit.collectors.deleted_vaults import DELETED_VAULTS
from kvaudit.collectors.deny_assignments import DENY_ASSIGNMENTS, FALLBACK_API_VERSION
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.collectors.schedule_instances import (
    ROLE_ASSIGNMENT_SCHEDULE_INSTANCES,
    ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.vaults import VAULTS
from kvaudit.model.authorization import EVERYONE
from kvaudit.model.gaps import Gap

_NO_PREMIUM = "AadPremiumLicenseRequired"
"""A tenant without the licence for PIM: nobody is eligible (facts azure.md 2.4)."""

_NOT_OFFERED = frozenset({"InvalidApiVersionParameter", "NoRegisteredProviderFound", "InvalidResourceType"})
"""Codes of Resource Manager for an api-version or type that a cloud does not have (yet)."""


LISTS: tuple[Collector[Any], ...] = (
    VAULTS,
    DELETED_VAULTS,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    DENY_ASSIGNMENTS,
    ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
    ROLE_ASSIGNMENT_SCHEDULE_INSTANCES,
)
"""What is listed in every subscription."""


@dataclass(frozen=True, slots=True)
class SubscriptionRead:
    """What later parts need of a subscription.

    Attributes:
        vaults: raw.
        principals: folded ID of everyone whom a record names.
        groups: those of them that a record calls a group.
    """

    vaults: tuple[Any, ...]
    principals: frozenset[str]
    groups: frozenset[str]


async def read_subscription(
    reading: Reading, request: CollectRequest, scope: str, *, tenant: str | None
) -> SubscriptionRead:
    """Reads every control-plane listing of a subscription at once.

    Args:
        reading: what the collection shares.
        request: narrows the vaults. Assignments are read whole: inherited ones reach every vault.
        scope: of the subscription.
        tenant: folded ID of the caller's tenant: policy entries of another cannot be looked up in its directory.
    """

    def wanted(item: Any) -> bool:
        return is_wanted(request, item)

    vaults, _, assignments, _, denies, eligible, active = await together(
        (
            reading.list_arm(VAULTS, scope, keep=wanted),
            reading.list_arm(DELETED_VAULTS, scope, keep=lambda item: _name_wanted(request, item)),
            reading.list_arm(ROLE_ASSIGNMENTS, scope),
            reading.list_arm(ROLE_DEFINITIONS, scope),
            _read_denies(reading, scope),
            reading.list_arm(ROLE_ELIGIBILITY_SCHEDULE_INSTANCES, scope, none_when=_is_without_premium),
            reading.list_arm(ROLE_ASSIGNMENT_SCHEDULE_INSTANCES, scope, none_when=_is_without_premium),
        )
    )
    principals = {
        *_named((*assignments, *eligible, *active), lambda properties: [properties.get("principalId")]),
        *_named(vaults, lambda properties: _policy_objects(properties, tenant)),
        *_named(denies, _denied),
    }
    return SubscriptionRead(
        vaults=tuple(vaults),
        principals=frozenset(principals - {EVERYONE}),
        groups=frozenset(_named((*assignments, *eligible, *active), _group)),
    )


def is_wanted(request: CollectRequest, item: Any) -> bool:
    """Whether a raw vault is among those that were asked for."""
    if not _name_wanted(request, item):
        return False
    if not request.resource_groups:
        return True
    parts = str(item.get("id", "")).split("/") if isinstance(item, dict) else []
    return len(parts) > 4 and parts[4].casefold() in {name.casefold() for name in request.resource_groups}


def _name_wanted(request: CollectRequest, item: Any) -> bool:
    name = str(item.get("name", "")).casefold() if isinstance(item, dict) else ""
    return not request.vaults or name in {vault.strip().casefold() for vault in request.vaults}


def _is_without_premium(problem: ReadFailure) -> bool:
    return problem.status == 400 and problem.code == _NO_PREMIUM


async def _read_denies(reading: Reading, scope: str) -> list[Any]:
    """Denies with their effect; where this api-version is not offered, without it, which is a gap of its own."""
    try:
        return await reading.list_arm(DENY_ASSIGNMENTS, scope, raise_when=_is_not_offered)
    except ReadFailure as problem:
        refused = problem
    older = replace(DENY_ASSIGNMENTS, api_version=FALLBACK_API_VERSION)
    reading.writer.add_gap(
        Gap(
            "deny_assignment_effects",
            scope,
            f"the effect of deny assignments was not read: api-version {DENY_ASSIGNMENTS.api_version} is not offered here",
            status=refused.status,
            code=refused.code,
            asked_at=reading.now(),
        )
    )
    return await reading.list_arm(older, scope)


def _is_not_offered(problem: ReadFailure) -> bool:
    """Whether an api-version is not offered in this cloud."""
    return problem.status in {400, 404} and problem.code in _NOT_OFFERED


def _named(items: Any, names: Callable[[dict[str, Any]], list[Any]]) -> set[str]:
    """Folded principal IDs of raw items; an item that cannot be read names nobody here and becomes a gap on loading."""
    found: set[str] = set()
    for item in items:
        properties = item.get("properties") if isinstance(item, dict) else None
        if isinstance(properties, dict):
            found.update(
                value.strip().casefold() for value in names(properties) if isinstance(value, str) and value.strip()
            )
    return found


def _group(properties: dict[str, Any]) -> list[Any]:
    """The principal of an assignment when it says itself that it is a group."""
    return [properties.get("principalId")] if properties.get("principalType") == "Group" else []


def _policy_objects(properties: dict[str, Any], tenant: str | None) -> list[Any]:
    """Object IDs in access policies of the caller's tenant. "Not found" would say nothing about those of another."""
    entries = properties.get("accessPolicies")
    own = properties.get("tenantId")
    return [
        entry.get("objectId")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and tenant in {None, str(entry.get("tenantId") or own).casefold()}
    ]


def _denied(properties: dict[str, Any]) -> list[Any]:
    found = []
    for key in ("principals", "excludePrincipals"):
        entries = properties.get(key)
        found += [
            entry.get("id") for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, dict)
        ]
    return found
