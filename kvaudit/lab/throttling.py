"""The documented limits as token buckets; a lab started with `throttling=True` answers 429 above them.

Numbers: Resource Manager 250 reads refilled at 25 a second, 200 writes and 200 deletes at 10 a second, per subscription
(or tenant) and principal (facts azure.md 2.7); Resource Graph 15 queries in 5 seconds per user (2.6); a vault 4,000
transactions in 10 seconds (7). Microsoft Graph's limits depend on the size of the tenant and are not modelled.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.vault_answers import vault_error, with_headers
from kvaudit.lab.world import World

QUOTA_HEADER = "x-kvaudit-lab-quota"
"""How the throttle tells the Resource Graph face what is left: `remaining;hh:mm:ss`."""

RESOURCE_GRAPH_QUERIES = 15
RESOURCE_GRAPH_WINDOW = 5.0
"""Queries, and the seconds of their window (facts azure.md 2.6)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: how much it holds, and how much flows in a second."""

    size: float
    refill: float


ARM_READS = Limit(250, 25)
ARM_WRITES = Limit(200, 10)
ARM_DELETES = Limit(200, 10)
VAULT = Limit(4000, 400)


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Throttle:
    """The buckets of one lab.

    Args:
        ticks: seconds, monotonic. Real time, not the lab's clock: a lab whose clock stands still must not starve its clients.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    def intercept(self, world: World, request: Request) -> Response | None:
        """The 429 for a request above its limit; None lets it through and counts it."""
        principal = request.caller.object_id if request.caller else ""
        if request.host.startswith("management."):
            if request.path.casefold().startswith("/providers/microsoft.resourcegraph/"):
                return self._resource_graph(request, principal)
            return self._resource_manager(request, principal)
        if request.host.startswith(("login.", "graph.", "microsoftgraph.")):
            return None
        return self._vault(world, request)

    def _take(self, key: tuple[str, ...], limit: Limit) -> float:
        """Take one. The seconds to wait when the bucket is empty, else 0."""
        now = self._ticks()
        bucket = self._buckets.setdefault(key, _Bucket(limit.size, now))
        bucket.level = min(limit.size, bucket.level + (now - bucket.at) * limit.refill)
        bucket.at = now
        if bucket.level < 1:
            return (1 - bucket.level) / limit.refill
        bucket.level -= 1
        return 0.0

    def _resource_manager(self, request: Request, principal: str) -> Response | None:
        kind, limit = {
            "GET": ("reads", ARM_READS),
            "HEAD": ("reads", ARM_READS),
            "DELETE": ("deletes", ARM_DELETES),
        }.get(request.method, ("writes", ARM_WRITES))
        parts = request.path.casefold().split("/")
        scope = parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else "tenant"
        wait = self._take(("arm", scope, principal, kind), limit)
        if wait == 0:
            return None
        seconds = math.ceil(wait)
        message = f"Number of '{kind[:-1]}' requests for subscription '{scope}' actor '{principal}' exceeded. Please try again after '{seconds}' seconds after additional tokens are available."
        return arm_error(429, "SubscriptionRequestsThrottled", message, Retry_After=str(seconds))

    def _resource_graph(self, request: Request, principal: str) -> Response | None:
        now = self._ticks()
        start, used = self._windows.get(principal, (now, 0))
        if now - start >= RESOURCE_GRAPH_WINDOW:
            start, used = now, 0
        left = max(0, math.ceil(RESOURCE_GRAPH_WINDOW - (now - start)))
        if used >= RESOURCE_GRAPH_QUERIES:
            # No Retry-After: clients have to read the quota headers, as the service's page says (facts azure.md 2.6).
            response = arm_error(
                429,
                "RateLimiting",
                "Please provide below info when asking for support: client application was throttled.",
            )
            response.headers |= quota_headers(0, left)
            return response
        self._windows[principal] = (start, used + 1)
        request.headers[QUOTA_HEADER] = f"{RESOURCE_GRAPH_QUERIES - used - 1};{left}"
        return None

    def _vault(self, world: World, request: Request) -> Response | None:
        if request.caller is None or self._take(("vault", request.host), VAULT) == 0:
            return None
        # The one full header dump that was found has no Retry-After (facts azure.md 6).
        message = (
            "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
        )
        return with_headers(world, vault_error(429, "Throttled", message))


def quota_headers(remaining: int, seconds: int) -> dict[str, str]:
    """The headers by which Resource Graph tells what is left."""
    return {
        "x-ms-user-quota-remaining": str(remaining),
        "x-ms-user-quota-resets-after": f"00:{seconds // 60:02d}:{seconds % 60:02d}",
    }
