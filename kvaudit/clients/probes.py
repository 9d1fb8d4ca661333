"""Calls that only ask whether a vault answers and what it lets the caller do. No answer's content is kept but an error's.

A call on the route that reads values is made for a name that this process made up (128 random bits): the guard lets no
other pass, and only streamed. The body of an answer below status 400 on that route is never read; any other answer's is
read to 64 KB and thrown away, so that its connection can serve the next call (ARCHITECTURE.md, "Decisions" 6).
"""

import asyncio
import re
import socket
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp
import orjson
from azure.core.exceptions import AzureError, ServiceResponseTimeoutError
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import HttpRequest

from kvaudit.clients.failures import ReadFailure, failure_of_answer
from kvaudit.clients.read_only import ReadOnlyGuard
from kvaudit.errors import CredentialError

LONGEST_BODY = 64 * 2**10
"""Bytes of an error's body that are read."""

LONGEST_CALL = 90.0
"""Seconds of one call, from its sending to the last byte that is read: connecting (10) and waiting for an answer (60) fit. The
timeouts of a connection bound each wait alone, so that an answer that comes a byte at a time would never end."""

_BODY = "kvaudit_error_body"

_NO_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""What a resolver answers for a name that has no address; anything else is a lookup that failed."""


class Broke(StrEnum):
    """Where a call ended that got no answer."""

    NAME = "name"
    LOOKUP = "lookup"
    PROXY = "proxy"
    CONNECTION = "connection"
    TLS = "tls"
    ANSWER = "answer"
    TOKEN = "token"  # noqa: S105 - a place, not a token


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What came back of one call.

    Attributes:
        status: HTTP status, or None when there was no answer; `broke` then says where it ended.
        code: the service's error code, the innermost.
        reason: one sentence for a person, with the service's own words where it wrote any.
        message: the service's whole message (of at most 64 KB), "" where it wrote none.
        challenge: the `WWW-Authenticate` header, or None.
        client_address: the address that the vault saw, as its header says, or None.
    """

    status: int | None = None
    code: str | None = None
    reason: str = ""
    message: str = ""
    challenge: str | None = None
    client_address: str | None = None
    broke: Broke | None = None


class ErrorBodyPolicy(AsyncHTTPPolicy[Any, Any]):
    """Stands last: what is above it never sees more of an answer than status, headers and an error's first 64 KB.

    Args:
        patience: seconds that one call may take.
    """

    def __init__(self, guard: ReadOnlyGuard, patience: float = LONGEST_CALL) -> None:
        super().__init__()
        self._guard = guard
        self._patience = patience

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends on; reads the body of an error, drains that of a list, and closes any other unread."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._send(request)
        except TimeoutError as problem:
            raise ServiceResponseTimeoutError(f"no whole answer within {self._patience:.0f} seconds") from problem

    async def _send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        answer = await self.next.send(request)
        response = answer.http_response
        is_error = response.status_code >= 400
        body = b""
        try:
            is_list = request.http_request.method == "GET" and not self._guard.reads_a_value(request.http_request.url)
            if is_error or is_list:
                size = 0
                async for chunk in response.iter_raw():
                    size += len(chunk)
                    if is_error:
                        body += chunk
                    if size >= LONGEST_BODY:
                        break
        finally:
            await response.close()
        request.context[_BODY] = body[:LONGEST_BODY]
        return answer


class VaultProbes:
    """The calls of `probe`. Made by `Azure`.

    Args:
        guard: judges every call, and knows the names that were made up.
        transport: sends.
        told: makes the policies of calls that carry the caller's token.
        untold: makes those of calls that tell nobody who asks.
        proxy_of: the proxy that a host is reached through, or None.
    """

    def __init__(
        self,
        guard: ReadOnlyGuard,
        transport: Any,
        told: Callable[[], list[Any]],
        untold: Callable[[], list[Any]],
        proxy_of: Callable[[str], str | None],
    ) -> None:
        self._guard = guard
        self._told = AsyncPipeline(transport, [*told(), ErrorBodyPolicy(guard)])
        self._untold = AsyncPipeline(transport, [*untold(), ErrorBodyPolicy(guard)])
        self._proxy_of = proxy_of

    def new_name(self) -> str:
        """A name of an object that cannot exist, for which the value route is open."""
        return self._guard.probe_names.new()

    def is_vault(self, host: str) -> bool:
        """Whether a host stands under the cloud's vault suffix: no token goes anywhere else."""
        return self._guard.is_vault(host)

    def proxy_of(self, host: str) -> str | None:
        """The proxy that a host is reached through, which also looks up its name; or None."""
        return self._proxy_of(host)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a host, sorted; empty where the name has none. Raises `OSError` where that could not be found out."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, 443, type=socket.SOCK_STREAM)
        except socket.gaierror as problem:
            if problem.errno in _NO_NAME:
                return ()
            raise
        return tuple(sorted({str(item[4][0]) for item in found}))

    async def health(self, host: str) -> ProbeAnswer:
        """`/healthstatus`, which wants no token (facts azure.md 6)."""
        return await self._ask(self._untold, host, "/healthstatus", {})

    async def challenge(self, host: str, path: str, query: Mapping[str, str]) -> ProbeAnswer:
        """A call without a token: the answer names the tenant whose tokens the vault takes."""
        return await self._ask(self._untold, host, path, query)

    async def ask(self, host: str, path: str, query: Mapping[str, str], *, last: bool = False) -> ProbeAnswer:
        """A call as the caller. `last` gives up the connection, so that many vaults do not keep as many open."""
        return await self._ask(self._told, host, path, query, {"Connection": "close"} if last else {})

    async def write(self, host: str, method: str, path: str, query: Mapping[str, str], body: Any = None) -> ProbeAnswer:
        """A write to a canary. The guard refuses every other (ReadOnlyError)."""
        return await self._ask(self._told, host, path, query, method=method, body=body)

    async def _ask(
        self,
        pipeline: AsyncPipeline[Any, Any],
        host: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: Any = None,
    ) -> ProbeAnswer:
        url = f"https://{host}{path}" + (
            "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""
        )
        request = HttpRequest(method, url, headers=dict(headers or {}), **({"json": body} if body is not None else {}))
        try:
            answer = await pipeline.run(request, stream=True)
        except AzureError as problem:
            return _broken(problem, host)
        except CredentialError as problem:
            return ProbeAnswer(broke=Broke.TOKEN, reason=f"no token: {problem.message}")
        except ReadFailure as problem:
            return ProbeAnswer(broke=Broke.TOKEN, code=problem.code, reason=problem.reason)
        except aiohttp.ClientError as problem:  # while an error's body was read
            return ProbeAnswer(broke=Broke.ANSWER, reason=f"{host} broke off its answer ({type(problem).__name__})")
        return _told_by(answer, host)


def _told_by(answer: PipelineResponse[Any, Any], host: str) -> ProbeAnswer:
    response = answer.http_response
    status = int(response.status_code)
    seen = re.search(r"\baddr=([0-9A-Fa-f.:]{3,45})", response.headers.get("x-ms-keyvault-network-info") or "")
    address = seen[1] if seen else None
    if status < 400:
        return ProbeAnswer(status, reason=f"{host} answered {status}", client_address=address)
    try:
        body = orjson.loads(answer.context.get(_BODY) or b"")
    except ValueError:
        body = None
    failure = failure_of_answer(status, body, host=host)
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return ProbeAnswer(
        status,
        failure.code,
        failure.reason,
        message if isinstance(message, str) else "",
        response.headers.get("WWW-Authenticate"),
        address,
    )


def _broken(problem: AzureError, host: str) -> ProbeAnswer:
    """Where a call ended. The text of the exception is not shown: it may hold anything."""
    inner = problem.inner_exception
    name = type(inner or problem).__name__
    match inner:
        case aiohttp.ClientConnectorDNSError() if inner.os_error.errno not in _NO_NAME:
            return ProbeAnswer(broke=Broke.LOOKUP, reason=f"the name {host} could not be looked up")
        case aiohttp.ClientConnectorDNSError():
            return ProbeAnswer(broke=Broke.NAME, reason=f"the name {host} has no address")
        case aiohttp.ClientHttpProxyError():
            reason = f"the proxy answered {inner.status} for {host}"
            return ProbeAnswer(broke=Broke.PROXY, code=str(inner.status), reason=reason)
        case aiohttp.ClientProxyConnectionError():
            return ProbeAnswer(broke=Broke.PROXY, reason="the proxy could not be reached")
        case aiohttp.ClientSSLError():
            return ProbeAnswer(broke=Broke.TLS, reason=f"no TLS connection to {host} ({name})")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return ProbeAnswer(broke=Broke.CONNECTION, reason=f"{host} took no connection ({name})")
    return ProbeAnswer(broke=Broke.ANSWER, reason=f"{host} gave no answer ({name})")


def proxy_finder(environ: Mapping[str, str], *, is_own: bool) -> Callable[[str], str | None]:
    """What says by which proxy a host is reached, as the session does.

    Args:
        environ: the variables that the session goes by.
        is_own: whether they are the process's own, which the system's settings and `NO_PROXY` belong to.
    """
    if not is_own:
        return lambda _: environ.get("HTTPS_PROXY")

    def find(host: str) -> str | None:
        proxy = urllib.request.getproxies().get("https")
        return None if proxy is None or urllib.request.proxy_bypass(host) else proxy

    return find
