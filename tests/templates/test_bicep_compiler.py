"""The `bicep` compiler, by a program of that name that writes JSON of our own: what it decides, and what is said without it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kvaudit.errors import UsageError
from kvaudit.sources.located import Position
from kvaudit.templates.bicep_compiler import BicepCompiler, BicepCompilerError, find_compiler
from kvaudit.templates.project import Project, read_project

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
SOURCE = """func isProduction(name string) bool => name == 'prod'
param stage string = 'prod'
@secure()
param key string

resource kv 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: 'kv-${stage}'
  properties: {
    enableRbacAuthorization: isProduction(stage)
  }
}
resource s 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: kv
  name: 'db'
  properties: { value: key }
}
module second 'br/public:avm/res/key-vault/vault:0.9.0' = {
  params: { name: 'kv-second' }
}
"""
NAME = "[format('kv-{0}', parameters('stage'))]"
FUNCTIONS = [
    {
        "namespace": "__bicep",
        "members": {
            "isProduction": {
                "parameters": [{"name": "name", "type": "string"}],
                "output": {"type": "bool", "value": "[equals(parameters('name'), 'prod')]"},
            }
        },
    }
]


def vault(name: str, **properties: Any) -> dict[str, Any]:
    return {"type": "Microsoft.KeyVault/vaults", "apiVersion": "2026-02-01", "name": name, "properties": properties}


COMPILED = {
    "$schema": SCHEMA,
    "functions": FUNCTIONS,
    "parameters": {"stage": {"type": "string", "defaultValue": "prod"}, "key": {"type": "securestring"}},
    "resources": [
        vault(NAME, enableRbacAuthorization="[__bicep.isProduction(parameters('stage'))]"),
        {
            "type": "Microsoft.KeyVault/vaults/secrets",
            "apiVersion": "2026-02-01",
            "name": "[format('{0}/{1}', format('kv-{0}', parameters('stage')), 'db')]",
            "properties": {"value": "[parameters('key')]"},
        },
        {
            "type": "Microsoft.Resources/deployments",
            "apiVersion": "2025-04-01",
            "name": "second-module",
            "properties": {
                "expressionEvaluationOptions": {"scope": "inner"},
                "parameters": {"name": {"value": "kv-second"}},
                "template": {
                    "$schema": SCHEMA,
                    "parameters": {"name": {"type": "string"}},
                    "resources": [vault("[parameters('name')]", enableRbacAuthorization=True)],
                },
            },
        },
    ],
}


@pytest.fixture
def compiler(tmp_path: Path) -> Callable[..., BicepCompiler]:
    """Makes a program named `bicep` that writes what it was asked beside itself, then text, and ends."""

    def make(output: str, *, said: str = "", code: int = 0, first: str = "") -> BicepCompiler:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "output").write_text(output)
        (folder / "said").write_text(said)
        program = folder / "bicep"
        program.write_text(
            f'#!/bin/sh\necho "$@" > "{folder}/asked"\nenv > "{folder}/env"\n{first}\n'
            f'/bin/cat "{folder}/output"\n/bin/cat "{folder}/said" >&2\nexit {code}\n'
        )
        program.chmod(0o755)
        return BicepCompiler(program)

    return make


def project(folder: Path, compiler: BicepCompiler | None) -> Project:
    (folder / "src").mkdir()
    (folder / "src" / "main.bicep").write_text(SOURCE)
    return read_project([folder / "src"], compiler=compiler)


def test_the_compiler_decides_what_the_syntax_does_not_and_places_stay(
    tmp_path: Path, compiler: Callable[..., BicepCompiler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "not for a compiler")
    found = project(tmp_path, compiler(json.dumps(COMPILED)))
    main = str(tmp_path / "src" / "main.bicep")
    (declared,) = found.declarations
    assert [(item.name, item.rbac, item.position) for item in declared.vaults] == [
        ("kv-prod", True, Position(main, 6, 1)),
        ("kv-second", True, Position(main, 17, 1)),
    ]
    assert declared.secrets[0].position == Position(main, 12, 1)
    assert declared.secure_parameters == {"key"}
    assert not declared.undecided
    assert (tmp_path / "bin" / "asked").read_text() == f"build --stdout --no-restore {main}\n"
    assert "AZURE_CLIENT_SECRET" not in (tmp_path / "bin" / "env").read_text()


@pytest.mark.parametrize(
    ("output", "more", "reason"),
    [
        ("", {"code": 1, "said": "/x/main.bicep(3,1) : Warning no-x: y\n/x/main.bicep(4,9) : Error BCP018: Expected z\n"}, "Error BCP018: Expected z"),
        ("", {"code": 1}, "says nothing"),
        ("{", {}, "wrote no template"),
        ("{", {"first": "sleep 5"}, "took more than"),
        (" " * (16 * 1024 * 1024 + 1), {}, "more than any template"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_compiled_is_read_by_its_syntax_and_that_is_said(
    tmp_path: Path, compiler: Callable[..., BicepCompiler], output: str, more: dict[str, Any], reason: str
) -> None:
    used = compiler(output, **more)
    if "first" in more:
        used.seconds = 0.5
    (declared,) = project(tmp_path, used).declarations
    assert declared.undecided[0].reason.startswith("read by its syntax alone: ")
    assert reason in declared.undecided[0].reason
    assert [item.name for item in declared.vaults] == ["kv-prod", "kv-second"]


def test_the_time_of_a_run_is_bounded(tmp_path: Path, compiler: Callable[..., BicepCompiler]) -> None:
    used = compiler("{}")
    used.seconds = 0
    with pytest.raises(BicepCompilerError, match="used up"):
        used.compiled(tmp_path / "main.bicep")
    with pytest.raises(UsageError, match="could not be started"):
        BicepCompiler(tmp_path / "gone").compiled(tmp_path / "main.bicep")


def test_the_compiler_on_path_comes_before_the_one_of_the_azure_cli(
    tmp_path: Path, compiler: Callable[..., BicepCompiler], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = compiler("{}")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    by_cli = find_compiler()
    assert by_cli is not None
    assert by_cli.path == made.path
    other = tmp_path / "path"
    other.mkdir()
    (other / "bicep").symlink_to(made.path)
    monkeypatch.setenv("PATH", str(other))
    on_path = find_compiler()
    assert on_path is not None
    assert on_path.path == other / "bicep"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "none"))
    assert find_compiler() is None


def test_a_plain_value_in_a_parameter_file_of_bicep(tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text("@secure()\nparam key string\n@secure()\nparam other string\n")
    (tmp_path / "main.bicepparam").write_text(
        "using './main.bicep'\n\nparam key = 'in the open'\nparam other = readEnvironmentVariable('X')\n"
    )
    (declared,) = read_project([tmp_path]).declarations
    assert [(item.name, item.position.line) for item in declared.secure_values] == [("key", 3)]
