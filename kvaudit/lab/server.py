"""The lab's server: an HTTPS forward proxy on loopback behind which every host of Azure is the lab itself.

A client with `HTTPS_PROXY` sends `CONNECT management.azure.com:443`; the lab answers 200, shakes hands with its own
certificate for that name, and serves what follows. Nothing leaves: a host that is not Azure's gets 403, a vault that does
not exist gets 502, which stands for a name that does not resolve (NXDOMAIN).
"""

import asyncio
import logging
import ssl
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from kvaudit.lab import arm, graph, login, resource_graph, vault_endpoint
from kvaudit.lab.certificates import CLOUD_HOSTS, VAULT_SUFFIXES, write_certificates
from kvaudit.lab.faults import DROPPED, fault_for, faulty_answer
from kvaudit.lab.http import Request, Response
from kvaudit.lab.wire import MAX_HEAD, WireError, read_body, read_head, request_of, response_bytes
from kvaudit.lab.world import BadConnection, JournalEntry, World

_LOG = logging.getLogger("kvaudit.lab")
_RESOURCE_GRAPH = "/providers/microsoft.resourcegraph/"

Face = Callable[[World, Request], Response]


def face_of(host: str) -> Face | None:
    """Which face answers for a host, or None for a host that the lab does not stand for."""
    if host.startswith("login."):
        return login.handle if host in CLOUD_HOSTS else None
    if host.startswith(("graph.", "microsoftgraph.")):
        return graph.handle if host in CLOUD_HOSTS else None
    if host in CLOUD_HOSTS:
        return _arm_face
    return vault_endpoint.handle if vault_name(host) is not None else None


def _arm_face(world: World, request: Request) -> Response:
    if request.path.casefold().startswith(_RESOURCE_GRAPH):
        return resource_graph.handle(world, request)
    return arm.handle(world, request)


def vault_name(host: str) -> str | None:
    """Name of the vault of a host, or None when the host is no vault's."""
    for suffix in VAULT_SUFFIXES:
        if host.endswith(suffix) and "." not in host[: -len(suffix)]:
            return host[: -len(suffix)]
    return None


def resolves(world: World, host: str) -> bool:
    """Whether a host has an address: a soft-deleted vault keeps its DNS record (facts azure.md 1.6)."""
    name = vault_name(host)
    if name is None:
        return True
    deleted = (vault["name"].casefold() for vault in world.estate.deleted_vaults.values())
    return world.vault_named(name) is not None or name.casefold() in deleted


class Server:
    """Serves one world from a thread of its own.

    Args:
        world: what is served.
        port: port of the proxy on 127.0.0.1; 0 for a free one.
        latency: seconds that every request waits, as a distant service would.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, world: World, *, port: int = 0, latency: float = 0.0) -> None:
        self.world = world
        self._latency = latency
        self._folder = tempfile.TemporaryDirectory(prefix="kvaudit-lab-")
        self.ca_file, self._tls = write_certificates(Path(self._folder.name))
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        try:
            self._server = self._loop.run_until_complete(
                asyncio.start_server(self._accept, "127.0.0.1", port, limit=MAX_HEAD)
            )
        except OSError:
            self._loop.close()
            self._folder.cleanup()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="kvaudit-lab", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def proxy_url(self) -> str:
        """What `HTTPS_PROXY` holds."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Ends every connection and forgets the certificates. Closing twice is allowed."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self._folder.cleanup()

    async def _stop(self) -> None:
        self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            await self._connection(reader, writer)
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), timeout=2)
        except (
            WireError,
            ConnectionError,
            ssl.SSLError,
            asyncio.IncompleteReadError,
            ValueError,
            TimeoutError,
        ) as problem:
            _LOG.debug("connection ended: %s", problem)
        except asyncio.CancelledError:
            _LOG.debug("connection cancelled")
        finally:
            with suppress(ConnectionError, ssl.SSLError, RuntimeError):
                writer.transport.abort()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if head is None:
            return
        if head.method != "CONNECT":
            await _refuse(writer, 405, b"The lab is an HTTPS proxy: use CONNECT.\n")
            return
        host = head.target.rpartition(":")[0].casefold()
        face = face_of(host)
        bad = next((found for ask in self.world.connecting if (found := ask(host))), None)
        if face is None or bad is BadConnection.NO_ADDRESS or not resolves(self.world, host):
            await _refuse(writer, 403 if face is None else 502)
            return
        writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(self._untrusted if bad is BadConnection.UNTRUSTED else self._tls)
        await self._serve(host, face, reader, writer)

    @cached_property
    def _untrusted(self) -> ssl.SSLContext:
        """With a certificate for every host, of an authority whose own certificate no client was given."""
        folder = Path(self._folder.name) / "untrusted"
        folder.mkdir()
        return write_certificates(folder)[1]

    async def _serve(self, host: str, face: Face, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            if head is None:
                return
            if head.headers.get("expect", "").casefold() == "100-continue":
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request = request_of(head, await read_body(reader, head.headers), host)
            response = await self._answer(face, request)
            body = response.encoded()
            self._note(request, response.status, len(body))
            if response.status == DROPPED:
                raise ConnectionAbortedError("an injected fault drops the connection")
            writer.write(response_bytes(response, body, head_only=request.method == "HEAD"))
            await writer.drain()
            if head.headers.get("connection", "").casefold() == "close":
                return

    async def _answer(self, face: Face, request: Request) -> Response:
        world = self.world
        request.caller = world.caller_of(request.headers)
        fault = fault_for(world, request) if world.faults else None
        wait = self._latency + (fault.delay if fault else 0.0)
        if wait:
            await asyncio.sleep(wait)
        try:
            return (faulty_answer(fault) if fault else None) or self._intercepted(request) or face(world, request)
        except Exception:  # noqa: BLE001
            # A bug of the lab must not look like a slow service: it is a 500 that names itself, and a traceback in the log.
            _LOG.exception("the lab failed on %s %s", request.method, request.path)
            return Response(500, {"error": {"code": "LabFailure", "message": "the lab itself failed; see its log"}})

    def _intercepted(self, request: Request) -> Response | None:
        for interceptor in self.world.interceptors:
            response = interceptor(self.world, request)
            if response is not None:
                return response
        return None

    def _note(self, request: Request, status: int, size: int) -> None:
        self.world.journal.append(
            JournalEntry(
                at=self.world.now(),
                method=request.method,
                host=request.host,
                path=request.path,
                query=request.query,
                status=status,
                caller=request.caller.object_id if request.caller else None,
                request_bytes=len(request.body),
                response_bytes=size,
                body=request.body,
            )
        )


async def _refuse(writer: asyncio.StreamWriter, status: int, body: bytes = b"") -> None:
    """The proxy's own answer to what it does not forward."""
    writer.write(response_bytes(Response(status), body))
    await writer.drain()
