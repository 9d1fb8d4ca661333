"""The pipeline itself: no call of a probe can bring back a value or act on an object that exists."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from typing import Any, Self

import pytest
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest

from kvaudit.clients.probes import LONGEST_BODY, ErrorBodyPolicy, ProbeAnswer, VaultProbes
from kvaudit.clients.read_only import ProbeNames, ReadOnlyGuard, ReadOnlyTransport
from kvaudit.errors import ReadOnlyError
from kvaudit.model.clouds import clouds
from kvaudit.probe.catalogue import probes
from kvaudit.probe.results import Outcome
from kvaudit.probe.verdicts import found_by

HOST = "kv-one.vault.azure.net"
VALUE = "kvaudit-planted-value"


class Body:
    """An answer of a service whose body says whether, and how far, it was read."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status_code, self.headers, self._body = status, dict[str, str](), body
        self.read, self.closed = 0, False

    async def iter_raw(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 4096):
            chunk = self._body[start : start + 4096]
            self.read += len(chunk)
            yield chunk

    async def close(self) -> None:
        self.closed = True


class Service(AsyncHttpTransport[Any, Any]):
    """Answers every request with the same answer, behind the guard. It stands for Azure, not for code of ours."""

    def __init__(self, answer: Body) -> None:
        self.answer, self.sent = answer, list[str]()

    async def send(self, request: Any, **_: Any) -> Body:
        self.sent.append(f"{request.method} {request.url}")
        return self.answer

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to leave."""


def answered(
    answer: Body, call: Callable[[VaultProbes, str], Awaitable[ProbeAnswer]], names: ProbeNames | None = None
) -> ProbeAnswer:
    """What a call brings back when the service answers so."""

    async def run() -> ProbeAnswer:
        guard = ReadOnlyGuard(clouds()["public"], names or ProbeNames())
        probes = VaultProbes(guard, Service(answer), list, list, lambda _: None)
        return await call(probes, probes.new_name())

    return asyncio.run(run())


def _read(probes: VaultProbes, name: str) -> Awaitable[ProbeAnswer]:
    return probes.ask(HOST, f"/secrets/{name}", {"api-version": "7.5"})


def _read_deleted(probes: VaultProbes, name: str) -> Awaitable[ProbeAnswer]:
    return probes.ask(HOST, f"/deletedsecrets/{name}", {"api-version": "7.5"})


def _list(probes: VaultProbes, _: str) -> Awaitable[ProbeAnswer]:
    return probes.ask(HOST, "/secrets", {"api-version": "7.5", "maxresults": "1"})


@pytest.mark.parametrize("call", [_read, _read_deleted])
@pytest.mark.parametrize("status", [200, 201, 204, 302, 399])
def test_the_body_of_a_success_on_a_route_that_reads_an_object_is_never_read(
    status: int, call: Callable[[VaultProbes, str], Awaitable[ProbeAnswer]]
) -> None:
    body = Body(status, json.dumps({"value": VALUE}).encode())
    found = answered(body, call)
    assert (body.read, body.closed) == (0, True)
    assert found.status == status
    assert VALUE not in repr(found)


def test_the_body_of_a_list_is_thrown_away() -> None:
    body = Body(200, json.dumps({"value": [{"id": f"https://{HOST}/secrets/{VALUE}"}]}).encode())
    found = answered(body, _list)
    assert body.closed
    assert VALUE not in repr(found)


@pytest.mark.parametrize("call", [_read, _list])
def test_an_error_is_read_to_64_kilobytes(call: Callable[[VaultProbes, str], Awaitable[ProbeAnswer]]) -> None:
    body = Body(403, b"x" * 10 * LONGEST_BODY)
    found = answered(body, call)
    assert (body.read, body.closed) == (LONGEST_BODY, True)
    assert (found.status, found.code, found.message) == (403, None, "")


def test_an_answer_that_comes_a_byte_at_a_time_is_given_up() -> None:
    class Endless(Body):
        async def iter_raw(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.001)
                yield b"x"

    guard, body = ReadOnlyGuard(clouds()["public"], ProbeNames()), Endless(403, b"")

    async def run() -> None:
        pipeline = AsyncPipeline(Service(body), [ErrorBodyPolicy(guard, patience=0.05)])
        await pipeline.run(HttpRequest("GET", f"https://{HOST}/secrets"), stream=True)

    with pytest.raises(ServiceResponseTimeoutError):
        asyncio.run(run())
    assert body.closed


HOSTILE = [
    b"[]",
    b"null",
    b"[" * 60_000,
    b'{"error": "Forbidden"}',
    b'{"error": {"code": ["ForbiddenByRbac"], "message": {"a": 1}, "innererror": "ForbiddenByRbac"}}',
    b'{"error": {"code": 403, "message": null, "innererror": {"code": {"code": 1}}}}',
    b"\xff\xfe\x00",
    b'{"error": {"message": "\\ud800"}}',
]


@pytest.mark.parametrize("content", HOSTILE)
@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_body_of_any_shape_is_borne_and_is_no_verdict(content: bytes, status: int) -> None:
    found = answered(Body(status, content), _read)
    assert found.status == status
    assert found.code is None or "ForbiddenBy" not in found.code
    assert all(found_by(probe, found).outcome is Outcome.NOT_PROBED for probe in probes())


def test_an_error_says_its_code() -> None:
    error = {"error": {"code": "Forbidden", "message": "No.", "innererror": {"code": "ForbiddenByRbac"}}}
    found = answered(Body(403, json.dumps(error).encode()), _read)
    assert (found.status, found.code, found.message) == (403, "ForbiddenByRbac", "No.")


class NoSession:
    """A session over which nothing may be sent."""

    async def __aenter__(self) -> Self:
        return self

    async def request(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("the transport sent what the guard should have refused")


def _transport() -> tuple[ReadOnlyTransport, ProbeNames]:
    names = ProbeNames()
    guard = ReadOnlyGuard(clouds()["public"], names)
    return ReadOnlyTransport(guard, session_owner=False, session=NoSession()), names


ABSENT = "{absent}"
REFUSED = [
    ("GET", "/secrets/db-password", True),
    ("GET", "/secrets/kvaudit-00000000000000000000000000000000", True),
    ("GET", f"/secrets/{ABSENT}/0123456789abcdef0123456789abcdef", True),
    ("GET", f"/secrets/{ABSENT}", False),
    ("GET", f"/keys/{ABSENT}", False),
    ("HEAD", f"/secrets/{ABSENT}", True),
    *((method, f"/secrets/{ABSENT}", True) for method in ("PUT", "PATCH", "DELETE", "POST")),
    ("DELETE", f"/deletedsecrets/{ABSENT}", True),
    ("GET", f"/deletedsecrets/{ABSENT}", False),
    ("GET", f"/deletedkeys/{ABSENT}", True),
    ("POST", f"/deletedsecrets/{ABSENT}/recover", True),
    ("POST", f"/secrets/{ABSENT}/backup", True),
    *(("POST", f"/keys/{ABSENT}/{verb}", True) for verb in ("sign", "decrypt", "unwrapkey", "release", "rotate")),
]


@pytest.mark.parametrize(("method", "path", "streamed"), REFUSED)
def test_what_is_no_probe_is_not_sent(method: str, path: str, streamed: bool) -> None:
    async def run() -> None:
        transport, names = _transport()
        request = HttpRequest(method, f"https://{HOST}{path.replace(ABSENT, names.new())}")
        pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(transport)
        with pytest.raises(ReadOnlyError):
            await pipeline.run(request, stream=streamed)

    asyncio.run(run())


def _calls() -> list[dict[str, Any]]:
    raw = json.loads(files("kvaudit.data").joinpath("operations.json").read_bytes())
    return [call for call in raw["dataPlane"] if "|" not in call["method"]]


def test_of_all_published_calls_none_reads_a_value_or_acts_on_an_object_that_exists() -> None:
    """The guard of a run without a canary, asked about every call of the data plane, by method, route and name."""
    guard = ReadOnlyGuard(clouds()["public"], ProbeNames())
    generated = guard.probe_names.new()
    probe_ids = {probe.id for probe in probes()}
    passed: dict[str, set[str]] = {"existing": set(), "generated": set()}
    for call in _calls():
        for which, name in (("existing", "db-password"), ("generated", generated)):
            path = re.sub(r"/\{version\}", "", call["path"])
            url = f"https://{HOST}{re.sub(r'{[^}]*}', name, path)}"
            try:
                guard.check(call["method"], url, {}, None)
            except ReadOnlyError:
                continue
            passed[which].add(call["id"])
            assert call["method"] == "GET"
            assert not (which == "existing" and call["returnsSensitiveMaterial"]), call
    assert probe_ids <= passed["generated"]
    # Of objects that exist: names, versions and policies, and never the object itself.
    assert {item.partition(".")[2] for item in passed["existing"]} == {
        "list", "listVersions", "listDeleted", "getRotationPolicy", "getPolicy",
    }  # fmt: skip
    assert passed["generated"] - passed["existing"] == {
        "secret.get", "secret.getDeleted", "key.get", "certificate.get", "certificate.downloadPrivateKey",
    }  # fmt: skip


def test_a_name_of_another_process_is_not_sent() -> None:
    async def run() -> None:
        transport, _ = _transport()
        pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(
            transport, [ErrorBodyPolicy(ReadOnlyGuard(clouds()["public"], ProbeNames()))]
        )
        with pytest.raises(ReadOnlyError):
            await pipeline.run(HttpRequest("GET", f"https://{HOST}/secrets/{ProbeNames().new()}"), stream=True)

    asyncio.run(run())


def test_a_probe_for_a_name_of_this_process_is_sent() -> None:
    async def run() -> None:
        transport, names = _transport()
        pipeline: AsyncPipeline[Any, Any] = AsyncPipeline(transport)
        with pytest.raises(AssertionError, match="sent"):
            await pipeline.run(HttpRequest("GET", f"https://{HOST}/secrets/{names.new()}"), stream=True)

    asyncio.run(run())
