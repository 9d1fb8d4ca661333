"""Role definitions of many subscriptions without reading the hundreds of built-in ones in each of them.

Resource Graph says which custom roles there are. What a role holds is always read from Resource Manager: only there a
permission block is sure to show its condition (facts azure.md 2.5). One subscription's list has the built-in roles, which
are the same everywhere; the custom roles that it does not have are read one by one.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from kvaudit.clients.azure import RESOURCE_GRAPH_API_VERSION
from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import Page
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collection.visibility import Visibility
from kvaudit.collectors.resource_graph import CUSTOM_ROLES_QUERY
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS
from kvaudit.model.authorization import role_guid

Rows = Callable[[str, Sequence[str]], Awaitable[list[Any]]]

_FEW = 2
"""Subscriptions up to which nothing is gained: each has one list."""


async def read_role_definitions(
    reading: Reading, rows: Rows, subscriptions: Sequence[str], visible: Visibility
) -> None:
    """Finishes the listings of role definitions of subscriptions; of those that it leaves open the list itself is read.

    Args:
        reading: what the collection shares.
        rows: answers a query over subscriptions.
        subscriptions: folded scopes.
        visible: what the caller sees.
    """
    kind = ROLE_DEFINITIONS.kind
    seen = [scope for scope in subscriptions if visible.sees(scope, ROLE_DEFINITIONS.requires)]
    open_ = [scope for scope in seen if not reading.is_finished(kind, scope)]
    if len(open_) <= _FEW:
        return
    first, *others = open_
    try:
        listed = await reading.list_arm(ROLE_DEFINITIONS, first, raise_when=lambda _: True)
        custom = await rows(CUSTOM_ROLES_QUERY, open_)
    except ReadFailure:
        return
    known = {_guid(item) for item in listed}
    missing = {guid: str(row["id"]) for row in custom if (guid := _guid(row)) and guid not in known}
    whole = all(await together(_read_one(reading, identifier) for identifier in missing.values()))
    for scope in others if whole else ():
        reading.writer.finish_listing(
            kind,
            scope,
            items=0,  # its custom roles were read under their own IDs, the built-in ones with the first list
            pages=1,
            api_version=RESOURCE_GRAPH_API_VERSION,
            asked_at=reading.now(),
            source="resource-graph",
        )
        reading.remember(kind, scope, [])
    reading.remember(kind, first, [])


def _guid(raw: Any) -> str | None:
    try:
        return role_guid(raw["id"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


async def _read_one(reading: Reading, identifier: str) -> bool:
    """One role by its ID. Says whether it was read; where not, the lists are."""

    async def pages() -> AsyncIterator[Page]:
        yield Page([await reading.azure.arm_get(identifier, api_version=ROLE_DEFINITIONS.api_version or "")])

    try:
        await reading.store(ROLE_DEFINITIONS, identifier, pages(), raise_when=lambda _: True)
    except ReadFailure:
        return False
    return True
