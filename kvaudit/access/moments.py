"""Times in records, compared with the time at which access is judged."""

from datetime import UTC, datetime


def moment(text: str | None) -> datetime | None:
    """A moment in UTC, or None for what is no ISO 8601 time."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def earliest(one: str | None, other: str | None) -> str | None:
    """The earlier of two ends; None never ends, and an end that cannot be read gives way to one that can."""
    left, right = moment(one), moment(other)
    if left is None or right is None:
        return one if left else other if right else one or other
    return one if left <= right else other


def latest(one: str | None, other: str | None) -> str | None:
    """The later of two starts; None has begun, and a start that cannot be read gives way to one that can."""
    left, right = moment(one), moment(other)
    if left is None or right is None:
        return one if left else other if right else one or other
    return one if left >= right else other


class Clock:
    """The time at which access is judged.

    Args:
        now: ISO 8601 time (the snapshot's end), or None: then nothing has ended and everything has begun.
    """

    def __init__(self, now: str | None) -> None:
        self._now = moment(now)

    def is_past(self, when: str | None) -> bool:
        """Whether a time has come; one that cannot be read has not."""
        found = moment(when)
        return found is not None and self._now is not None and found <= self._now

    def is_future(self, when: str | None) -> bool:
        """Whether a time is still to come; one that cannot be read is not."""
        found = moment(when)
        return found is not None and self._now is not None and found > self._now
