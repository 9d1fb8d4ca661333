"""Rules over scripts and dependency files: quiet, firing and undecided."""

from datetime import date
from pathlib import Path

import pytest

from kvaudit.preflight.judgement import FileJudgement, Severity, Verdict
from kvaudit.preflight.rules.catalogue import by_id
from kvaudit.templates.dependencies import GO_MODULE
from kvaudit.templates.project import read_project

TODAY = date(2026, 11, 24)
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
MODEL, REMOVED = "script-model-not-stated", "script-parameter-removed"
POLICY, VERSION = "script-policy-on-rbac-vault", "retiring-api-version"
SDK, PROVIDER, LEGACY = "management-sdk-too-old", "provider-too-old", "legacy-keyvault-package"
CREATE = "az keyvault create -n $KV -g rg"
SET_POLICY = "az keyvault set-policy --name $KV --object-id $ID --secret-permissions get list"
URL = "https://management.azure.com/subscriptions/$SUB/providers/Microsoft.KeyVault/vaults/kv?api-version="
WORKFLOW = "with:\n  azcliversion: {}\n  inlineScript: |\n    {}\n    {}\n"


def judged(folder: Path, name: str, text: str, rule: str) -> list[FileJudgement]:
    (folder / name).write_text(text)
    project = read_project([folder])
    assert not project.problems
    return list(by_id(rule).check(project, TODAY))


SCRIPTS = [
    (MODEL, "a.sh", CREATE, [FAIL]),
    (MODEL, "a.sh", f"{CREATE} --enable-rbac-authorization false", [PASS]),
    (MODEL, "a.sh", f"{CREATE} --enable-rbac true", [PASS]),
    (MODEL, "a.sh", f"{CREATE} --enable-rbac-authorization $RBAC", [PASS]),
    (MODEL, "a.sh", f'{CREATE} "${{EXTRA[@]}}"', [UNKNOWN]),
    (MODEL, "a.sh", "az keyvault create --hsm-name h -g rg", []),
    (MODEL, "a.sh", "az keyvault show -n kv", []),
    (MODEL, "a.ps1", "New-AzKeyVault -Name kv", [FAIL]),
    (MODEL, "a.ps1", "New-AzKeyVault -Name kv -DisableRbacAuthorization", [PASS]),
    (MODEL, "a.ps1", "New-AzKeyVault @p", [UNKNOWN]),
    (REMOVED, "a.ps1", "New-AzKeyVault -Name kv -EnableRbacAuthorization", [FAIL]),
    (REMOVED, "a.ps1", "$v | Update-AzKeyVault -EnableRbacAuthorization $true", [FAIL]),
    (REMOVED, "a.ps1", "Update-AzKeyVault -Name kv -DisableRbacAuthorization $false", [PASS]),
    (REMOVED, "a.ps1", "New-AzKeyVault @p", [UNKNOWN]),
    (POLICY, "a.sh", f"{CREATE} --enable-rbac-authorization true\n{SET_POLICY}", [FAIL]),
    (POLICY, "a.sh", f"{CREATE}\n{SET_POLICY}", [FAIL]),
    (POLICY, "a.sh", f"{CREATE} --enable-rbac-authorization false\n{SET_POLICY}", [PASS]),
    (POLICY, "a.sh", f"{CREATE} --enable-rbac-authorization $RBAC\n{SET_POLICY}", [UNKNOWN]),
    (POLICY, "a.sh", SET_POLICY, []),
    (POLICY, "a.sh", f"{CREATE.replace('$KV', 'other')}\n{SET_POLICY}", []),
    (POLICY, "w.yml", WORKFLOW.format("2.60.0", CREATE, SET_POLICY), [PASS]),
    (POLICY, "w.yml", WORKFLOW.format("2.62.0", CREATE, SET_POLICY), [FAIL]),
    (POLICY, "a.ps1", "New-AzKeyVault -Name kv\nSet-AzKeyVaultAccessPolicy -VaultName KV -ObjectId $x", [FAIL]),
    (POLICY, "a.ps1", "New-AzKeyVault -Name kv -DisableRbacAuthorization\nSet-AzKeyVaultAccessPolicy -VaultName kv", [PASS]),
    (VERSION, "a.sh", f'az rest --method put --url "{URL}2023-07-01"', [FAIL]),
    (VERSION, "a.sh", f'az rest --method put --url "{URL}2026-02-01"', [PASS]),
    (VERSION, "a.sh", f'az rest --method put --url "{URL}$VERSION"', [UNKNOWN]),
    (VERSION, "a.sh", "az rest --url https://kv.vault.azure.net/secrets?api-version=7.4", []),
    (VERSION, "a.sh", "az rest --url https://management.azure.com/x/Microsoft.Web/sites?api-version=2020-01-01", []),
    (VERSION, "a.sh", "az resource update --resource-type Microsoft.KeyVault/vaults -n k --api-version 2019-09-01", [FAIL]),
    (VERSION, "a.ps1", "Invoke-AzRestMethod -Method PUT -Path '/x/Microsoft.KeyVault/vaults/k?api-version=2021-10-01'", [FAIL]),
    (VERSION, "a.ps1", "New-AzResource -ResourceType Microsoft.KeyVault/vaults -ApiVersion 2026-02-01", [PASS]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "text", "verdicts"), SCRIPTS)
def test_a_rule_over_a_script(tmp_path: Path, rule: str, name: str, text: str, verdicts: list[Verdict]) -> None:
    found = judged(tmp_path, name, text, rule)
    assert [item.verdict for item in found] == verdicts
    assert all(item.message for item in found if item.verdict is not PASS)


def csproj(version: str) -> str:
    return f'<Project><PackageReference Include="Azure.ResourceManager.KeyVault" Version="{version}"/></Project>'


def providers(version: str) -> str:
    return f'terraform {{\n  required_providers {{\n    azurerm = {{ version = "{version}" }}\n  }}\n}}\n'


def pom(version: str) -> str:
    return (
        "<project><dependency><groupId>com.azure.resourcemanager</groupId>"
        f"<artifactId>azure-resourcemanager-keyvault</artifactId><version>{version}</version></dependency></project>"
    )


DEPENDENCIES = [
    (SDK, "a.csproj", csproj("1.3.2"), FAIL),
    (SDK, "a.csproj", csproj("1.4.0"), PASS),
    (SDK, "a.csproj", csproj("$(Version)"), UNKNOWN),
    (SDK, "go.mod", f"require {GO_MODULE} v1.5.0", FAIL),
    (SDK, "go.mod", f"require {GO_MODULE}/v2 v2.0.0", PASS),
    (SDK, "requirements.txt", "azure-mgmt-keyvault==10.3.0", FAIL),
    (SDK, "requirements.txt", "azure-mgmt-keyvault<13", FAIL),
    (SDK, "requirements.txt", "azure-mgmt-keyvault==13.0.0", FAIL),
    (SDK, "requirements.txt", "azure-mgmt-keyvault==14.0.1", UNKNOWN),
    (SDK, "requirements.txt", "azure-mgmt-keyvault==14.1.0", PASS),
    (SDK, "requirements.txt", "azure-mgmt-keyvault>=10", PASS),
    (SDK, "package.json", '{"dependencies": {"@azure/arm-keyvault": "^3.0.0"}}', UNKNOWN),
    (SDK, "package.json", '{"dependencies": {"@azure/arm-keyvault": "*"}}', PASS),
    (SDK, "pom.xml", pom("2.30.0"), UNKNOWN),
    (SDK, "pom.xml", pom("${v}"), UNKNOWN),
    (PROVIDER, "a.tf", providers("~> 3.0"), FAIL),
    (PROVIDER, "a.tf", providers("4.80.0"), FAIL),
    (PROVIDER, "a.tf", providers("~> 4.0"), PASS),
    (PROVIDER, "a.tf", providers(">= 3.0"), PASS),
    (LEGACY, "requirements.txt", "azure-keyvault==1.1.0", FAIL),
    (LEGACY, "old.py", "from azure.keyvault import KeyVaultClient", FAIL),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "text", "verdict"), DEPENDENCIES)
def test_a_rule_over_a_dependency_file(tmp_path: Path, rule: str, name: str, text: str, verdict: Verdict) -> None:
    (found,) = judged(tmp_path, name, text, rule)
    assert found.verdict is verdict


def test_a_version_that_the_pipeline_pins_decides_how_bad_it_is(tmp_path: Path) -> None:
    new = judged(tmp_path, "w.yml", WORKFLOW.format("2.62.0", CREATE, ""), MODEL)[0]
    old = judged(tmp_path, "w.yml", WORKFLOW.format("2.60.0", CREATE, ""), MODEL)[0]
    assert (new.severity, old.severity) == (Severity.LOW, None)
    assert "2.60.0 makes a vault with access policies" in old.message
