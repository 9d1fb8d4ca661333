"""Terraform plans: resolved values, what is known only after the apply, and which vault a grant is for."""

import json
from pathlib import Path
from typing import Any

import pytest

from kvaudit.model.vaults import PermissionModel
from kvaudit.templates.declarations import FileDeclarations, Language, VaultDeclaration
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import read_project
from kvaudit.templates.unknown import Unknown

PRINCIPAL = "22222222-2222-2222-2222-222222222222"
VAULT_ID = (
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-plan"
)


def change(
    kind: str, after: Any, unknown: Any = None, *, address: str = "", actions: tuple[str, ...] = ("create",)
) -> Any:
    return {
        "address": address or f"{kind}.main",
        "mode": "managed",
        "type": kind,
        "name": "main",
        "change": {"actions": list(actions), "before": None, "after": after, "after_unknown": unknown or {}},
    }


def configuration(resources: Any = (), **calls: Any) -> dict[str, Any]:
    provider = {
        "azurerm": {
            "name": "azurerm",
            "full_name": "registry.terraform.io/hashicorp/azurerm",
            "version_constraint": "~> 4.0",
        }
    }
    return {"provider_config": provider, "root_module": {"resources": list(resources), "module_calls": calls}}


def written(kind: str, address: str = "", **expressions: Any) -> dict[str, Any]:
    return {"address": address or f"{kind}.main", "mode": "managed", "type": kind, "expressions": expressions}


def plan(folder: Path, *changes: Any, files: Any = None, **more: Any) -> FileDeclarations:
    document = {"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": changes, **more}
    if files is not None:
        document["configuration"] = files
    (folder / "plan.json").write_text(json.dumps(document, indent=1))
    project = read_project([folder])
    assert not project.problems
    return project.declarations[0]


def vault(folder: Path, after: Any, unknown: Any = None, files: Any = None) -> VaultDeclaration:
    return plan(folder, change("azurerm_key_vault", {"name": "kv-plan", **after}, unknown), files=files).vaults[0]


@pytest.mark.parametrize(
    ("after", "unknown", "expressions", "flag"),
    [
        ({"rbac_authorization_enabled": True}, {}, {"rbac_authorization_enabled": {"constant_value": True}}, True),
        ({"enable_rbac_authorization": False}, {}, {"enable_rbac_authorization": {"references": ["var.x"]}}, False),
        ({"enable_rbac_authorization": False}, {}, {}, None),
        ({}, {"rbac_authorization_enabled": True}, {}, None),
        ({"rbac_authorization_enabled": None}, {}, {}, None),
    ],
)
def test_the_flag_is_what_the_files_say(tmp_path: Path, after: Any, unknown: Any, expressions: Any, flag: Any) -> None:
    files = configuration([written("azurerm_key_vault", **expressions)])
    found = vault(tmp_path, after, unknown, files)
    assert found.rbac == flag
    assert found.provider_version == "~> 4.0"
    assert found.language is Language.TERRAFORM_PLAN


def test_a_flag_that_is_known_after_the_apply_is_unknown_with_its_address(tmp_path: Path) -> None:
    files = configuration([written("azurerm_key_vault", rbac_authorization_enabled={"references": ["data.x.y"]})])
    found = vault(tmp_path, {}, {"rbac_authorization_enabled": True}, files)
    model = model_on_create(found).model
    assert isinstance(model, Unknown)
    assert "azurerm_key_vault.main.rbac_authorization_enabled" in model.reason


def test_policies_and_properties_of_a_vault(tmp_path: Path) -> None:
    after = {
        "purge_protection_enabled": True,
        "public_network_access_enabled": False,
        "network_acls": [{"default_action": "Deny", "bypass": "AzureServices"}],
        "access_policy": [{"object_id": PRINCIPAL, "secret_permissions": ["Get"], "key_permissions": None}],
    }
    found = vault(tmp_path, after, {"access_policy": [{"tenant_id": True}], "vault_uri": True})
    assert found.properties["publicNetworkAccess"] == "Disabled"
    assert found.properties["enablePurgeProtection"] is True
    assert found.properties["networkAcls"]["defaultAction"] == "Deny"
    assert isinstance(found.access_policies, tuple)
    assert found.access_policies[0].permissions == {"secrets": ("Get",)}
    assert isinstance(found.access_policies[0].tenant_id, Unknown)
    assert model_on_create(found).model is PermissionModel.ACCESS_POLICIES


def test_computed_policies_that_nobody_wrote_are_none(tmp_path: Path) -> None:
    files = configuration([written("azurerm_key_vault", name={"constant_value": "kv-plan"})])
    assert vault(tmp_path, {}, {"access_policy": True}, files).access_policies is None
    files = configuration([written("azurerm_key_vault", access_policy={"references": ["var.p"]})])
    assert isinstance(vault(tmp_path, {}, {"access_policy": True}, files).access_policies, Unknown)


def test_deleted_vaults_and_data_are_no_declarations(tmp_path: Path) -> None:
    gone = change("azurerm_key_vault", None, actions=("delete",))
    read = {**change("azurerm_key_vault", {"name": "kv"}, actions=("read",)), "mode": "data"}
    assert plan(tmp_path, gone, read).vaults == ()
    assert plan(tmp_path, change("azurerm_key_vault", {"name": "kv"}, actions=("delete", "create"))).vaults


def test_a_grant_finds_its_vault_by_id_and_by_reference(tmp_path: Path) -> None:
    by_id = change("azurerm_key_vault_access_policy", {"key_vault_id": VAULT_ID.upper(), "object_id": PRINCIPAL})
    found = plan(tmp_path, by_id, change("azurerm_key_vault", {"name": "kv-plan", "id": VAULT_ID}, actions=("no-op",)))
    assert found.policies[0].vault_identity == "azurerm_key_vault.main"
    role = change("azurerm_role_assignment", {"role_definition_name": "Key Vault Reader"}, {"scope": True})
    refers = {"references": ["azurerm_key_vault.main.id", "azurerm_key_vault.main"]}
    files = configuration([written("azurerm_role_assignment", scope=refers)])
    found = plan(tmp_path, role, change("azurerm_key_vault", {"name": "kv-plan"}), files=files)
    assert found.role_assignments[0].scope_identity == "azurerm_key_vault.main"
    assert found.role_assignments[0].role == "Key Vault Reader"
    assert isinstance(found.role_assignments[0].principal_id, Unknown)


def test_a_reference_through_a_variable_and_an_output_of_modules(tmp_path: Path) -> None:
    inner_vault = {
        "module": {
            "resources": [written("azurerm_key_vault")],
            "outputs": {"id": {"expression": {"references": ["azurerm_key_vault.main.id", "azurerm_key_vault.main"]}}},
        }
    }
    grants = {
        "expressions": {"vault_id": {"references": ["module.kv.id", "module.kv"]}},
        "module": {
            "resources": [written("azurerm_key_vault_access_policy", key_vault_id={"references": ["var.vault_id"]})]
        },
    }
    found = plan(
        tmp_path,
        change("azurerm_key_vault", {"name": "kv"}, address='module.kv["a"].azurerm_key_vault.main'),
        change(
            "azurerm_key_vault_access_policy",
            {"object_id": PRINCIPAL},
            {"key_vault_id": True},
            address="module.grants.azurerm_key_vault_access_policy.main",
        ),
        files=configuration(kv=inner_vault, grants=grants),
    )
    assert found.policies[0].vault_identity == 'module.kv["a"].azurerm_key_vault.main'


def test_references_that_turn_in_a_circle_end(tmp_path: Path) -> None:
    circle: dict[str, Any] = {"expressions": {"v": {"references": ["module.a.v"]}}, "module": {}}
    circle["module"] = {
        "resources": [written("azurerm_key_vault_access_policy", key_vault_id={"references": ["var.v"]})],
        "outputs": {"v": {"expression": {"references": ["var.v"]}}},
    }
    grant = change(
        "azurerm_key_vault_access_policy",
        {},
        {"key_vault_id": True},
        address="module.a.azurerm_key_vault_access_policy.main",
    )
    assert plan(tmp_path, grant, files=configuration(a=circle)).policies[0].vault_identity is None


@pytest.mark.parametrize("as_text", [False, True])
def test_azapi_with_a_body_as_object_and_as_text(tmp_path: Path, as_text: bool) -> None:
    body: Any = {"properties": {"enableRbacAuthorization": True, "accessPolicies": []}}
    after = {
        "type": "Microsoft.KeyVault/vaults@2023-07-01",
        "name": "kv",
        "body": json.dumps(body) if as_text else body,
    }
    found = plan(tmp_path, change("azapi_resource", after)).vaults[0]
    assert (found.api_version, found.rbac, found.access_policies) == ("2023-07-01", True, ())


def test_nothing_of_a_secret_value_is_kept(tmp_path: Path) -> None:
    value = "hunter2-in-a-plan"
    secret = change("azurerm_key_vault_secret", {"name": "db", "value": value})
    files = configuration([written("azurerm_key_vault_secret", value={"constant_value": value})])
    found = plan(tmp_path, secret, files=files)
    assert found.secrets[0].is_plain
    assert value not in repr(found)
    files = configuration([written("azurerm_key_vault_secret", value={"references": ["var.password"]})])
    assert not plan(tmp_path, secret, files=files).secrets[0].is_plain


def test_a_plan_that_failed_says_so(tmp_path: Path) -> None:
    found = plan(tmp_path, change("azurerm_key_vault", {"name": "kv"}), errored=True)
    assert "not complete" in found.undecided[0].reason
