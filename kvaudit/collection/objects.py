"""What is read vault by vault: where its logs go; names and attributes of secrets, keys and certificates. Never a value."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from kvaudit.clients.paging import Page
from kvaudit.collection.listing import Reading
from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.collection.together import together
from kvaudit.collectors.collector import Collector, Plane
from kvaudit.collectors.diagnostic_settings import DIAGNOSTIC_SETTINGS
from kvaudit.collectors.vault_objects import CERTIFICATES, KEYS, KEYS_AT_VAULT, SECRETS, SECRETS_AT_VAULT

SOURCES: dict[Objects, tuple[Collector[Any], ...]] = {
    Objects.NONE: (),
    Objects.ARM: (SECRETS, KEYS),
    Objects.VAULT: (SECRETS_AT_VAULT, KEYS_AT_VAULT, CERTIFICATES),
}


async def read_objects(reading: Reading, request: CollectRequest, vaults: Sequence[dict[str, Any]]) -> None:
    """Reads the object lists of every vault through the source that was asked for.

    Args:
        reading: what the collection shares.
        request: says which source.
        vaults: raw, each with an ID, no ID twice.
    """
    waiting = []
    for source in SOURCES[request.objects]:
        todo = [vault for vault in vaults if not reading.is_finished(source.kind, vault["id"])]
        reading.expect(source.kind, len(todo))
        waiting += [reading.store(source, vault["id"], _pages(reading, source, vault), expected=True) for vault in todo]
    await together(waiting)


async def read_diagnostic_settings(reading: Reading, vaults: Sequence[dict[str, Any]]) -> None:
    """Reads which logs of every vault go where.

    Args:
        reading: what the collection shares.
        vaults: raw, each with an ID, no ID twice.
    """
    await together(reading.list_arm(DIAGNOSTIC_SETTINGS, vault["id"]) for vault in vaults)


async def _pages(reading: Reading, source: Collector[Any], vault: dict[str, Any]) -> AsyncIterator[Page]:
    """The pages of one list. The vault's address is taken as Azure sent it, never built."""
    version = source.api_version or ""
    if source.plane is Plane.ARM:
        pages = reading.azure.arm_pages(source.path.replace("{scope}", vault["id"]), api_version=version)
    else:
        properties = vault.get("properties")
        address = properties.get("vaultUri") if isinstance(properties, dict) else None
        pages = reading.azure.vault_pages(str(address or ""), source.path, api_version=version)
    async for page in pages:
        yield page
