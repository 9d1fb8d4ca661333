"""Resource Graph of the lab: queries, pages, scopes, and rows that only those see who may."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_estate import (
    FOREIGNER,
    ROLE,
    SUBSCRIPTION,
    allow_actions,
    caller,
    json_of,
    make_vault,
    make_world,
    request,
    vault_id,
)

from kvaudit.lab import resource_graph
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Response
from kvaudit.lab.kql import KqlError, parse
from kvaudit.lab.world import World

SUB = f"/subscriptions/{SUBSCRIPTION}"
ROOT_GROUP = "/providers/Microsoft.Management/managementGroups/root"
READ = "Microsoft.KeyVault/vaults/read"
ASSIGNMENTS = (
    "authorizationresources | where type =~ 'Microsoft.Authorization/roleAssignments' | project id, properties.scope"
)


def ask(
    world: World, query: str, version: str = "2024-04-01", options: dict[str, Any] | None = None, **body: Any
) -> Response:
    sent = {"query": query, "options": options or {}} | body
    path = "/providers/Microsoft.ResourceGraph/resources"
    who = caller(world, "arm")
    return resource_graph.handle(
        world, request("POST", "management.azure.com", path, who, sent, {"api-version": version})
    )


def rows(response: Response) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = json_of(response)["data"]
    return data


def reader(**extra: Any) -> World:
    """A caller who reads vaults, and whatever else is named, in the subscription."""
    world = make_world()
    allow_actions(world, actions=(READ, *extra.get("actions", ())), scope=SUB)
    world.estate.management_groups = {
        "root": {"id": ROOT_GROUP, "name": "root", "displayName": "Root", "parent": None},
    }
    world.estate.subscription_parent[SUBSCRIPTION] = "root"
    return world


QUERIES = [
    (
        "resources | where type =~ 'Microsoft.KeyVault/vaults' | project name | order by name asc",
        ["kv-policies", "kv-rbac"],
    ),
    (
        "Resources | where type == 'microsoft.keyvault/vaults' and properties.enableRbacAuthorization == true",
        ["kv-rbac"],
    ),
    (
        "where isnull(properties.enableRbacAuthorization) or properties.enableRbacAuthorization == false",
        ["kv-policies"],
    ),
    ("resources | where name in~ ('KV-RBAC', 'x') | extend a = tolower(id) | where a endswith '/kv-rbac'", ["kv-rbac"]),
    ("resources | where name !in ('kv-rbac') and not(name startswith 'z')", ["kv-policies"]),
    ("resources | where tostring(properties['enableRbacAuthorization']) =~ 'TRUE' | project name=name", ["kv-rbac"]),
    ('resources // a remark\n| where name contains "POLIC"\n| take 5', ["kv-policies"]),
    ("resources | distinct name | sort by name desc", ["kv-rbac", "kv-policies"]),
    ("resources | where name !contains 'POLIC' | project-keep id, name", ["kv-rbac"]),
    ("resources | where name has_any ('policies', 'x') | project-rename other = type", ["kv-policies"]),
    ("resources | top 1 by name asc", ["kv-policies"]),
    ("resources | where case(name == 'x', 1, name startswith 'kv-r', 2, 3) == 2 and strlen(name) == 7", ["kv-rbac"]),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_queries(query: str, expected: list[str]) -> None:
    found = [row["name"] for row in rows(ask(reader(), query))]
    assert (found if "by" in query else sorted(found)) == expected


def test_counts_and_projected_paths() -> None:
    world = reader()
    assert rows(ask(world, "resources | count")) == [{"Count": 2}]
    assert rows(ask(world, "resources | summarize n=count() by type")) == [
        {"type": "microsoft.keyvault/vaults", "n": 2}
    ]
    assert rows(ask(world, "resources | where name == 'x' | summarize count()")) == [{"count_": 0}]
    (row,) = rows(ask(world, "resources | where name == 'kv-rbac' | project properties.vaultUri, subscriptionId"))
    assert row == {"properties_vaultUri": "https://kv-rbac.vault.azure.net/", "subscriptionId": SUBSCRIPTION}


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("", "<EOF>"),
        ("nosuchtable | count", "nosuchtable"),
        ("resources | join kind=inner (resources) on id", "join"),
        ("resources | where", "<EOF>"),
        ("resources | where type =~ ", "<EOF>"),
        ("resources |", "<EOF>"),
        ("resources | where f(name)", "f"),
        ("resources | where name == 'open", "'"),
        ("resources | where " + "(" * 20_000, "("),
    ],
)
def test_what_is_not_known_is_refused_as_the_service_refuses_it(query: str, token: str) -> None:
    answer = ask(reader(), query)
    assert answer.status == 400
    error = json_of(answer)["error"]
    assert error["code"] == "BadRequest"
    assert [detail["code"] for detail in error["details"]] == ["InvalidQuery", "ParserFailure"]
    assert error["details"][1]["token"] == token


@given(st.text(max_size=40), st.text(alphabet="|()='\" abwhere.,[]!~0", max_size=40))
def test_any_query_is_answered_or_refused(text: str, noise: str) -> None:
    for query in (text, "resources | where " + noise, "resources | project " + noise):
        with suppress(KqlError):
            parse(query).run([{"id": "a", "b": {"c": [1]}}])


@given(count=st.integers(0, 30), top=st.integers(1, 12))
def test_pages_lose_nothing_and_repeat_nothing(count: int, top: int) -> None:
    world = reader()
    world.estate.vaults = {fold(vault_id(f"kv-{number:03}")): make_vault(f"kv-{number:03}") for number in range(count)}
    found: list[str] = []
    options: dict[str, Any] = {"$top": top}
    requests = 0
    while True:
        body = json_of(ask(world, "resources | project id, name | order by id asc", options=options))
        requests += 1
        assert body["totalRecords"] == count
        assert body["count"] == len(body["data"]) <= top
        assert body["resultTruncated"] == "false"
        found += [row["name"] for row in body["data"]]
        if "$skipToken" not in body:
            break
        options["$skipToken"] = body["$skipToken"]
    assert found == [f"kv-{number:03}" for number in range(count)]
    assert requests == max(1, -(-count // top))


@pytest.mark.parametrize("query", ["resources | project name", "resources | project id | limit 2"])
def test_a_query_that_cannot_page_is_cut_off_and_says_so(query: str) -> None:
    body = json_of(ask(reader(), query, options={"$top": 1}))
    assert body["resultTruncated"] == "true"
    assert "$skipToken" not in body


@pytest.mark.parametrize(
    "options",
    [{"$top": 1001}, {"$top": 0}, {"$skip": "x"}, {"$skipToken": "x"}, {"authorizationScopeFilter": "Sideways"}],
)
def test_bad_options(options: dict[str, Any]) -> None:
    assert ask(reader(), "resources", options=options).status == 400


def test_rows_that_the_caller_may_not_read_are_left_out_silently() -> None:
    world = make_world()
    allow_actions(world, actions=(READ,))
    assert [row["name"] for row in rows(ask(world, "resources"))] == ["kv-rbac"]
    assert rows(ask(world, "authorizationresources | where type =~ 'microsoft.authorization/roleassignments'")) == []
    assert rows(ask(make_world(), "resources")) == []


def test_subscriptions_of_the_request() -> None:
    world = reader()
    assert len(rows(ask(world, "resources", subscriptions=[SUBSCRIPTION]))) == 2
    assert len(rows(ask(world, "resources", managementGroups=["root"]))) == 2
    assert rows(ask(world, "resources", managementGroups=["elsewhere"])) == []
    refused = ask(world, "resources", subscriptions=["33333333-3333-3333-3333-000000000009"])
    assert json_of(refused)["error"]["details"][0]["code"] == "NoValidSubscriptionsInQueryRequest"


@pytest.mark.parametrize(
    ("scope_filter", "version", "expected"),
    [
        (None, "2024-04-01", {SUB, vault_id("kv-rbac")}),
        ("AtScopeAndBelow", "2024-04-01", {SUB, vault_id("kv-rbac")}),
        ("AtScopeAboveAndBelow", "2024-04-01", {"/", ROOT_GROUP, SUB, vault_id("kv-rbac")}),
        ("AtScopeAndAbove", "2024-04-01", {"/", ROOT_GROUP, SUB}),
        ("AtScopeExact", "2024-04-01", {SUB}),
        ("AtScopeAboveAndBelow", "2021-03-01", {SUB, vault_id("kv-rbac")}),
    ],
)
def test_inherited_grants_need_the_scope_filter(scope_filter: str | None, version: str, expected: set[str]) -> None:
    world = reader(actions=["Microsoft.Authorization/roleAssignments/read"])
    for scope in ("/", ROOT_GROUP, vault_id("kv-rbac"), vault_id("kv-rbac") + "/secrets/db"):
        allow_actions(world, scope=scope)
    options = {"authorizationScopeFilter": scope_filter} if scope_filter else {}
    found = rows(ask(world, ASSIGNMENTS, version, options, subscriptions=[SUBSCRIPTION]))
    assert {row["properties_scope"] for row in found} == expected


def test_containers_tell_the_management_groups_above() -> None:
    world = reader(
        actions=["Microsoft.Resources/subscriptions/read", "Microsoft.Resources/subscriptions/resourceGroups/read"]
    )
    group = f"{SUB}/resourceGroups/rg-tests"
    world.estate.resource_groups[fold(group)] = {"id": group, "name": "rg-tests", "location": "westeurope"}
    found = {row["type"]: row for row in rows(ask(world, "resourcecontainers"))}
    assert set(found) == {"microsoft.resources/subscriptions", "microsoft.resources/subscriptions/resourcegroups"}
    chain = found["microsoft.resources/subscriptions"]["properties"]["managementGroupAncestorsChain"]
    assert chain == [{"name": "root", "displayName": "Root"}]
    allow_actions(world, actions=("Microsoft.Management/managementGroups/read",), scope=ROOT_GROUP)
    assert len(rows(ask(world, "resourcecontainers"))) == 3


def test_delegations_are_assignments_and_definitions() -> None:
    world = reader(actions=["Microsoft.ManagedServices/registrationAssignments/read"])
    base = f"{SUB}/resourceGroups/rg-tests/providers/Microsoft.ManagedServices"
    definition = {"id": f"{base}/registrationDefinitions/d", "name": "d", "properties": {"managedByTenantId": "t"}}
    raw = {"id": f"{base}/registrationAssignments/a", "name": "a", "properties": {"registrationDefinition": definition}}
    world.estate.delegations[fold(str(raw["id"]))] = raw
    kinds = "managedserviceresources | project id, type, properties"
    assert rows(ask(world, kinds)) == [
        {"id": raw["id"], "type": "microsoft.managedservices/registrationassignments", "properties": {}}
    ]
    allow_actions(world, actions=("Microsoft.ManagedServices/registrationDefinitions/read",), scope=SUB)
    assert len(rows(ask(world, kinds))) == 2
    assert rows(ask(reader(), kinds)) == []


def test_every_resource_with_an_identity_and_classic_administrators() -> None:
    world = reader(actions=["*/read"])
    machine = f"{SUB}/resourceGroups/rg-tests/providers/Microsoft.Compute/virtualMachines/vm"
    identity = {"type": "SystemAssigned", "principalId": "p"}
    world.estate.other_resources[fold(machine)] = {
        "id": machine,
        "name": "vm",
        "type": "Microsoft.Compute/virtualMachines",
        "identity": identity,
    }
    world.estate.classic_administrators[SUBSCRIPTION] = [{"id": "c", "name": "c", "properties": {}}]
    (row,) = rows(ask(world, "resources | where isnotnull(identity) | project id, identity, subscriptionId"))
    assert row == {"id": machine, "identity": identity, "subscriptionId": SUBSCRIPTION}
    classic = "authorizationresources | where type =~ 'Microsoft.Authorization/classicAdministrators' | project id"
    assert rows(ask(world, classic)) == [{"id": "c"}]


def test_rows_above_are_repeated_by_every_batch_of_subscriptions() -> None:
    world = reader(actions=["*/read"])
    second = "33333333-3333-3333-3333-444444444444"
    world.estate.subscriptions[second] = world.estate.subscriptions[SUBSCRIPTION] | {"subscriptionId": second}
    world.estate.subscription_parent[second] = "root"
    allow_actions(world, actions=("*/read",), scope=ROOT_GROUP)
    options = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}
    batches = [rows(ask(world, ASSIGNMENTS, options=options, subscriptions=[item])) for item in (SUBSCRIPTION, second)]
    assert [ROOT_GROUP in {row["properties_scope"] for row in batch} for batch in batches] == [True, True]
    together = rows(ask(world, ASSIGNMENTS, options=options, subscriptions=[SUBSCRIPTION, second]))
    assert len({row["id"] for row in together}) == len(together)


def test_role_definitions_carry_their_blocks() -> None:
    (row,) = rows(ask(reader(), "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions'"))
    assert row["name"] == f"{ROLE[:-4]}0001"
    assert row["properties"]["permissions"][0]["actions"] == [READ]


def test_quota_headers_and_tokens() -> None:
    world = reader()
    assert ask(world, "resources").headers["x-ms-user-quota-remaining"].isdigit()
    sent = request(
        "POST", "management.azure.com", "/providers/Microsoft.ResourceGraph/resources", None, {"query": "resources"}
    )
    assert resource_graph.handle(world, sent).status == 401
    sent.caller, sent.query = caller(world, "arm", FOREIGNER), {"api-version": "2024-04-01"}
    assert rows(resource_graph.handle(world, sent)) == []
