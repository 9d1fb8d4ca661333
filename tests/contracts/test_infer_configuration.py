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
        pytest.param("a.tf", 'data "azurerm_key_vault" "v" {\n  name = "KV-Contoso"\n}\ndata "azurerm_key_vault_key" "k" {\n  key_vault_id = data.azurerm_key_vault.v.id\n}', {("keys/get", "certain", 4, "kv-contoso")}, id="Terraform, its vault"),
        pytest.param("a.tf", '# a "quote\n  ephemeral "azurerm_key_vault_secret" "s" {}', {("secrets/get", "certain", 2, None)}, id="Terraform, ephemeral"),
        pytest.param("a.tf", 'x = <<EOT\ndata "azurerm_key_vault_secret" "s" {}\nEOT\n', set(), id="Terraform, a text"),
        pytest.param("a.tf", 'resource "azurerm_key_vault" "v" {}', set(), id="no data source"),
    ],
)  # fmt: skip
def test_patterns(file: str, text: str, expected: set[tuple[str, str, int, str | None]]) -> None:
    found = configuration_needs(text, file)
    assert {(need.operation, need.grade.value, need.line, need.vault) for need in found} == expected


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{\n name = "db"\n}', "db"),
        ('{ name = "db" }', "db"),
        ('{\n}\nlocals {\n name = "other"\n}', None),
        ('{\n}\nthing {\n name = "other"\n}', None),
        ('{\n # name = "old"\n name = "db"\n}', "db"),
        ('{\n note = "}"\n name = "db"\n}', "db"),
        ('{\n timeouts {\n name = "inner"\n }\n name = "db"\n}', "db"),
        ("{\n name = var.name\n}", None),
        ('{\n name = "a-${var.b}"\n}', None),
    ],
)
def test_the_name_of_a_data_source_is_its_own(body: str, name: str | None) -> None:
    (need,) = configuration_needs(f'data "azurerm_key_vault_secret" "s" {body}\n', "a.tf")
    assert need.object == name


def test_the_vault_of_a_data_source_stands_in_another_file_of_the_folder(tmp_path: Path) -> None:
    secret = 'data "azurerm_key_vault_secret" "s" {\n key_vault_id = data.azurerm_key_vault.v.id\n}'
    for folder, vault in (("a", "kv-one"), ("b", "kv-two"), ("c", "${var.vault}")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.tf").write_text(secret)
        (tmp_path / folder / "vault.tf").write_text(f'data "azurerm_key_vault" "v" {{\n name = "{vault}"\n}}')
    found = read_sources(tmp_path)
    assert [(need.file, need.vault) for need in found.needs] == [
        ("a/main.tf", "kv-one"),
        ("b/main.tf", "kv-two"),
        ("c/main.tf", None),
    ]


@pytest.mark.parametrize("cut", ["    objects: |", "  parameters:"])
def test_a_provider_class_that_names_no_objects_is_a_problem(cut: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: first\n---\n" + PROVIDER_CLASS.partition(cut)[0])
    found = read_sources(tmp_path)
    assert (found.needs, found.problems) == (
        (),
        ("a.yaml: line 3: the SecretProviderClass names no objects, so what it reads is not known",),
    )


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    setting = "value: '@Microsoft.KeyVault(VaultName=kv-contoso;SecretName=db)'"
    broken = "keyvault: {{ .Values.x }}: ["
    (tmp_path / "a.yaml").write_text(f"{setting}\n---\n{broken}\n---\n{PROVIDER_CLASS}")
    found = read_sources(tmp_path)
    assert [(need.operation, need.line, need.object) for need in found.needs] == [
        ("certificates/get", 10, "tls"),
        ("secrets/get", 1, "db"),
        ("secrets/get", 10, "db"),
    ]
    assert [problem.partition(" ")[0] for problem in found.problems] == ["a.yaml:"]
    assert "a.yaml: 3:" in found.problems[0]


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
