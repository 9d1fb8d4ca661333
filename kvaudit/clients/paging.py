"""Pages of a list, followed to the end: empty ones too, but never in circles, for ever, or to another host."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from kvaudit.clients.failures import ReadFailure

MAX_PAGES = 20_000
"""Pages of one list. The longest that Azure's limits allow: a vault's secrets come 25 a page (facts azure.md 3) and a
subscription holds 4,000 role assignments; half a million secrets in one vault is beyond what was ever reported."""

MAX_EMPTY_PAGES = 1_000
"""Empty pages in a row. Azure sends some (313 in the corpus), never many in a row."""

_NEXT = ("nextLink", "@odata.nextLink")

_PORT_OF_HTTPS = re.compile(r"^(https://[^/?#@:]+):443(?=[/?#]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its items as Azure sent them."""

    items: list[Any]


async def follow(fetch: Callable[[str | None], Awaitable[Any]], *, url: str, same_path: bool) -> AsyncIterator[Page]:
    """Yields the pages of a list.

    Args:
        fetch: answers the parsed body of the first page (None) or of a next link.
        url: address of the first page: next links must stay on its host, or are refused before they are asked.
        same_path: whether they must stay on its path too (vaults).

    Raises:
        ReadFailure: a page failed, was none, or the list does not end. Pages before it were yielded.
    """
    link: str | None = None
    seen: set[str] = set()
    empty = 0
    for _ in range(MAX_PAGES):
        body = await fetch(link)
        items = body.get("value") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise ReadFailure(f"{urlsplit(url).netloc} answered no list", status=200, code="UnexpectedAnswer")
        yield Page(items)
        empty = 0 if items else empty + 1
        link = _next_link(body, url=url, same_path=same_path)
        if link is None:
            return
        if link in seen:
            raise ReadFailure(f"{urlsplit(url).netloc} sends the same page again and again", code="PagingLoop")
        if empty >= MAX_EMPTY_PAGES:
            break
        seen.add(link)
    raise ReadFailure(f"{urlsplit(url).netloc} does not end its list", code="EndlessPaging")


def _next_link(body: dict[str, Any], *, url: str, same_path: bool) -> str | None:
    link = next((body[name] for name in _NEXT if body.get(name)), None)
    return None if link is None else checked_link(link, url=url, same_path=same_path)


def checked_link(link: Any, *, url: str, same_path: bool = False) -> str:
    """A next link as an absolute address on the host of the list, and on its path when `same_path`.

    Vaults and parts of Resource Manager name the port of https in their links (`vault.azure.net:443` in every recorded
    one); it is taken out, so that everything after this compares hosts alone.

    Raises:
        ReadFailure: it leads elsewhere, or is no link. A token must not follow it.
    """
    if not isinstance(link, str):
        raise ReadFailure(f"{urlsplit(url).netloc} sent a next link that is none", code="UnexpectedAnswer")
    try:
        absolute = _PORT_OF_HTTPS.sub(r"\1", urljoin(url, link), count=1)
        here, there = urlsplit(url), urlsplit(absolute)
        foreign = (here.scheme, here.netloc.casefold()) != (there.scheme, there.netloc.casefold())
    except ValueError:
        foreign = True
    if foreign or (same_path and there.path.rstrip("/") != here.path.rstrip("/")):
        raise ReadFailure(
            f"{urlsplit(url).netloc} sent a next link that leads elsewhere; it was not followed", code="ForeignNextLink"
        )
    return absolute
