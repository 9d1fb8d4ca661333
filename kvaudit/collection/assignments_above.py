"""Role assignments above subscriptions, from Resource Manager: at every management group of a chain, and above it.

Whether Resource Graph shows rows of groups that the caller cannot read is not established (facts azure.md 2.6).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collectors.role_assignments import ROLE_ASSIGNMENTS
from kvaudit.model.authorization import EVERYONE

_AT_AND_ABOVE = replace(ROLE_ASSIGNMENTS, query={"$filter": "atScope()"})


async def read_assignments_above(reading: Reading, chains: Mapping[str, Sequence[str]]) -> tuple[list[Any], set[str]]:
    """Reads the assignments that subscriptions inherit, once for all of them.

    Args:
        reading: what the collection shares.
        chains: folded scope of a subscription -> management groups above it.

    Returns:
        The raw assignments, and the subscriptions above which a group could not be read. No gap is noted for those: each
        subscription's own list in Resource Manager shows what it inherits.
    """
    groups = sorted({group for chain in chains.values() for group in chain})
    refused: set[str] = set()

    async def read(group: str) -> list[Any]:
        try:
            return await reading.list_arm(_AT_AND_ABOVE, group, raise_when=lambda _: True)
        except ReadFailure:
            refused.add(group)
            return []

    found = [item for items in await together(map(read, groups)) for item in items]
    return found, {scope for scope, chain in chains.items() if refused.intersection(chain)}


def named_in(assignments: Iterable[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Whom raw role assignments name, and those of them that one calls a group, as folded IDs."""
    named: set[str] = set()
    groups: set[str] = set()
    for item in assignments:
        properties = item.get("properties") if isinstance(item, dict) else None
        if not isinstance(properties, dict):
            continue  # told when it is loaded
        principal = properties.get("principalId")
        if isinstance(principal, str) and principal.strip():
            named.add(principal.strip().casefold())
            if properties.get("principalType") == "Group":
                groups.add(principal.strip().casefold())
    return frozenset(named - {EVERYONE}), frozenset(groups)
