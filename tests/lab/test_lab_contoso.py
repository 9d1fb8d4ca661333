"""The stories that the sample estate tells about identities, as the lab decides and answers them."""

from datetime import UTC, datetime, timedelta

import pytest
from small_estate import json_of, request

from kvaudit.lab import arm, graph, load_estate
from kvaudit.lab.evaluator import decide_control, decide_data
from kvaudit.lab.world import World

USERS = "44444444-4444-4444-4444-0000000000"
PAYMENTS, WEB, PLATFORM, DATA = (f"/subscriptions/33333333-3333-3333-3333-00000000000{n}" for n in range(1, 5))
POLICIES_WRITE = "Microsoft.KeyVault/vaults/accessPolicies/write"


@pytest.fixture
def world() -> World:
    return World(load_estate("contoso"), clock=lambda: datetime(2026, 11, 24, 12, 0, tzinfo=UTC))


def reads(world: World, who: str, vault: str, word: str = "secrets/get") -> bool:
    raw = world.vault_named(vault)
    assert raw is not None
    return decide_data(world, world.caller_for(who, audience="https://vault.azure.net"), word, raw).allowed


def object_id(world: World, identity: str) -> str:
    return world.estate.identities[identity].object_id


def listed(world: World, path: str, identity: str = "auditor", **query: str) -> list[dict[str, object]]:
    """The items of a list as an identity sees it, on Resource Manager or Graph."""
    on_graph = not path.startswith("/subscriptions")
    audience = "https://graph.microsoft.com" if on_graph else "https://management.azure.com"
    who = world.caller_for(object_id(world, identity), audience=audience)
    sent = {f"${name}": value for name, value in query.items()} | ({} if on_graph else {"api-version": "2022-10-01"})
    face, host = (graph, "graph.microsoft.com") if on_graph else (arm, "management.azure.com")
    items: list[dict[str, object]] = json_of(face.handle(world, request("GET", host, path, who, None, sent)))["value"]
    return items


def test_a_machine_reads_secrets_and_a_team_runs_the_machine(world: World) -> None:
    karl, machine = world.caller_for(f"{USERS}12"), object_id(world, "vm-reports")
    assert reads(world, machine, "kv-payments-batch")
    assert not reads(world, f"{USERS}12", "kv-payments-batch")
    (vm,) = [item for item in listed(world, f"{PAYMENTS}/resources") if item["name"] == "vm-payments-reports"]
    assert vm["identity"] == {"type": "SystemAssigned", "principalId": machine, "tenantId": world.estate.home_tenant}
    assert decide_control(world, karl, "Microsoft.Compute/virtualMachines/runCommand/action", str(vm["id"])).allowed


def test_a_repository_signs_in_as_an_identity(world: World) -> None:
    (identity,) = listed(world, f"{WEB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities")
    (credential,) = listed(world, f"{identity['id']}/federatedIdentityCredentials")
    assert credential["properties"] == {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:contoso/web-shop:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert reads(world, object_id(world, "id-web-release"), "kv-web-migrated")


def test_eligible_people_have_nothing_yet(world: World) -> None:
    grace, jana = f"{USERS}07", f"{USERS}11"
    assert not reads(world, grace, "kv-platform-core")
    path = "/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
    group = "55555555-5555-5555-5555-000000000005"
    assert [item["principalId"] for item in listed(world, path, filter=f"groupId eq '{group}'")] == [grace]
    world.estate.group_assignment_schedule_instances["activated"] = {
        "groupId": group,
        "principalId": grace,
        "accessId": "member",
    }
    assert reads(world, grace, "kv-platform-core")
    # An activated membership counts while it lasts; an eligible Global Administrator is none.
    assert reads(world, jana, "kv-platform-core", "secrets/list")
    world.advance(timedelta(days=365 * 10))
    assert not reads(world, jana, "kv-platform-core", "secrets/list")
    (role,) = listed(world, "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances", expand="roleDefinition")
    assert role["principalId"] == jana


def test_owners_could_add_themselves_or_a_credential(world: World) -> None:
    owners = "/v1.0/{}/owners"
    group, application = "55555555-5555-5555-5555-000000000002", "88888888-8888-8888-8888-000000000005"
    assert [item["id"] for item in listed(world, owners.format(f"groups/{group}"))] == [f"{USERS}08"]
    assert [item["id"] for item in listed(world, owners.format(f"applications/{application}"))] == [f"{USERS}04"]


def test_a_partner_writes_access_policies_and_reads_no_secret(world: World) -> None:
    operator = object_id(world, "fabrikam-operator")
    vault = world.vault_named("kv-web-prod")
    assert vault is not None
    names = {item["name"] for item in listed(world, f"{WEB}/resources", "fabrikam-operator")}
    assert "kv-web-prod" in names
    assert decide_control(world, world.caller_for(operator), POLICIES_WRITE, vault["id"]).allowed
    assert not reads(world, operator, "kv-web-prod")
    other = world.vault_named("kv-payments-prod")
    assert other is not None
    assert not decide_control(world, world.caller_for(operator), POLICIES_WRITE, other["id"]).allowed
    assert (
        listed(world, f"{WEB}/providers/Microsoft.Authorization/roleAssignments", filter=f"principalId eq '{operator}'")
        == []
    )


def test_what_the_sample_says_of_permissions_and_consents(world: World) -> None:
    (api,) = listed(world, "/v1.0/servicePrincipals", filter="appId eq '00000003-0000-0000-c000-000000000000'")
    held = listed(world, f"/v1.0/servicePrincipals/{api['id']}/appRoleAssignedTo")
    roles = {role["id"]: role["value"] for role in world.estate.service_principals[str(api["id"])]["appRoles"]}
    taking = {str(item["principalDisplayName"]) for item in held if "ReadWrite" in roles[item["appRoleId"]]}
    assert taking == {"hr-sync"}
    (vaults,) = listed(world, "/v1.0/servicePrincipals", filter="appId eq 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093'")
    grants = listed(world, "/v1.0/oauth2PermissionGrants", filter=f"resourceId eq '{vaults['id']}'")
    assert sorted(str(item["consentType"]) for item in grants) == ["AllPrincipals", "Principal"]


def test_what_watches_over_scopes(world: World) -> None:
    assert len(listed(world, f"{PLATFORM}/providers/Microsoft.Authorization/locks")) == 1
    (plan,) = listed(world, f"{PAYMENTS}/providers/Microsoft.Security/pricings")
    assert plan["properties"] == {"pricingTier": "Standard", "freeTrialRemainingTime": "PT0S"}
    assert len(listed(world, f"{DATA}/providers/Microsoft.Authorization/classicAdministrators")) == 1
    assert len(listed(world, f"{PLATFORM}/providers/Microsoft.KeyVault/managedHSMs")) == 1
