"""Rules over files: each one quiet, firing and undecided; remarks that silence them."""

import json
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kvaudit.preflight.judgement import FileJudgement, Severity, Verdict
from kvaudit.preflight.lint import LintResult, lint
from kvaudit.preflight.rules.catalogue import FILE_RULES, by_id
from kvaudit.preflight.rules.retiring_api_version import left
from kvaudit.templates.declarations import Language
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import read_project
from kvaudit.templates.unknown import Unknown

TODAY = date(2026, 11, 24)
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
POLICY = {"tenantId": "t", "objectId": "22222222-2222-2222-2222-222222222222", "permissions": {"secrets": ["get"]}}
PARAMETERS = {"p": {"type": "string"}, "list": {"type": "array"}, "key": {"type": "secureString"}}


def vault(version: str = "2026-02-01", name: str = "kv-contoso", **properties: Any) -> dict[str, Any]:
    return {"type": "Microsoft.KeyVault/vaults", "apiVersion": version, "name": name, "properties": properties}


def template(*resources: Any, **parts: Any) -> str:
    return json.dumps({"$schema": SCHEMA, "parameters": PARAMETERS, "resources": resources, **parts}, indent=1)


def judged(folder: Path, text: str, name: str = "main.json") -> LintResult:
    (folder / name).write_text(text)
    return lint(read_project([folder]), TODAY)


def verdicts(result: LintResult, rule: str) -> list[FileJudgement]:
    return list(by_id(rule).check(result.project, TODAY))


SECRET = {"type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2026-02-01", "name": "kv/db"}
ROLE = {
    "type": "Microsoft.Authorization/roleAssignments",
    "apiVersion": "2022-04-01",
    "name": "x",
    "scope": "[resourceId('Microsoft.KeyVault/vaults', 'kv-contoso')]",
    "properties": {"roleDefinitionId": "4633458b-17de-408a-b874-0445c86b69e6", "principalId": "x"},
}

READER, OWN_ROLE = "21090545-7ca7-4776-b22c-e363652d74d2", "99999999-9999-9999-9999-999999999999"
CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"


def role(guid: str = "4633458b-17de-408a-b874-0445c86b69e6", at: str = "'kv-contoso'", **more: Any) -> dict[str, Any]:
    scope = f"[resourceId('Microsoft.KeyVault/vaults', {at})]"
    return {**ROLE, "scope": scope, "properties": {"roleDefinitionId": guid, "principalId": "x"}, **more}


ON_SECRET = "[resourceId('Microsoft.KeyVault/vaults/secrets', 'kv-contoso', 'db')]"
MAYBE = {"condition": "[equals(parameters('p'), 'x')]"}
WITHOUT = "rbac-vault-without-role-assignment"

KEY = {
    "type": "Microsoft.KeyVault/vaults/keys",
    "apiVersion": "2023-07-01",
    "name": "kv-contoso/sign",
    "properties": {},
}
HSM = {"type": "Microsoft.KeyVault/managedHSMs", "apiVersion": "2023-07-01", "name": "hsm-contoso", "properties": {}}

ROWS = [
    ("retiring-api-version", [KEY], Verdict.FAIL),
    ("retiring-api-version", [{**KEY, "apiVersion": "2026-02-01"}], Verdict.PASS),
    ("retiring-api-version", [HSM], Verdict.FAIL),
    ("retiring-api-version", [{**KEY, "apiVersion": "[parameters('p')]"}], Verdict.UNKNOWN),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(at="'kv-contoso2'")], Verdict.FAIL),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(at="'kv'")], Verdict.FAIL),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(at="'KV-Contoso'")], Verdict.PASS),
    (WITHOUT, [vault(accessPolicies=[POLICY]), {**ROLE, "scope": ON_SECRET}], Verdict.PASS),
    (WITHOUT, [vault(accessPolicies=[POLICY]), {**ROLE, "scope": ON_SECRET.replace("kv-", "kv2-")}], Verdict.FAIL),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(READER)], Verdict.PASS),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(CONTRIBUTOR)], Verdict.FAIL),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(OWN_ROLE)], Verdict.PASS),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role("[parameters('p')]")], Verdict.UNKNOWN),
    (WITHOUT, [vault(accessPolicies=[POLICY]), role(**MAYBE)], Verdict.UNKNOWN),
    (WITHOUT, [{**vault(accessPolicies=[POLICY]), **MAYBE}, role(**MAYBE)], Verdict.PASS),
    ("retiring-api-version", [vault()], Verdict.PASS),
    ("retiring-api-version", [vault("2025-05-01")], Verdict.FAIL),
    ("retiring-api-version", [vault("2024-12-01-preview")], Verdict.FAIL),
    ("retiring-api-version", [vault("[parameters('p')]")], Verdict.UNKNOWN),
    ("permission-model-implicit", [vault(enableRbacAuthorization=False, accessPolicies=[POLICY])], Verdict.PASS),
    ("permission-model-implicit", [vault("2023-07-01")], Verdict.FAIL),
    ("permission-model-implicit", [vault(enableRbacAuthorization="[parameters('p')]")], Verdict.UNKNOWN),
    ("permission-model-implicit", [vault("[parameters('p')]")], Verdict.UNKNOWN),
    ("access-policies-on-rbac-vault", [vault(enableRbacAuthorization=True)], Verdict.PASS),
    ("access-policies-on-rbac-vault", [vault(enableRbacAuthorization=True, accessPolicies=[POLICY])], Verdict.FAIL),
    ("access-policies-on-rbac-vault", [vault(enableRbacAuthorization=True, accessPolicies="[parameters('list')]")], Verdict.UNKNOWN),
    ("rbac-vault-without-role-assignment", [vault(accessPolicies=[POLICY]), ROLE], Verdict.PASS),
    ("rbac-vault-without-role-assignment", [vault(accessPolicies=[POLICY])], Verdict.FAIL),
    ("rbac-vault-without-role-assignment", [vault(accessPolicies=[POLICY]), {**ROLE, "scope": "[parameters('p')]"}], Verdict.UNKNOWN),
    ("access-policies-replaced", [vault("2023-07-01")], Verdict.PASS),
    ("access-policies-replaced", [vault("2023-07-01", accessPolicies=[POLICY])], Verdict.FAIL),
    ("access-policies-replaced", [vault("2023-07-01", accessPolicies=[])], Verdict.FAIL),
    ("access-policies-replaced", [vault("[parameters('p')]", accessPolicies=[POLICY])], Verdict.UNKNOWN),
    ("purge-protection-not-declared", [vault(enablePurgeProtection=True)], Verdict.PASS),
    ("purge-protection-not-declared", [vault()], Verdict.FAIL),
    ("purge-protection-not-declared", [vault(enablePurgeProtection="[parameters('p')]")], Verdict.UNKNOWN),
    ("public-network-declared-open", [vault(publicNetworkAccess="disabled")], Verdict.PASS),
    ("public-network-declared-open", [vault(publicNetworkAccess="SecuredByPerimeter")], Verdict.PASS),
    ("public-network-declared-open", [vault(networkAcls={"defaultAction": "Deny"})], Verdict.PASS),
    ("public-network-declared-open", [vault(networkAcls={"defaultAction": "Allow"})], Verdict.FAIL),
    ("public-network-declared-open", [vault()], Verdict.FAIL),
    ("public-network-declared-open", [vault(networkAcls={"defaultAction": "[parameters('p')]"})], Verdict.UNKNOWN),
    ("soft-delete-retention-short", [vault()], Verdict.PASS),
    ("soft-delete-retention-short", [vault(softDeleteRetentionInDays=7)], Verdict.FAIL),
    ("soft-delete-retention-short", [vault(softDeleteRetentionInDays="[parameters('p')]")], Verdict.UNKNOWN),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "[parameters('key')]"}}], Verdict.PASS),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "in the open"}}], Verdict.FAIL),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "[[in the open]"}}], Verdict.FAIL),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "[concat('in ', 'the open')]"}}], Verdict.FAIL),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "#{token}#"}}], Verdict.PASS),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "[newGuid()]"}}], Verdict.PASS),
    ("secret-in-plain-text", [{**SECRET, "properties": {"value": "[listKeys('x', '2023-01-01').key1]"}}], Verdict.PASS),
    ("vault-name-invalid", [vault()], Verdict.PASS),
    ("vault-name-invalid", [vault(name="kv--x")], Verdict.FAIL),
    ("vault-name-invalid", [vault(name="k")], Verdict.FAIL),
    ("vault-name-invalid", [vault(name="[parameters('p')]")], Verdict.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "resources", "verdict"), ROWS)
def test_a_rule_over_a_template(tmp_path: Path, rule: str, resources: list[Any], verdict: Verdict) -> None:
    found = verdicts(judged(tmp_path, template(*resources)), rule)
    assert [item.verdict for item in found] == [verdict]
    assert found[0].message or verdict is Verdict.PASS


def test_what_is_only_referred_to_with_a_retiring_version_is_milder(tmp_path: Path) -> None:
    text = "resource kv 'Microsoft.KeyVault/vaults@2019-09-01' existing = {\n  name: 'kv-contoso'\n}\n"
    (found,) = verdicts(judged(tmp_path, text, "main.bicep"), "retiring-api-version")
    assert (found.verdict, found.severity) == (Verdict.FAIL, Severity.LOW)
    assert "referred to with api-version 2019-09-01" in found.message


def test_policies_that_a_raised_version_makes_inert_are_worse(tmp_path: Path) -> None:
    old = verdicts(
        judged(tmp_path, template(vault("2023-07-01", accessPolicies=[POLICY]))), "permission-model-implicit"
    )[0]
    new = verdicts(judged(tmp_path, template(vault(accessPolicies=[POLICY]))), "permission-model-implicit")[0]
    none = verdicts(judged(tmp_path, template(vault("2023-07-01"))), "permission-model-implicit")[0]
    assert [item.severity for item in (old, new, none)] == [Severity.HIGH, Severity.HIGH, Severity.MEDIUM]
    assert "would be inert" in old.message
    assert "is inert" in new.message


def test_a_name_that_stands_twice(tmp_path: Path) -> None:
    found = verdicts(judged(tmp_path, template(vault(), vault(name="KV-Contoso"))), "vault-name-invalid")
    assert [item.verdict for item in found] == [Verdict.PASS, Verdict.FAIL]


@pytest.mark.parametrize(
    ("body", "verdict", "severity"),
    [
        ("rbac_authorization_enabled = true", Verdict.PASS, None),
        ("enable_rbac_authorization = true", Verdict.FAIL, Severity.LOW),
        ("", Verdict.FAIL, Severity.LOW),
    ],
)
def test_terraform_names_of_the_flag(tmp_path: Path, body: str, verdict: Verdict, severity: Severity | None) -> None:
    text = f'resource "azurerm_key_vault" "main" {{\n  name = "kv-contoso"\n  {body}\n}}\n'
    found = verdicts(judged(tmp_path, text, "main.tf"), "provider-model-flag-removed")[0]
    assert (found.verdict, found.severity) == (verdict, severity)


def azurerm(body: str = "", pin: str | None = None) -> str:
    required = f'terraform {{\n required_providers {{\n azurerm = {{\n version = "{pin}"\n}}\n}}\n}}\n' if pin else ""
    return f'{required}resource "azurerm_key_vault" "main" {{\n  name = "kv-contoso"\n{body}\n}}\n'


@pytest.mark.parametrize(
    ("rule", "body", "words"),
    [
        ("purge-protection-not-declared", "", "set purge_protection_enabled to true"),
        ("public-network-declared-open", "", "set public_network_access_enabled to false, or default_action of network_acls to Deny"),
        ("public-network-declared-open", 'network_acls {\n default_action = "Allow"\n bypass = "None"\n}', "default_action of network_acls lets every address in"),
        ("public-network-declared-open", "", "network_acls is left out"),
        ("soft-delete-retention-short", "soft_delete_retention_days = 7", "leave soft_delete_retention_days out: 90 days"),
        ("soft-delete-retention-short", 'soft_delete_retention_days = "soon"', "soft_delete_retention_days is 'soon'"),
        ("purge-protection-not-declared", "purge_protection_enabled = var.nowhere", "purge_protection_enabled is not decided"),
        ("permission-model-implicit", "", "state rbac_authorization_enabled, with"),
    ],
)  # fmt: skip
def test_findings_in_terraform_speak_the_words_of_the_provider(
    tmp_path: Path, rule: str, body: str, words: str
) -> None:
    (found,) = verdicts(judged(tmp_path, azurerm(body), "main.tf"), rule)
    told = f"{found.message}\n{found.fix}"
    assert words in told
    assert not any(name in told for name in ("enableP", "enableR", "networkAcls", "publicN", "softD"))


@pytest.mark.parametrize("body", ["", "properties = {\n enablePurgeProtection = false\n}"])
def test_azapi_keeps_the_words_of_azure(tmp_path: Path, body: str) -> None:
    text = f'resource "azapi_resource" "kv" {{\n type = "Microsoft.KeyVault/vaults@2026-02-01"\n name = "kv-contoso"\n body = {{\n{body}\n}}\n}}\n'
    result = judged(tmp_path, text, "main.tf")
    told = [f"{item.message} {item.fix}" for rule in ("purge-protection-not-declared", "public-network-declared-open") for item in verdicts(result, rule)]  # fmt: skip
    assert "set enablePurgeProtection to true" in told[0]
    assert "set publicNetworkAccess to Disabled, or networkAcls.defaultAction to Deny" in told[1]


@pytest.mark.parametrize(
    ("pin", "name", "fix"),
    [
        ("~> 3.100", "enable_rbac_authorization", "let in azurerm 4.42.0 or newer, then write rbac_authorization_enabled"),
        ("= 4.41.0", "enable_rbac_authorization", "let in azurerm 4.42.0 or newer, then write rbac_authorization_enabled"),
        (">= 3.0, < 4.42.0", "enable_rbac_authorization", "let in azurerm 4.42.0 or newer, then write rbac_authorization_enabled"),
        ("4.42.0", "rbac_authorization_enabled", "write rbac_authorization_enabled"),
        ("~> 4.0", "rbac_authorization_enabled", "write rbac_authorization_enabled"),
        (">= 3.0", "rbac_authorization_enabled", "write rbac_authorization_enabled"),
        (None, "rbac_authorization_enabled", "write rbac_authorization_enabled"),
    ],
)  # fmt: skip
def test_the_flag_is_named_as_the_pinned_provider_knows_it(
    tmp_path: Path, pin: str | None, name: str, fix: str
) -> None:
    result = judged(tmp_path, azurerm(pin=pin), "main.tf")
    assert (
        verdicts(result, "permission-model-implicit")[0].fix == f"state {name}, with the value that the vault has today"
    )
    assert verdicts(result, "provider-model-flag-removed")[0].fix == fix


def test_an_output_that_shows_a_secure_parameter(tmp_path: Path) -> None:
    result = judged(tmp_path, template(outputs={"o": {"type": "string", "value": "[parameters('key')]"}}))
    assert verdicts(result, "secret-in-plain-text")[0].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("value", "is_found"),
    [
        ("[parameters('key')]", True),
        ({"connections": ["[concat('x', parameters('KEY'))]"]}, True),
        ("[variables('deep')]", True),
        ("[variables('first').secondaryKey]", True),
        ("[createObject('key', listKeys('x', '2023-01-01'))]", True),
        ("[[listKeys('x')]", False),
        ("[concat('listKeys(', parameters('p'))]", False),
        ("[variables('round')]", False),
        ("[parameters('p')]", False),
    ],
)
def test_an_output_that_shows_what_is_secret(tmp_path: Path, value: Any, is_found: bool) -> None:
    variables = {
        "deep": {"a": ["[variables('deeper')]"]},
        "deeper": "[parameters('key')]",
        "first": "[first(listAccountKeys('x'))]",
        "round": "[variables('round')]",
    }
    outputs = {"o": {"type": "object", "value": value}, "kept": {"type": "secureString", "value": value}}
    text = template(outputs=outputs, variables=variables)
    assert bool(verdicts(judged(tmp_path, text), "secret-in-plain-text")) is is_found
    inside = {"template": json.loads(text), "expressionEvaluationOptions": {"scope": "inner"}}
    inner = {"type": "Microsoft.Resources/deployments", "name": "in", "properties": inside}
    assert bool(verdicts(judged(tmp_path, template(inner, vault())), "secret-in-plain-text")) is is_found


@pytest.mark.parametrize(
    ("parameter", "findings"),
    [
        ({"type": "string", "defaultValue": "in the open"}, ["kv/db"]),
        ({"type": "secureString", "defaultValue": "in the open"}, ["x"]),
        ({"type": "secureString", "defaultValue": ""}, []),
        ({"type": "secureString", "defaultValue": "[newGuid()]"}, []),
        ({"type": "secureObject", "defaultValue": {"password": "in the open"}}, ["x"]),
        ({"type": "secureString"}, []),
    ],
)
def test_a_plain_default_of_what_becomes_a_secret(tmp_path: Path, parameter: Any, findings: list[str]) -> None:
    secret = {**SECRET, "properties": {"value": "[parameters('x')]"}}
    text = template(secret, parameters={"x": parameter})
    found = [item for item in verdicts(judged(tmp_path, text), "secret-in-plain-text") if item.verdict is Verdict.FAIL]
    assert [item.subject for item in found] == findings
    assert not any("in the open" in item.message for item in found)


def test_a_file_of_parameter_values_holds_a_secret(tmp_path: Path) -> None:
    secret = {**SECRET, "properties": {"value": "[parameters('key')]"}}
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
    for name, value in (("dev", {"value": "in the open"}), ("prod", {"reference": {"secretName": "x"}})):
        given = {"$schema": schema, "parameters": {"KEY": value}}
        (tmp_path / f"main.{name}.parameters.json").write_text(json.dumps(given, indent=1))
    found = verdicts(judged(tmp_path, template(secret)), "secret-in-plain-text")
    failed = next(item for item in found if item.verdict is Verdict.FAIL)
    assert Path(failed.position.file).name == "main.dev.parameters.json"
    assert failed.position.line > 1


BICEP_SECRET = (
    "resource s 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {\n  name: 'kv/db'\n  properties: { value: %s }\n}\n"
)
ACCOUNT = "resource a 'Microsoft.Storage/storageAccounts@2023-01-01' existing = { name: 'a' }\n"
TERRAFORM_SECRET = 'resource "azurerm_key_vault_secret" "s" {\n  name = "db"\n  key_vault_id = "x"\n  value = %s\n}\n'


@pytest.mark.parametrize(
    ("name", "text", "findings"),
    [
        ("main.bicep", BICEP_SECRET % "'in the open'", ["kv/db"]),
        ("main.bicep", BICEP_SECRET % "'[in the open]'", ["kv/db"]),
        ("main.bicep", "@secure()\nparam k string = 'open'\n" + BICEP_SECRET % "k", ["k"]),
        ("main.bicep", "param k string = 'open'\n" + BICEP_SECRET % "'${k}-x'", ["kv/db"]),
        ("main.bicep", "@secure()\nparam k string = newGuid()\n" + BICEP_SECRET % "k", []),
        ("main.bicep", ACCOUNT + BICEP_SECRET % "a.listKeys().keys[0].value", []),
        ("main.bicep", ACCOUNT + BICEP_SECRET % "''" + "output o string = a.listKeys().keys[0].value\n", ["o"]),
        ("main.bicep", ACCOUNT + BICEP_SECRET % "''" + "@secure()\noutput o string = a.listKeys().x\n", []),
        ("main.tf", TERRAFORM_SECRET % '"in the open"', ["azurerm_key_vault_secret.s"]),
        ("main.tf", TERRAFORM_SECRET % "var.v" + 'variable "v" {\n default = "x"\n}\n', ["azurerm_key_vault_secret.s"]),
        ("main.tf", TERRAFORM_SECRET % "var.v" + 'variable "v" {\n default = "x"\n sensitive = true\n}\n', ["v"]),
        ("main.tf", TERRAFORM_SECRET % "var.v" + 'variable "v" {\n default = ""\n}\n', []),
        ("main.tf", TERRAFORM_SECRET % "random_password.p.result", []),
    ],
)  # fmt: skip
def test_secrets_in_other_languages(tmp_path: Path, name: str, text: str, findings: list[str]) -> None:
    found = verdicts(judged(tmp_path, text, name), "secret-in-plain-text")
    assert [item.subject for item in found if item.verdict is Verdict.FAIL] == findings


def test_a_remark_silences_one_rule_with_a_reason(tmp_path: Path) -> None:
    text = template(vault(publicNetworkAccess="Disabled", enablePurgeProtection=False))
    line = '"enablePurgeProtection": false'
    rule = "purge-protection-not-declared"
    marked = text.replace('{\n   "type"', f'// kvaudit:ignore={rule} a vault of a test\n{{\n   "type"').replace(
        "  {", "  {", 1
    )
    assert marked != text
    result = judged(tmp_path, marked)
    assert [(item.rule.id, item.silenced) for item in result.findings if item.rule.id == rule] == [
        (rule, "a vault of a test")
    ]
    assert result.verdicts[rule][Verdict.FAIL] == 0
    assert line in marked
    silent = judged(tmp_path, marked.replace(" a vault of a test", ""))
    assert not any(item.silenced for item in silent.findings)
    assert "no reason" in silent.mistakes[0][1]
    wrong = judged(tmp_path, marked.replace(rule, "no-such-rule"))
    assert "no rule" in wrong.mistakes[0][1]


def test_files_that_cannot_be_read_are_told_and_the_rest_is_judged(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "binary.json").write_bytes(b"\x00\x01")
    (tmp_path / "broken.json").write_text('{"$schema": "deploymentTemplate.json", "resources": [')
    (tmp_path / "broken.tf").write_text('resource "x" {')
    (tmp_path / "empty.tf").write_text("")
    result = judged(tmp_path, template(vault()))
    assert len(result.project.problems) == 3
    assert len(result.project.declarations) == 2
    assert [item for item in result.project.files if "loop" in item] == []


def test_every_real_file_is_judged_and_most_models_are_decided(corpus: Path) -> None:
    """All templates and infrastructure folders of the corpus: no crash, nothing unread, and the share that is decided."""
    total, undecided = Counter[str](), Counter[str]()
    looked = 0
    for folder in ("templates", "infra-trees"):
        result = lint(read_project([corpus / folder]), TODAY)
        assert [problem.message for problem in result.project.problems] == []
        looked += len(result.project.files)
        for declared in result.project.declarations:
            for item in declared.vaults:
                total[declared.language] += 1
                undecided[declared.language] += isinstance(model_on_create(item).model, Unknown)
    print(f"{looked} files hold something: {dict(total)}, undecided {dict(undecided)}")
    assert looked > 500
    for language, share in ((Language.ARM, 0.85), (Language.BICEP, 0.8), (Language.TERRAFORM, 0.8)):
        assert total[language] - undecided[language] >= share * total[language] > 40


def test_every_rule_has_a_page_and_a_name_of_its_own() -> None:
    from kvaudit.rules.catalogue import RULES

    names = [*(rule.id for rule in RULES), *(rule.id for rule in FILE_RULES)]
    assert len(set(names)) == len(names)
    for rule in FILE_RULES:
        module = rule.check.__module__
        page = sys.modules[module].__doc__ or ""
        assert module.rpartition(".")[2].replace("_", "-") == rule.id
        assert page.splitlines()[0] == rule.title
        for part in ("## Why it matters", "## How to fix it", "## References"):
            assert part in page


def test_days_left() -> None:
    assert [left(date(2027, 2, day)) for day in (26, 27, 28)] == ["in 1 day", "today", "1 day ago"]
