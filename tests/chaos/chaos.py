"""Faults that strike a share of all requests, the same ones in every run, whatever the order of requests."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kvaudit.lab.faults import DROPPED, Fault
from kvaudit.lab.http import Request, Response
from kvaudit.lab.world import World

Answer = Callable[[Request], Response]
_RESTART = "YXQ6MA=="  # a skip token of the lab's Resource Graph: from the first row


@dataclass(slots=True)
class Dice:
    """Whether a request is struck: by its own text and how often it was sent, so that parallel runs agree."""

    share: float
    seed: int
    sent: Counter[bytes] = field(default_factory=Counter)
    struck: int = 0

    def strikes(self, request: Request) -> bool:
        """Throws once."""
        if request.host.startswith("login."):
            return False
        key = f"{request.method} {request.host} {request.raw_target}".encode() + request.body
        self.sent[key] += 1
        digest = hashlib.sha256(key + bytes(str((self.seed, self.sent[key])), "ascii")).digest()
        hit = int.from_bytes(digest[:4]) / 2**32 < self.share
        self.struck += hit
        return hit


def answering(answer: Answer) -> Callable[[World, Dice], None]:
    """A fault that is an answer of its own."""

    def install(world: World, dice: Dice) -> None:
        world.interceptors.append(lambda _, request: answer(request) if dice.strikes(request) else None)

    return install


@dataclass(slots=True)
class Late(Fault):
    """No answer until the client has given up."""

    dice: Dice = field(default_factory=lambda: Dice(0.0, 0))

    def matches(self, request: Request) -> bool:
        """By the dice."""
        return self.dice.strikes(request)


def late(world: World, dice: Dice) -> None:
    """Answers that come after the client's read timeout, and then do not."""
    world.faults.append(Late(path="", status=DROPPED, delay=LATE, dice=dice))


LATE = 2.5
"""Seconds; the client of these tests waits for one."""


def _page(request: Request, link: str) -> Response:
    if "ResourceGraph" in request.path:
        return Response(200, {"totalRecords": 0, "count": 0, "data": [], "$skipToken": _RESTART})
    if request.method == "POST" or request.host.startswith("graph."):
        return Response(503)  # batches have no pages; Graph's links are its own
    return Response(200, {"value": [], "nextLink": f"https://{request.host}{link}"})


def _empty(request: Request) -> Response:
    return _page(request, f"{request.raw_target}&again={hashlib.sha256(request.raw_target.encode()).hexdigest()[:6]}")


def _repeated(request: Request) -> Response:
    return _page(request, request.raw_target)


def _status(status: int, code: str) -> Answer:
    return lambda _: Response(status, {"error": {"code": code, "message": "injected"}})


def _expire(world: World, dice: Dice) -> None:
    """Every token ends at once, again and again: after a number of requests that the share gives."""
    every = max(20, round(1 / dice.share))
    count = 0

    def intercept(_: World, request: Request) -> None:
        nonlocal count
        count += 1
        if count == every:  # once: a second renewal within a minute is refused by design
            world.advance(timedelta(hours=2))

    world.interceptors.append(intercept)


def _skew(hours: float) -> Callable[[World, Dice], None]:
    return lambda world, _: world.advance(timedelta(hours=hours))


PASSING: dict[str, Callable[[World, Dice], None]] = {
    "500": answering(_status(500, "InternalServerError")),
    "503": answering(_status(503, "ServerBusy")),
    "reset": answering(lambda _: Response(DROPPED)),
    "half a body": answering(lambda _: Response(200, b'{"value": [{"id": "/subscr')),
    "malformed": answering(lambda _: Response(200, b'{"value": [},')),
    "html": answering(lambda _: Response(200, b"<html>Please sign in</html>", {"Content-Type": "text/html"})),
    "timeout": late,
    "empty page with a link": answering(_empty),
    "repeated link": answering(_repeated),
    "tokens end": _expire,
    "clock ahead": _skew(0.2),
    "clock behind": _skew(-0.2),
}
"""Faults that pass: with eight tries a request nothing may be lost at 1 and 5 %."""

STAYING: dict[str, Callable[[World, Dice], None]] = {
    "forbidden": answering(_status(403, "AuthorizationFailed")),
    "gone": answering(_status(404, "SubscriptionNotFound")),
    "no list": answering(lambda _: Response(200, {"value": None})),
}
"""Faults that asking again does not cure: each is a loss, and each loss a gap."""


def ids_of(items: Any) -> set[str]:
    """Folded IDs of raw items that have one."""
    return {item["id"].casefold() for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)}
