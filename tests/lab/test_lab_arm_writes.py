"""The control plane of the lab: writes to vaults: the permission model by api-version, names, soft delete, purge."""

from datetime import timedelta
from typing import Any

import pytest
from arm_calls import NEW, PAYMENTS, POLICY_VAULT, VAULT, call, names, sample_world
from small_estate import error_of, json_of

from kvaudit.lab.estate import fold
from kvaudit.lab.world import World


@pytest.fixture
def world() -> World:
    return sample_world()


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
