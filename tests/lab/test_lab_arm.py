"""The control plane of the lab: who is let in, pages, filters, api-versions and grants."""

import uuid
from datetime import timedelta

import pytest
from arm_calls import (
    ALICE,
    AUTHORIZATION,
    HOST,
    NEW,
    NOW,
    PAYMENTS,
    SECRETS_USER,
    VAULT,
    WEB,
    call,
    names,
    sample_world,
)
from small_estate import error_of, json_of, request

from kvaudit.lab import arm, load_estate
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Response
from kvaudit.lab.world import World


@pytest.fixture
def world() -> World:
    return sample_world()


def test_tokens_are_checked_before_anything() -> None:
    world = World(load_estate("contoso"), clock=lambda: NOW)
    asked = {"api-version": "2026-02-01"}
    owner = world.caller_for(world.estate.identities["owner"].object_id)
    assert error_of(arm.handle(world, request("GET", HOST, VAULT, None, query=asked)))[:2] == (
        401,
        "AuthenticationFailed",
    )
    wrong = world.caller_for(owner.object_id, audience="https://vault.azure.net")
    answer = arm.handle(world, request("GET", HOST, VAULT, wrong, query=asked))
    assert error_of(answer)[:2] == (401, "InvalidAuthenticationTokenAudience")
    foreign = world.caller_for(world.estate.identities["fabrikam"].object_id)
    answer = arm.handle(world, request("GET", HOST, VAULT, foreign, query=asked))
    assert error_of(answer)[:2] == (401, "InvalidAuthenticationTokenTenant")
    assert error_of(arm.handle(world, request("GET", HOST, VAULT, owner)))[:2] == (400, "MissingApiVersionParameter")
    world.advance(timedelta(hours=2))
    answer = arm.handle(world, request("GET", HOST, VAULT, owner, query=asked))
    assert error_of(answer)[:2] == (401, "ExpiredAuthenticationToken")


def test_whoever_may_not_read_is_told_so(world: World) -> None:
    answer = call(world, "GET", f"{PAYMENTS}/providers/Microsoft.KeyVault/vaults", who="nobody")
    assert error_of(answer)[:2] == (403, "AuthorizationFailed")
    message = json_of(answer)["error"]["message"]
    assert "'Microsoft.KeyVault/vaults/read'" in message
    assert world.estate.identities["nobody"].object_id in message
    assert json_of(call(world, "GET", "/subscriptions", who="nobody"))["value"] == []


def test_a_subscription_can_be_seen_and_not_read(world: World) -> None:
    mergers = "33333333-3333-3333-3333-000000000005"
    seen = json_of(call(world, "GET", "/subscriptions", who="auditor"))["value"]
    assert mergers in [item["subscriptionId"] for item in seen]
    for tail in ("/providers/Microsoft.KeyVault/vaults", f"{AUTHORIZATION}/roleAssignments"):
        answer = call(world, "GET", f"/subscriptions/{mergers}{tail}", who="auditor")
        assert error_of(answer)[:2] == (403, "AuthorizationFailed"), tail


@pytest.mark.parametrize("size", [1, 3, 20])
@pytest.mark.parametrize("empty", [False, True])
def test_pages_hold_every_vault_once(world: World, size: int, empty: bool) -> None:
    from urllib.parse import parse_qsl, urlsplit

    world.page_size, world.estate.paging["empty_pages"] = size, empty
    path = f"{WEB}/providers/Microsoft.KeyVault/vaults"
    response = call(world, "GET", path)
    found, pages = [], 0
    while True:
        found += names(response)
        pages += 1
        link = json_of(response).get("nextLink")
        if link is None:
            break
        parts = urlsplit(link)
        assert parts.netloc == HOST
        owner = world.caller_for(world.estate.identities["owner"].object_id)
        response = arm.handle(world, request("GET", HOST, parts.path, owner, query=dict(parse_qsl(parts.query))))
    expected = sorted(raw["name"] for key, raw in world.estate.vaults.items() if key.startswith(WEB))
    assert sorted(found) == expected
    assert pages == -(-len(expected) // size) + empty


def test_a_page_token_that_was_made_up_is_refused(world: World) -> None:
    answer = call(world, "GET", f"{WEB}/providers/Microsoft.KeyVault/vaults", skiptoken="made-up")
    assert error_of(answer)[:2] == (400, "InvalidSkipToken")


def test_the_generic_list_has_no_properties(world: World) -> None:
    answer = call(
        world, "GET", f"{WEB}/resources", filter="resourceType eq 'Microsoft.KeyVault/vaults'", version="2015-11-01"
    )
    items = json_of(answer)["value"]
    assert items
    assert not [item for item in items if "properties" in item]


def scopes(response: Response) -> set[str]:
    assert response.status == 200, response
    return {item["properties"]["scope"] for item in json_of(response)["value"]}


def test_role_assignments_at_above_and_below(world: World) -> None:
    world.page_size = 500
    path = f"{PAYMENTS}{AUTHORIZATION}/roleAssignments"
    everything, above = scopes(call(world, "GET", path)), scopes(call(world, "GET", path, filter="atScope()"))
    assert "/" in above
    assert above < everything
    assert {scope for scope in everything if scope.startswith(PAYMENTS + "/")} == everything - above
    assert any("/secrets/" in scope for scope in everything)
    assert not any(scope.startswith(WEB) for scope in everything)
    carol = "44444444-4444-4444-4444-000000000003"
    named = json_of(call(world, "GET", path, filter=f"principalId eq '{carol}'"))["value"]
    assert {item["properties"]["principalId"] for item in named} == {carol}
    held = json_of(call(world, "GET", path, filter=f"assignedTo('{carol}')"))["value"]
    groups = {"55555555-5555-5555-5555-000000000001"}
    assert {item["properties"]["principalId"] for item in held} == {carol} | groups
    both = json_of(call(world, "GET", path, filter=f"atScope() and assignedTo('{ALICE}')"))["value"]
    assert [item["properties"]["scope"] for item in both] == ["/"]
    assert error_of(call(world, "GET", path, filter="roleName eq 'x' or 1"))[:2] == (400, "UnsupportedQuery")


def test_all_published_roles_and_the_custom_ones_that_are_assignable(world: World) -> None:
    here = set(names(call(world, "GET", f"{PAYMENTS}{AUTHORIZATION}/roleDefinitions")))
    assert len(here) == 929
    custom = names(call(world, "GET", f"{WEB}{AUTHORIZATION}/roleDefinitions", filter="type eq 'CustomRole'"))
    assert custom == []


def test_old_versions_hide_conditions_of_roles_and_effects_of_denies(world: World) -> None:
    path = f"{PAYMENTS}{AUTHORIZATION}/roleDefinitions/8b54135c-b56d-4d72-a534-26097cfdc8d8"
    assert (
        "condition" in json_of(call(world, "GET", path, version="2022-05-01-preview"))["properties"]["permissions"][0]
    )
    assert "condition" not in json_of(call(world, "GET", path, version="2022-04-01"))["properties"]["permissions"][0]
    path = "/subscriptions/33333333-3333-3333-3333-000000000003" + AUTHORIZATION + "/denyAssignments"
    new, old = (json_of(call(world, "GET", path, version=v))["value"] for v in ("2024-07-01-preview", "2022-04-01"))
    assert [item["properties"]["denyAssignmentEffect"] for item in new] == ["audit"]
    assert "denyAssignmentEffect" not in old[0]["properties"]
    assert call(world, "GET", new[0]["id"]).status == 200


def test_permissions_say_what_the_caller_holds(world: World) -> None:
    path = f"{VAULT}{AUTHORIZATION}/permissions"
    assert json_of(call(world, "GET", path, who="auditor"))["value"][0]["actions"] == ["*/read"]
    assert error_of(call(world, "GET", path, who="nobody"))[0] == 403


def test_instances_end_and_their_assignments_with_them(world: World) -> None:
    path = f"{VAULT}{AUTHORIZATION}"
    carol = "principalId eq '44444444-4444-4444-4444-000000000003'"
    assert len(json_of(call(world, "GET", f"{path}/roleAssignmentScheduleInstances", filter=carol))["value"]) == 1
    assert len(json_of(call(world, "GET", f"{path}/roleAssignments", filter=carol))["value"]) == 1
    assert len(json_of(call(world, "GET", f"{path}/roleEligibilityScheduleInstances"))["value"]) == 2
    world.advance(timedelta(days=365 * 20))
    for collection in ("roleAssignmentScheduleInstances", "roleAssignments"):
        assert json_of(call(world, "GET", f"{path}/{collection}", filter=carol))["value"] == [], collection


def test_descendants_name_their_parents(world: World) -> None:
    root = "11111111-1111-1111-1111-111111111111"
    rows = json_of(call(world, "GET", f"/providers/Microsoft.Management/managementGroups/{root}/descendants"))["value"]
    parents = {row["name"]: row["properties"]["parent"]["id"].rsplit("/", 1)[-1] for row in rows}
    assert parents["contoso-sandbox"] == "contoso-landing-zones"
    assert parents["33333333-3333-3333-3333-000000000004"] == "contoso-sandbox"
    assert "33333333-3333-3333-3333-000000000005" not in parents


def assignment(
    world: World, principal: str = ALICE, role: str = SECRETS_USER, *, name: str = "", who: str = "owner"
) -> Response:
    path = f"{VAULT}{AUTHORIZATION}/roleAssignments/{name or uuid.uuid4()}"
    properties = {"roleDefinitionId": f"{PAYMENTS}{AUTHORIZATION}/roleDefinitions/{role}", "principalId": principal}
    return call(world, "PUT", path, {"properties": properties}, who=who, version="2022-04-01")


def test_role_assignments_are_made_once(world: World) -> None:
    made = assignment(world)
    assert made.status == 201
    assert json_of(made)["properties"]["principalType"] == "User"
    assert error_of(assignment(world))[:2] == (409, "RoleAssignmentExists")
    again = json_of(made)["name"]
    assert assignment(world, name=again).status == 200
    nobody, other = "99999999-9999-9999-9999-999999999999", "44444444-4444-4444-4444-000000000002"
    assert error_of(assignment(world, other, name=again))[:2] == (400, "RoleAssignmentUpdateNotPermitted")
    assert error_of(assignment(world, nobody))[:2] == (400, "PrincipalNotFound")
    assert error_of(assignment(world, role=nobody))[:2] == (400, "RoleDefinitionDoesNotExist")
    assert error_of(assignment(world, who="auditor"))[:2] == (403, "AuthorizationFailed")
    path = json_of(made)["id"]
    assert call(world, "DELETE", path, version="2022-04-01").status == 200
    assert call(world, "DELETE", path, version="2022-04-01").status == 204


def test_a_grant_takes_effect_and_ends_after_the_propagation_delay(world: World) -> None:
    from kvaudit.lab.evaluator import decide_data

    world.propagation = timedelta(minutes=5)

    def reads() -> bool:
        caller = world.caller_for(ALICE, audience="https://vault.azure.net")
        return decide_data(world, caller, "secrets/backup", world.estate.vaults[fold(VAULT)]).allowed

    officer = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    made = assignment(world, role=officer)
    assert not reads()
    world.advance(timedelta(minutes=5))
    assert reads()
    assert call(world, "DELETE", json_of(made)["id"], version="2022-04-01").status == 200
    assert reads()
    world.advance(timedelta(minutes=5))
    assert not reads()


def test_a_deny_on_the_control_plane_is_named(world: World) -> None:
    """`protect-card-keys` takes vaults/write on the vault from everybody but the platform owner."""
    prod = VAULT.replace("-test", "-prod")
    bob = world.estate.identities["backup-service"].object_id
    key = f"{prod}{AUTHORIZATION}/roleAssignments/x"
    world.estate.role_assignments[fold(key)] = {
        "id": key,
        "name": "x",
        "properties": {
            "scope": prod,
            "principalId": bob,
            "roleDefinitionId": "/x/b24988ac-6180-42a0-ab88-20f7382dd24c",
        },
    }
    answer = call(world, "PATCH", prod, {"tags": {}}, who="backup-service")
    assert error_of(answer)[:2] == (403, "DenyAssignmentAuthorizationFailed")
    assert call(world, "PATCH", prod, {"tags": {"a": "b"}}).status == 200


def test_what_stands_below_a_vault(world: World) -> None:
    prod = VAULT.replace("-test", "-prod")
    secrets = json_of(call(world, "GET", f"{prod}/secrets", who="auditor"))["value"]
    assert {item["name"] for item in secrets} == {"db-password", "stripe-api-key", "old-token", "payments-tls"}
    assert "kvaudit-planted" not in repr(secrets)
    assert len(json_of(call(world, "GET", f"{prod}/privateEndpointConnections"))["value"]) == 1
    settings = json_of(
        call(world, "GET", f"{prod}/providers/Microsoft.Insights/diagnosticSettings", version="2021-05-01-preview")
    )
    assert [item["name"] for item in settings["value"]] == ["log-security"]
    assert error_of(call(world, "GET", f"{NEW}/secrets"))[:2] == (404, "ResourceNotFound")


def test_unknown_routes_methods_and_subscriptions(world: World) -> None:
    assert error_of(call(world, "GET", "/nothing"))[:2] == (404, "NotFound")
    assert error_of(call(world, "POST", VAULT))[:2] == (405, "MethodNotAllowed")
    gone = "/subscriptions/33333333-3333-3333-3333-999999999999/providers/Microsoft.KeyVault/vaults"
    assert error_of(call(world, "GET", gone))[:2] == (404, "SubscriptionNotFound")
