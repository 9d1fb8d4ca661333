"""Names and attributes of secrets, keys and certificates. Never a value."""

import asyncio
from collections.abc import Sequence
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collectors.collector import Collector, Plane
from kvaudit.collectors.vault_objects import (
    CERTIFICATES,
    KEYS,
    KEYS_AT_VAULT,
    SECRETS,
    SECRETS_AT_VAULT,
    metadata_only,
)

_SOURCES: dict[Objects, tuple[Collector[Any], ...]] = {
    Objects.NONE: (),
    Objects.ARM: (SECRETS, KEYS),
    Objects.VAULT: (SECRETS_AT_VAULT, KEYS_AT_VAULT, CERTIFICATES),
}


async def read_objects(reading: Reading, request: CollectRequest, vaults: Sequence[dict[str, Any]]) -> None:
    """Reads the object lists of every vault through the source that was asked for."""
    sources = _SOURCES[request.objects]
    waiting = []
    for source in sources:
        todo = [vault for vault in vaults if not reading.is_finished(source.kind, str(vault.get("id")))]
        reading.expect(source.kind, len(todo))
        waiting += [_read(reading, source, vault) for vault in todo]
    await asyncio.gather(*waiting)


async def _read(reading: Reading, source: Collector[Any], vault: dict[str, Any]) -> None:
    scope = str(vault.get("id"))
    if source.plane is Plane.ARM:
        path = source.path.replace("{scope}", scope)
        pages = reading.azure.arm_pages(path, api_version=source.api_version or "", query=source.query)
    else:
        uri = str((vault.get("properties") or {}).get("vaultUri") or "").rstrip("/")
        try:
            pages = reading.azure.vault_pages(uri, source.path, api_version=source.api_version or "")
        except ReadFailure as problem:
            reading.gap(source, scope, problem)
            reading.done(source.kind)
            return
    await reading.store(source, scope, pages, shown=metadata_only, expected=True)
