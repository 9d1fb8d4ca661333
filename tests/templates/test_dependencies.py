"""Dependency files of every ecosystem, and the highest version that a constraint lets in."""

from pathlib import Path

import pytest

from kvaudit.errors import UsageError
from kvaudit.templates.dependencies import GO_MODULE, legacy_imports, reader_of
from kvaudit.templates.project import read_project
from kvaudit.templates.versions import Highest, highest, numbers


@pytest.mark.parametrize(
    ("constraint", "ecosystem", "version", "is_below"),
    [
        ("==13.0.0", "pypi", "13.0.0", False),
        ("~=10.2", "pypi", "11", True),
        ("~=10.2.1", "pypi", "10.3", True),
        (">=10,<13", "pypi", "13", True),
        ("<=12.0.1", "pypi", "12.0.1", False),
        ("<13,!=12.1,>=9", "pypi", "13", True),
        ("", "pypi", None, False),
        (">=1", "pypi", None, False),
        ("==10.*", "pypi", "11", True),
        ("^3.0.0", "npm", "4", True),
        ("^0.2.3", "npm", "0.3", True),
        ("~3.1.0", "npm", "3.2", True),
        ("3", "npm", "4", True),
        ("3.x", "npm", "4", True),
        ("^1 || ^2", "npm", "3", True),
        (">=1.0.0 <2.0.0", "npm", "2.0.0", True),
        ("*", "npm", None, False),
        ("1.3.0", "nuget", "1.3.0", False),
        ("[1.3.0,2.0)", "nuget", "1.3.0", False),
        ("1.*", "nuget", "2", True),
        ("v1.4.0", "go", "1.4.0", False),
        ("~> 4.0", "terraform", "5", True),
        ("~> 4.0.1", "terraform", "4.1", True),
        (">= 3.9, < 5.0", "terraform", "5.0", True),
        ("4.80.0", "terraform", "4.80.0", False),
    ],
)
def test_the_highest_version(constraint: str, ecosystem: str, version: str | None, is_below: bool) -> None:
    assert highest(constraint, ecosystem) == Highest(version, is_below)


def test_versions_compare_by_their_numbers() -> None:
    assert numbers("4.81.0") == numbers("v4.81") > numbers("4.9.9")
    assert numbers("14.0.0b1") == (14,)


PYPROJECT = """[project]
dependencies = ["azure.mgmt_keyvault[x]>=10,<12; python_version > '3'", "requests"]
[dependency-groups]
old = ["azure-keyvault==1.1.0", {include-group = "x"}]
[tool.poetry.dependencies]
azure-mgmt-keyvault = {version = "9.0.0"}
"""
CSPROJ = """<Project>
  <PackageReference Include="Azure.ResourceManager.KeyVault" Version="1.3.0" />
  <PackageReference Include="Azure.ResourceManager.KeyVault"><Version>1.2.0</Version></PackageReference>
  <PackageReference Include="Azure.ResourceManager.KeyVault" />
</Project>"""
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><properties><v>2.30.0</v></properties>
<dependency><groupId>com.azure.resourcemanager</groupId>
<artifactId>azure-resourcemanager-keyvault</artifactId><version>${v}</version></dependency></project>"""

FILES = [
    ("requirements-dev.txt", "# x\nazure-mgmt-keyvault==10.1.0 \\\n    --hash=sha256:00\n-r more.txt\n", [(2, "10.1.0")]),
    ("requirements.txt", "Azure_Mgmt.KeyVault ; python_version > '3'\nrequests==1\n", [(1, None)]),
    ("pyproject.toml", PYPROJECT, [(2, "12"), (4, "1.1.0"), (2, "9.0.0")]),
    ("poetry.lock", '[[package]]\nname = "azure-mgmt-keyvault"\nversion = "10.3.0"\n', [(2, "10.3.0")]),
    ("package.json", '{"dependencies": {\n"@azure/arm-keyvault": "^3.0.0", "left": "1"}}', [(2, "4")]),
    ("app.csproj", CSPROJ, [(2, "1.3.0"), (3, "1.2.0")]),
    ("Directory.Packages.props", CSPROJ.replace("Reference", "Version"), [(2, "1.3.0"), (3, "1.2.0")]),
    ("go.mod", f"module x\nrequire (\n\t{GO_MODULE} v1.4.0\n\t{GO_MODULE}/v2 v2.0.0\n)\n", [(3, "1.4.0"), (4, "2.0.0")]),
    ("pom.xml", POM, [(2, "2.30.0")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "pins"), FILES)
def test_the_pins_of_a_file(tmp_path: Path, name: str, text: str, pins: list[tuple[int, str | None]]) -> None:
    (tmp_path / name).write_text(text)
    project = read_project([tmp_path])
    assert not project.problems
    assert [(pin.position.line, pin.highest) for pin in project.pins] == pins


def test_a_lock_file_of_terraform_wins_over_what_is_required(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'terraform {\n  required_providers {\n    azurerm = {\n      version = "~> 3.0"\n    }\n  }\n}\n'
    )
    (pin,) = read_project([tmp_path]).pins
    assert (pin.position.line, pin.constraint, pin.highest, pin.is_below) == (3, "~> 3.0", "4", True)
    (tmp_path / ".terraform.lock.hcl").write_text(
        'provider "registry.terraform.io/hashicorp/azurerm" {\n  version = "3.117.0"\n}\n'
    )
    (pin,) = read_project([tmp_path]).pins
    assert (pin.position.line, pin.highest, Path(pin.position.file).name) == (2, "3.117.0", ".terraform.lock.hcl")


LAUGHS = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>azure-resourcemanager-keyvault &b;</project>'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pom.xml", LAUGHS, "document type"),
        ("pom.xml", "<project>azure-resourcemanager-keyvault", "no XML"),
        ("pom.xml", "<a>" * 500 + "azure-resourcemanager-keyvault", "nested deeper"),
        ("pyproject.toml", "[project\n", "no TOML"),
        ("package.json", '{"@azure/arm-keyvault": ', "the file ends"),
        ("old.py", "import azure.keyvault\nprint 'two'\n", "no Python 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_the_rest_is_read(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "requirements.txt").write_text("azure-keyvault==1.1.0\n")
    project = read_project([tmp_path])
    assert [message in problem.message and name in problem.message for problem in project.problems] == [True]
    assert len(project.pins) == 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from azure.keyvault import KeyVaultClient, KeyVaultId", ["azure.keyvault.KeyVaultClient", "azure.keyvault.KeyVaultId"]),
        ("import azure.keyvault", ["azure.keyvault"]),
        ("import azure.keyvault.models as m", ["azure.keyvault.models"]),
        ("from azure.keyvault.secrets import SecretClient\nfrom azure.keyvault import keys", []),
        ("from .azure.keyvault import x", []),
        ('"""from azure.keyvault import KeyVaultClient"""', []),
    ],
)  # fmt: skip
def test_imports_of_the_old_package(text: str, names: list[str]) -> None:
    assert [item.name for item in legacy_imports(text, "a.py")] == names


def test_files_that_hold_no_dependencies() -> None:
    assert [reader_of(name) for name in ("notes.txt", "setup.py", "x.json", "app.xml")] == [None] * 4


def test_python_that_nests_without_end(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Python 3"):
        legacy_imports("import azure.keyvault\nx = " + "(" * 100_000, "a.py")
