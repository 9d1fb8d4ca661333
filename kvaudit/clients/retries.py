"""How often, how long and when a read is asked again. Every number has its source."""

import random
from dataclasses import dataclass
from typing import Any

from azure.core.pipeline.policies import AsyncRetryPolicy

from kvaudit.clients.pace import quota_resets_after


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Numbers of the retry policy.

    Attributes:
        tries: how often one request is sent at most.
        connect_tries: how often when no connection came about: a name that does not resolve seldom does a second later.
        first_wait: seconds before the first repetition, doubled each time: 1, 2, 4, 8, 16 is what Key Vault's throttling
            guidance recommends (facts azure.md 7).
        longest_wait: seconds; caps the doubling (libraries.md 4), jitter included.
        longest_retry_after: seconds; a service that asks for a longer pause is not waited for: its read becomes a gap
            that says so. Resource Manager's buckets refill within 10 seconds (250 at 25 a second, facts azure.md 2.7).
        budget: seconds for one request with all its repetitions and pauses.
        connect_timeout, read_timeout: seconds; azure-core's defaults are 300 each.
    """

    tries: int = 8
    connect_tries: int = 4
    first_wait: float = 1.0
    longest_wait: float = 30.0
    longest_retry_after: float = 60.0
    budget: float = 180.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0


class ReadRetryPolicy(AsyncRetryPolicy[Any, Any]):
    """azure-core's retries with our numbers.

    It differs from the stock policy in five points: POSTs are repeated like GETs (ours only read), the first repetition
    waits too, a Retry-After beyond the cap ends the trying, Resource Graph's own quota header counts as one, and pauses
    have jitter so that parallel reads do not come back at once.
    """

    def __init__(self, settings: RetrySettings) -> None:
        self._settings = settings
        again = settings.tries - 1
        super().__init__(
            retry_total=again,
            retry_status=again,
            retry_read=again,
            retry_connect=settings.connect_tries - 1,
            retry_backoff_factor=settings.first_wait,
            retry_backoff_max=settings.longest_wait,
            timeout=settings.budget,
        )

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        """As azure-core, with POST among the methods that may be repeated."""
        settings = super().configure_retries(options)
        settings["methods"] = settings["methods"] | {"POST"}
        return settings

    def get_retry_after(self, response: Any) -> float | None:
        """As azure-core; a 429 without it is Resource Graph's, which says in a header of its own when there is room.

        A header that is neither a number nor a date says nothing, and must not end the run.
        """
        try:
            asked: float | None = super().get_retry_after(response)
        except (ValueError, OverflowError):
            asked = None
        if asked is None and response.http_response.status_code == 429:
            asked = quota_resets_after(response.http_response.headers)
        return asked

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """As azure-core, but not when the service asks for a pause that is too long."""
        asked = self.get_retry_after(response)
        if asked is not None and asked > self._settings.longest_retry_after:
            return False
        return bool(super().is_retry(settings, response))

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        """Seconds before the next repetition: doubling, between half and the whole of the step."""
        repetitions = max(len(settings["history"]), 1)
        step = min(settings["max_backoff"], settings["backoff"] * 2 ** (repetitions - 1))
        return float(step * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
