"""Microsoft Graph of the lab: owners, credentials, permissions, consents, PIM for Groups, Entra roles."""

import json
from datetime import timedelta
from typing import Any

import pytest
from small_estate import APP, CALLER, FOREIGNER, caller, json_of, make_world, request

from kvaudit.lab import graph
from kvaudit.lab.graph_app_roles import APP_ROLES, GRAPH_APP_ID, app_roles
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

HOST = "graph.microsoft.com"
ALICE, BOB = ("77777777-7777-7777-7777-00000000000" + str(number) for number in (1, 2))
TEAM = "88888888-8888-8888-8888-000000000001"
REGISTRATION = "99999999-9999-9999-9999-000000000001"
GRAPH = "99999999-9999-9999-9999-000000000002"
ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
SOON, LATER = "2026-11-24T13:00:00Z", "2026-11-24T14:00:00Z"
PIM_GROUPS = "identityGovernance/privilegedAccess/group"
OF_TEAM = f"groupId eq '{TEAM}'"


def instance(name: str, who: str, access: str, start: str | None, end: str | None) -> dict[str, Any]:
    times = {"startDateTime": start, "endDateTime": end}
    return {"id": name, "groupId": TEAM, "principalId": who, "accessId": access, "memberType": "direct"} | times


def directory(*permissions: str) -> World:
    """A team that Alice and the caller's service principal own, for which Bob is eligible; an application; an administrator."""
    world = make_world()
    estate = world.estate
    for key, name in ((ALICE, "Alice"), (BOB, "Bob")):
        estate.users[key] = {"id": key, "displayName": name}
    estate.groups[TEAM] = {"id": TEAM, "displayName": "team", "securityEnabled": True}
    estate.members = {TEAM: []}
    estate.applications[REGISTRATION] = {"id": REGISTRATION, "appId": APP, "displayName": "app"}
    estate.service_principals[GRAPH] = {"id": GRAPH, "appId": GRAPH_APP_ID, "appRoles": app_roles()}
    estate.owners = {TEAM: [ALICE, CALLER], REGISTRATION: [BOB], CALLER: [ALICE]}
    estate.federated_credentials[REGISTRATION] = [{"id": "f", "name": "ci", "subject": "repo:contoso/app"}]
    permission = {"id": "p", "principalId": CALLER, "resourceId": GRAPH, "appRoleId": APP_ROLES["Group.Read.All"]}
    estate.app_role_assignments["p"] = permission
    consent = {"id": "c", "clientId": CALLER, "resourceId": GRAPH, "consentType": "AllPrincipals", "scope": "User.Read"}
    estate.oauth2_permission_grants["c"] = consent
    eligible = instance("e", BOB, "member", None, LATER)
    estate.group_eligibility_schedule_instances = {
        "e": eligible,
        "past": instance("past", BOB, "owner", None, "2026-01-01"),
    }
    estate.directory_role_definitions[ADMINISTRATOR] = {"id": ADMINISTRATOR, "displayName": "Global Administrator"}
    held = {"principalId": ALICE, "roleDefinitionId": ADMINISTRATOR, "directoryScopeId": "/"}
    estate.directory_role_assignments["a"] = held | {"id": "a"}
    estate.directory_role_eligibility_schedule_instances["r"] = held | {"id": "r", "principalId": BOB}
    if permissions != ("assigned",):
        estate.app_role_assignments["p"]["principalId"] = FOREIGNER
        estate.graph_permissions[CALLER] = frozenset(permissions)
    return world


def ask(world: World, path: str, version: str = "v1.0", **query: str) -> Response:
    sent = {f"${name}": value for name, value in query.items()}
    return graph.handle(world, request("GET", HOST, f"/{version}/{path}", caller(world, "graph"), None, sent))


def ids(response: Response) -> list[str]:
    return [item["id"] for item in json_of(response)["value"]]


def code(response: Response) -> tuple[int, str]:
    return response.status, json_of(response)["error"]["code"]


READS: list[tuple[str, dict[str, str], tuple[str, ...], list[str]]] = [
    (f"applications/{REGISTRATION}/owners", {}, ("Application.Read.All", "Directory.Read.All"), [BOB]),
    (f"applications(appId='{APP}')/owners", {}, ("Application.Read.All",), [BOB]),
    (f"servicePrincipals/{CALLER}/owners", {}, ("Application.Read.All",), [ALICE]),
    (f"servicePrincipals/{CALLER}/ownedObjects", {}, ("Application.Read.All",), [TEAM]),
    ("applications", {"select": "id,appId,displayName"}, ("Application.Read.All",), [REGISTRATION]),
    (f"applications/{REGISTRATION}/federatedIdentityCredentials", {}, ("Application.Read.All",), ["f"]),
    (f"servicePrincipals/{GRAPH}/appRoleAssignedTo", {}, ("Application.Read.All", "Directory.Read.All"), ["p"]),
    (f"servicePrincipals(appId='{GRAPH_APP_ID}')/appRoleAssignedTo", {}, ("Directory.Read.All",), ["p"]),
    (f"servicePrincipals/{FOREIGNER}/appRoleAssignments", {}, ("Nothing",), []),
    ("oauth2PermissionGrants", {"filter": f"resourceId eq '{GRAPH}'"}, ("DelegatedPermissionGrant.Read.All",), ["c"]),
    ("oauth2PermissionGrants", {"filter": f"resourceId eq '{CALLER}'"}, ("Directory.Read.All",), []),
    (f"servicePrincipals/{CALLER}/oauth2PermissionGrants", {}, ("Directory.Read.All",), ["c"]),
    ("servicePrincipals", {"filter": f"appId eq '{GRAPH_APP_ID}'"}, ("Application.Read.All",), [GRAPH]),
    ("roleManagement/directory/roleAssignments", {}, ("RoleManagement.Read.Directory", "Directory.Read.All"), ["a"]),
    ("roleManagement/directory/roleDefinitions", {}, ("RoleManagement.Read.Directory",), [ADMINISTRATOR]),
]


@pytest.mark.parametrize(("path", "query", "readers", "found"), READS)
def test_each_read_with_its_permission_and_without(
    path: str, query: dict[str, str], readers: tuple[str, ...], found: list[str]
) -> None:
    for reader in readers if readers != ("Nothing",) else ():
        assert ids(ask(directory(reader), path, **query)) == found
    assert code(ask(directory("Member.Read.Hidden"), path, **query)) == (403, "Authorization_RequestDenied")


PIM = [
    (
        f"{PIM_GROUPS}/eligibilityScheduleInstances",
        {"filter": OF_TEAM},
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        1,
    ),
    (
        f"{PIM_GROUPS}/assignmentScheduleInstances",
        {"filter": OF_TEAM},
        "PrivilegedAssignmentSchedule.Read.AzureADGroup",
        0,
    ),
    ("roleManagement/directory/roleEligibilityScheduleInstances", {}, "RoleEligibilitySchedule.Read.Directory", 1),
    ("roleManagement/directory/roleAssignmentScheduleInstances", {}, "RoleAssignmentSchedule.Read.Directory", 1),
]


@pytest.mark.parametrize(("path", "query", "reader", "count"), PIM)
def test_pim_refuses_in_its_own_words(path: str, query: dict[str, str], reader: str, count: int) -> None:
    assert len(ids(ask(directory(reader), path, **query))) == count
    refusal = ask(directory("Directory.Read.All"), path, **query)
    assert code(refusal) == (403, "UnknownError")
    inner = json.loads(json_of(refusal)["error"]["message"])
    assert inner["errorCode"] == "PermissionScopeNotGranted"
    assert reader in inner["message"]
    unlicensed = directory(reader)
    unlicensed.estate.premium = False
    assert code(ask(unlicensed, path, **query)) == (400, "AadPremiumLicenseRequired")


def test_pim_for_groups_needs_a_filter() -> None:
    world = directory("PrivilegedEligibilitySchedule.Read.AzureADGroup")
    path = f"{PIM_GROUPS}/eligibilityScheduleInstances"
    assert ask(world, path).status == 400
    assert ids(ask(world, path, filter=f"principalId eq '{BOB}' and accessId eq 'member'")) == ["e"]
    assert ids(ask(world, path, filter=f"groupId eq '{ALICE}'")) == []


def test_v1_leaves_service_principals_out_of_the_owners_of_groups() -> None:
    world = directory("Directory.Read.All")
    assert ids(ask(world, f"groups/{TEAM}/owners")) == [ALICE]
    assert ids(ask(world, f"groups/{TEAM}/owners", version="beta")) == [ALICE, CALLER]


def test_roles_and_principals_are_expanded_on_demand() -> None:
    world = directory("Directory.Read.All")
    path = "roleManagement/directory/roleAssignments"
    plain = json_of(ask(world, path))["value"][0]
    assert not {"roleDefinition", "principal"} & set(plain)
    full = json_of(ask(world, path, expand="roleDefinition,principal"))["value"][0]
    assert (full["roleDefinition"]["displayName"], full["principal"]["displayName"]) == (
        "Global Administrator",
        "Alice",
    )


def test_an_assigned_app_role_is_a_permission() -> None:
    assert ids(ask(directory("assigned"), "groups")) == [TEAM]


def test_an_activated_membership_shows_while_it_runs_and_an_eligible_one_never_does() -> None:
    world = directory("Directory.Read.All", "PrivilegedAssignmentSchedule.Read.AzureADGroup")
    active = instance("x", BOB, "member", SOON, LATER)
    world.estate.group_assignment_schedule_instances["x"] = active
    world.estate.group_assignment_schedule_instances["y"] = instance("y", BOB, "owner", SOON, LATER)

    def seen() -> tuple[list[str], list[str], list[str], int]:
        listed = ask(world, f"{PIM_GROUPS}/assignmentScheduleInstances", filter=OF_TEAM)
        members, owners = ask(world, f"groups/{TEAM}/members"), ask(world, f"groups/{TEAM}/owners")
        return ids(members), ids(owners), ids(ask(world, f"users/{BOB}/memberOf")), len(ids(listed))

    assert seen() == ([], [ALICE], [], 0)
    world.advance(timedelta(minutes=61))
    assert seen() == ([BOB], [ALICE, BOB], [TEAM], 2)
    world.advance(timedelta(minutes=60))
    assert seen() == ([], [ALICE], [], 0)


def test_everything_can_stand_in_a_batch() -> None:
    world = directory("Directory.Read.All")
    urls = [f"/{path}?$filter={query['filter']}" if "filter" in query else f"/{path}" for path, query, _, _ in READS]
    urls += [f"/{path}?$filter={OF_TEAM}" for path, query, _, _ in PIM if query]
    parts = [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(urls)]
    sent = request("POST", HOST, "/v1.0/$batch", caller(world, "graph"), {"requests": parts})
    answers = json_of(graph.handle(world, sent))["responses"]
    refused = {urls[int(answer["id"])] for answer in answers if answer["status"] == 403}
    assert {answer["status"] for answer in answers} == {200, 403, 404}
    assert refused == {url for url in urls if "federatedIdentityCredentials" in url or PIM_GROUPS in url}
