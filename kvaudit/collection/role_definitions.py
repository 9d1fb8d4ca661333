"""Role definitions of many subscriptions without reading the hundreds of built-in ones in each of them.

Resource Graph says which custom roles there are. What a role holds is always read from Resource Manager: only there a
permission block is sure to show its condition (facts azure.md 2.5). One subscription's list has the built-in roles, which
are the same everywhere; the custom roles that it does not have are read one by one.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kvaudit.clients.azure import RESOURCE_GRAPH_API_VERSION
from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.built_in_roles import FEW, guid_of, guids_of, read_role
from kvaudit.collection.listing import Reading
from kvaudit.collection.together import together
from kvaudit.collection.visibility import Visibility
from kvaudit.collectors.resource_graph import CUSTOM_ROLES_QUERY
from kvaudit.collectors.role_definitions import ROLE_DEFINITIONS

Rows = Callable[[str, Sequence[str]], Awaitable[list[Any]]]


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
    if len(open_) <= FEW:
        return
    first, *others = open_
    try:
        listed = await reading.list_arm(ROLE_DEFINITIONS, first, raise_when=lambda _: True)
        custom = await rows(CUSTOM_ROLES_QUERY, open_)
    except ReadFailure:
        return
    known = guids_of(listed)
    missing = {guid: str(row["id"]) for row in custom if (guid := guid_of(row)) and guid not in known}
    whole = all(await together(read_role(reading, identifier) for identifier in missing.values()))
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
