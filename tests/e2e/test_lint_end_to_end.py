"""`kvaudit lint` as people run it: files on a disk, the installed command, its output and exit codes."""

import json
from pathlib import Path

import pytest
from conftest_types import Run

BICEPLESS = """{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "resources": [
    // kvaudit:ignore=purge-protection-not-declared a vault of a test
    {
      "type": "Microsoft.KeyVault/vaults",
      "apiVersion": "2023-07-01",
      "name": "kv-payments",
      "properties": {
        "publicNetworkAccess": "Disabled",
        "accessPolicies": [{"objectId": "22222222-2222-2222-2222-222222222222", "permissions": {"secrets": ["get"]}}]
      }
    }
  ]
}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "main.json"
    path.write_text(BICEPLESS)
    return path


def test_findings_fix_and_exit_code(run: Run, template: Path) -> None:
    done = run("lint", "main.json")
    assert done.code == 3
    assert "retiring-api-version" in done.out
    assert "would be inert" in done.out
    assert "purge-protection-not-declared" not in done.out
    assert "1 ignored" in done.out
    assert run("lint", "main.json", "--fail-on", "never").code == 0
    assert run("lint", "main.json", "--fail-on", "critical").code == 0


def test_reports_to_files_and_stdout(run: Run, template: Path, tmp_path: Path) -> None:
    done = run("lint", ".", "--report", "sarif=out/lint.sarif", "--report", "junit=out/lint.xml")
    assert done.code == 3
    run_of = json.loads((tmp_path / "out" / "lint.sarif").read_text())["runs"][0]
    assert {item["ruleId"] for item in run_of["results"]} >= {"retiring-api-version", "permission-model-implicit"}
    location = run_of["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "main.json"
    assert location["region"]["startLine"] == 5
    piped = run("lint", ".", "--report", "json=-")
    assert json.loads(piped.out)["schema"] == "kvaudit/results/1"


def test_what_cannot_be_read_is_incomplete_and_the_rest_is_judged(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.tf").write_text('resource "azurerm_key_vault" "x" {')
    (tmp_path / "good.tf").write_text(
        'resource "azurerm_key_vault" "kv" {\n  name = "kv-a"\n  rbac_authorization_enabled = true\n}\n'
    )
    done = run("lint", ".")
    assert done.code == 4
    assert "broken.tf:1:" in done.out
    assert "public-network-declared-open" in done.out


def test_every_mistake_of_the_command_line_at_once(run: Run) -> None:
    done = run("lint", "nowhere", "neither")
    assert done.code == 2
    assert "nowhere" in done.err
    assert "neither" in done.err
    done = run("lint", ".", "--report", "pdf=x", "--report", "sarif")
    assert done.code == 2
    assert "pdf" in done.err
    assert "FORMAT=PATH" in done.err


def test_nothing_to_judge_is_clean_with_a_warning(run: Run) -> None:
    done = run("lint", ".")
    assert done.code == 0
    assert "no vault is declared" in done.err


def test_the_bicep_compiler_is_used_where_there_is_one_and_left_out_when_asked(run: Run, tmp_path: Path) -> None:
    """The compiler is a program of that name that writes JSON of our own: it knows the name that the syntax does not."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    kv = {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "kv-compiled", "properties": {}}
    (tmp_path / "compiled.txt").write_text(json.dumps({"$schema": schema, "resources": [kv]}))
    program = tmp_path / "bin" / "bicep"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec /bin/cat "{tmp_path}/compiled.txt"\n')
    program.chmod(0o755)
    (tmp_path / "main.bicep").write_text(
        "func name() string => 'kv-compiled'\n\nresource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {\n  name: name()\n}\n"
    )
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    done = run("lint", "main.bicep", environment=environment)
    assert "3:1  high      retiring-api-version\n            kv-compiled: api-version 2023-07-01" in done.out
    done = run("lint", "main.bicep", "--no-bicep-compiler", environment=environment)
    assert "kv-compiled" not in done.out
    assert "the function name() of the file is not evaluated here" in done.out
    program.write_text("#!/bin/sh\necho 'main.bicep(1,1) : Error BCP190: not restored' >&2\nexit 1\n")
    done = run("lint", "main.bicep", environment=environment)
    assert "read by its syntax alone: the bicep compiler refuses it: Error BCP190: not restored" in done.out
