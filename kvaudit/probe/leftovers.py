"""Canaries that an earlier run left in a vault, of this machine or another: looked up by their names where lists are permitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kvaudit.clients.azure import Azure
from kvaudit.clients.canary_names import is_canary
from kvaudit.clients.failures import ReadFailure
from kvaudit.probe.catalogue import API_VERSION
from kvaudit.probe.results import Outcome, Probed

_LISTS = {"secret.list": "/secrets", "secret.listDeleted": "/deletedsecrets"}

SETTLED_AFTER = 600
"""Seconds that nothing has happened to a canary: a younger one may be under way in another run, and is left alone."""

MOST_PAGES = 200
"""Pages of a list that are read, 25 secrets each: the names of 5,000."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What was found.

    Attributes:
        names: of canaries, each once.
        because: why there may be more; "" where the lists were read to their end.
    """

    names: tuple[str, ...]
    because: str = ""


async def find_leftovers(azure: Azure, host: str, probed: Probed, now: float) -> Leftovers:
    """Looks for canaries among the secrets of a vault and among the deleted ones. Reads names and attributes only.

    Args:
        probed: what was found there: a list that was refused is not asked again.
        now: Unix time in seconds.
    """
    allowed = {found.call for found in probed if found.outcome is Outcome.ALLOWED}
    refused = [path for call, path in _LISTS.items() if call not in allowed]
    names: dict[str, None] = {}
    why = [f"the list of {path} is not permitted" for path in refused]
    for call, path in _LISTS.items():
        if call not in allowed:
            continue
        pages = 0
        try:
            async for page in azure.vault_pages(f"https://{host}", path, api_version=API_VERSION):
                names.update(dict.fromkeys(_canaries(page.items, now)))
                pages += 1
                if pages == MOST_PAGES:
                    why.append(f"only the first {MOST_PAGES * 25:,} names of {path} were looked at")
                    break
        except ReadFailure as problem:
            why.append(f"the list of {path} could not be read: {problem.reason}")
    return Leftovers(tuple(names), "; ".join(why))


def _canaries(items: list[Any], now: float) -> Iterator[str]:
    for item in items:
        if not isinstance(item, dict):
            continue
        name = str(item.get("id") or "").rpartition("/")[2]
        attributes = item.get("attributes")
        times = [item.get("deletedDate"), *(attributes.values() if isinstance(attributes, dict) else ())]
        newest = max((one for one in times if isinstance(one, int) and not isinstance(one, bool)), default=0)
        if is_canary(name) and now - newest > SETTLED_AFTER:
            yield name
