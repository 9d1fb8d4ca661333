"""The order of a collection: who asks, subscriptions, the tree, each subscription, objects, the directory."""

import asyncio
from collections.abc import Callable
from typing import Any

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.control_plane import read_subscription
from kvaudit.collection.directory import read_directory
from kvaudit.collection.listing import Reading
from kvaudit.collection.objects import read_objects
from kvaudit.collection.request import CollectRequest, Progress
from kvaudit.collectors.management_groups import MANAGEMENT_GROUP, MANAGEMENT_GROUPS
from kvaudit.collectors.management_groups import parse as parse_node
from kvaudit.collectors.subscriptions import SUBSCRIPTIONS
from kvaudit.collectors.subscriptions import parse as parse_subscription
from kvaudit.errors import ScopeError
from kvaudit.model.gaps import Gap
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.snapshot.writer import SnapshotWriter


async def collect(
    azure: Azure,
    request: CollectRequest,
    writer: SnapshotWriter,
    *,
    progress: Progress,
    now: Callable[[], str],
) -> None:
    """Reads what was asked into the snapshot. A read that fails becomes a gap and the rest goes on.

    The writer is not closed: the caller knows whether it was interrupted.

    Raises:
        CredentialError: no credential, a refused one, or one of another tenant.
        ScopeError: a subscription, management group or vault that was named is not there.
        OutputError: the disk refused.
    """
    caller = await azure.sign_in()
    writer.describe(
        tenant_id=request.tenant or caller.tenant_id,
        asked_by={"object_id": caller.object_id, "app_id": caller.app_id, "tenant_id": caller.tenant_id},
    )
    reading = Reading(azure, writer, progress, now)
    nodes = await _read_tree(reading, request, caller.tenant_id)
    subscriptions = await _read_subscriptions(reading, request, nodes)
    found = await asyncio.gather(*(read_subscription(reading, request, item.scope) for item in subscriptions))
    vaults = [vault for part in found for vault in part.vaults]
    _check_vaults(reading, request, vaults)
    await read_objects(reading, request, vaults)
    await read_directory(reading, frozenset().union(*(part.principals for part in found)))


async def _read_tree(reading: Reading, request: CollectRequest, tenant: str | None) -> list[HierarchyNode]:
    """Management groups and what is below them. Of the whole tenant, or of the groups that were named."""
    roots = request.management_groups or ((tenant,) if tenant else ())
    nodes: list[HierarchyNode] = []
    for root in roots:
        scope = f"/providers/Microsoft.Management/managementGroups/{root}"
        items = await reading.list_arm(MANAGEMENT_GROUPS, scope)
        try:
            top = await reading.azure.arm_get(scope, api_version=MANAGEMENT_GROUP.api_version or "")
        except ReadFailure as problem:
            if request.management_groups and problem.status == 404:
                raise ScopeError(f"there is no management group {root!r} that the caller can see") from problem
            if not items:
                continue
            top = {"id": scope}
        own = f"{scope}/self"
        # The root stands in the listing of its own descendants: one place, one listing.
        if not reading.is_finished("management_groups", own):
            reading.writer.add_page("management_groups", own, [top])
            reading.writer.finish_listing("management_groups", own, items=1, pages=1, asked_at=reading.now())
        nodes.extend(_parsed(parse_node, [*items, top], scope))
    return nodes


def _parsed(parse: Callable[[Any, str], Any], items: list[Any], scope: str) -> list[Any]:
    """What can be parsed of raw items; the loader tells the rest as gaps."""
    found = []
    for item in items:
        try:
            found.append(parse(item, scope))
        except (KeyError, TypeError, ValueError):
            continue
    return found


async def _read_subscriptions(
    reading: Reading, request: CollectRequest, nodes: list[HierarchyNode]
) -> list[Subscription]:
    """The subscriptions to read: those that the caller sees, narrowed by name and by management group."""
    items = await reading.list_arm(SUBSCRIPTIONS, "/")
    visible: list[Subscription] = _parsed(parse_subscription, items, "/")
    if request.tenant:
        visible = [item for item in visible if item.tenant_id in {None, request.tenant.casefold()}]
    chosen = visible
    if request.subscriptions:
        wanted = {text.strip().casefold() for text in request.subscriptions}
        chosen = [item for item in visible if {item.subscription_id, (item.display_name or "").casefold()} & wanted]
        known = {name for item in visible for name in (item.subscription_id, (item.display_name or "").casefold())}
        missing = sorted(text for text in request.subscriptions if text.strip().casefold() not in known)
        if missing:
            raise ScopeError(
                f"there is no subscription {', '.join(repr(item) for item in missing)} that the caller can see",
                hint="Check the name, the tenant (--tenant) and the signed-in identity.",
                details=tuple(f"visible: {item.display_name} ({item.subscription_id})" for item in visible[:20])
                or ("no subscription is visible to this identity",),
            )
    if request.management_groups:
        below = {node.scope for node in nodes}
        chosen = [item for item in chosen if item.scope in below]
    return chosen


def _check_vaults(reading: Reading, request: CollectRequest, vaults: list[dict[str, Any]]) -> None:
    """A vault that was named and is nowhere: an error when everything was read, else a gap."""
    found = {str(vault.get("name", "")).casefold() for vault in vaults}
    missing = [name for name in request.vaults if name.strip().casefold() not in found]
    if not missing:
        return
    if not reading.failed_kinds & {"vaults", "subscriptions"}:
        raise ScopeError(
            f"there is no vault {', '.join(repr(name) for name in missing)} in what the caller can see",
            hint="Check the name, and --subscription and --resource-group where they were given.",
        )
    for name in missing:
        reason = f"the vault {name} was asked for and is in no subscription that could be read"
        reading.writer.add_gap(Gap("vaults", f"vaults/{name}", reason, permission="Microsoft.KeyVault/vaults/read"))
