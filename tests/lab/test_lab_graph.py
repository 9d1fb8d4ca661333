"""Microsoft Graph of the lab: permissions, filters, pages, members, what the real one hides."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_estate import CALLER, FOREIGNER, TENANT, caller, json_of, make_world, request

from kvaudit.lab import graph
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

HOST = "graph.microsoft.com"
ALICE, BOB = ("77777777-7777-7777-7777-00000000000" + str(number) for number in (1, 2))
OUTER, INNER, HIDDEN = ("88888888-8888-8888-8888-00000000000" + str(number) for number in (1, 2, 3))
BOT = "99999999-9999-9999-9999-000000000001"
GONE = "99999999-9999-9999-9999-000000000002"


def directory(*permissions: str) -> World:
    """Outer holds Alice, the bot and inner; inner holds Bob, outer (a cycle) and a foreigner; hidden holds Bob."""
    world = make_world()
    estate = world.estate
    for key, name in ((ALICE, "Alice"), (BOB, "Bob O'Neil")):
        upn = f"{name.split()[0].casefold()}@contoso.example"
        estate.users[key] = {"id": key, "displayName": name, "userPrincipalName": upn, "accountEnabled": True}
    for key, name in ((OUTER, "outer"), (INNER, "inner"), (HIDDEN, "hidden")):
        estate.groups[key] = {"id": key, "displayName": name, "securityEnabled": True}
    estate.groups[HIDDEN]["visibility"] = "HiddenMembership"
    bot = {"id": BOT, "appId": "bot", "displayName": "bot", "servicePrincipalNames": ["bot", "https://bot.example"]}
    estate.service_principals[BOT] = bot | {"servicePrincipalType": "ManagedIdentity"}
    estate.members = {OUTER: [ALICE, BOT, INNER], INNER: [BOB, OUTER, FOREIGNER], HIDDEN: [BOB]}
    estate.owners = {OUTER: [ALICE]}
    estate.deleted_directory_objects[GONE] = {"id": GONE, "displayName": "gone", "servicePrincipalType": "Application"}
    estate.graph_permissions[CALLER] = frozenset(permissions)
    return world


def ask(world: World, path: str, body: Any = None, version: str = "v1.0", **query: str) -> Response:
    sent = {f"${name}": value for name, value in query.items()}
    method = "GET" if body is None else "POST"
    return graph.handle(world, request(method, HOST, f"/{version}/{path}", caller(world, "graph"), body, sent))


def ids(response: Response) -> list[str]:
    return [item["id"] for item in json_of(response)["value"]]


def code(response: Response) -> tuple[int, str]:
    return response.status, json_of(response)["error"]["code"]


READS = [
    ("users", "User.Read.All"),
    (f"users/{ALICE}", "User.Read.All"),
    ("groups", "Group.Read.All"),
    (f"groups/{OUTER}/members", "GroupMember.Read.All"),
    (f"groups/{OUTER}/owners", "GroupMember.Read.All"),
    ("servicePrincipals", "Application.Read.All"),
    ("servicePrincipals(appId='bot')", "Application.Read.All"),
    (f"servicePrincipals/{BOT}/transitiveMemberOf", "Application.Read.All"),
    (f"directory/deletedItems/{GONE}", "Application.Read.All"),
    ("organization", "Organization.Read.All"),
]


@pytest.mark.parametrize(("path", "permission"), READS)
def test_a_read_needs_its_permission(path: str, permission: str) -> None:
    assert ask(directory(permission), path).status == 200
    others = {other for _, other in READS} - {permission}
    if permission == "Application.Read.All" or "members" in path or "owners" in path:
        others -= {"Group.Read.All", "GroupMember.Read.All"}
    if path == "groups":
        others -= {"GroupMember.Read.All"}
    assert code(ask(directory(*others), path)) == (403, "Authorization_RequestDenied")


def test_a_caller_without_permission_does_not_learn_what_exists() -> None:
    world = directory("Organization.Read.All")
    absent = "77777777-7777-7777-7777-000000000099"
    for path in ("users/{}", "groups/{}/members", "servicePrincipals/{}", "directory/deletedItems/{}"):
        assert code(ask(world, path.format(absent)))[0] == 403
        assert code(ask(directory("Directory.Read.All"), path.format(absent))) == (404, "Request_ResourceNotFound")


def test_v1_leaves_service_principals_out_of_members_and_beta_does_not() -> None:
    world = directory("Directory.Read.All")
    assert ids(ask(world, f"groups/{OUTER}/members")) == [ALICE, INNER]
    assert ids(ask(world, f"groups/{OUTER}/members", version="beta")) == [ALICE, BOT, INNER]
    assert ids(ask(world, f"groups/{OUTER}/members/microsoft.graph.user")) == [ALICE]
    assert OUTER in ids(ask(world, f"servicePrincipals/{BOT}/transitiveMemberOf"))
    expanded = json_of(ask(world, f"groups/{OUTER}", expand="members"))["members"]
    assert [member["id"] for member in expanded] == [ALICE, BOT, INNER]


def test_nested_members_with_a_cycle_come_once_each() -> None:
    world = directory("Directory.Read.All")
    assert sorted(ids(ask(world, f"groups/{OUTER}/transitiveMembers"))) == sorted([ALICE, INNER, BOB])
    assert sorted(ids(ask(world, f"users/{BOB}/transitiveMemberOf"))) == sorted([INNER, OUTER])
    assert ids(ask(world, f"users/{BOB}/memberOf")) == [INNER]


def test_hidden_membership_needs_its_own_permission() -> None:
    world = directory("Directory.Read.All")
    assert code(ask(world, f"groups/{HIDDEN}/members")) == (403, "Authorization_RequestDenied")
    assert HIDDEN not in ids(ask(world, f"users/{BOB}/transitiveMemberOf"))
    world = directory("Directory.Read.All", "Member.Read.Hidden")
    assert ids(ask(world, f"groups/{HIDDEN}/members")) == [BOB]
    assert HIDDEN in ids(ask(world, f"users/{BOB}/transitiveMemberOf"))


def test_types_that_the_caller_may_not_read_come_with_an_id_and_nothing_else() -> None:
    world = directory("GroupMember.Read.All")
    user, group = json_of(ask(world, f"groups/{OUTER}/members"))["value"]
    assert user["id"] == ALICE
    assert user["displayName"] is None
    assert group["displayName"] == "inner"
    found = json_of(ask(world, "directoryObjects/getByIds", {"ids": [BOT, OUTER, GONE, FOREIGNER]}))["value"]
    assert [(item["id"], item["displayName"]) for item in found] == [(BOT, None), (OUTER, "outer")]


def test_get_by_ids_narrows_by_type_and_has_a_limit() -> None:
    world = directory("Directory.Read.All")
    body = {"ids": [ALICE, BOT, OUTER], "types": ["user", "servicePrincipal"]}
    assert ids(ask(world, "directoryObjects/getByIds", body)) == [ALICE, BOT]
    assert code(ask(world, "directoryObjects/getByIds", {"ids": [ALICE] * 1001})) == (400, "Request_BadRequest")
    assert code(ask(world, "directoryObjects/getByIds", {"ids": "x"})) == (400, "Request_BadRequest")


def test_member_groups() -> None:
    world = directory("Directory.Read.All")
    held = json_of(ask(world, f"users/{BOB}/getMemberGroups", {"securityEnabledOnly": True}))["value"]
    assert sorted(held) == sorted([INNER, OUTER])
    checked = ask(world, f"directoryObjects/{BOB}/checkMemberGroups", {"groupIds": [OUTER, HIDDEN]})
    assert json_of(checked)["value"] == [OUTER]
    assert ask(world, f"users/{BOB}/checkMemberGroups", {"groupIds": [OUTER] * 21}).status == 400


FILTERS = [
    ("users", "displayName eq 'bob o''neil'", [BOB]),
    ("users", f"id in ('{ALICE}', '{BOB}')", [ALICE, BOB]),
    ("users", "startswith(displayName,'al') or endswith(userPrincipalName, 'x')", [ALICE]),
    ("users", "not (displayName eq 'Alice') and accountEnabled eq true", [BOB]),
    ("users", "accountEnabled ne true", []),
    ("servicePrincipals", "servicePrincipalNames/any(c:c eq 'https://bot.example')", [BOT]),
    ("servicePrincipals", "servicePrincipalType eq 'ManagedIdentity' and appId eq 'bot'", [BOT]),
]


@pytest.mark.parametrize(("path", "text", "expected"), FILTERS)
def test_filters(path: str, text: str, expected: list[str]) -> None:
    assert ids(ask(directory("Directory.Read.All"), path, filter=text)) == expected


@given(st.text(max_size=30))
def test_any_filter_is_answered_or_refused(text: str) -> None:
    answer = ask(directory("Directory.Read.All"), "users", filter=text)
    assert answer.status == 200 or code(answer) == (400, "Request_UnsupportedQuery")


@given(count=st.integers(0, 25), top=st.integers(1, 12))
def test_pages_lose_nothing(count: int, top: int) -> None:
    world = directory("Directory.Read.All")
    world.estate.users = {str(number): {"id": str(number), "displayName": "x"} for number in range(count)}
    found: list[str] = []
    query = {"$top": str(top), "$select": "id"}
    while True:
        body = json_of(graph.handle(world, request("GET", HOST, "/v1.0/users", caller(world, "graph"), None, query)))
        assert len(body["value"]) <= top
        found += [item["id"] for item in body["value"]]
        if "@odata.nextLink" not in body:
            break
        query = dict(parse_qsl(urlsplit(body["@odata.nextLink"]).query))
    assert found == [str(number) for number in range(count)]


UNASKED = {"@odata.type", "id", "displayName", "userPrincipalName"}


def test_v1_tells_little_of_users_unless_asked_and_beta_all() -> None:
    world = directory("Directory.Read.All")
    world.estate.users[ALICE]["userType"] = "Guest"
    body = {"ids": [ALICE, OUTER, BOT]}
    for path, sent in (("directoryObjects/getByIds", body), (f"groups/{OUTER}/members", None), ("users", None)):
        told = json_of(ask(world, path, sent))["value"][0]
        assert set(told) - {"@odata.type"} == UNASKED - {"@odata.type"}
        assert json_of(ask(world, path, sent, version="beta"))["value"][0]["userType"] == "Guest"
        asked = json_of(ask(world, path, sent, select="id,userType,accountEnabled"))["value"][0]
        assert (asked["userType"], asked["accountEnabled"]) == ("Guest", True)
    group, bot = json_of(ask(world, "directoryObjects/getByIds", body))["value"][1:]
    assert group["securityEnabled"] is True
    assert bot["servicePrincipalType"] == "ManagedIdentity"


def test_properties_that_a_type_does_not_have_are_left_out_of_mixed_collections() -> None:
    names = "id,userPrincipalName,servicePrincipalType,isAssignableToRole"
    answer = ask(
        directory("Directory.Read.All"), "directoryObjects/getByIds", {"ids": [ALICE, OUTER, BOT]}, select=names
    )
    shown = [set(item) - {"@odata.type", "id"} for item in json_of(answer)["value"]]
    assert shown == [{"userPrincipalName"}, {"isAssignableToRole"}, {"servicePrincipalType"}]


def test_select_gives_what_was_asked_and_null_for_what_is_absent() -> None:
    answer = json_of(ask(directory("Directory.Read.All"), f"users/{ALICE}", select="displayName,mail"))
    del answer["@odata.context"]
    assert answer == {"displayName": "Alice", "mail": None}


def test_a_batch_answers_each_part_as_if_it_were_alone() -> None:
    world = directory("User.Read.All")
    parts = [
        {"id": "a", "method": "GET", "url": f"/users/{ALICE}?$select=id"},
        {"id": "b", "method": "GET", "url": "/groups"},
        {"id": "c", "method": "POST", "url": "directoryObjects/getByIds", "body": {"ids": [BOB]}},
    ]
    answers = json_of(ask(world, "$batch", {"requests": parts}))["responses"]
    assert [(answer["id"], answer["status"]) for answer in answers] == [("a", 200), ("b", 403), ("c", 200)]
    assert answers[2]["body"]["value"][0]["id"] == BOB
    json.dumps(answers)


@pytest.mark.parametrize(
    "requests",
    [
        [{"id": str(number), "method": "GET", "url": "/users"} for number in range(21)],
        [{"id": "a", "method": "GET", "url": "/users"}] * 2,
        ["nonsense"],
        None,
    ],
)
def test_a_batch_that_is_too_large_or_is_none(requests: Any) -> None:
    assert ask(directory("Directory.Read.All"), "$batch", {"requests": requests}).status == 400


def test_tokens_and_tenants() -> None:
    world = directory("Directory.Read.All")
    sent = request("GET", HOST, "/v1.0/users", None)
    assert code(graph.handle(world, sent)) == (401, "InvalidAuthenticationToken")
    wrong = request("GET", HOST, "/v1.0/users", caller(world, "vault"))
    assert code(graph.handle(world, wrong)) == (401, "InvalidAuthenticationToken")
    world.estate.graph_permissions[FOREIGNER] = frozenset({"Directory.Read.All"})
    foreign = request("GET", HOST, "/v1.0/servicePrincipals", caller(world, "graph", FOREIGNER))
    assert ids(graph.handle(world, foreign)) == [FOREIGNER]
    assert FOREIGNER not in ids(ask(world, "servicePrincipals"))
    assert json_of(ask(world, "organization"))["value"][0]["id"] == TENANT


def test_bodies_and_filters_that_are_none() -> None:
    world = directory("Directory.Read.All")
    assert ask(world, "users", filter="(" * 20_000).status == 400
    for path in ("/v1.0/$batch", "/v1.0/directoryObjects/getByIds"):
        sent = request("POST", HOST, path, caller(world, "graph"))
        sent.body = b"{"
        assert graph.handle(world, sent).status == 400


def test_nothing_can_be_written() -> None:
    world = directory("Directory.ReadWrite.All")
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        answer = graph.handle(world, request(method, HOST, f"/v1.0/groups/{OUTER}", caller(world, "graph"), {}))
        assert answer.status == 400
