"""The control plane of the lab: who is let in, pages, filters, api-versions, and writes that change the world."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from small_estate import error_of, json_of, request

from kvaudit.lab import arm, load_estate
from kvaudit.lab.estate import fold
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOST = "management.azure.com"
PAYMENTS, WEB = (
    "/subscriptions/33333333-3333-3333-3333-000000000001",
    "/subscriptions/33333333-3333-3333-3333-000000000002",
)
VAULT = f"{PAYMENTS}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-payments-test"
POLICY_VAULT = f"{WEB}/resourceGroups/rg-web/providers/Microsoft.KeyVault/vaults/kv-web-test"
NEW = f"{PAYMENTS}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-brand-new"
AUTHORIZATION = "/providers/Microsoft.Authorization"
VERSIONS = {
    "roleassignments": "2022-04-01",
    "roledefinitions": "2022-05-01-preview",
    "denyassignments": "2024-07-01-preview",
    "permissions": "2022-05-01-preview",
}
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
ALICE = "44444444-4444-4444-4444-000000000001"


@pytest.fixture
def world() -> World:
    estate = load_estate("contoso")
    return World(estate, clock=lambda: NOW, page_size=20)


def call(
    world: World, method: str, path: str, body: Any = None, *, who: str = "owner", version: str = "", **query: str
) -> Response:
    identity = world.estate.identities[who]
    caller = world.caller_for(identity.object_id)
    kind = path.rstrip("/").rsplit("/", 1)[-1].casefold()
    asked = {"api-version": version or VERSIONS.get(kind, "2026-02-01")}
    asked |= {f"${name}": value for name, value in query.items()}
    return arm.handle(world, request(method, HOST, path, caller, body, asked))


def names(response: Response) -> list[str]:
    assert response.status == 200, response
    return [item["name"] for item in json_of(response)["value"]]


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


def body(**properties: Any) -> dict[str, Any]:
    given = {
        "tenantId": "11111111-1111-1111-1111-111111111111",
        "sku": {"family": "A", "name": "standard"},
    } | properties
    return {"location": "westeurope", "properties": given}


def flag(world: World, vault: str) -> Any:
    return world.estate.vaults[fold(vault)]["properties"].get("enableRbacAuthorization", "absent")


@pytest.mark.parametrize(
    ("version", "given", "stored"),
    [
        ("2023-07-01", {}, "absent"),
        ("2025-05-01", {"enableRbacAuthorization": None}, "absent"),
        ("2024-12-01-preview", {}, "absent"),
        ("2026-02-01", {}, True),
        ("2026-02-01", {"enableRbacAuthorization": None}, True),
        ("2026-03-01-preview", {}, True),
        ("2026-02-01", {"enableRbacAuthorization": False}, False),
        ("2023-07-01", {"enableRbacAuthorization": True}, True),
    ],
)
def test_the_model_of_a_new_vault_hangs_on_the_api_version(
    world: World, version: str, given: dict[str, Any], stored: Any
) -> None:
    assert call(world, "PUT", NEW, body(**given), version=version).status == 201
    assert flag(world, NEW) == stored


@pytest.mark.parametrize("version", ["2023-07-01", "2026-02-01"])
def test_an_update_without_the_flag_leaves_the_model_and_replaces_the_policies(world: World, version: str) -> None:
    before = flag(world, POLICY_VAULT)
    assert call(world, "PUT", POLICY_VAULT, body(accessPolicies=[]), version=version).status == 200
    assert flag(world, POLICY_VAULT) == before
    assert world.estate.vaults[fold(POLICY_VAULT)]["properties"]["accessPolicies"] == []
    assert call(world, "PATCH", POLICY_VAULT, {"properties": {"enableRbacAuthorization": None}}).status == 200
    assert flag(world, POLICY_VAULT) == before


def test_versions_before_2019_do_not_show_the_model(world: World) -> None:
    assert "enableRbacAuthorization" in json_of(call(world, "GET", VAULT, version="2019-09-01"))["properties"]
    assert "enableRbacAuthorization" not in json_of(call(world, "GET", VAULT, version="2018-02-14"))["properties"]


def test_a_contributor_may_not_change_the_model(world: World) -> None:
    """The service wants role assignment rights too (azure.md 1.4)."""
    change = {"properties": {"enableRbacAuthorization": True}}
    answer = call(world, "PATCH", POLICY_VAULT, change, who="deploy-pipeline")
    assert error_of(answer)[:2] == (400, "InsufficientPermissions")
    assert call(world, "PATCH", POLICY_VAULT, change).status == 200
    assert flag(world, POLICY_VAULT) is True


def test_a_contributor_may_add_itself_to_the_policies(world: World) -> None:
    entry = {
        "tenantId": world.estate.home_tenant,
        "objectId": world.estate.identities["deploy-pipeline"].object_id,
        "permissions": {"secrets": ["get"]},
    }
    change = {"properties": {"accessPolicies": [entry]}}
    before = list(world.estate.vaults[fold(POLICY_VAULT)]["properties"]["accessPolicies"])
    for operation, expected in (
        ("add", [*before, entry]),
        ("add", [*before, entry]),
        ("replace", [*before, entry]),
        ("remove", before),
    ):
        answer = call(world, "PUT", f"{POLICY_VAULT}/accessPolicies/{operation}", change, who="deploy-pipeline")
        assert answer.status == 200
        assert world.estate.vaults[fold(POLICY_VAULT)]["properties"]["accessPolicies"] == expected, operation


@pytest.mark.parametrize("name", ["a", "1abc", "kv--two", "kv-", "k" * 25, "kv_under"])
def test_names_that_no_vault_may_have(world: World, name: str) -> None:
    answer = call(world, "PUT", NEW.replace("kv-brand-new", name), body())
    assert error_of(answer)[:2] == (400, "VaultNameNotValid")


@pytest.mark.parametrize(
    ("name", "code"),
    [("kv-web-prod", "VaultAlreadyExists"), ("KV-WEB-PROD", "VaultAlreadyExists"), ("kv-web-old", "ConflictError")],
)
def test_names_are_unique_in_the_cloud_deleted_ones_included(world: World, name: str, code: str) -> None:
    assert error_of(call(world, "PUT", NEW.replace("kv-brand-new", name), body()))[:2] == (409, code)
    answer = call(world, "POST", f"{PAYMENTS}/providers/Microsoft.KeyVault/checkNameAvailability", {"name": name})
    assert json_of(answer)["nameAvailable"] is False


@pytest.mark.parametrize(
    "change", [{"enablePurgeProtection": False}, {"enableSoftDelete": False}, {"softDeleteRetentionInDays": 7}]
)
def test_what_cannot_be_undone(world: World, change: dict[str, Any]) -> None:
    for method, sent in (("PUT", body(**change)), ("PATCH", {"properties": change})):
        assert error_of(call(world, method, VAULT, sent))[:2] == (400, "BadRequest"), method
    assert call(world, "PUT", VAULT, body()).status == 200
    assert world.estate.vaults[fold(VAULT)]["properties"]["enablePurgeProtection"] is True


def test_delete_takes_assignments_recover_does_not_bring_them_back(world: World) -> None:
    world.page_size = 500
    objects = dict(world.estate.objects[fold(VAULT)])
    assert call(world, "DELETE", VAULT).status == 200
    assert call(world, "GET", VAULT).status == 404
    deleted = json_of(call(world, "GET", f"{PAYMENTS}/providers/Microsoft.KeyVault/deletedVaults"))["value"]
    assert [item["properties"]["vaultId"] for item in deleted] == [VAULT]
    assert not [
        raw for raw in world.estate.role_assignments.values() if fold(raw["properties"]["scope"]) == fold(VAULT)
    ]
    assert not world.estate.role_assignment_schedule_instances
    purge = f"{PAYMENTS}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-payments-test/purge"
    assert error_of(call(world, "POST", purge))[:2] == (400, "MethodNotAllowed")
    assert call(world, "PUT", VAULT, body(createMode="recover")).status == 200
    assert json_of(call(world, "GET", VAULT))["properties"]["enableRbacAuthorization"] is True
    assert world.estate.objects[fold(VAULT)] == objects


def test_a_deleted_vault_is_purged_when_its_retention_ends(world: World) -> None:
    assert call(world, "PUT", NEW, body(softDeleteRetentionInDays=7)).status == 201
    assert call(world, "DELETE", NEW).status == 200
    listing = f"{PAYMENTS}/providers/Microsoft.KeyVault/deletedVaults"
    world.advance(timedelta(days=6))
    assert names(call(world, "GET", listing)) == ["kv-brand-new"]
    world.advance(timedelta(days=1))
    assert names(call(world, "GET", listing)) == []
    assert call(world, "PUT", NEW, body()).status == 201


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
