"""SARIF files of `kvaudit lint` through Microsoft's multitool with GitHub's rules: `python tools/sarif_by_multitool.py FOLDER`.

FOLDER holds the npm package `@microsoft/sarif-multitool-linux`. A nox session (`nox -s sarif`), not part of the test run:
the tool is large and comes from npm. Ends with 0 when the tool has no error and no warning to tell.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SOURCES = {
    "main.json": """{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "parameters": {"name": {"type": "string"}},
  "resources": [
    // kvaudit:ignore=purge-protection-not-declared a vault of a test
    {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": "[parameters('name')]", "properties": {}},
    {"type": "Microsoft.KeyVault/vaults/secrets", "apiVersion": "2023-07-01", "name": "kv/a", "properties": {"value": "x"}}
  ]
}
""",
    "a folder/é.tf": 'resource "azurerm_key_vault" "kv" {\n  name = "kv-contoso"\n}\n',
    "make.sh": "az keyvault create --name kv-contoso\n",
    "requirements.txt": "azure-mgmt-keyvault==9.0.0\n",
    "broken.tf": "resource {",
}
"""Findings in each language, one that is silenced, one that is not decided, and a file that cannot be read."""


def main() -> int:
    """Writes the files, lints them, and has the result validated."""
    tool = next(Path(sys.argv[1]).resolve().glob("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"))
    tool.chmod(0o755)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in SOURCES.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        kvaudit = str(Path(sys.executable).with_name("kvaudit"))
        subprocess.run([kvaudit, "lint", ".", "--report", "sarif=lint.sarif"], cwd=folder, check=False)
        words = ["validate", "lint.sarif", "--rule-kind", "Sarif;Ghas", "--output", "validated.sarif"]
        subprocess.run([str(tool), *words], cwd=folder, check=False)
        run: dict[str, Any] = json.loads((folder / "validated.sarif").read_text())["runs"][0]
    told = [item for item in run.get("results", ()) if item.get("level", "warning") in ("error", "warning")]
    for item in told:
        print(f"{item.get('level', 'warning')}: {item['ruleId']}: {json.dumps(item['message'])}")
    print(f"{len(run.get('results', ()))} remarks, {len(told)} of them errors or warnings")
    return 1 if told else 0


if __name__ == "__main__":
    raise SystemExit(main())
