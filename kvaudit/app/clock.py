"""The only place that asks what time it is."""

from datetime import UTC, datetime


def now() -> str:
    """The time now, ISO 8601 in UTC, to the second: `2026-11-24T08:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
