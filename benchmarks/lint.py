"""How long `kvaudit lint` takes over many templates.

    python benchmarks/lint.py [COUNT] [FOLDER]

FOLDER holds real templates, of which whole copies are made until there are COUNT (2,000) files of ARM JSON, Bicep and Terraform;
without it they are generated, a third each. Prints one row: files, verdicts, seconds, processor seconds, peak memory.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SUFFIXES = (".json", ".bicep", ".tf")
KVAUDIT = Path(sys.executable).with_name("kvaudit")


def arm(number: int) -> str:
    """A template with parameters, a loop, a nested deployment and a role assignment."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    vault = {
        "type": "Microsoft.KeyVault/vaults",
        "apiVersion": ("2023-07-01", "2026-02-01")[number % 2],
        "name": "[concat(parameters('prefix'), '-', copyIndex())]",
        "copy": {"name": "vaults", "count": 1 + number % 4},
        "properties": {
            "tenantId": "[subscription().tenantId]",
            "enableRbacAuthorization": "[if(equals(parameters('stage'), 'prod'), true(), parameters('rbac'))]",
            "accessPolicies": "[variables('policies')]",
        },
    }
    grant = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "[guid(resourceGroup().id)]",
        "scope": "[resourceId('Microsoft.KeyVault/vaults', concat(parameters('prefix'), '-0'))]",
        "properties": {"roleDefinitionId": "4633458b-17de-408a-b874-0445c86b69e6", "principalId": "[parameters('id')]"},
    }
    policies = [{"objectId": "[parameters('id')]", "permissions": {"secrets": ["get", "list"]}}] * (number % 5)
    return json.dumps(
        {
            "$schema": schema,
            "parameters": {
                "prefix": {"type": "string", "defaultValue": f"kv-{number}"},
                "stage": {"type": "string", "defaultValue": "test"},
                "rbac": {"type": "bool", "defaultValue": bool(number % 3)},
                "id": {"type": "string"},
            },
            "variables": {"policies": policies},
            "resources": [vault, grant],
        },
        indent=2,
    )


def bicep(number: int) -> str:
    """A file with parameters and a loop."""
    return (
        f"param stage string = 'test'\nparam names array = ['a', 'b']\nvar prefix = 'kv-{number}-${{stage}}'\n"
        "resource kv 'Microsoft.KeyVault/vaults@2024-11-01' = [for name in names: {\n  name: '${prefix}-${name}'\n"
        "  properties: {\n    enableRbacAuthorization: stage == 'prod'\n    accessPolicies: [\n"
        "      { objectId: stage, permissions: { secrets: ['get'] } }\n    ]\n  }\n}]\n"
    )


def terraform(number: int) -> str:
    """A module with a variable, a local value and a vault."""
    return (
        f'variable "stage" {{\n  default = "test"\n}}\nlocals {{\n  name = "kv-${{var.stage}}-{number}"\n}}\n'
        'resource "azurerm_key_vault" "main" {\n  name = local.name\n  resource_group_name = "rg"\n'
        '  enable_rbac_authorization = var.stage == "prod"\n  purge_protection_enabled = true\n}\n'
    )


def fill(folder: Path, count: int, source: Path | None) -> Counter[str]:
    """Makes the files; answers how many of each suffix."""
    made: Counter[str] = Counter()
    copies = 0
    while made.total() < count:
        copies += 1
        if source is not None:
            copied = shutil.copytree(source, folder / f"copy{copies}", symlinks=True)
            made.update(path.suffix for path in copied.rglob("*") if path.suffix in SUFFIXES)
            continue
        for name, text in (("main.json", arm(copies)), ("main.bicep", bicep(copies)), ("main.tf", terraform(copies))):
            path = folder / f"{copies}-{name.partition('.')[2]}" / name
            path.parent.mkdir()
            path.write_text(text)
            made[path.suffix] += 1
    return made


def main(count: int, source: Path | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = fill(Path(name) / "templates", count, source) if source else fill(Path(name), count, None)
        began = time.monotonic()
        words = [str(KVAUDIT), "lint", name, "--fail-on", "never", "--report", "json=-", "--no-bicep-compiler"]
        done = subprocess.run(words, capture_output=True, check=False)
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(done.stdout)
    kinds = ", ".join(f"{number:,} {suffix}" for suffix, number in sorted(made.items()))
    print("| files | results | not read | wall | CPU | peak memory |\n|---|---|---|---|---|---|")
    print(
        f"| {kinds} | {len(told['results']):,} | {len(told['incomplete'])} | {seconds:.1f} s "
        f"| {used.ru_utime + used.ru_stime:.1f} s | {used.ru_maxrss // 1024} MB |"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
