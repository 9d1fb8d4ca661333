"""Following pages: to the end, and never further."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.paging import MAX_EMPTY_PAGES, follow

URL = "https://management.azure.com/subscriptions/s/vaults?api-version=1"


def walk(
    pages: dict[str | None, Any], *, url: str = URL, same_path: bool = False
) -> tuple[list[Any], ReadFailure | None, int]:
    """Items, the failure that ended it, and how many pages were asked."""
    asked = 0

    async def fetch(link: str | None) -> Any:
        nonlocal asked
        asked += 1
        body = pages[link]
        return body() if callable(body) else body

    async def run() -> tuple[list[Any], ReadFailure | None]:
        items: list[Any] = []
        try:
            async for page in follow(fetch, url=url, same_path=same_path):
                items += page.items
        except ReadFailure as problem:
            return items, problem
        return items, None

    items, problem = asyncio.run(run())
    return items, problem, asked


@given(
    st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=8),
    st.sampled_from(["nextLink", "@odata.nextLink"]),
)
def test_every_item_of_every_page_comes_once_and_in_order_whether_or_not_pages_are_empty(
    pages: list[list[int]], name: str
) -> None:
    bodies: dict[str | None, Any] = {}
    for number, items in enumerate(pages):
        link = f"{URL}&page={number}" if number else None
        bodies[link] = {"value": items}
        if number < len(pages) - 1:
            bodies[link][name] = f"{URL}&page={number + 1}"
    items, problem, asked = walk(bodies)
    assert problem is None
    assert items == [item for page in pages for item in page]
    assert asked == len(pages)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.net/vaults",
        "http://management.azure.com/vaults",
        "https://management.azure.com@evil.example.net/vaults",
        "https://management.azure.com:8443/vaults",
        "//evil.example.net/vaults",
        "https://[broken",
        17,
        {"href": "x"},
    ],
)
def test_a_next_link_that_leads_elsewhere_is_not_followed(link: Any) -> None:
    items, problem, asked = walk({None: {"value": [1], "nextLink": link}})
    assert items == [1]
    assert problem is not None
    assert problem.code in {"ForeignNextLink", "UnexpectedAnswer"}
    assert asked == 1


def test_on_a_vault_a_next_link_stays_on_its_list() -> None:
    url = "https://kv-one.vault.azure.net/secrets?api-version=7.5"
    _, problem, asked = walk(
        {None: {"value": [], "nextLink": "https://kv-one.vault.azure.net/secrets/db-password"}}, url=url, same_path=True
    )
    assert problem is not None
    assert problem.code == "ForeignNextLink"
    assert asked == 1


def test_a_relative_next_link_is_followed_on_the_same_host() -> None:
    items, problem, _ = walk(
        {
            None: {"value": [1], "nextLink": "/subscriptions/s/vaults?p=2"},
            "https://management.azure.com/subscriptions/s/vaults?p=2": {"value": [2]},
        }
    )
    assert (items, problem) == ([1, 2], None)


@pytest.mark.parametrize("url", ["https://kv-one.vault.azure.net/secrets?api-version=7.5", URL])
def test_a_next_link_that_names_the_port_of_https_is_followed_without_it(url: str) -> None:
    second = f"{url}&$skiptoken=x:443/y"
    first, _, rest = second.partition("?")
    host, _, path = first.removeprefix("https://").partition("/")
    items, problem, _ = walk(
        {None: {"value": [1], "nextLink": f"https://{host}:443/{path}?{rest}"}, second: {"value": [2]}},
        url=url,
        same_path=True,
    )
    assert (items, problem) == ([1, 2], None)


def test_a_circle_of_pages_ends_as_a_failure_that_keeps_what_was_seen() -> None:
    a, b = f"{URL}&page=a", f"{URL}&page=b"
    items, problem, asked = walk(
        {None: {"value": [1], "nextLink": a}, a: {"value": [2], "nextLink": b}, b: {"value": [3], "nextLink": a}}
    )
    assert items == [1, 2, 3]
    assert problem is not None
    assert problem.code == "PagingLoop"
    assert asked == 3


def test_empty_pages_without_end_are_given_up() -> None:
    class Endless(dict[str | None, Any]):
        def __getitem__(self, link: str | None) -> Any:
            number = 0 if link is None else int(link.rsplit("=", 1)[1])
            return {"value": [], "nextLink": f"{URL}&page={number + 1}"}

    items, problem, asked = walk(Endless())
    assert items == []
    assert problem is not None
    assert problem.code == "EndlessPaging"
    assert asked == MAX_EMPTY_PAGES


@given(
    st.none()
    | st.booleans()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text().filter(lambda key: key != "value"), st.none())
    | st.just({"value": None})
    | st.just({"value": {}})
)
def test_an_answer_that_is_no_list_is_a_failure_and_never_an_empty_list(body: Any) -> None:
    _, problem, _ = walk({None: body})
    assert problem is not None
    assert problem.code == "UnexpectedAnswer"
