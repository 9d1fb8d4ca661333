"""Queries of Resource Graph: each can be paged, and each row finds its place or none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.collectors.management_groups import chain_of, nodes_above, parse
from kvaudit.collectors.resource_graph import (
    CUSTOM_ROLES_QUERY,
    PROOFS_QUERY,
    TABLES,
    shows_conditions,
    shows_objects,
    subscription_of_row,
)
from kvaudit.lab.kql import parse as parse_query
from kvaudit.model.hierarchy import HierarchyNode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
QUERIES = [table.query(table.routes) for table in TABLES] + [CUSTOM_ROLES_QUERY, PROOFS_QUERY]


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_is_ordered_projects_the_id_and_has_no_limit(query: str) -> None:
    assert not parse_query(query).limited
    assert query.endswith("| order by id asc")
    assert "| project id" in query


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_query_for_one_kind_asks_for_no_other(table: Any) -> None:
    for route in table.routes:
        query = table.query([route])
        assert route.where in query
        assert not any(other.where in query for other in table.routes if other is not route)


SUBSCRIPTION = "/subscriptions/33333333-3333-3333-3333-000000000001"


@pytest.mark.parametrize(
    ("row", "scope"),
    [
        ({"id": f"{SUBSCRIPTION}/x", "subscriptionId": "33333333-3333-3333-3333-000000000001"}, SUBSCRIPTION),
        ({"id": f"{SUBSCRIPTION.upper()}/x"}, SUBSCRIPTION),
        ({"id": f"{SUBSCRIPTION}/x", "subscriptionId": ""}, SUBSCRIPTION),
        ({"id": "/providers/Microsoft.Management/managementGroups/a/x", "subscriptionId": ""}, None),
        ({"id": "/subscriptions/"}, None),
        ({"id": 17, "subscriptionId": "a"}, None),
        (None, None),
    ],
)
def test_where_a_row_lies(row: Any, scope: str | None) -> None:
    assert subscription_of_row(row) == scope


def row(*names: Any) -> dict[str, Any]:
    chain = [{"name": name, "displayName": f"Group {name}"} for name in names]
    return {
        "id": SUBSCRIPTION,
        "name": "Payments",
        "subscriptionId": SUBSCRIPTION.rsplit("/", 1)[1],
        "properties": {"managementGroupAncestorsChain": chain},
    }


def test_a_subscriptions_row_tells_the_groups_above_it() -> None:
    prefix = "/providers/microsoft.management/managementgroups/"
    whole = row("Team", "Root")
    assert parse(whole, "x") == HierarchyNode(SUBSCRIPTION, f"{prefix}team", "Payments")
    assert nodes_above(whole) == (
        HierarchyNode(f"{prefix}team", f"{prefix}root", "Group Team"),
        HierarchyNode(f"{prefix}root", None, "Group Root"),
    )


@pytest.mark.parametrize("names", [("Team", None), ("Team", 17), ("a/b",), (" ",)])
def test_a_chain_that_cannot_be_read_in_full_is_none(names: tuple[Any, ...]) -> None:
    assert chain_of(row(*names)) == ()
    assert nodes_above(row(*names)) == ()


@given(JSON)
def test_any_json_is_borne(raw: Any) -> None:
    chain_of(raw)
    nodes_above(raw)
    subscription_of_row(raw)
    for table in TABLES:
        for route in table.routes:
            route.matches(raw)


def test_a_proof_is_a_row_that_shows_it_and_nothing_else() -> None:
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"
    on_object = {"id": "1", "properties": {"scope": f"{vault}/secrets/a", "condition": None}}
    conditioned = {"id": "2", "properties": {"scope": vault, "condition": "x"}}
    assert shows_objects([conditioned, on_object])
    assert not shows_objects([conditioned])
    assert shows_conditions([conditioned])
    assert not shows_conditions([on_object, {"id": "3"}, {"properties": {"condition": ""}}, None])
