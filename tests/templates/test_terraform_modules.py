"""Terraform: what a folder and the local modules that it calls declare, and what is left to a plan."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.errors import UsageError
from kvaudit.model.vaults import PermissionModel
from kvaudit.sources.located import Position
from kvaudit.templates.declarations import FileDeclarations, Language, VaultDeclaration
from kvaudit.templates.hcl import parse_hcl
from kvaudit.templates.hcl_tokens import HclError
from kvaudit.templates.model_on_create import lowest_major, model_on_create
from kvaudit.templates.project import read_project
from kvaudit.templates.terraform import local_calls, read_folder, read_terraform
from kvaudit.templates.terraform_values import ModuleValues
from kvaudit.templates.unknown import Unknown


def read(folder: Path, **files: str) -> FileDeclarations:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_tf", ".tf").replace("_lock", ".terraform.lock.hcl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    parsed = {
        path.resolve(): read_folder(path, lambda item: item.name)
        for path in (folder, *folder.glob("*/"))
        if path.is_dir()
    }
    return read_terraform(parsed[folder.resolve()], parsed.get)


KEY_VAULT = 'resource "azurerm_key_vault" "main" {\n  name = "kv-contoso"\n  resource_group_name = "rg"\n%s\n}\n'


def vault(folder: Path, body: str, *, more: str = "") -> VaultDeclaration:
    return read(folder, main_tf=KEY_VAULT % body + more).vaults[0]


@pytest.mark.parametrize(
    ("body", "more", "flag"),
    [
        ("rbac_authorization_enabled = true", "", True),
        ("enable_rbac_authorization = false", "", False),
        ("enable_rbac_authorization = null", "", None),
        ("", "", None),
        ("rbac_authorization_enabled = var.rbac", 'variable "rbac" {\n default = true\n}', True),
        ("rbac_authorization_enabled = !local.policies", "locals {\n policies = false\n}", True),
        (
            'rbac_authorization_enabled = local.model == "rbac" ? true : false',
            'locals {\n model = lower("RBAC")\n}',
            True,
        ),
        (
            'rbac_authorization_enabled = lookup(var.kv, "rbac", true)',
            'variable "kv" {\n default = { "name" = "x" }\n}',
            True,
        ),
    ],
)
def test_the_flag_is_decided(tmp_path: Path, body: str, more: str, flag: bool | None) -> None:
    assert vault(tmp_path, body, more=more).rbac is flag


@pytest.mark.parametrize(
    ("body", "more", "reason"),
    [
        ("rbac_authorization_enabled = var.rbac", 'variable "rbac" {}', "variable rbac has no default"),
        ("rbac_authorization_enabled = each.value.rbac", "", "loop"),
        ("rbac_authorization_enabled = data.azurerm_key_vault.x.rbac", "", "read while planning"),
        ("rbac_authorization_enabled = module.x.rbac", "", "module.x"),
        ("rbac_authorization_enabled = local.a", "locals {\n a = local.b\n b = local.a\n}", "refers to itself"),
        ("rbac_authorization_enabled = one([for x in var.y : x.z])", "", "for expression"),
    ],
)
def test_what_is_not_decided_says_why(tmp_path: Path, body: str, more: str, reason: str) -> None:
    flag = vault(tmp_path, body, more=more).rbac
    assert isinstance(flag, Unknown)
    assert reason in flag.reason


def test_policies_properties_and_places(tmp_path: Path) -> None:
    body = """
  purge_protection_enabled      = true
  public_network_access_enabled = false
  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
  }
  access_policy {
    tenant_id          = var.tenant
    object_id          = "22222222-2222-2222-2222-222222222222"
    secret_permissions = ["Get", "List"]
    key_permissions    = var.keys
  }
"""
    found = vault(tmp_path, body)
    assert found.properties["enablePurgeProtection"] is True
    assert found.properties["publicNetworkAccess"] == "Disabled"
    assert found.properties["networkAcls"]["defaultAction"] == "Deny"
    assert isinstance(found.access_policies, tuple)
    assert found.access_policies[0].permissions["secrets"] == ("Get", "List")
    assert isinstance(found.access_policies[0].permissions["keys"], Unknown)
    assert found.position == Position("main.tf", 1, 1)
    dynamic = vault(tmp_path, 'dynamic "access_policy" {\n for_each = var.x\n content {}\n}')
    assert isinstance(dynamic.access_policies, Unknown)


def test_local_modules_take_their_values_from_the_call(tmp_path: Path) -> None:
    child = (
        'variable "rbac" {\n default = false\n}\nvariable "name" {}\n'
        + KEY_VAULT.replace('"kv-contoso"', "var.name") % "rbac_authorization_enabled = var.rbac"
    )
    call = 'module "a" {\n source = "./kv"\n name = "kv-a"\n rbac = true\n}\nmodule "b" {\n source = "./kv"\n name = "kv-b"\n rbac = null\n}\nmodule "no" {\n source = "./kv"\n count = 0\n}\nmodule "gone" {\n source = "./gone"\n}\n'
    found = read(tmp_path, main_tf=call, kv__main_tf=child)
    assert [(item.address, item.name, item.rbac) for item in found.vaults] == [
        ("module.a.azurerm_key_vault.main", "kv-a", True),
        ("module.b.azurerm_key_vault.main", "kv-b", False),
    ]
    assert "gone" in found.undecided[0].reason


@pytest.mark.parametrize(
    ("loop", "conditions"),
    [
        ("count = 1", [None]),
        ("count = 0", []),
        ("for_each = {}", []),
        ('for_each = toset(["a"])', [None]),
        ("count = var.make ? 1 : 0", ["variable make has no default and no value was given"]),
        ("for_each = var.make", ["variable make has no default and no value was given"]),
    ],
)
def test_what_a_module_call_may_leave_out_its_resources_may_be_too(
    tmp_path: Path, loop: str, conditions: list[str | None]
) -> None:
    call = f'variable "make" {{}}\nmodule "a" {{\n source = "./kv"\n {loop}\n}}\n'
    assert [item.condition for item in read(tmp_path, main_tf=call, kv__main_tf=KEY_VAULT % "").vaults] == conditions
    own = read(tmp_path, main_tf='variable "make" {}\n' + KEY_VAULT % f" {loop}")
    assert [item.condition for item in own.vaults] == conditions


def test_a_module_that_calls_itself_ends(tmp_path: Path) -> None:
    found = read(tmp_path, main_tf='module "me" {\n source = "./"\n}\n')
    assert "itself" in found.undecided[0].reason


def test_grants_mean_the_vault_that_they_refer_to(tmp_path: Path) -> None:
    more = """
resource "azurerm_key_vault_access_policy" "p" {
  key_vault_id       = azurerm_key_vault.main.id
  object_id          = "22222222-2222-2222-2222-222222222222"
  secret_permissions = ["Get"]
}
resource "azurerm_role_assignment" "r" {
  scope                = "${azurerm_key_vault.main.id}/secrets/db"
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.app.principal_id
}
resource "azurerm_role_assignment" "elsewhere" {
  scope                = azurerm_resource_group.rg.id
  role_definition_id   = "/providers/Microsoft.Authorization/roleDefinitions/4633458B-17de-408a-b874-0445c86b69e6"
  principal_id         = "22222222-2222-2222-2222-222222222222"
}
resource "azurerm_key_vault_secret" "s" {
  name         = "db"
  value        = "in the open"
  key_vault_id = azurerm_key_vault.main.id
}
"""
    found = read(tmp_path, main_tf=KEY_VAULT % "" + more)
    identity = found.vaults[0].identity
    assert found.policies[0].vault_identity == identity
    assert [item.scope_identity for item in found.role_assignments] == [identity, None]
    assert [item.role for item in found.role_assignments] == [
        "Key Vault Secrets User",
        "4633458b-17de-408a-b874-0445c86b69e6",
    ]
    assert found.secrets[0].is_plain


def test_azapi_sends_what_resource_manager_is_sent(tmp_path: Path) -> None:
    text = 'resource "azapi_resource" "kv" {\n type = "Microsoft.KeyVault/vaults@2026-02-01"\n name = "kv-api"\n body = jsonencode({ properties = { accessPolicies = [] } })\n}\n'
    found = read(tmp_path, main_tf=text).vaults[0]
    assert (found.api_version, found.rbac, found.access_policies) == ("2026-02-01", None, ())
    assert model_on_create(found).model is PermissionModel.AZURE_RBAC


def test_published_modules_are_told(tmp_path: Path) -> None:
    text = 'module "avm" {\n source = "Azure/avm-res-keyvault-vault/azurerm"\n name = "kv-avm"\n}\nmodule "other" {\n source = "contoso/keyvault/azurerm"\n}\n'
    found = read(tmp_path, main_tf=text)
    assert found.vaults[0].rbac is True
    assert isinstance(found.vaults[1].rbac, Unknown)
    assert len(found.undecided) == 2


@pytest.mark.parametrize(
    ("versions", "model"),
    [
        ('version = "~> 3.0"', PermissionModel.ACCESS_POLICIES),
        ('version = ">= 4.81, < 5.0"', PermissionModel.ACCESS_POLICIES),
        ('version = "~> 5.0"', None),
        ("", PermissionModel.ACCESS_POLICIES),
    ],
)
def test_a_flag_that_is_left_out_depends_on_the_provider(
    tmp_path: Path, versions: str, model: PermissionModel | None
) -> None:
    text = (
        f'terraform {{\n required_providers {{\n azurerm = {{\n source = "hashicorp/azurerm"\n {versions}\n}}\n}}\n}}\n'
    )
    found = model_on_create(read(tmp_path, main_tf=KEY_VAULT % "" + text).vaults[0])
    assert found.model == model if model else isinstance(found.model, Unknown)
    assert not found.is_explicit


def test_the_lock_file_decides_before_the_constraint(tmp_path: Path) -> None:
    lock = 'provider "registry.terraform.io/hashicorp/azurerm" {\n version = "5.1.0"\n}\n'
    assert read(tmp_path, main_tf=KEY_VAULT % "", _lock=lock).vaults[0].provider_version == "5.1.0"


@pytest.mark.parametrize(
    ("version", "model"),
    [
        ("2025-05-01", PermissionModel.ACCESS_POLICIES),
        ("2026-02-01", PermissionModel.AZURE_RBAC),
        ("2026-03-01-preview", PermissionModel.AZURE_RBAC),
        ("2024-12-01-preview", PermissionModel.ACCESS_POLICIES),
        ("2026-02-15-preview", PermissionModel.ACCESS_POLICIES),
        ("latest", None),
    ],
)
def test_a_flag_that_is_left_out_depends_on_the_api_version(version: str, model: PermissionModel | None) -> None:
    declared = VaultDeclaration(Language.ARM, "kv", "kv", Position("f", 1, 1), "kv", api_version=version)
    found = model_on_create(declared).model
    assert found == model if model else isinstance(found, Unknown)


def test_constraints() -> None:
    assert [lowest_major(text) for text in ("~> 4.0", ">= 3.90, < 5.0", "5.1.0", "", None, "!= 4.0")] == [
        4,
        3,
        5,
        None,
        None,
        None,
    ]


def test_texts_heredocs_and_expressions() -> None:
    text = 'a = "x${var.b}y"\nb = <<-EOT\n  one ${not} it\n  EOT\nc = "say \\"${upper("hi")}\\" $${no}"\nd = {\n k = 1\n "l" : [1, 2]\n}\ne = (true &&\n !false)\nf = 1 + 2 * 3 == 7 ? "yes" : "no"\n'
    root = parse_hcl(text, "t.tf")
    values = ModuleValues([], {"b": "B"})
    assert values.of(root, "a") == "xBy"
    assert values.of(root, "c") == 'say "HI" ${no}'
    assert values.of(root, "d") == {"k": 1, "l": [1, 2]}
    assert values.of(root, "e") is True
    assert values.of(root, "f") == "yes"
    assert (root.arguments["c"].line, root.arguments["c"].column) == (5, 1)


@pytest.mark.parametrize(
    "text", ['a = "x', "a {", "a = ", "a = [1", 'a = "${b"', "@", "a = 1 2", "/* x", "x = <<EOT\n", "a " * 300 + "{"]
)
def test_broken_files_say_where(text: str) -> None:
    with pytest.raises(HclError, match=r"t\.tf:\d+:\d+: "):
        parse_hcl(text, "t.tf")


def test_nesting_is_bounded() -> None:
    for text in ("a = " + "[" * 50_000, "a {\n" * 50_000, "a = " + "!" * 50_000, "a = " + '"${' * 20_000):
        with pytest.raises(HclError):
            parse_hcl(text, "t.tf")


@given(st.text(alphabet=st.sampled_from('ab1 ="${}[](),.?:!\n#<E'), max_size=50))
def test_any_text_is_hcl_or_says_where(text: str) -> None:
    try:
        root = parse_hcl(text, "t.tf")
    except UsageError:
        return
    values = ModuleValues(root.blocks, {})
    for name in root.arguments:
        values.of(root, name)


def test_files_of_opentofu_are_read_and_those_in_json_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(KEY_VAULT % "")
    (tmp_path / "a.tofu").write_text(KEY_VAULT.replace("main", "other") % "")
    (tmp_path / "b.tofu").write_text(KEY_VAULT.replace("main", "more") % "")
    (tmp_path / "c.tf.json").write_text('{"resource": {"azurerm_key_vault": {"kv": {"name": "kv-contoso"}}}}')
    project = read_project([tmp_path])
    names = [item.address for declared in project.declarations for item in declared.vaults]
    assert names == ["azurerm_key_vault.main", "azurerm_key_vault.more"]
    assert "c.tf.json: Terraform's JSON syntax is not read" in project.problems[0].message


def test_a_broken_file_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "broken.tf").write_text("a = ")
    (tmp_path / "empty.tf").write_text("")
    (tmp_path / "main.tf").write_text(KEY_VAULT % "")
    folder = read_folder(tmp_path)
    assert len(folder.problems) == 1
    assert len(read_terraform(folder, lambda _: None).vaults) == 1


def test_real_modules_are_read(corpus: Path) -> None:
    """Every Terraform folder of the corpus: nothing crashes, and the model of most vaults is decided."""
    parsed = {path.parent.resolve(): read_folder(path.parent) for path in sorted(corpus.rglob("*.tf"))}
    called = {path for folder in parsed.values() for _, path in local_calls(folder)}
    found = [
        item
        for path, folder in parsed.items()
        if path not in called
        for item in read_terraform(folder, parsed.get).vaults
    ]
    decided = sum(not isinstance(model_on_create(item).model, Unknown) for item in found)
    print(f"{decided} of {len(found)} vault declarations in Terraform have a decided model")
    assert len(found) > 40
    assert decided >= 0.8 * len(found)
