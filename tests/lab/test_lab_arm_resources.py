"""Resource Manager of the lab: identities, other resources, locks, plans, delegations, elevated access."""

from typing import Any

import pytest
from small_estate import (
    CALLER,
    FOREIGNER,
    OTHER_TENANT,
    SUBSCRIPTION,
    allow_actions,
    caller,
    error_of,
    json_of,
    make_world,
    request,
    vault_id,
)

from kvaudit.lab import arm
from kvaudit.lab.arm_governance import GLOBAL_ADMINISTRATOR, plan
from kvaudit.lab.estate import fold
from kvaudit.lab.evaluator import decide_control, decide_data
from kvaudit.lab.http import Response
from kvaudit.lab.world import World

HOST = "management.azure.com"
BASE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{BASE}/resourceGroups/rg-tests"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ci"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
SEALED = f"{GROUP}/providers/Microsoft.KeyVault/managedHSMs/hsm"
USER = "77777777-7777-7777-7777-000000000001"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
BLOCKS: dict[str, dict[str, Any]] = {
    READER: {"actions": ["*/read"]},
    CONTRIBUTOR: {
        "actions": ["*"],
        "notActions": ["Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"],
    },
    ACCESS_ADMINISTRATOR: {"actions": ["*/read", "Microsoft.Authorization/*"]},
    SECRETS_USER: {"actions": ["*/read"], "dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]},
    OWNER: {"actions": ["*"]},
}


def resource(key: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "name": key.rsplit("/", 1)[-1], "type": kind, "location": "westeurope"} | more


def world_with_resources() -> World:
    world = make_world()
    estate = world.estate
    for raw in (
        resource(IDENTITY, "Microsoft.ManagedIdentity/userAssignedIdentities", properties={"principalId": USER}),
        resource(
            MACHINE, "Microsoft.Compute/virtualMachines", identity={"type": "SystemAssigned"}, properties={"vmId": "x"}
        ),
        resource(SEALED, "Microsoft.KeyVault/managedHSMs", properties={}),
    ):
        estate.other_resources[fold(raw["id"])] = raw
    estate.identity_federated_credentials[fold(IDENTITY)] = [{"name": "main", "properties": {"subject": "repo:a/b"}}]
    for scope in (BASE, vault_id("kv-rbac")):
        lock = f"{scope}/providers/Microsoft.Authorization/locks/keep"
        estate.locks[fold(lock)] = {"id": lock, "name": "keep", "properties": {"level": "CanNotDelete"}}
    estate.pricings[SUBSCRIPTION] = [plan(SUBSCRIPTION, "KeyVaults", "Standard")]
    estate.classic_administrators[SUBSCRIPTION] = [{"name": "a", "properties": {"role": "CoAdministrator"}}]
    for role, block in BLOCKS.items():
        estate.role_definitions[role] = {"name": role, "properties": {"roleName": role, "permissions": [block]}}
    return world


def ask(world: World, path: str, who: str = CALLER, method: str = "GET", **query: str) -> Response:
    sent = {"api-version": "2022-10-01"} | {f"${name}": value for name, value in query.items()}
    return arm.handle(world, request(method, HOST, path, caller(world, "arm", who), None, sent))


LISTS = [
    (f"{BASE}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.ManagedIdentity/userAssignedIdentities/read", ["ci"]),
    (f"{GROUP}/providers/microsoft.managedidentity/userassignedidentities", "Microsoft.ManagedIdentity/userAssignedIdentities/read", ["ci"]),
    (f"{IDENTITY}/federatedIdentityCredentials", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read", ["main"]),
    (f"{BASE}/providers/Microsoft.KeyVault/managedHSMs", "Microsoft.KeyVault/managedHSMs/read", ["hsm"]),
    (f"{BASE}/providers/Microsoft.Authorization/locks", "Microsoft.Authorization/locks/read", ["keep", "keep"]),
    (f"{GROUP}/providers/Microsoft.Authorization/locks", "Microsoft.Authorization/locks/read", ["keep"]),
    (f"{BASE}/providers/Microsoft.Security/pricings", "Microsoft.Security/pricings/read", ["KeyVaults"]),
    (f"{BASE}/providers/Microsoft.Authorization/classicAdministrators", "Microsoft.Authorization/classicAdministrators/read", ["a"]),
    (f"{BASE}/providers/Microsoft.ManagedServices/registrationAssignments", "Microsoft.ManagedServices/registrationAssignments/read", []),
]  # fmt: skip


@pytest.mark.parametrize(("path", "action", "names"), LISTS)
def test_each_list_needs_its_action(path: str, action: str, names: list[str]) -> None:
    world = world_with_resources()
    refused = ask(world, path)
    assert error_of(refused)[:2] == (403, "AuthorizationFailed")
    assert action.casefold() in str(refused.body).casefold()
    allow_actions(world, actions=(action,), scope=BASE)
    assert [item["name"] for item in json_of(ask(world, path))["value"]] == names


def test_locks_at_a_vault_are_those_on_it_and_above() -> None:
    world = world_with_resources()
    allow_actions(world, actions=("*/read",), scope=BASE)
    path = f"{vault_id('kv-rbac')}/providers/Microsoft.Authorization/locks"
    assert len(json_of(ask(world, path))["value"]) == 1
    assert len(json_of(ask(world, path, filter="atScope()"))["value"]) == 2


def test_the_generic_list_tells_identities_and_no_properties() -> None:
    world = world_with_resources()
    allow_actions(world, actions=("*/read",), scope=BASE)
    found = json_of(ask(world, f"{BASE}/resources"))["value"]
    assert {item["type"].casefold() for item in found} >= {
        "microsoft.keyvault/vaults",
        "microsoft.compute/virtualmachines",
    }
    assert all("properties" not in item for item in found)
    assert [item["id"] for item in found if "identity" in item] == [MACHINE]
    assert json_of(ask(world, MACHINE))["properties"] == {"vmId": "x"}
    assert error_of(ask(world, MACHINE + "x"))[:2] == (404, "ResourceNotFound")
    assert error_of(ask(world, f"{IDENTITY}x/federatedIdentityCredentials"))[:2] == (404, "ResourceNotFound")


def test_a_plan_that_nobody_bought_is_free() -> None:
    world = world_with_resources()
    world.estate.pricings.clear()
    allow_actions(world, actions=("*/read",), scope=BASE)
    one = json_of(ask(world, f"{BASE}/providers/Microsoft.Security/pricings/keyvaults"))
    assert one["properties"]["pricingTier"] == "Free"
    assert ask(world, f"{BASE}/providers/Microsoft.Security/pricings/other").status == 404


def delegate(world: World, scope: str, *roles: str, eligible: bool = False, principal: str = FOREIGNER) -> None:
    authorizations: list[dict[str, Any]] = [{"principalId": principal, "roleDefinitionId": role} for role in roles]
    for item in authorizations:
        if item["roleDefinitionId"] == ACCESS_ADMINISTRATOR:
            item |= {"delegatedRoleDefinitionIds": [SECRETS_USER]}
    definition = {
        "managedByTenantId": OTHER_TENANT,
        "authorizations": [] if eligible else authorizations,
        "eligibleAuthorizations": authorizations if eligible else [],
    }
    key = f"{scope}/providers/Microsoft.ManagedServices/registrationAssignments/offer"
    properties = {"registrationDefinitionId": "d", "registrationDefinition": {"properties": definition}}
    world.estate.delegations[fold(key)] = {"id": key, "name": "offer", "properties": properties}


def test_a_definition_is_expanded_on_demand() -> None:
    world = world_with_resources()
    delegate(world, GROUP, READER)
    allow_actions(world, actions=("*/read",), scope=BASE)
    path = f"{BASE}/providers/Microsoft.ManagedServices/registrationAssignments"
    assert "registrationDefinition" not in json_of(ask(world, path))["value"][0]["properties"]
    full = json_of(ask(world, path, expandRegistrationDefinition="true"))["value"][0]["properties"]
    assert full["registrationDefinition"]["properties"]["managedByTenantId"] == OTHER_TENANT


def test_a_delegation_opens_the_control_plane_to_the_managing_tenant() -> None:
    world = world_with_resources()
    path = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
    assert error_of(ask(world, path, FOREIGNER))[:2] == (401, "InvalidAuthenticationTokenTenant")
    delegate(world, GROUP, CONTRIBUTOR)
    assert len(json_of(ask(world, path, FOREIGNER))["value"]) == 2
    assert [item["subscriptionId"] for item in json_of(ask(world, "/subscriptions", FOREIGNER))["value"]] == [
        SUBSCRIPTION
    ]
    # Only what is delegated, only to whom it is, and nothing on the data plane.
    assert error_of(ask(world, f"{BASE}/providers/Microsoft.KeyVault/vaults", FOREIGNER))[0] == 403
    foreign = caller(world, "vault", FOREIGNER)
    vault = world.estate.vaults[fold(vault_id("kv-policies"))]
    assert decide_control(world, foreign, "Microsoft.KeyVault/vaults/accessPolicies/write", vault["id"]).allowed
    assert not decide_data(world, foreign, "secrets/get", vault).allowed


@pytest.mark.parametrize(("role", "eligible"), [(CONTRIBUTOR, True), (OWNER, False), (SECRETS_USER, False)])
def test_what_cannot_be_delegated_or_is_not_active_gives_nothing(role: str, eligible: bool) -> None:
    world = world_with_resources()
    delegate(world, BASE, role, eligible=eligible)
    foreign = caller(world, "arm", FOREIGNER)
    assert not decide_control(world, foreign, "Microsoft.KeyVault/vaults/read", vault_id("kv-rbac")).allowed
    assert not eligible or json_of(ask(world, "/subscriptions", FOREIGNER))["value"] == []


def test_another_principal_of_the_managing_tenant_has_nothing() -> None:
    world = world_with_resources()
    delegate(world, BASE, CONTRIBUTOR, principal=USER)
    foreign = caller(world, "arm", FOREIGNER)
    assert not decide_control(world, foreign, "Microsoft.KeyVault/vaults/read", vault_id("kv-rbac")).allowed


def test_a_delegated_administrator_assigns_the_listed_roles_to_managed_identities_only() -> None:
    world = world_with_resources()
    delegate(world, BASE, ACCESS_ADMINISTRATOR)
    workload = "77777777-7777-7777-7777-000000000002"
    world.estate.service_principals[workload] = {
        "id": workload,
        "appId": "w",
        "servicePrincipalType": "ManagedIdentity",
    }
    foreign = caller(world, "arm", FOREIGNER)

    def assign(role: str, principal: str) -> int:
        path = f"{vault_id('kv-rbac')}/providers/Microsoft.Authorization/roleAssignments/{role}"
        body = {"properties": {"roleDefinitionId": f"/x/{role}", "principalId": principal}}
        sent = request("PUT", HOST, path, foreign, body, {"api-version": "2022-04-01"})
        return arm.handle(world, sent).status

    assert assign(SECRETS_USER, CALLER) == 403
    assert assign(CONTRIBUTOR, workload) == 403
    assert assign(SECRETS_USER, workload) == 201
    assert decide_data(
        world, caller(world, "vault", workload), "secrets/get", world.estate.vaults[fold(vault_id("kv-rbac"))]
    ).allowed
    assert not decide_control(world, foreign, "Microsoft.Authorization/policyAssignments/write", BASE).allowed


def test_a_global_administrator_can_take_the_root() -> None:
    world = world_with_resources()
    world.estate.users[USER] = {"id": USER}
    path = "/providers/Microsoft.Authorization/elevateAccess"
    held = {"id": "a", "principalId": USER, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
    world.estate.directory_role_eligibility_schedule_instances["a"] = held
    assert error_of(ask(world, path, USER, "POST"))[0] == 403
    world.estate.directory_role_assignments["a"] = held | {"directoryScopeId": "/administrativeUnits/1"}
    assert error_of(ask(world, path, USER, "POST"))[0] == 403
    world.estate.directory_role_assignments["a"] = held
    assert ask(world, path, USER, "POST").status == 200
    chief = caller(world, "arm", USER)
    assert decide_control(world, chief, "Microsoft.Authorization/roleAssignments/write", vault_id("kv-rbac")).allowed


def test_without_a_licence_nobody_is_eligible_and_the_answer_says_why() -> None:
    world = world_with_resources()
    allow_actions(world, actions=("*/read",), scope=BASE)
    world.estate.premium = False
    for kind in ("roleEligibilityScheduleInstances", "roleAssignmentScheduleInstances"):
        answer = ask(world, f"{BASE}/providers/Microsoft.Authorization/{kind}")
        assert error_of(answer)[:2] == (400, "AadPremiumLicenseRequired")
