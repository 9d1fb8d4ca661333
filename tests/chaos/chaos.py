"""Faults that strike a share of all requests, the same ones in every run, whatever the order of requests."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kvaudit.lab.faults import DROPPED, Fault
from kvaudit.lab.http import Request, Response
from kvaudit.lab.world import BadConnection, World

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


def _connections(bad: BadConnection) -> Callable[[World, Dice], None]:
    """A share of all connections, by host and number; to every host but the sign-in's."""

    def install(world: World, dice: Dice) -> None:
        made: Counter[str] = Counter()

        def ask(host: str) -> BadConnection | None:
            made[host] += 1
            digest = hashlib.sha256(f"{host} {made[host]} {dice.seed}".encode()).digest()
            hit = not host.startswith("login.") and int.from_bytes(digest[:4]) / 2**32 < dice.share
            dice.struck += hit
            return bad if hit else None

        world.connecting.append(ask)

    return install


def of_one_vault(bad: BadConnection, host: str) -> Callable[[World], None]:
    """Every connection to one host fails."""
    return lambda world: world.connecting.append(lambda asked: bad if asked == host else None)


def after(requests: int, effect: Callable[[World], None]) -> Callable[[World], None]:
    """Something happens to the tenant in the middle of a run: before a request of this number."""

    def install(world: World) -> None:
        count = 0

        def intercept(world: World, request: Request) -> None:
            nonlocal count
            count += not request.host.startswith("login.")
            if count == requests:
                count += 1
                effect(world)
                world.changed()

        world.interceptors.append(intercept)

    return install


def forbid(world: World) -> None:
    """A deny assignment takes every right to read one subscription from everybody."""
    scope = f"/subscriptions/{STRUCK}"
    identity = f"{scope}/providers/Microsoft.Authorization/denyAssignments/dddddddd-dddd-dddd-dddd-00000000000f"
    block = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
    everyone = {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}
    properties = {
        "denyAssignmentName": "locked",
        "scope": scope,
        "permissions": [block],
        "principals": [everyone],
        "excludePrincipals": [],
        "doNotApplyToChildScopes": False,
        "isSystemProtected": True,
        "denyAssignmentEffect": "enforced",
    }
    raw = {"id": identity, "name": identity[-36:], "type": "Microsoft.Authorization/denyAssignments"}
    world.estate.deny_assignments[identity.casefold()] = raw | {"properties": properties}


def vanish(world: World) -> None:
    """A subscription is gone, with everything in it."""
    prefix = f"/subscriptions/{STRUCK}"
    world.estate.subscriptions.pop(STRUCK)
    for store in (world.estate.vaults, world.estate.role_assignments, world.estate.resource_groups):
        for key in [key for key in store if key.startswith(prefix)]:
            del store[key]


STRUCK = "33333333-3333-3333-3333-000000000001"
"""The subscription that is taken away in the middle of a run."""

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
    "no address": _connections(BadConnection.NO_ADDRESS),
    "untrusted": _connections(BadConnection.UNTRUSTED),
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
