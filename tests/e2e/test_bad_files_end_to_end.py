"""`kvaudit lint` over files that are broken, hostile or strange: one clear message each, little time and memory, and the
good file beside them is judged."""

import json
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import KVAUDIT

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
MEMORY = 1024 * 1024 * 1024
"""Bytes of address space that the command may take."""

SECONDS = 30
"""Of processor time, after which the system ends the command: ten times what the slowest case takes."""


def vault(name: str = "kv-strange", **more: Any) -> dict[str, Any]:
    return {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2023-07-01", "name": name, **more}


def template(*resources: Any, **parts: Any) -> str:
    return json.dumps({"$schema": SCHEMA, **parts, "resources": resources})


def deployment(name: str, inside: str, **more: Any) -> dict[str, Any]:
    options = {"expressionEvaluationOptions": {"scope": "inner"}, "template": json.loads(inside)}
    return {"type": "Microsoft.Resources/deployments", "name": name, "properties": options, **more}


def multiplied(levels: int) -> str:
    inside = template(vault())
    for level in range(levels):
        inside = template(deployment(f"d{level}", inside, copy={"name": "c", "count": 800}))
    return inside


TWICE = template(vault(properties={"enableRbacAuthorization": True})).replace(
    '"enableRbacAuthorization": true', '"enableRbacAuthorization": true, "enableRbacAuthorization": false'
)
LAUGHS = "run: az keyvault create -n x\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + number)}: &{chr(98 + number)} [{','.join([f'*{chr(97 + number)}'] * 9)}]\n" for number in range(12)
)
WORDS = "on: [push]\nno: no\nenv:\n  VERSION: 1.10\njobs:\n  a:\n    steps:\n    - run: az keyvault create --name kv-strange\n"
BICEP = "resource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {\n  name: 'kv-strange'\n}\n"
TERRAFORM = 'resource "azurerm_key_vault" "kv" {\n  name = "kv-strange"\n}\n'
BYTES = bytes(range(256))
ARM_KEYVAULT = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"
CIRCLE = {"a": "[variables('b')]", "b": "[variables('a')]"}


def big(path: Path) -> None:
    row = json.dumps(vault()) + ",\n"
    path.write_text(f'{{"$schema": "{SCHEMA}", "resources": [\n' + row * (40 * 1024 * 1024 // len(row)) + "{}]}")


def circle(path: Path) -> None:
    path.write_text(f"module b './b.bicep' = {{ name: 'b' }}\n{BICEP}")
    path.with_name("b.bicep").write_text(f"module a './a.bicep' = {{ name: 'a' }}\n{BICEP}")


def terraform_circle(path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        folder = path.with_name(name)
        folder.mkdir()
        (folder / "main.tf").write_text(f'module "{other}" {{\n  source = "../{other}"\n}}\n{TERRAFORM}')


NOT_READ: dict[str, tuple[str, str | bytes | Callable[[Path], None], str]] = {
    "40 MB": ("big.json", big, "larger than 16 MB"),
    "nested JSON": ("deep.json", f'{{"$schema": "{SCHEMA}", "resources": ' + "[" * 90_000, "nested deeper than 200 levels"),
    "nested Bicep": ("deep.bicep", f"var a = {'[' * 20_000}{']' * 20_000}\n", "nested deeper than 100 levels"),
    "nested HCL": ("deep.tf", f"locals {{\n a = {'[' * 50_000}{']' * 50_000}\n}}\n", "nested deeper than 80 levels"),
    "nested YAML": ("deep.yml", f"run: az keyvault create\na: {'[' * 50_000}", "nested deeper than 100 levels"),
    "a billion laughs": ("laughs.yml", LAUGHS, "laughs.yml:2:4: the aliases of the file refer to themselves, or expand"),
    "an alias in itself": ("self.yml", "a: &a [*a, 'az keyvault create']\n", "self.yml:1:4: the aliases"),
    "a JSON key twice": ("twice.json", TWICE, "'enableRbacAuthorization' stands twice; the last one was taken"),
    "a YAML key twice": ("twice.yml", "a: 1\nrun: az keyvault create\na: 2\n", "twice.yml:3:1: the key 'a' stands here a second"),
    "another encoding": ("latin.json", template(vault(tags={"a": "é"})).replace("\\u00e9", "é").encode("latin-1"), "not text in UTF-8"),
    "binary JSON": ("binary.json", BYTES, "binary.json: not text in UTF-8"),
    "binary Terraform": ("binary.tf", BYTES, "binary.tf: not text in UTF-8"),
    "binary Bicep": ("binary.bicep", BYTES, "binary.bicep: not text in UTF-8"),
    "a script with zeros": ("binary.sh", b"\0az keyvault create", "binary.sh: a binary file"),
    "a link to itself": ("loop.json", lambda path: path.symlink_to(path.name), "loop.json: Too many levels"),
    "a link to itself as Terraform": ("loop.tf", lambda path: path.symlink_to(path.name), "loop.tf: Too many levels"),
    "no JSON": ("cut.json", template(vault())[:-2], "cut.json:1:"),
}  # fmt: skip

JUDGED: dict[str, tuple[str, str | bytes | Callable[[Path], None], str]] = {
    "on, no and 1.10 as YAML": ("words.yml", WORDS, "az keyvault create kv-strange: the model is left out"),
    "a byte order mark": ("bom.json", b"\xef\xbb\xbf" + template(vault()).encode(), "kv-strange: purge protection is off"),
    "UTF-16": ("wide.json", template(vault()).encode("utf-16"), "kv-strange: purge protection is off"),
    "Terraform in UTF-16": ("wide.tf", TERRAFORM.encode("utf-16"), "azurerm_key_vault.kv: purge protection is off"),
    "an empty file of Terraform": ("empty.tf", "", ""),
    "a loop of folders": ("loop", lambda path: path.symlink_to(path.parent), ""),
    "variables in a circle": ("circle.json", template(vault("[variables('a')]"), variables=CIRCLE), "variable a refers to itself"),
    "modules in a circle": ("a.bicep", circle, "./a.bicep uses itself"),
    "Terraform in a circle": ("a", terraform_circle, "calls itself"),
    "a million empty lines": ("go.mod", f"{ARM_KEYVAULT} v1.2.0\n" + "\n" * 1_000_000, "go.mod"),
    "expressions that do not end": ("run.sh", "az keyvault create --name kv-strange\n" + "${{" * 60_000, "kv-strange"),
    "here-documents that do not end": ("doc.sh", "az keyvault create --name kv-strange\n" + "<<A\n" * 80_000, "kv-strange"),
    "tables of PowerShell": ("run.ps1", "New-AzKeyVault -Name kv-strange\n" + "$a=@{}\n" * 30_000, "kv-strange"),
    "a remark of dashes": ("dash.tf", f"# kvaudit:ignore=public-network-declared-open why {'-' * 1_000_000}a\n{TERRAFORM}", "1 ignored"),
    "loops in loops": ("loops.json", multiplied(3), "more than 10000 resources"),
}  # fmt: skip


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def linted(folder: Path, name: str, content: str | bytes | Callable[[Path], None]) -> tuple[int, str]:
    """Exit code and output of the command over a folder with one strange file and a good one."""
    (folder / "good").mkdir()
    (folder / "good" / "good.json").write_text(template(vault("kv-good")))
    path = folder / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    done = subprocess.run(
        [str(KVAUDIT), "lint", ".", "--fail-on", "never", "--no-color"],
        cwd=folder,
        env={"HOME": str(folder), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        preexec_fn=limited,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("case", NOT_READ)
def test_what_cannot_be_read_is_told_and_the_rest_is_judged(tmp_path: Path, case: str) -> None:
    name, content, message = NOT_READ[case]
    code, said = linted(tmp_path, name, content)
    told = [line for line in said.splitlines() if line.startswith("not read")]
    assert any(message in line and name in line for line in told), said
    assert len(told) == 1
    assert "kv-good: purge protection is off" in said
    assert code == 4


@pytest.mark.parametrize("case", JUDGED)
def test_what_is_only_strange_is_judged(tmp_path: Path, case: str) -> None:
    name, content, message = JUDGED[case]
    code, said = linted(tmp_path, name, content)
    assert message in said, said[:2000]
    assert "not read" not in said
    assert said.count("kv-good: purge protection is off") == 1
    assert code == 0
