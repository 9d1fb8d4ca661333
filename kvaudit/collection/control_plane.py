"""What Resource Manager says of one subscription: vaults, assignments, roles, denies, PIM; and whom they name."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.built_in_roles import guids_of, read_named_roles, read_roles
from kvaudit.collection.listing import Reading, is_not_offered
from kvaudit.collection.request import CollectRequest
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector, Feature
from kvaudit.collectors.delegations import DELEGATIONS
from kvaudit.collectors.deleted_vaults import DELETED_VAULTS
from kvaudit.collectors.deny_assignments import DENY_ASSIGNMENTS, FALLBACK_API_VERSION
from kvaudit.collectors.managed_identities import RESOURCE_IDENTITIES, USER_ASSIGNED_IDENTITIES, has_identity
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.collectors.schedule_instances import (
    ROLE_ASSIGNMENT_SCHEDULE_INSTANCES,
    ROLE_ELIGIBILITY_SCHEDULE_INSTANCES,
)
from kvaudit.collectors.subscription_settings import (
    CLASSIC_ADMINISTRATORS,
    DEFENDER_PLANS,
    LOCKS,
    MANAGED_HSMS,
    RESOURCE_GROUPS,
)
from kvaudit.collectors.vaults import VAULTS
from kvaudit.model import scopes
from kvaudit.model.authorization import EVERYONE
from kvaudit.model.gaps import Gap

_NO_PREMIUM = "AadPremiumLicenseRequired"
"""A tenant without the licence for PIM: nobody is eligible (facts azure.md 2.4)."""

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

_FURTHER: dict[Feature, tuple[Collector[Any], ...]] = {
    Feature.IDENTITIES: (RESOURCE_IDENTITIES, USER_ASSIGNED_IDENTITIES, DELEGATIONS),
    Feature.SETTINGS: (LOCKS, DEFENDER_PLANS, RESOURCE_GROUPS, CLASSIC_ADMINISTRATORS, MANAGED_HSMS),
}

_UNREGISTERED = frozenset(
    {"MissingSubscriptionRegistration", "Subscription Not Registered", "SubscriptionNotRegistered"}
)
"""Codes for a subscription that never registered a resource provider (Azure/azure-sdk-for-go 19900 for Defender's). It
cannot be unregistered while there are resources of it (learn.microsoft.com, resource-providers-and-types): there are none."""

_ABSENT_WHEN_UNREGISTERED = frozenset({item.kind for item in (USER_ASSIGNED_IDENTITIES, DELEGATIONS, DEFENDER_PLANS)})


def further_lists(request: CollectRequest) -> tuple[Collector[Any], ...]:
    """What is read in every subscription beside `LISTS`, for the features that were asked for."""
    return tuple(item for feature, items in _FURTHER.items() if feature in request.features for item in items)


@dataclass(frozen=True, slots=True)
class SubscriptionRead:
    """What later parts need of a subscription.

    Attributes:
        vaults: raw.
        principals: folded ID of everyone whom a record names.
        groups: those of them that a record calls a group.
        identities: user-assigned identities, raw.
    """

    vaults: tuple[Any, ...]
    principals: frozenset[str]
    groups: frozenset[str]
    identities: tuple[Any, ...] = ()


async def read_subscription(
    reading: Reading,
    request: CollectRequest,
    scope: str,
    *,
    tenant: str | None,
    built_in: frozenset[str] = frozenset(),
) -> SubscriptionRead:
    """Reads every control-plane listing of a subscription at once.

    Args:
        reading: what the collection shares.
        request: narrows the vaults. Assignments are read whole: inherited ones reach every vault.
        scope: of the subscription.
        tenant: folded ID of the caller's tenant: policy entries of another cannot be looked up in its directory.
        built_in: folded GUIDs of the roles that need not be listed again.
    """

    def wanted(item: Any) -> bool:
        return is_wanted(request, item)

    further = [item for item in further_lists(request) if item is not RESOURCE_IDENTITIES]
    vaults, _, assignments, roles, denies, eligible, active, *others = await together(
        (
            reading.list_arm(VAULTS, scope, keep=wanted),
            reading.list_arm(DELETED_VAULTS, scope, keep=lambda item: _name_wanted(request, item)),
            reading.list_arm(ROLE_ASSIGNMENTS, scope),
            read_roles(reading, scope, built_in),
            read_denies(reading, scope),
            reading.list_arm(ROLE_ELIGIBILITY_SCHEDULE_INSTANCES, scope, none_when=_is_without_premium),
            reading.list_arm(ROLE_ASSIGNMENT_SCHEDULE_INSTANCES, scope, none_when=_is_without_premium),
            *(_read_further(reading, item, scope) for item in further),
        )
    )
    if built_in:
        await read_named_roles(reading, (*assignments, *eligible, *active), built_in | guids_of(roles))
    read = {item.kind: items for item, items in zip(further, others, strict=True)}
    if RESOURCE_IDENTITIES in further_lists(request):
        await _read_resource_identities(reading, scope)
    principals = {
        *_named((*assignments, *eligible, *active), lambda properties: [properties.get("principalId")]),
        *_named(vaults, lambda properties: _policy_objects(properties, tenant)),
        *_named(denies, _denied),
    }
    return SubscriptionRead(
        vaults=tuple(vaults),
        principals=frozenset(principals - {EVERYONE}),
        groups=frozenset(_named((*assignments, *eligible, *active), _group)),
        identities=tuple(read.get(USER_ASSIGNED_IDENTITIES.kind, ())),
    )


def _read_further(reading: Reading, collector: Collector[Any], scope: str) -> Coroutine[Any, Any, list[Any]]:
    """One of the further lists; Defender's plan is one object."""

    def is_absent(problem: ReadFailure) -> bool:
        return collector.kind in _ABSENT_WHEN_UNREGISTERED and problem.code in _UNREGISTERED

    if collector is DEFENDER_PLANS:
        return reading.get_arm(collector, scope, none_when=is_absent)
    return reading.list_arm(collector, scope, none_when=is_absent)


async def _read_resource_identities(reading: Reading, scope: str) -> None:
    """Which resources run as which identity. Read last: the list leaves out what the caller may not read, and says nothing.

    Where the caller was refused other lists of the subscription it is no reader of everything there, and this list would
    look whole and not be it.
    """
    path = RESOURCE_IDENTITIES.path.replace("{scope}", scope)
    version = RESOURCE_IDENTITIES.api_version or ""
    refused = [item.kind for item in (USER_ASSIGNED_IDENTITIES, VAULTS) if not reading.is_finished(item.kind, scope)]

    async def pages() -> AsyncIterator[Page]:
        async for page in reading.azure.arm_pages(path, api_version=version):
            yield page
        if refused:  # what was seen is kept
            why = "the list leaves out the resources that the caller may not read, and it may not read everything here"
            status = 403 if reading.forbidden_kinds.intersection(refused) else None
            raise ReadFailure(why, status=status, code="NotSeen")

    await reading.store(RESOURCE_IDENTITIES, scope, pages(), keep=has_identity)


def is_wanted(request: CollectRequest, item: Any) -> bool:
    """Whether a raw vault is among those that were asked for."""
    if not _name_wanted(request, item):
        return False
    if not request.resource_groups:
        return True
    parts = str(item.get("id", "")).split("/") if isinstance(item, dict) else []
    return len(parts) > 4 and scopes.fold_name(parts[4]) in {
        scopes.fold_name(name.strip()) for name in request.resource_groups
    }


def _name_wanted(request: CollectRequest, item: Any) -> bool:
    name = str(item.get("name", "")).casefold() if isinstance(item, dict) else ""
    return not request.vaults or name in {vault.strip().casefold() for vault in request.vaults}


def _is_without_premium(problem: ReadFailure) -> bool:
    return problem.status == 400 and problem.code == _NO_PREMIUM


async def read_denies(reading: Reading, scope: str) -> list[Any]:
    """Denies with their effect; where this api-version is not offered, without it, which is a gap of its own."""
    try:
        return await reading.list_arm(DENY_ASSIGNMENTS, scope, raise_when=is_not_offered)
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
