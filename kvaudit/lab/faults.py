"""Injected faults: answers that a test wants instead of the lab's own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kvaudit.lab.estate import fold
from kvaudit.lab.http import Body, Request, Response
from kvaudit.lab.world import World

DROPPED = 0
"""Status of a response that is not sent: the connection is closed instead."""


@dataclass(slots=True)
class Fault:
    """One fault.

    Attributes:
        path: regular expression, searched in `host + path` without case.
        method: only this method, or None for any.
        status: status of the answer; `DROPPED` closes the connection without one.
        body, headers: of the answer.
        times: how often it still happens; None for always.
        skip: how many matching requests go through before the first one fails.
        delay: seconds to wait before the answer; with `status` None the lab's own answer follows the wait.
        effect: done to the world when the fault happens, before the answer.
    """

    path: str
    method: str | None = None
    status: int | None = 500
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    skip: int = 0
    delay: float = 0.0
    effect: Callable[[World], None] | None = None

    def matches(self, request: Request) -> bool:
        """Whether the fault happens on this request now; counts it."""
        if self.method not in {None, request.method} or self.times == 0:
            return False
        if not re.search(self.path, request.host + request.path, re.IGNORECASE):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def fault_for(world: World, request: Request) -> Fault | None:
    """The first injected fault that happens on this request, or None."""
    fault: Fault | None = next((fault for fault in world.faults if fault.matches(request)), None)
    if fault is not None and fault.effect is not None:
        fault.effect(world)
    return fault


def faulty_answer(fault: Fault) -> Response | None:
    """The answer of a fault, or None when it only delays."""
    return None if fault.status is None else Response(fault.status, fault.body, dict(fault.headers))


def unregistered(namespace: str = "Microsoft.KeyVault") -> Fault:
    """The 409 that makes stock management clients register a resource provider, a write (facts azure.md 6)."""
    message = f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
    return Fault(
        path=f"/providers/{re.escape(namespace)}/",
        method="GET",
        status=409,
        body={"error": {"code": "MissingSubscriptionRegistration", "message": message}},
    )


def vanishing(vault_id: str, path: str, *, skip: int = 0) -> Fault:
    """A vault that somebody deletes and purges while a client is at work: on the first request that matches `path`.

    The request itself gets the lab's own answer, which no longer knows the vault.

    Args:
        vault_id: resource id of the vault.
        path: regular expression of the request that triggers it.
        skip: matching requests that still find the vault.
    """

    def vanish(world: World) -> None:
        world.estate.vaults.pop(fold(vault_id), None)
        world.estate.objects.pop(fold(vault_id), None)
        world.changed()

    return Fault(path=path, status=None, times=1, skip=skip, effect=vanish)
