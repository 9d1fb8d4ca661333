"""Times as Azure writes them, and whether something that begins and ends is running."""

from datetime import UTC, datetime


def moment_of(text: str | None) -> datetime | None:
    """A time in ISO 8601, in UTC where it names no zone; None for none."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def runs(start: str | None, end: str | None, now: datetime) -> bool:
    """Whether what starts and ends then is running; without a start it always was, without an end it always will be."""
    since, until = moment_of(start), moment_of(end)
    return (since is None or since <= now) and (until is None or now < until)
