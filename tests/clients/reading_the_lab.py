"""What the tests of this room share: reads of a lab with fast retries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from kvaudit.clients.azure import Azure
from kvaudit.clients.paging import Page
from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.session import open_azure
from kvaudit.lab import Lab
from kvaudit.model.clouds import clouds

Result = TypeVar("Result")

PUBLIC = clouds()["public"]
FAST = RetrySettings(tries=4, connect_tries=2, first_wait=0.01, longest_wait=0.02, longest_retry_after=1.5, budget=10)

PAYMENTS = "/subscriptions/33333333-3333-3333-3333-000000000001"
VAULTS = f"{PAYMENTS}/providers/Microsoft.KeyVault/vaults"
KEY_VAULT = "2026-02-01"


def reading(
    lab: Lab,
    read: Callable[[Azure], Awaitable[Result]],
    *,
    identity: str = "auditor",
    retries: RetrySettings = FAST,
    changed: Mapping[str, str] | None = None,
) -> Result:
    """What `read` answers when it may read the lab; `changed` replaces environment variables."""

    async def run() -> Result:
        environment = {**lab.environment(identity), **(changed or {})}
        async with open_azure(PUBLIC, auth="client-secret", environ=environment, retries=retries) as azure:
            return await read(azure)

    return asyncio.run(run())


async def items_of(pages: AsyncIterator[Page]) -> list[Any]:
    """Every item of every page."""
    return [item async for page in pages for item in page.items]
