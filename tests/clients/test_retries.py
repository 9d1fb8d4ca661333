"""What happens when the network or the service does not answer as it should: asked again, within bounds, then told."""

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from reading_the_lab import FAST, PAYMENTS, VAULTS, items_of, reading

from kvaudit.clients.azure import Azure
from kvaudit.clients.bounded import MAX_ANSWER_BYTES, BoundedResponse
from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.retries import ReadRetryPolicy, RetrySettings
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import DROPPED, Fault

LISTS = {
    "azure-mgmt-keyvault": (VAULTS, "2026-02-01"),
    "azure-mgmt-authorization": (f"{PAYMENTS}/providers/Microsoft.Authorization/roleAssignments", "2022-04-01"),
    "the plain pipeline": (f"{PAYMENTS}/providers/Microsoft.Authorization/roleDefinitions", "2022-05-01-preview"),
}


def ids(lab: Lab, path: str, version: str) -> list[str]:
    async def read(azure: Azure) -> list[Any]:
        return await items_of(azure.arm_pages(path, api_version=version))

    return [item["id"] for item in reading(lab, read)]


def asked(lab: Lab, path: str) -> int:
    return sum(entry.path.casefold() == path.casefold() for entry in lab.journal)


TROUBLES = {
    "429 with Retry-After": Fault(path=".", status=429, headers={"Retry-After": "1"}, times=1),
    "503": Fault(path=".", status=503, times=2),
    "500": Fault(path=".", status=500, times=2),
    "no answer": Fault(path=".", status=DROPPED, times=2),
    "a proxy's page": Fault(path=".", status=200, body=b"<html>Please sign in</html>", times=2),
    "half an answer": Fault(path=".", status=200, body=b'{"value": [{"id": "x', times=2),
    "a list that is a text": Fault(path=".", status=200, body=b'"value"', times=2),
}


@pytest.mark.parametrize(
    ("trouble", "client"),
    [
        *((trouble, "azure-mgmt-keyvault") for trouble in TROUBLES),
        *((trouble, client) for trouble in ("503", "half an answer") for client in list(LISTS)[1:]),
    ],
)
def test_trouble_that_passes_costs_time_and_no_record(contoso: Lab, trouble: str, client: str) -> None:
    path, version = LISTS[client]
    clean = ids(contoso, path, version)
    assert clean
    template = TROUBLES[trouble]
    with start("contoso") as lab:
        lab.world.faults.append(
            Fault(path=path, status=template.status, body=template.body, headers=template.headers, times=template.times)
        )
        assert ids(lab, path, version) == clean


@pytest.mark.parametrize(
    ("fault", "status", "code", "retryable"),
    [
        (
            Fault(path=VAULTS, status=503, body={"error": {"code": "ServerBusy", "message": "x"}}),
            503,
            "ServerBusy",
            True,
        ),
        (Fault(path=VAULTS, status=DROPPED), None, "NotReached", True),
        (Fault(path=VAULTS, status=200, body=b"<html>"), None, "NoAnswer", True),
        (Fault(path=VAULTS, status=403, body=b"<html>"), 403, None, False),
        (
            Fault(path=VAULTS, status=404, body={"error": {"code": "SubscriptionNotFound"}}),
            404,
            "SubscriptionNotFound",
            False,
        ),
    ],
    ids=["busy", "closed", "html", "forbidden by a proxy", "gone"],
)
def test_trouble_that_stays_is_told_as_what_it_is(
    fault: Fault, status: int | None, code: str | None, retryable: bool
) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(fault)
        with pytest.raises(ReadFailure) as caught:
            ids(lab, VAULTS, "2026-02-01")
        problem = caught.value
        assert (problem.status, problem.retryable) == (status, retryable)
        assert code is None or problem.code == code
        tries = asked(lab, VAULTS)
        assert tries == (1 if not retryable else FAST.tries if status else tries)
        assert tries <= FAST.tries


def test_a_pause_longer_than_the_cap_is_not_waited_for() -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=VAULTS, status=429, headers={"Retry-After": "3600"}))
        started = time.monotonic()
        with pytest.raises(ReadFailure) as caught:
            ids(lab, VAULTS, "2026-02-01")
        assert time.monotonic() - started < 2
        assert (caught.value.status, caught.value.retryable) == (429, True)
        assert asked(lab, VAULTS) == 1, "asking again at once would be bad manners"


@pytest.mark.parametrize(
    "value", ["soon", "Tue, 01 Jan 99999 00:00:00 GMT", "-5", "nan", "Tue, 01 Jan 1980 00:00:00 GMT"]
)
def test_a_pause_that_is_none_is_borne(contoso: Lab, value: str) -> None:
    clean = ids(contoso, VAULTS, "2026-02-01")
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=VAULTS, status=429, headers={"Retry-After": value}, times=1))
        assert ids(lab, VAULTS, "2026-02-01") == clean


def test_the_budget_of_a_request_ends_its_trying() -> None:
    settings = RetrySettings(tries=50, first_wait=0.4, longest_wait=0.4, budget=1.0)

    async def read(azure: Azure) -> list[Any]:
        return await items_of(azure.arm_pages(VAULTS, api_version="2026-02-01"))

    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=VAULTS, status=503))
        started = time.monotonic()
        with pytest.raises(ReadFailure):
            reading(lab, read, retries=settings)
        assert time.monotonic() - started < 3


def test_waits_double_up_to_the_cap_and_never_come_at_once() -> None:
    policy = ReadRetryPolicy(RetrySettings())
    waits = [
        policy.get_backoff_time({"history": [None] * number, "backoff": 1.0, "max_backoff": 30.0})
        for number in range(1, 8)
    ]
    for wait, step in zip(waits, [1, 2, 4, 8, 16, 30, 30], strict=True):
        assert step / 2 <= wait <= step


def _read_from(handler: Callable[[web.Request], Awaitable[web.StreamResponse]], match: str) -> None:
    """Reads an answer of a server of its own, which is given up in these words."""

    async def run() -> None:
        application = web.Application()
        application.router.add_get("/", handler)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            async with (
                aiohttp.ClientSession(response_class=BoundedResponse) as session,
                session.get(f"http://127.0.0.1:{port}/") as answer,
            ):
                with pytest.raises(aiohttp.ClientPayloadError, match=match):
                    await answer.read()
        finally:
            await runner.cleanup()

    asyncio.run(run())


def test_an_answer_that_unpacks_without_end_is_given_up() -> None:
    """A body of 64 KB that unpacks to more than the bound."""

    async def bomb(_: web.Request) -> web.Response:
        packed = gzip.compress(b" " * (MAX_ANSWER_BYTES + 1), compresslevel=1)
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    _read_from(bomb, "larger")


def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kvaudit.clients.bounded.LONGEST_READING", 0.1)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            for _ in range(1000):
                await response.write(b" ")
                await asyncio.sleep(0.01)
        return response

    _read_from(drip, "longer")


def test_statistics_count_what_was_sent() -> None:
    async def read(azure: Azure) -> tuple[int, int, int, int]:
        await items_of(azure.arm_pages(VAULTS, api_version="2026-02-01"))
        counts = azure.statistics.of("arm")
        assert counts.bytes > 1000
        assert counts.seconds > 0
        return counts.requests, counts.retries, counts.throttled, counts.failed

    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=VAULTS, status=429, headers={"Retry-After": "1"}, times=1))
        assert reading(lab, read) == (asked(lab, VAULTS), 1, 1, 1)
