"""Bicep: what a file and the local modules that it uses declare, and what its syntax alone cannot tell."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.errors import UsageError
from kvaudit.model.vaults import PermissionModel
from kvaudit.preflight.lint import lint
from kvaudit.templates.bicep import read_bicep
from kvaudit.templates.bicep_parameters import bicep_parameter_values, used_by_parameters
from kvaudit.templates.bicep_syntax import parse_bicep
from kvaudit.templates.declarations import FileDeclarations
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import read_project
from kvaudit.templates.unknown import Unknown

USER = "4633458b-17de-408a-b874-0445c86b69e6"


def read(source: str, modules: dict[str, str] | None = None, **parameters: Any) -> FileDeclarations:
    return read_bicep(source, "main.bicep", load=(modules or {}).get, parameters=parameters)


def vault(flag: str, *, before: str = "", more: str = "") -> str:
    return f"{before}\nresource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {{\n  name: 'kv-contoso'\n  properties: {{\n    {flag}\n    {more}\n  }}\n}}\n"


@pytest.mark.parametrize(
    ("flag", "before", "expected"),
    [
        ("enableRbacAuthorization: true", "", True),
        ("enableRbacAuthorization: false", "", False),
        ("", "", None),
        ("enableRbacAuthorization: rbac", "param rbac bool = true", True),
        ("enableRbacAuthorization: !policies", "var policies = false", True),
        ("enableRbacAuthorization: model == 'rbac' ? true : false", "param model string = 'rbac'", True),
        ("enableRbacAuthorization: settings.rbac ?? true", "param settings object = { rbac: false }", False),
        ("enableRbacAuthorization: toLower(m[0]) =~ 'RBAC' && !empty(m)", "param m array = ['RBAC']", True),
        ("enableRbacAuthorization: contains(union({ a: true }, { b: 1 }), 'b')", "", True),
    ],
)
def test_the_flag_is_decided(flag: str, before: str, expected: bool | None) -> None:
    assert read(vault(flag, before=before)).vaults[0].rbac is expected


@pytest.mark.parametrize(
    ("flag", "before", "reason"),
    [
        ("enableRbacAuthorization: rbac", "param rbac bool", "rbac has no default"),
        (
            "enableRbacAuthorization: old.properties.enableRbacAuthorization",
            "resource old 'Microsoft.KeyVault/vaults@2023-07-01' existing = {\n name: 'x'\n}",
            "read during the deployment",
        ),
        (
            "enableRbacAuthorization: m.outputs.rbac",
            "module m './gone.bicep' = {\n name: 'm'\n}",
            "decided by a module",
        ),
        ("enableRbacAuthorization: uniqueString('a') == 'b'", "", "not published"),
        ("enableRbacAuthorization: f(true)", "func f(a bool) bool => a", "not evaluated"),
    ],
)
def test_what_is_not_decided_says_why(flag: str, before: str, reason: str) -> None:
    found = read(vault(flag, before=before)).vaults[0].rbac
    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_places_names_and_versions() -> None:
    found = read(vault("enableRbacAuthorization: true")).vaults[0]
    assert (found.name, found.api_version) == ("kv-contoso", "2023-07-01")
    assert (found.position.line, found.rbac_at and found.rbac_at.line) == (2, 5)


def test_loops_conditions_and_lists_made_by_loops() -> None:
    source = """
param names array = ['a', 'b']
param deploy bool
resource kvs 'Microsoft.KeyVault/vaults@2026-02-01' = [for (n, i) in names: {
  name: 'kv-${n}-${i}'
  properties: {
    accessPolicies: [for who in ['x', 'y']: {
      objectId: who
      permissions: { secrets: ['get'] }
    }]
  }
}]
resource maybe 'Microsoft.KeyVault/vaults@2026-02-01' = if (deploy) {
  name: 'kv-maybe'
}
"""
    found = read(source).vaults
    assert [item.name for item in found] == ["kv-a-0", "kv-b-1", "kv-maybe"]
    policies = found[0].access_policies
    assert isinstance(policies, tuple)
    assert [entry.object_id for entry in policies] == ["x", "y"]
    assert found[2].condition
    assert [item.name for item in read(source, deploy=False).vaults] == ["kv-a-0", "kv-b-1"]


def test_a_role_assignment_and_policies_mean_their_vault() -> None:
    source = (
        vault("", before="param who string\nparam name string = 'kv-${uniqueString(resourceGroup().id)}'").replace(
            "'kv-contoso'", "name"
        )
        + f"""
resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {{
  name: guid(kv.id, who)
  scope: kv
  properties: {{
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{USER}')
    principalId: who
  }}
}}
resource policy 'Microsoft.KeyVault/vaults/accessPolicies@2023-07-01' = {{
  parent: kv
  name: 'add'
  properties: {{ accessPolicies: [{{ objectId: who, permissions: {{ secrets: ['get'] }} }}] }}
}}
resource inner 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {{
  parent: kv
  name: 'db'
  properties: {{ value: 'in the open' }}
}}
"""
    )
    found = read(source)
    identity = found.vaults[0].identity
    assert found.role_assignments[0].scope_identity == identity
    assert found.role_assignments[0].role == USER
    assert found.policies[0].vault_identity == identity
    assert found.secrets[0].is_plain


def test_local_modules_take_their_values_from_the_call_and_show_their_own_file() -> None:
    module = "param rbac bool = false\nparam name string\n" + vault("enableRbacAuthorization: rbac").replace(
        "'kv-contoso'", "name"
    )
    source = "module a './kv.bicep' = {\n name: 'a'\n scope: resourceGroup('rg-a')\n params: { name: 'kv-a', rbac: true }\n}\nmodule b './kv.bicep' = {\n name: 'b'\n params: { name: 'kv-b' }\n}\n"
    found = read(source, {"./kv.bicep": module})
    assert [(item.name, item.rbac) for item in found.vaults] == [("kv-a", True), ("kv-b", False)]
    assert found.vaults[0].position.file == "kv.bicep"
    assert found.vaults[0].resource_group == "rg-a"


def test_published_modules_are_told_and_the_verified_one_is_known() -> None:
    source = "module kv 'br/public:avm/res/key-vault/vault:0.9.0' = {\n name: 'kv'\n params: { name: 'kv-avm' }\n}\nmodule x 'br/public:avm/res/web/site:1.0.0' = {\n name: 'x'\n}\n"
    found = read(source)
    assert found.vaults[0].rbac is True
    assert "registry" in found.undecided[0].reason
    off = read(source.replace("'kv-avm'", "'kv-avm', enableRbacAuthorization: false"))
    assert model_on_create(off.vaults[0]).model is PermissionModel.ACCESS_POLICIES


def test_a_text_on_which_the_parser_does_not_end_is_given_up() -> None:
    with pytest.raises(UsageError, match="is this Bicep"):
        parse_bicep("var a = " + "%" * 20_000, "main.bicep", seconds=0)


def test_a_child_without_a_version_has_that_of_its_parent() -> None:
    source = """
resource kv 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: 'kv-contoso'
  resource s 'secrets' = {
    name: 'db'
  }
}
"""
    assert read(source).secrets[0].api_version == "2025-05-01"


def test_what_the_verified_module_is_given_is_what_the_vault_has() -> None:
    source = """
param open bool
module kv 'br/public:avm/res/key-vault/vault:0.9.0' = {
  params: {
    name: 'kv-contoso'
    enablePurgeProtection: false
    softDeleteRetentionInDays: open ? 7 : 90
    networkAcls: { defaultAction: 'Deny' }
  }
}
"""
    properties = read(source).vaults[0].properties
    assert properties["enablePurgeProtection"] is False
    assert properties["networkAcls"] == {"defaultAction": "Deny"}
    assert isinstance(properties["softDeleteRetentionInDays"], Unknown)


def test_a_module_of_two_files_is_named_by_one_path_and_told_once(tmp_path: Path) -> None:
    for folder in ("a", "b", "kv"):
        (tmp_path / folder).mkdir()
    (tmp_path / "kv" / "kv.bicep").write_text(vault(""))
    for folder in ("a", "b"):
        (tmp_path / folder / "main.bicep").write_text("module kv '../kv/kv.bicep' = {\n name: 'kv'\n}\n")
    result = lint(read_project([tmp_path]), date(2026, 11, 24))
    found = [item for item in result.findings if item.rule.id == "purge-protection-not-declared"]
    assert [item.judgement.position.file for item in found] == [str(tmp_path / "kv" / "kv.bicep")]


def test_a_module_that_uses_itself_ends() -> None:
    source = "module me './main.bicep' = {\n name: 'me'\n}\n"
    assert "uses itself" in read(source, {"./main.bicep": source}).undecided[0].reason


def test_syntax_that_is_not_understood_is_told_and_hides_no_flag() -> None:
    found = read(vault("", more="tags: resourceInput<'x'>.y"))
    assert found.undecided
    assert isinstance(found.vaults[0].rbac, Unknown)


def test_parameter_files(tmp_path: Path) -> None:
    source = (
        "using './main.bicep'\nparam rbac = true\nparam names = ['a']\nparam secret = getSecret('a', 'b', 'c', 'd')\n"
    )
    values = bicep_parameter_values(source, "main.bicepparam")
    assert used_by_parameters(source) == "./main.bicep"
    assert (values["rbac"], values["names"]) == (True, ["a"])
    assert isinstance(values["secret"], Unknown)
    (tmp_path / "main.bicep").write_text(
        vault("enableRbacAuthorization: rbac", before="param rbac bool\nparam names array\nparam secret string")
    )
    assert isinstance(read_project([tmp_path]).declarations[0].vaults[0].rbac, Unknown)
    (tmp_path / "main.bicepparam").write_text(source)
    assert read_project([tmp_path]).declarations[0].vaults[0].rbac is True


def test_modules_are_judged_through_the_files_that_use_them(tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text("module kv 'modules/kv.bicep' = {\n name: 'kv'\n params: { rbac: true }\n}\n")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "kv.bicep").write_text(vault("enableRbacAuthorization: rbac", before="param rbac bool"))
    found = [item for declared in read_project([tmp_path]).declarations for item in declared.vaults]
    assert [item.rbac for item in found] == [True]


@given(
    st.text(
        alphabet=st.sampled_from(
            "resource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {}[]()\n:,for in if param var ?!&|"
        ),
        max_size=120,
    )
)
def test_any_text_is_borne(text: str) -> None:
    read(text)


def test_real_files_are_read(corpus: Path) -> None:
    """Every Bicep file of the corpus by itself: nothing crashes, and the model of most vaults is decided."""
    total = decided = 0
    for path in sorted((corpus / "templates").rglob("*.bicep"))[::5]:
        for item in read_bicep(path.read_text(encoding="utf-8", errors="replace"), path.name).vaults:
            total += 1
            decided += not isinstance(model_on_create(item).model, Unknown)
    print(f"{decided} of {total} vault declarations in a fifth of the Bicep files have a decided model")
    assert total > 20
    assert decided >= 0.8 * total
