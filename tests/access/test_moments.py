"""Times in records: what cannot be read neither ends nor begins anything."""

from datetime import UTC, datetime

import pytest

from kvaudit.access.moments import Clock, earliest, latest, moment

MAY, JUNE = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-05-01T00:00:00") == moment(MAY) == datetime(2026, 5, 1, tzinfo=UTC)
    assert moment("2026-05-01T02:00:00+02:00") == moment(MAY)
    assert moment("soon") is moment("") is moment(None) is None


@pytest.mark.parametrize(
    ("one", "other", "first", "last"),
    [
        (MAY, JUNE, MAY, JUNE),
        (JUNE, MAY, MAY, JUNE),
        (MAY, None, MAY, MAY),
        (None, MAY, MAY, MAY),
        (None, None, None, None),
        ("soon", MAY, MAY, MAY),
        (MAY, "soon", MAY, MAY),
        ("soon", None, "soon", "soon"),
        (None, "soon", "soon", "soon"),
        ("2026-05-01T02:00:00+02:00", MAY, "2026-05-01T02:00:00+02:00", "2026-05-01T02:00:00+02:00"),
    ],
)
def test_the_earlier_end_and_the_later_start(
    one: str | None, other: str | None, first: str | None, last: str | None
) -> None:
    assert earliest(one, other) == first
    assert latest(one, other) == last


def test_a_clock_knows_past_and_future() -> None:
    clock = Clock(MAY)
    assert clock.is_past(MAY)
    assert not clock.is_future(MAY)
    assert clock.is_future(JUNE)
    assert not clock.is_past(JUNE)
    assert not any(check(when) for check in (clock.is_past, clock.is_future) for when in (None, "soon"))
    timeless = Clock(None)
    assert not any(check(when) for check in (timeless.is_past, timeless.is_future) for when in (MAY, JUNE))
