"""What was sent and what it cost, by endpoint."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class EndpointStatistics:
    """Counts of one kind of endpoint (`arm`, `resource-graph`, `graph`, `vault`).

    Attributes:
        requests: requests sent, repetitions included.
        retries: how many of them were repetitions.
        throttled: answers 429.
        failed: answers with status 400 or above, and requests without an answer.
        bytes: size of the answers' bodies.
        seconds: time from sending to the end of the answer, added up over parallel requests.
        slowest: the longest of these times.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    failed: int = 0
    bytes: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


@dataclass(slots=True)
class Statistics:
    """Counts of one run by endpoint."""

    endpoints: dict[str, EndpointStatistics] = field(default_factory=dict)

    def of(self, endpoint: str) -> EndpointStatistics:
        """The counts of an endpoint, made when it is asked for first."""
        return self.endpoints.setdefault(endpoint, EndpointStatistics())

    @property
    def requests(self) -> int:
        """Requests sent to all endpoints."""
        return sum(item.requests for item in self.endpoints.values())
