"""What a collection cost: parts of a run that was gone on with add up, whatever an older manifest holds."""

import pytest

from kvaudit.app.statistics import added, table_of
from kvaudit.clients.statistics import Statistics


def table(requests: int, slowest: float) -> dict[str, dict[str, float]]:
    statistics = Statistics()
    counts = statistics.of("arm")
    counts.requests, counts.bytes, counts.seconds, counts.slowest = requests, 1000, 2.0, slowest
    statistics.of("vault")  # nothing was sent
    return table_of(statistics, {"arm": 1.5})


def test_an_endpoint_that_was_not_asked_is_not_shown() -> None:
    assert set(table(3, 0.5)) == {"arm"}


def test_parts_of_a_run_add_up() -> None:
    whole = added(table(3, 0.5), table(4, 0.25))
    assert whole["arm"]["requests"] == 7
    assert whole["arm"]["bytes"] == 2000
    assert whole["arm"]["waited"] == 3.0
    assert whole["arm"]["slowest"] == 0.5


@pytest.mark.parametrize("earlier", [None, [], {}, {"arm": None}, {"arm": {}}])
def test_a_manifest_without_them_is_borne(earlier: object) -> None:
    assert added(earlier, table(4, 0.25))["arm"]["requests"] == 4
