"""Resource Graph's rows: all of them or a failure, from the lab and from answers that it could give."""

import asyncio
from typing import Any

import pytest
from reading_the_lab import items_of, reading

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.resource_graph import follow_rows
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.faults import Fault

QUERY = "resources | where type =~ 'microsoft.keyvault/vaults' | project id, name, subscriptionId | order by id asc"


def rows_of(lab: Lab, query: str = QUERY) -> list[Any]:
    async def read(azure: Azure) -> list[Any]:
        return await items_of(azure.resource_graph_rows(query, list(lab.world.estate.subscriptions)))

    return reading(lab, read)


def test_every_row_comes_once_in_pages_of_a_thousand() -> None:
    with start(generate(1, Size(vaults=2100, subscriptions=3, secrets=0, keys=0, certificates=0))) as lab:
        rows = rows_of(lab)
        assert {row["id"].casefold() for row in rows} == set(lab.world.estate.vaults)
        assert len(rows) == 2100
        assert sum("ResourceGraph" in entry.path for entry in lab.journal) == 3


def test_a_query_whose_pages_cannot_be_followed_is_a_failure() -> None:
    with start(generate(1, Size(vaults=1100, secrets=0, keys=0, certificates=0))) as lab:
        with pytest.raises(ReadFailure) as caught:
            rows_of(lab, "resources | project name | order by name asc")
        assert caught.value.code == "ResultTruncated"


def test_a_query_that_is_refused_for_its_quota_waits_for_it_and_is_asked_again(contoso: Lab) -> None:
    clean = rows_of(contoso)
    headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:01"}
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path="ResourceGraph", status=429, headers=headers, times=2))
        assert rows_of(lab) == clean
        assert [entry.status for entry in lab.journal if "ResourceGraph" in entry.path] == [429, 429, 200]


ROW = {"id": "/subscriptions/x"}


@pytest.mark.parametrize(
    ("pages", "headers", "code"),
    [
        ([{"data": [ROW], "resultTruncated": "true", "totalRecords": 2}], {}, "ResultTruncated"),
        ([{"data": [ROW], "resultTruncated": "false", "totalRecords": 2}], {}, "ResultTruncated"),
        ([{"data": [ROW], "totalRecords": 1}], {"x-ms-tenant-subscription-limit-hit": "true"}, "ResultTruncated"),
        (  # a row of the first page was deleted meanwhile, so that one moved from the second page to the first
            [{"data": [ROW, ROW], "$skipToken": "a", "totalRecords": 4}, {"data": [ROW], "totalRecords": 3}],
            {},
            "ResultTruncated",
        ),
        ([{"data": [ROW], "$skipToken": "a", "totalRecords": 2}, {"data": []}], {}, "ResultTruncated"),
        ([{"data": [ROW], "$skipToken": "a"}, {"data": [ROW], "$skipToken": "a"}], {}, "PagingLoop"),
        ([{"data": [ROW], "$skipToken": 17}], {}, "PagingLoop"),
        ([{"data": None}], {}, "UnexpectedAnswer"),
        ([{}], {}, "UnexpectedAnswer"),
        ([[]], {}, "UnexpectedAnswer"),
    ],
)
def test_rows_that_are_missing_are_a_failure(pages: list[Any], headers: dict[str, str], code: str) -> None:
    waiting = iter(pages)

    async def fetch(token: str | None) -> tuple[Any, dict[str, str]]:
        return next(waiting), headers

    async def run() -> None:
        async for _ in follow_rows(fetch):
            pass

    with pytest.raises(ReadFailure) as caught:
        asyncio.run(run())
    assert caught.value.code == code
