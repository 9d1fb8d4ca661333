"""`kvaudit contracts infer` as people run it: a folder of several languages, the installed command, its exit codes."""

import json
from pathlib import Path

import pytest
from conftest_types import Run
from described import undescribed
from jsonschema import Draft202012Validator

from kvaudit.contracts.reading import parse_contracts

PROGRAM = """using Azure.Security.KeyVault.Secrets;
class Program {
    static void Main() {
        var client = new SecretClient(new Uri("https://kv-shop.vault.azure.net"), credential);
        client.SetSecret("db", value);
    }
}
"""
SETTINGS = '{"Queue": "@Microsoft.KeyVault(VaultName=kv-shop;SecretName=queue)"}'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Program.cs").write_text(PROGRAM)
    (folder / "appsettings.json").write_text(SETTINGS)
    return folder


@pytest.mark.usefixtures("shop")
def test_a_draft_that_check_can_read(run: Run) -> None:
    done = run("contracts", "infer", "shop")
    assert done.code == 0, done.err
    (contract,) = parse_contracts(done.out, "contracts.yaml")
    assert (contract.name, contract.vaults, contract.needs) == ("shop", ("kv-shop",), ("secrets/get", "secrets/set"))
    assert "# certain: Program.cs:5 client.SetSecret()" in done.out
    assert "# certain: appsettings.json:1 a Key Vault reference to queue" in done.out
    assert "2 files looked into, 2 operations needed" in done.err


def test_the_data_are_what_the_schema_promises(run: Run, shop: Path) -> None:
    (shop / "deploy.sh").write_text("az keyvault secret show --vault-name kv-shop -n queue")
    done = run("contracts", "infer", "shop", "-o", "json")
    assert done.code == 0, done.err
    found, schema = json.loads(done.out), json.loads(run("schema", "inferred-needs").out)
    assert not [error.message for error in Draft202012Validator(schema).iter_errors(found)]
    assert not set(undescribed(found, [schema], schema))
    assert [(need["word"], need["object"]) for need in found["needs"]] == [
        ("secrets/get", "queue"),
        ("secrets/set", "db"),
    ]
    assert found["notes"] == [
        "1 shell or PowerShell script mentions a key vault: `kvaudit lint` reads scripts; whoever runs them needs access of their own"
    ]
    assert f"note: {found['notes'][0]}" in done.err


def test_what_was_not_looked_into_makes_the_answer_incomplete(run: Run, shop: Path) -> None:
    (shop / "vault.rb").write_text("get 'https://kv-shop.vault.azure.net/secrets/x'")
    (shop / "plain.rb").write_text("puts 1")
    (shop / "broken.py").write_text("def (  # key vault")
    done = run("contracts", "infer", "shop", "-o", "json")
    assert done.code == 4
    found = json.loads(done.out)
    assert [need["word"] for need in found["needs"]] == ["secrets/get", "secrets/set"]
    assert found["files"] == 2
    assert [problem.partition(":")[0] for problem in found["problems"]] == [
        "broken.py",
        "1 file of Ruby that mention a key vault not looked into",
    ]
