"""Buckets: a service that counts by its documented limit never has to say 429, whatever the order and delay of requests."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.clients.pace import (
    ARM_READS,
    GRAPH,
    RESOURCE_GRAPH_QUERIES,
    RESOURCE_GRAPH_WINDOW,
    VAULT,
    Bucket,
    Limit,
    Pace,
    Window,
    graph_cost,
    quota_resets_after,
)
from kvaudit.clients.retries import RetrySettings


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def is_above(arrivals: list[tuple[float, float]], limit: Limit) -> bool:
    """Whether a service with this bucket would refuse one of the requests (when, cost)."""
    level, at = limit.size, 0.0
    for when, cost in sorted(arrivals):
        level = min(limit.size, level + (when - at) * limit.refill)
        at = when
        if level < cost:
            return True
        level -= cost
    return False


@given(
    limit=st.sampled_from([ARM_READS, VAULT, GRAPH]),
    gaps=st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.5, 12.0]), min_size=300, max_size=700),
    delays=st.lists(st.floats(0.0, 1.0), min_size=20, max_size=20),
    cost=st.sampled_from([1.0, 1.0, 5.0, 20.0]),
)
def test_a_bucket_stays_below_the_documented_one_even_when_the_network_bunches(
    limit: Limit, gaps: list[float], delays: list[float], cost: float
) -> None:
    clock = Clock()
    bucket = Bucket(limit, clock)
    arrivals = []
    for number, gap in enumerate(gaps):
        clock.now += gap
        wait = bucket.take(cost)
        arrivals.append((clock.now + wait + delays[number % len(delays)], cost))
    assert not is_above(arrivals, limit)


@given(gaps=st.lists(st.sampled_from([0.0, 0.01, 0.3, 2.0, 6.0]), min_size=20, max_size=120), start=st.floats(0.0, 5.0))
def test_queries_stay_within_every_window(gaps: list[float], start: float) -> None:
    clock = Clock()
    window = Window(RESOURCE_GRAPH_QUERIES, RESOURCE_GRAPH_WINDOW, clock)
    sent = []
    for gap in gaps:
        clock.now += gap
        sent.append(clock.now + window.take())
    assert sent == sorted(sent), "first come, first served"
    for when in sent:
        assert sum(when <= other < when + RESOURCE_GRAPH_WINDOW for other in sent) <= RESOURCE_GRAPH_QUERIES


@given(delays=st.lists(st.floats(0.0, 9.0), min_size=60, max_size=60))
def test_queries_stay_within_every_window_however_late_the_service_counts_them(delays: list[float]) -> None:
    """Each query is sent when the one before it was answered; the service counts it at any moment in between."""
    clock = Clock()
    window = Window(RESOURCE_GRAPH_QUERIES, RESOURCE_GRAPH_WINDOW, clock)
    counted = []
    for delay in delays:
        clock.now += window.take()
        counted.append(clock.now + delay)
        clock.now += delay
        window.answered()
    for when in counted:
        assert sum(when <= other < when + RESOURCE_GRAPH_WINDOW for other in counted) <= RESOURCE_GRAPH_QUERIES


def test_a_bucket_lets_through_almost_what_is_documented() -> None:
    clock = Clock()
    bucket = Bucket(ARM_READS, clock)
    last = 0.0
    for _ in range(2200):
        last = bucket.take()
    assert last == pytest.approx(2000 / 24, rel=0.01)


def test_what_a_service_says_slows_down_and_never_speeds_up() -> None:
    clock = Clock()
    pace = Pace(60.0, clock)
    url = "https://management.azure.com/subscriptions/S1/providers/x"
    pace.heed("arm", url, 200, {"x-ms-ratelimit-remaining-subscription-reads": "0"})
    assert pace._bucket("arm", url.lower()).take() > 0
    other = "https://management.azure.com/subscriptions/s2/providers/x"
    pace.heed("arm", other, 200, {"x-ms-ratelimit-remaining-subscription-reads": "11999"})
    bucket = pace._bucket("arm", other)
    assert sum(bucket.take() == 0 for _ in range(400)) == ARM_READS.size * 0.8
    pace.heed("arm", other, 429, {"Retry-After": "7"})
    assert bucket.take() >= 7


def test_the_quota_of_resource_graph_is_waited_for_and_never_longer_than_the_cap() -> None:
    clock = Clock()
    pace = Pace(60.0, clock)
    pace.heed("resource-graph", "", 200, {"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:00:05"})
    assert pace._queries.take() == 0
    pace.heed("resource-graph", "", 200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"})
    assert pace._queries.take() == 5
    pace.heed("resource-graph", "", 200, {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "09:00:00"})
    assert pace._queries.take() == RetrySettings().longest_retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:05", 5.0),
        ("01:02:03", 3723.0),
        ("00:00:03.5", 3.5),
        ("5", None),
        ("", None),
        ("a:b:c", None),
        ("1:2", None),
    ],
)
def test_the_time_of_a_quota_is_read_as_azure_writes_it(text: str, seconds: float | None) -> None:
    assert quota_resets_after({"x-ms-user-quota-resets-after": text}) == seconds


def test_a_batch_costs_what_its_parts_cost() -> None:
    graph = "https://graph.microsoft.com/v1.0"
    parts = ["/groups/a/members?$top=999", "/groups/b/members?$top=999", "/servicePrincipals/c/transitiveMemberOf"]
    body = json.dumps({"requests": [{"id": "1", "method": "GET", "url": url} for url in parts]}).encode()
    assert graph_cost(f"{graph}/$batch", body) == 7
    assert graph_cost(f"{graph}/directoryObjects/getByIds", b"{}") == 5
    assert graph_cost(f"{graph}/$batch", b"none") == 1
