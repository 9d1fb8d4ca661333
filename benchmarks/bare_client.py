"""The same requests by a client that does nothing with the answers: what collection is compared with.

python benchmarks/bare_client.py FILE      FILE: what `collection.py --bare` wrote, read once its lab is up
"""

import asyncio
import json
import os
import resource
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

AT_ONCE = 24
"""Requests under way together, as many as `kvaudit.collection.listing.CONCURRENT_READS`."""


async def main(asked: list[list[str]]) -> None:
    """Makes the requests, vault by vault in turn where they are a vault's, and prints what that cost."""
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    started = time.perf_counter()
    slots = asyncio.Semaphore(AT_ONCE)
    by_place: dict[str, list[list[str]]] = {}
    for number, item in enumerate(asked):
        host = item[1]
        by_place.setdefault(host if "vault" in host else str(number), []).append(item)
    statuses: dict[int, int] = {}
    async with aiohttp.ClientSession(
        trust_env=True, connector=aiohttp.TCPConnector(ssl=context, limit=AT_ONCE)
    ) as session:
        tokens: dict[str, str] = {}

        async def send(items: list[list[str]]) -> None:
            async with slots:
                for method, host, target, body in items:
                    audience = _audience(host)
                    if audience not in tokens:
                        tokens[audience] = await _token(session, audience)
                    headers = {"Authorization": f"Bearer {tokens[audience]}", "Content-Type": "application/json"}
                    url = f"https://{host}{target}"
                    async with session.request(method, url, data=body or None, headers=headers) as answer:
                        await answer.read()
                        statuses[answer.status] = statuses.get(answer.status, 0) + 1

        await asyncio.gather(*map(send, by_place.values()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"bare client: {sum(statuses.values())} requests, {statuses}, wall {time.perf_counter() - started:.1f} s, "
        f"CPU {used.ru_utime + used.ru_stime:.1f} s, peak {used.ru_maxrss / 1024:.0f} MB"
    )


def _audience(host: str) -> str:
    if "vault" in host:
        return "https://vault.azure.net"
    return f"https://{host}"


async def _token(session: aiohttp.ClientSession, audience: str) -> str:
    url = f"{os.environ.get('AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.com').rstrip('/')}"
    form: dict[str, Any] = {
        "grant_type": "client_credentials",
        "client_id": os.environ["AZURE_CLIENT_ID"],
        "client_secret": os.environ["AZURE_CLIENT_SECRET"],
        "scope": f"{audience}/.default",
    }
    if not urlsplit(url).scheme:
        url = f"https://{url}"
    async with session.post(f"{url}/{os.environ['AZURE_TENANT_ID']}/oauth2/v2.0/token", data=form) as answer:
        return str((await answer.json())["access_token"])


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
