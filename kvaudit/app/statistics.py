"""What a collection cost, by endpoint: kept in the manifest, shown with `--verbose`."""

from collections.abc import Mapping
from typing import Any

from kvaudit.app.settings import Voice
from kvaudit.app.terminal import console_for
from kvaudit.clients.statistics import Statistics

_SUMS = ("requests", "retries", "throttled", "failed", "bytes", "seconds", "waited")


def table_of(statistics: Statistics, waited: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """The counts by endpoint, for the manifest. Times are in seconds; `waited` is our own pacing, before requests left."""
    return {
        name: {
            "requests": item.requests,
            "retries": item.retries,
            "throttled": item.throttled,
            "failed": item.failed,
            "bytes": item.bytes,
            "seconds": round(item.seconds, 3),
            "slowest": round(item.slowest, 3),
            "waited": round(waited.get(name, 0.0), 3),
        }
        for name, item in sorted(statistics.endpoints.items())
        if item.requests
    }


def added(earlier: Any, now: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The counts of a run that was gone on with: those of its earlier parts, as the manifest has them, and the new ones."""
    table = {name: dict(item) for name, item in now.items()}
    for name, item in earlier.items() if isinstance(earlier, dict) else ():
        if not isinstance(item, dict):
            continue
        mine = table.setdefault(name, {})
        for key in _SUMS:
            mine[key] = round(mine.get(key, 0) + (item.get(key) or 0), 3)
        mine["slowest"] = max(mine.get("slowest", 0), item.get("slowest") or 0)
    return table


def show_statistics(table: Any, voice: Voice) -> None:
    """Requests, repetitions, 429s, failures, size and times by endpoint, on stderr.

    Args:
        table: `requests` of a manifest.
    """
    console = console_for("stderr", voice)
    heads = ("requests", "retries", "429s", "failed", "KB", "mean ms", "slowest ms", "waited s")
    console.print(f"{'endpoint':<16}" + "".join(f"{head:>12}" for head in heads), soft_wrap=True)
    for name, item in sorted(table.items() if isinstance(table, dict) else ()):
        cells = (
            *(item[key] for key in ("requests", "retries", "throttled", "failed")),
            f"{item['bytes'] / 1024:.0f}",
            f"{1000 * item['seconds'] / max(item['requests'], 1):.0f}",
            f"{1000 * item['slowest']:.0f}",
            f"{item['waited']:.1f}",
        )
        console.print(f"{name:<16}" + "".join(f"{cell:>12}" for cell in cells), soft_wrap=True)
