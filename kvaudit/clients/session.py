"""Opens the way to Azure: one session, one TLS context, one credential."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
from azure.core.pipeline.transport._aiohttp import AioHttpTransport  # typed here; the public name is made at run time

from kvaudit.clients.azure import Azure
from kvaudit.clients.bounded import BoundedResponse
from kvaudit.clients.canary_names import CanaryNames
from kvaudit.clients.credentials import INTERACTIVE, INTERACTIVE_TIMEOUT, TOKEN_TIMEOUT, credential_maker
from kvaudit.clients.pace import Pace
from kvaudit.clients.probes import proxy_finder
from kvaudit.clients.read_only import ProbeNames, ReadOnlyGuard, ReadOnlyTransport
from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.statistics import Statistics
from kvaudit.clients.tls import ca_bundle, tls_context
from kvaudit.clients.tokens import Tokens
from kvaudit.model.clouds import Cloud

CONNECTIONS = 64
"""Open connections in all: as many as the planes may have reads under way together."""

CONNECTIONS_PER_HOST = 32

CLOSING = 0.1
"""Seconds that a run takes, when it was interrupted or gave up requests, for closing what was being connected."""

KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept: those of the services are hardly ever idle, and 1,000 vaults' idle ones took 300 MB."""


_QUOTING_LOGGERS = ("azure", "msal")
"""Loggers of the sign-in libraries: their warnings quote whole answers of the sign-in endpoint."""


def _keep_to_ourselves() -> None:
    """What those loggers say goes nowhere; `kvaudit.http` logs requests without headers and bodies."""
    for name in _QUOTING_LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # without any handler Python prints warnings to stderr


@asynccontextmanager
async def open_azure(
    cloud: Cloud,
    *,
    auth: str = "default",
    tenant: str | None = None,
    prompt: Callable[[str], None] = lambda _: None,
    environ: Mapping[str, str] | None = None,
    retries: RetrySettings | None = None,
    time_budget: float | None = None,
    canaries: CanaryNames | None = None,
) -> AsyncIterator[Azure]:
    """Everything that reads from one cloud with one credential. Nothing is sent before the first read.

    Args:
        cloud: the endpoints; no other host is ever asked for anything but a token.
        auth: one of `kvaudit.model.clouds.AUTHS`.
        tenant: tenant to sign in to, or None for the credential's own.
        prompt: shows a line to the person who signs in (`device-code`).
        environ: environment variables to go by instead of the process's own: the embedded lab is reached this way.
            `default` still signs in by the process's own: azure-identity reads them itself.
        retries: numbers of the retry policy.
        time_budget: seconds from now; what was not read by then fails, and says so. None for no bound.
        canaries: names that `probe --write-canary` may write; nothing else is ever written. None for no write at all.

    Raises:
        CredentialError: what the `--auth` choice needs is not set.
        UsageError: the CA bundle that the environment names cannot be read.
    """
    _keep_to_ourselves()
    variables = os.environ if environ is None else environ
    settings = retries or RetrySettings()
    guard = ReadOnlyGuard(cloud, ProbeNames(), canaries)
    async with _LastWords() as last_words, _http_session(variables, is_own=environ is None) as session:
        timeouts = {"connection_timeout": settings.connect_timeout, "read_timeout": settings.read_timeout}
        make = credential_maker(
            auth,
            cloud=cloud,
            tenant=tenant,
            environ=variables,
            transport=AioHttpTransport(session=session, session_owner=False, **timeouts),
            ca_file=ca_bundle(variables),
            prompt=prompt,
        )
        tokens = Tokens(
            make,
            auth=auth,
            tenant=tenant,
            patience=INTERACTIVE_TIMEOUT if auth in INTERACTIVE else TOKEN_TIMEOUT,
            renewable=auth not in INTERACTIVE,
        )
        transport = ReadOnlyTransport(guard, session=session, session_owner=False, **timeouts)
        try:
            ends_at = None if time_budget is None else asyncio.get_running_loop().time() + time_budget
            pace, proxies = Pace(settings.longest_retry_after), proxy_finder(variables, is_own=environ is None)
            azure = Azure(cloud, tokens, transport, guard, settings, pace, ends_at, proxies)
            last_words.statistics = azure.statistics
            yield azure
        finally:
            await tokens.close()


def _http_session(variables: Mapping[str, str], *, is_own: bool) -> aiohttp.ClientSession:
    """The one session. `is_own` says whether the variables are the process's own: then aiohttp reads proxies itself."""
    connector = aiohttp.TCPConnector(
        ssl=tls_context(variables),
        limit=CONNECTIONS,
        limit_per_host=CONNECTIONS_PER_HOST,
        keepalive_timeout=KEEP_ALIVE,
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=is_own,  # or HTTPS_PROXY is ignored
        proxy=None if is_own else variables.get("HTTPS_PROXY"),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=BoundedResponse,
    )


class _LastWords:
    """After a run that was interrupted, or gave up requests, gives connections that were cut off the time to close."""

    statistics = Statistics()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None or any(item.failed for item in self.statistics.endpoints.values()):
            await asyncio.sleep(CLOSING)
