"""Rows of a Resource Graph query, page by page: all of them, or a failure.

The service cuts a result off without an error in three ways, each of which is a failure here: `resultTruncated`, a tenant
with more subscriptions than a query covers, and pages that hold fewer rows than it counted (facts azure.md 2.6).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import Page

ROWS_PER_PAGE = 1000
"""The most that one answer holds (facts azure.md 2.6)."""

MAX_PAGES = 20_000
"""Pages of one query: 20 million rows."""

TRUNCATED = "ResultTruncated"
"""Code of a failure because rows are missing."""

_SUBSCRIPTION_LIMIT = "x-ms-tenant-subscription-limit-hit"

Fetch = Callable[[str | None], Awaitable[tuple[Any, Mapping[str, str]]]]


def query_of(query: str, subscriptions: Sequence[str], token: str | None) -> dict[str, Any]:
    """The body of one request. What is inherited from above the subscriptions is asked for too."""
    options: dict[str, Any] = {
        "$top": ROWS_PER_PAGE,
        "resultFormat": "objectArray",
        "authorizationScopeFilter": "AtScopeAboveAndBelow",
    }
    if token is not None:
        options["$skipToken"] = token
    return {"query": query, "subscriptions": list(subscriptions), "options": options}


async def follow_rows(fetch: Fetch) -> AsyncIterator[Page]:
    """Yields the pages of a query.

    Args:
        fetch: answers the parsed body and the headers of the page of a skip token (None: the first).

    Raises:
        ReadFailure: a page failed, is none, or rows are missing. Pages before it were yielded.
    """
    token: str | None = None
    seen: set[str] = set()
    received = counted = 0
    for _ in range(MAX_PAGES):
        body, headers = await fetch(token)
        rows = body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise ReadFailure("Resource Graph answered no rows", status=200, code="UnexpectedAnswer")
        received += len(rows)
        counted = max(counted, _counted(body))
        _check_whole(body, headers)
        yield Page(rows)
        token = body.get("$skipToken")
        if not token:
            _check_count(counted, received)
            return
        if not isinstance(token, str) or token in seen:
            raise ReadFailure("Resource Graph sends the same page again and again", status=200, code="PagingLoop")
        seen.add(token)
    raise ReadFailure("Resource Graph does not end its result", status=200, code="EndlessPaging")


def _check_whole(body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """`resultTruncated` is a text, in either case; with a skip token the rest follows."""
    if str(body.get("resultTruncated")).casefold() == "true" and not body.get("$skipToken"):
        raise ReadFailure("Resource Graph cut its result off", status=200, code=TRUNCATED)
    if str(headers.get(_SUBSCRIPTION_LIMIT)).casefold() == "true":
        raise ReadFailure("Resource Graph left subscriptions out of its result", status=200, code=TRUNCATED)


def _counted(body: Mapping[str, Any]) -> int:
    """How many rows the service counts while it answers a page; 0 where it does not say."""
    total = body.get("totalRecords")
    return total if isinstance(total, int) and not isinstance(total, bool) else 0


def _check_count(counted: int, received: int) -> None:
    """The largest count of any page holds: rows that vanish between two pages move others over the border unseen."""
    if received < counted:
        raise ReadFailure(
            f"Resource Graph counted {counted} rows and sent {received}", status=200, code=TRUNCATED, retryable=True
        )
