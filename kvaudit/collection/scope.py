"""What there is to read: the tree of management groups, and the subscriptions that were asked for."""

from collections.abc import Callable, Sequence
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest
from kvaudit.collectors.management_groups import MANAGEMENT_GROUP, MANAGEMENT_GROUPS
from kvaudit.collectors.management_groups import parse as parse_node
from kvaudit.collectors.subscriptions import SUBSCRIPTIONS
from kvaudit.collectors.subscriptions import parse as parse_subscription
from kvaudit.errors import CredentialError, KvauditError, ScopeError
from kvaudit.model.hierarchy import HierarchyNode, Subscription

_SHOWN = 20
"""Subscriptions listed in an error."""


async def read_tree(reading: Reading, request: CollectRequest, tenant: str | None) -> list[HierarchyNode]:
    """Management groups and what is below them: of the whole tenant, or of the groups that were named.

    Raises:
        ScopeError: a group that was named is not there.
    """
    roots = request.management_groups or ((tenant,) if tenant else ())
    nodes: list[HierarchyNode] = []
    missing: list[str] = []
    for root in roots:
        scope = f"/providers/Microsoft.Management/managementGroups/{root}"
        try:
            items = await reading.list_arm(
                MANAGEMENT_GROUPS,
                scope,
                raise_when=lambda problem: bool(request.management_groups) and problem.status in {403, 404},
            )
        except ReadFailure:
            missing.append(root)
            continue
        items = [*items, *await _read_top(reading, scope)]
        nodes.extend(_parsed(parse_node, items, scope))
    if missing:
        raise ScopeError(
            f"there is no management group {', '.join(map(repr, missing))} that the caller can see",
            hint="Give its ID, which is not its display name; reading what is below it needs "
            + MANAGEMENT_GROUPS.requires[0]
            + ".",
        )
    return nodes


async def _read_top(reading: Reading, scope: str) -> list[Any]:
    """The group itself, which its own descendants do not hold. Its listing is told apart by its scope's end."""
    own = f"{scope}/self"
    if reading.is_finished(MANAGEMENT_GROUP.kind, own):
        return reading.writer.stored_items(MANAGEMENT_GROUP.kind, own)
    try:
        async with reading.slot:
            top = await reading.azure.arm_get(scope, api_version=MANAGEMENT_GROUP.api_version or "")
    except ReadFailure as problem:
        if MANAGEMENT_GROUP.kind not in reading.failed_kinds:  # else one gap says it already
            reading.gap(MANAGEMENT_GROUP, own, problem)
        return []
    reading.writer.add_page(MANAGEMENT_GROUP.kind, own, [top])
    reading.writer.finish_listing(
        MANAGEMENT_GROUP.kind, own, items=1, pages=1, api_version=MANAGEMENT_GROUP.api_version, asked_at=reading.now()
    )
    return [top]


def _parsed(parse: Callable[[Any, str], Any], items: list[Any], scope: str) -> list[Any]:
    """What can be parsed of raw items; the loader tells the rest as gaps."""
    found = []
    for item in items:
        try:
            found.append(parse(item, scope))
        except (KeyError, TypeError, ValueError):
            continue
    return found


async def read_subscriptions(
    reading: Reading, request: CollectRequest, nodes: Sequence[HierarchyNode], tenant: str | None
) -> list[Subscription]:
    """The subscriptions to read: those that the caller sees, narrowed by name, tenant and management group.

    Raises:
        CredentialError: Resource Manager does not accept the token.
        ScopeError: a subscription that was named is not visible, or not below the groups that were named.
        KvauditError: subscriptions were named and their list could not be read.
    """
    try:
        items = await reading.list_arm(
            SUBSCRIPTIONS, "/", raise_when=lambda problem: problem.status == 401 or bool(request.subscriptions)
        )
    except ReadFailure as problem:
        if problem.status == 401:
            raise CredentialError(
                f"Resource Manager refused the token: {problem.reason}",
                hint="Check --tenant and --cloud, this machine's clock, and sign in again.",
            ) from problem
        raise KvauditError(
            f"the subscriptions could not be listed: {problem.reason}", hint="Run the command again later."
        ) from problem
    parsed: list[Subscription] = _parsed(parse_subscription, items, "/")
    visible = list({item.subscription_id: item for item in parsed}.values())
    if request.tenant and tenant:
        visible = [item for item in visible if item.tenant_id in {None, tenant}]
    if request.management_groups:
        below = {node.scope for node in nodes}
        visible = [item for item in visible if item.scope in below]
    return _chosen(visible, request) if request.subscriptions else visible


def _names(subscription: Subscription) -> set[str]:
    return {
        subscription.subscription_id,
        (subscription.display_name or subscription.subscription_id).strip().casefold(),
    }


def _chosen(visible: Sequence[Subscription], request: CollectRequest) -> list[Subscription]:
    wanted = {text.strip().casefold(): text for text in request.subscriptions}
    known = {name for item in visible for name in _names(item)}
    missing = [text for folded, text in wanted.items() if folded not in known]
    if missing:
        where = " below the management groups that were named" if request.management_groups else ""
        raise ScopeError(
            f"there is no subscription {', '.join(map(repr, missing))} that the caller can see{where}",
            hint="Check the name, the tenant (--tenant) and the signed-in identity.",
            details=tuple(f"visible: {item.display_name} ({item.subscription_id})" for item in visible[:_SHOWN])
            or ("no subscription is visible to this identity",),
        )
    return [item for item in visible if _names(item) & wanted.keys()]
