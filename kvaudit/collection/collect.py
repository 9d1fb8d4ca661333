"""The order of a collection: who asks, subscriptions, the tree, each subscription, objects, the directory."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kvaudit.clients.azure import Azure
from kvaudit.collection.assigned import read_assigned
from kvaudit.collection.assignments_above import named_in
from kvaudit.collection.built_in_roles import read_built_in_roles
from kvaudit.collection.contradictions import tell_contradictions
from kvaudit.collection.control_plane import SubscriptionRead, read_subscription
from kvaudit.collection.directory import read_directory
from kvaudit.collection.identities import read_identities, user_assigned
from kvaudit.collection.listing import Reading
from kvaudit.collection.objects import MayList, read_diagnostic_settings, read_objects
from kvaudit.collection.request import CollectRequest, Objects, Progress, Source
from kvaudit.collection.resource_graph import GraphRead, read_resource_graph
from kvaudit.collection.scope import read_subscriptions, read_tree
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Feature
from kvaudit.errors import ScopeError
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.snapshot.writer import SnapshotWriter


async def collect(
    azure: Azure,
    request: CollectRequest,
    writer: SnapshotWriter,
    *,
    progress: Progress,
    now: Callable[[], str],
    predict: Callable[[str | None], MayList] | None = None,
) -> None:
    """Reads what was asked into the snapshot. A read that fails becomes a gap and the rest goes on.

    The writer is not closed: the caller knows whether it was interrupted.

    Args:
        azure: reads.
        request: what is asked.
        writer: takes what was read; listings that it holds already are not read again.
        progress: is told what was done.
        now: the time, ISO 8601.
        predict: the caller's object ID -> whether the records that were read let it list objects at a vault. A vault
            where they do not is not asked, and that is a gap. None: every vault is asked.

    Raises:
        CredentialError: no credential, a refused one, or one of another tenant.
        ScopeError: a subscription, management group or vault that was named is not there.
        OutputError: the disk refused.
    """
    caller = await azure.sign_in()
    tenant = caller.tenant_id.casefold() if caller.tenant_id else None
    writer.describe(
        tenant_id=tenant or request.tenant,
        source=request.source.value,
        asked_by={"object_id": caller.object_id, "app_id": caller.app_id, "tenant_id": caller.tenant_id},
    )
    reading = Reading(azure, writer, progress, now)
    through_graph = request.source is not Source.ARM
    # Groups that are named have to be there; else Resource Graph may tell the tree with the subscriptions.
    nodes = await read_tree(reading, request, tenant) if request.management_groups or not through_graph else []
    subscriptions = await read_subscriptions(reading, request, nodes, tenant)
    graph = await read_resource_graph(reading, request, subscriptions, tenant) if through_graph else GraphRead()
    if through_graph and not request.management_groups and not graph.is_tree_whole:
        await read_tree(reading, request, tenant)
    built_in = (
        frozenset() if through_graph else await read_built_in_roles(reading, [item.scope for item in subscriptions])
    )
    found = await together(
        read_subscription(reading, request, item.scope, tenant=tenant, built_in=built_in) for item in subscriptions
    )
    tell_contradictions(reading, graph.visible, (item.scope for item in subscriptions))
    vaults = each_once(vault for part in found for vault in part.vaults)
    _check_vaults(reading, request, vaults)
    await together((_read_vaults(reading, request, vaults), _read_people(reading, request, found, graph)))
    holding = {item.scope for item, part in zip(subscriptions, found, strict=True) if part.vaults}
    await read_assigned(reading, request.assigned_to, sorted(holding))
    if request.objects is Objects.VAULT:  # after everything that says whether the caller may
        await read_objects(reading, request, vaults, may_list=predict(caller.object_id) if predict else None)


async def _read_vaults(reading: Reading, request: CollectRequest, vaults: list[dict[str, Any]]) -> None:
    """What Resource Manager says of each vault."""
    if request.objects is not Objects.VAULT:
        await read_objects(reading, request, vaults)
    if Feature.SETTINGS in request.features:
        await read_diagnostic_settings(reading, vaults)


async def _read_people(
    reading: Reading, request: CollectRequest, found: Sequence[SubscriptionRead], graph: GraphRead
) -> None:
    """What the directory says of those whom records name."""
    named, groups = named_in(graph.above)
    named = named.union(*(part.principals for part in found))
    groups = groups.union(*(part.groups for part in found))
    with_identities = Feature.IDENTITIES in request.features
    directory = await read_directory(reading, named, groups, with_service_principals=with_identities)
    if with_identities:
        identities = [item for part in found for item in user_assigned(part.identities)]
        await read_identities(reading, directory, named, identities)


def each_once(vaults: Iterable[Any]) -> list[dict[str, Any]]:
    """Raw vaults that have an ID, by ID: a page that shifted while it was read shows one twice."""
    named = (vault for vault in vaults if isinstance(vault, dict) and isinstance(vault.get("id"), str))
    return list({scopes.fold(vault["id"]): vault for vault in named}.values())


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
