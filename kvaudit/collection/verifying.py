"""`--verify-with-arm`: what Resource Graph answered is read from Resource Manager as well, and compared."""

from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.control_plane import is_wanted
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest
from kvaudit.collectors.resource_graph import Route
from kvaudit.collectors.vaults import VAULTS
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap

DIFFER = "SourcesDiffer"
"""Code of the gap of a listing of which the two services tell different things."""

_SHOWN = 5
"""IDs named of each side."""


async def compare(reading: Reading, route: Route, scope: str, seen: set[str], request: CollectRequest) -> None:
    """Reads one listing from Resource Manager. What only that has is stored too, and a difference is a gap.

    Args:
        reading: what the collection shares.
        route: the kind.
        scope: of the subscription.
        seen: folded IDs that Resource Graph answered.
        request: narrows the vaults.
    """
    collector = route.collector
    found: dict[str, Any] = {}
    try:
        async with reading.slot:
            async for page in reading.arm_pages(collector, scope):
                for item in page.items:
                    identifier = item.get("id") if isinstance(item, dict) else None
                    if not isinstance(identifier, str) or not route.matches(item):
                        continue
                    if collector.kind == VAULTS.kind and not is_wanted(request, item):
                        continue
                    if scopes.is_within(scopes.fold(identifier), scope):  # what is inherited is read elsewhere
                        found[scopes.fold(identifier)] = item
    except ReadFailure as problem:
        reading.gap(collector, scope, problem)
        return
    only_there, only_here = sorted(found.keys() - seen), sorted(seen - found.keys())
    if not only_there and not only_here:
        return
    reading.writer.add_page(collector.kind, scope, [found[identifier] for identifier in only_there])
    reading.writer.add_gap(
        Gap(
            collector.kind,
            scope,
            f"Resource Graph and Resource Manager differ: {_named(only_there)} only in Resource Manager, "
            f"{_named(only_here)} only in Resource Graph, which follows changes with a delay",
            code=DIFFER,
            retryable=True,
            asked_at=reading.now(),
        )
    )


def _named(identifiers: list[str]) -> str:
    shown = ", ".join(identifiers[:_SHOWN])
    more = f" and {len(identifiers) - _SHOWN} more" if len(identifiers) > _SHOWN else ""
    return f"{len(identifiers)}" + (f" ({shown}{more})" if identifiers else "")
