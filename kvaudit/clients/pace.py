"""How fast each service may be asked: its documented limits as token buckets, kept a little below them.

A request takes what it costs before it leaves, repetitions too, so that no 429 is of our making. What a service says of
what is left (quota headers, Retry-After) only ever slows us down further: somebody else may ask with the same identity.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

TOLERANCE = 0.8
"""Share of a bucket's size that is used at once. A service counts when requests arrive, not when they leave, and a busy
network lets them arrive in a bunch: a fifth of the bucket is two seconds of Resource Manager's refill."""

RATE_TOLERANCE = 0.96
"""Share of a bucket's refill that is used in the long run, for the same reason."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: how much it holds, and how much flows in a second."""

    size: float
    refill: float


ARM_READS = Limit(250, 25)
"""Reads of one subscription (or of the tenant) by one principal (facts azure.md 2.7)."""

VAULT = Limit(4000, 400)
"""Transactions of one vault: 4,000 in 10 seconds (facts azure.md 7). A subscription bears five times as many in a region,
2,000 a second, which the bound on connections keeps us below."""

GRAPH = Limit(3500, 350)
"""Resource units of one application in a small tenant: 3,500 in 10 seconds; larger tenants bear 5,000 and 8,000
(learn.microsoft.com/graph/throttling-limits, identity and access)."""

RESOURCE_GRAPH_QUERIES = 15
RESOURCE_GRAPH_WINDOW = 5.0
"""Queries of one user, and the seconds of their window (facts azure.md 2.6)."""

_LATENESS = 0.5
"""Seconds that are added to Resource Graph's window: its beginning is the service's, not ours."""

_GRAPH_COSTS = {"members": 3, "applications": 2, "oauth2permissiongrants": 2, "approleassignedto": 2}
"""Resource units by the last word of a path; every other read costs 1 (the same page). `$select` would lower some."""

_GET_BY_IDS_COST = 5


class Bucket:
    """A token bucket that hands out places in a queue.

    Args:
        limit: what the service documents.
        ticks: seconds, monotonic.
    """

    def __init__(self, limit: Limit, ticks: Callable[[], float] = time.monotonic) -> None:
        self._size = limit.size * TOLERANCE
        self._refill = limit.refill * RATE_TOLERANCE
        self._ticks = ticks
        self._level = self._size
        self._at = ticks()

    def _flow(self) -> None:
        now = self._ticks()
        self._level = min(self._size, self._level + (now - self._at) * self._refill)
        self._at = now

    def take(self, cost: float = 1.0) -> float:
        """Takes what a request costs. The seconds to wait before it may leave: the level may be below zero for a while."""
        self._flow()
        self._level -= cost
        return max(0.0, -self._level / self._refill)

    def lower(self, remaining: float) -> None:
        """The service says that only so much is left."""
        self._flow()
        self._level = min(self._level, remaining * TOLERANCE)

    def pause(self, seconds: float) -> None:
        """The service asks everybody to wait."""
        self._flow()
        self._level = min(self._level, -seconds * self._refill)


class Window:
    """So many requests in any span of so many seconds.

    A request counts until so many seconds after its answer: the service counted it at some time before that, and a slow
    network or service may count several at once that left one after the other.

    Args:
        count: requests.
        seconds: of the span.
        ticks: seconds, monotonic.
    """

    def __init__(self, count: int, seconds: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._seconds = seconds
        self._ticks = ticks
        self._counted: list[list[float]] = []
        self._waiting: deque[list[float]] = deque()
        self._not_before = 0.0

    def take(self) -> float:
        """Takes one. The seconds to wait before it may leave."""
        now = self._ticks()
        at = max(now, self._not_before)
        if len(self._counted) == self._count:
            first = min(self._counted)
            at = max(at, first[0] + self._seconds)
            self._counted.remove(first)
        entry = [at]
        self._counted.append(entry)
        self._waiting.append(entry)
        return at - now

    def answered(self) -> None:
        """One request was answered: it counts from now on."""
        if self._waiting:
            entry = self._waiting.popleft()
            entry[0] = max(entry[0], self._ticks())

    def pause(self, seconds: float) -> None:
        """Nothing more for so many seconds."""
        self._not_before = max(self._not_before, self._ticks() + seconds)


class Pace:
    """The buckets of one run, made when they are needed first.

    Args:
        longest_pause: seconds; a service that asks for more is not waited for here (its read fails and says so).
        ticks: seconds, monotonic.

    Attributes:
        waited: seconds that requests waited here, by endpoint, added up over parallel requests.
    """

    def __init__(self, longest_pause: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._longest_pause = longest_pause
        self._ticks = ticks
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._queries = Window(RESOURCE_GRAPH_QUERIES, RESOURCE_GRAPH_WINDOW + _LATENESS, ticks)
        self.waited: dict[str, float] = {}

    async def wait(self, endpoint: str, url: str, body: object) -> None:
        """Waits until a request may leave.

        Args:
            endpoint: `arm`, `resource-graph`, `graph` or `vault`.
            url: of the request.
            body: of the request: a Graph `$batch` costs what its parts cost.
        """
        if endpoint == "resource-graph":
            seconds = self._queries.take()
        else:
            seconds = self._bucket(endpoint, url).take(graph_cost(url, body) if endpoint == "graph" else 1.0)
        if seconds > 0:
            self.waited[endpoint] = self.waited.get(endpoint, 0.0) + seconds
            await asyncio.sleep(seconds)

    def heed(self, endpoint: str, url: str, status: int, headers: Mapping[str, str]) -> None:
        """Slows down by what an answer says: what is left, and how long to wait after a 429."""
        asked = seconds_of(headers.get("Retry-After")) if status == 429 else None
        pause = min(asked, self._longest_pause) if asked is not None else 0.0
        if endpoint == "resource-graph":
            self._queries.answered()
            if _number(headers.get("x-ms-user-quota-remaining")) == 0:
                pause = max(pause, min(quota_resets_after(headers) or 0.0, self._longest_pause))
            if pause:
                self._queries.pause(pause)
            return
        bucket = self._bucket(endpoint, url)
        if pause:
            bucket.pause(pause)
        if endpoint == "arm":
            left = _number(headers.get("x-ms-ratelimit-remaining-subscription-reads"))
            left = left if left is not None else _number(headers.get("x-ms-ratelimit-remaining-tenant-reads"))
            if left is not None:
                bucket.lower(left)
        elif endpoint == "graph" and (_number(headers.get("x-ms-throttle-limit-percentage")) or 0.0) >= 1.0:
            bucket.pause(1.0)

    def _bucket(self, endpoint: str, url: str) -> Bucket:
        key = (endpoint, _place(endpoint, url))
        if key not in self._buckets:
            self._buckets[key] = Bucket({"arm": ARM_READS, "graph": GRAPH, "vault": VAULT}[endpoint], self._ticks)
        return self._buckets[key]


def _place(endpoint: str, url: str) -> str:
    """What a bucket belongs to: a subscription or the tenant, a vault, the directory."""
    parts = urlsplit(url)
    if endpoint == "vault":
        return parts.netloc.casefold()
    segments = parts.path.casefold().split("/")
    return segments[2] if endpoint == "arm" and segments[1:2] == ["subscriptions"] and len(segments) > 2 else "tenant"


def graph_cost(url: str, body: object) -> float:
    """Resource units of a request to Microsoft Graph; of a `$batch` those of its parts."""
    path = urlsplit(url).path
    if not path.endswith("/$batch"):
        return _cost_of(path)
    try:
        parts = orjson.loads(body if isinstance(body, (bytes, str)) else b"")["requests"]
        return float(sum(_cost_of(urlsplit(part["url"]).path) for part in parts))
    except (ValueError, KeyError, TypeError):
        return 1.0


def _cost_of(path: str) -> float:
    last = path.rstrip("/").rsplit("/", 1)[-1].casefold()
    return float(_GET_BY_IDS_COST if last == "getbyids" else _GRAPH_COSTS.get(last, 1))


def seconds_of(value: str | None) -> float | None:
    """Retry-After in seconds, as Azure sends it; None for anything else (an HTTP date is azure-core's to read)."""
    return _number(value)


def quota_resets_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until Resource Graph's quota is whole again (`hh:mm:ss`), or None where the answer does not say."""
    parts = str(headers.get("x-ms-user-quota-resets-after") or "").split(":")
    if len(parts) != 3 or not all(part.split(".")[0].isdigit() for part in parts):
        return None
    hours, minutes, seconds = (_number(part) or 0.0 for part in parts)
    return hours * 3600 + minutes * 60 + seconds


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None
