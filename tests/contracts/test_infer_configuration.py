"""Needs that configuration states."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvaudit.contracts.infer.configuration import SUFFIXES, configuration_needs
from kvaudit.contracts.infer.project import read_sources

SETTING = '{"Db": "@Microsoft.KeyVault(SecretUri=https://kv-contoso.vault.azure.net/secrets/db/)"}'
PROVIDER_CLASS = """kind: SecretProviderClass
spec:
  provider: azure
  parameters:
    keyvaultName: kv-contoso
    objects: |
      array:
        - |
          objectName: db
          objectType: secret
        - |
          objectName: tls
          objectType: cert
"""
SPRING = "spring:\n  cloud:\n    azure:\n      keyvault:\n        secret:\n          property-sources:\n            - endpoint: https://kv-contoso.vault.azure.net\n"
SPRING_FLAT = "spring.cloud.azure.keyvault.secret.property-sources[0]."
TERRAFORM = '/* data "azurerm_key_vault_key" "old" {} */\ndata "azurerm_key_vault_secret" "db" {\n  name = "db"\n}\n# data "azurerm_key_vault_key" "x" {}\n'


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        pytest.param("a.json", SETTING, {("secrets/get", "certain", 1, "kv-contoso")}, id="address"),
        pytest.param("a.xml", "\n<add value='@Microsoft.KeyVault(VaultName=KV-Contoso;SecretName=db)'/>", {("secrets/get", "certain", 2, "kv-contoso")}, id="names"),
        pytest.param("a.bicep", "x: '@Microsoft.KeyVault(SecretUri=${s.properties.secretUri})'", {("secrets/get", "certain", 1, None)}, id="no literal"),
        pytest.param("a.yaml", PROVIDER_CLASS, {("secrets/get", "certain", 6, "kv-contoso"), ("certificates/get", "certain", 6, "kv-contoso")}, id="SecretProviderClass"),
        pytest.param("a.yaml", PROVIDER_CLASS.replace("azure", "vault"), set(), id="another provider"),
        pytest.param("a.yml", SPRING, {("secrets/get", "likely", 7, "kv-contoso"), ("secrets/list", "likely", 7, "kv-contoso")}, id="Spring"),
        pytest.param("a.properties", f"{SPRING_FLAT}endpoint=${{X}}\n{SPRING_FLAT}secret-keys=a,b", {("secrets/get", "likely", 1, None)}, id="Spring, named secrets"),
        pytest.param("a.tf", TERRAFORM, {("secrets/get", "certain", 2, None)}, id="Terraform"),
        pytest.param("a.tf", 'data "azurerm_key_vault_certificate_data" "c" {}', {("secrets/get", "certain", 1, None), ("certificates/get", "certain", 1, None)}, id="Terraform, export"),
        pytest.param("a.tf", 'resource "azurerm_key_vault" "v" {}', set(), id="no data source"),
    ],
)  # fmt: skip
def test_patterns(file: str, text: str, expected: set[tuple[str, str, int, str | None]]) -> None:
    found = configuration_needs(text, file)
    assert {(need.operation, need.grade.value, need.line, need.vault) for need in found} == expected


def test_a_name_is_told_with_the_place() -> None:
    assert "to db" in configuration_needs(SETTING, "a.json")[0].why


def test_yaml_that_cannot_be_read_is_a_problem_where_it_matters(tmp_path: Path) -> None:
    (tmp_path / "chart.yaml").write_text("kind: SecretProviderClass\nname: {{ .Values.x }}\n")
    (tmp_path / "other.yaml").write_text("name: {{ .Values.x }}\n")
    (tmp_path / ".env.local").write_text("A=@Microsoft.KeyVault(VaultName=kv;SecretName=x)\n")
    found = read_sources(tmp_path)
    assert [need.file for need in found.needs] == [".env.local"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith("chart.yaml:")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SUFFIXES), st.text() | st.text(alphabet="@Microsoft.KeyVault(;=){}\n:- /*\"'"))
def test_any_text_is_answered_or_refused(suffix: str, text: str) -> None:
    try:
        configuration_needs(f"{text}\nSecretProviderClass", f"a{suffix}")
    except ValueError as problem:
        assert str(problem)  # noqa: PT017
