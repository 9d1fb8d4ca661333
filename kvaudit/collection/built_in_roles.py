"""Role definitions through Resource Manager alone: the hundreds of built-in ones once, custom ones in each subscription.

A list of all roles is some megabytes, the same in every subscription but for a few custom ones. The filter by type is documented
at a subscription's scope (learn.microsoft.com/azure/role-based-access-control/custom-roles-rest). Whether it can be joined
with `atScopeAndBelow()` is not, so roles that can be assigned in single resource groups alone may be missing in such a list:
those that a record names are read one by one.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.model.authorization import role_guid

FEW = 2
"""Subscriptions up to which nothing is gained: each has one list."""

_TRIES = 3
"""Subscriptions that are asked for the built-in roles; one that refuses is told as any other."""

_CUSTOM = replace(ROLE_DEFINITIONS, query={"$filter": "type eq 'CustomRole'"})


async def read_built_in_roles(reading: Reading, subscriptions: Sequence[str]) -> frozenset[str]:
    """Reads all roles of one subscription, where there are several.

    Returns:
        the folded GUIDs of its roles; none where the list of every subscription has to be read whole.
    """
    open_ = [scope for scope in subscriptions if not reading.is_finished(ROLE_DEFINITIONS.kind, scope)]
    if len(open_) <= FEW:
        return frozenset()
    for scope in open_[:_TRIES]:
        listed = await reading.list_arm(ROLE_DEFINITIONS, scope)
        if reading.is_finished(ROLE_DEFINITIONS.kind, scope):
            return guids_of(listed)
    return frozenset()


async def read_roles(reading: Reading, scope: str, built_in: frozenset[str]) -> list[Any]:
    """The role definitions of a subscription; only its custom ones where the others are known."""
    return await reading.list_arm(_CUSTOM if built_in else ROLE_DEFINITIONS, scope)


async def read_named_roles(reading: Reading, named: Iterable[Any], known: frozenset[str]) -> None:
    """Reads the roles that records name and no list had. One that cannot be read is a gap where it would count.

    Args:
        reading: what the collection shares.
        named: raw assignments and schedule instances.
        known: folded GUIDs.
    """
    missing: dict[str, str] = {}
    for item in named:
        properties = item.get("properties") if isinstance(item, dict) else None
        identifier = properties.get("roleDefinitionId") if isinstance(properties, dict) else None
        guid = guid_of({"id": identifier})
        if guid and guid not in known:
            missing[guid] = str(identifier)
    await together(read_role(reading, identifier) for identifier in missing.values())


def guids_of(items: Iterable[Any]) -> frozenset[str]:
    """The folded GUIDs of raw role definitions; the loader tells one that cannot be read."""
    return frozenset(guid for item in items if (guid := guid_of(item)))


def guid_of(raw: Any) -> str | None:
    """The folded GUID of a raw role definition, or None where it has none."""
    try:
        return role_guid(raw["id"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


async def read_role(reading: Reading, identifier: str) -> bool:
    """One role by its ID. Says whether it was read."""

    async def pages() -> AsyncIterator[Page]:
        yield Page([await reading.azure.arm_get(identifier, api_version=ROLE_DEFINITIONS.api_version or "")])

    try:
        await reading.store(ROLE_DEFINITIONS, identifier, pages(), raise_when=lambda _: True)
    except ReadFailure:
        return False
    return True
