"""The action, the pipeline template and the hook, as far as they run without their hosts: their very scripts, by bash."""

import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import KVAUDIT

from kvaudit.templates.dependencies import NAMES

ROOT = Path(__file__).resolve().parents[2]
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
PIPELINE = yaml.safe_load((ROOT / "pipelines" / "kvaudit.yml").read_text())
VAULT = 'resource "azurerm_key_vault" "kv" {\n  name = "kv-contoso"\n  rbac_authorization_enabled = true\n%s\n}\n'
BASH = shutil.which("bash")


def step_of_action(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in ACTION["runs"]["steps"] if step["name"] == name)
    return found


def with_values(environment: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """What a host makes of `${{ inputs.x }}`; anything else in an expression is no business of this action."""
    return {
        name: re.sub(r"\$\{\{ \w+\.([\w-]+) \}\}", lambda found: values[found[1]], text)
        for name, text in environment.items()
    }


def bash(script: str, folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join((str(folder / "bin"), str(KVAUDIT.parent), "/usr/bin", "/bin"))
    return subprocess.run(
        [BASH or "bash", "--noprofile", "--norc", "-c", script],
        cwd=folder / "work",
        env={"PATH": path, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def lint_by_action(folder: Path, **inputs: str) -> tuple["subprocess.CompletedProcess[str]", dict[str, str], str]:
    """The process, the step's outputs, and the summary."""
    values = {name: item["default"] for name, item in ACTION["inputs"].items()}
    values |= {name.replace("_", "-"): text for name, text in inputs.items()}
    step = step_of_action("Lint")
    host = {"RUNNER_TEMP": str(folder), "GITHUB_STEP_SUMMARY": str(folder / "s"), "GITHUB_OUTPUT": str(folder / "o")}
    done = bash(step["run"], folder, {**host, **with_values(step["env"], values)})
    outputs, summary = folder / "o", folder / "s"
    lines = outputs.read_text().splitlines() if outputs.exists() else []
    return done, dict(line.split("=", 1) for line in lines), summary.read_text() if summary.exists() else ""


def lint_by_pipeline(folder: Path, **parameters: str) -> "subprocess.CompletedProcess[str]":
    values = {item["name"]: str(item["default"]) for item in PIPELINE["parameters"]} | {"package": ""} | parameters
    step = PIPELINE["steps"][0]
    return bash(step["bash"], folder, {"AGENT_TEMPDIRECTORY": str(folder), **with_values(step["env"], values)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "work" / "infra").mkdir(parents=True)
    (tmp_path / "work" / "infra" / "main.tf").write_text(VAULT % "")
    return tmp_path


def test_no_script_holds_an_expression_and_every_input_is_used() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"]] + [PIPELINE["steps"][0]["bash"]]
    assert not any("${{" in script or "$(" in script for script in scripts)
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    used = set(re.findall(r"parameters\.(\w+)", (ROOT / "pipelines" / "kvaudit.yml").read_text()))
    assert used == {item["name"] for item in PIPELINE["parameters"]}
    for step in (*ACTION["runs"]["steps"], *PIPELINE["steps"][:1]):
        script = step.get("run") or step["bash"]
        assert all(f"${name}" in script for name in step["env"]), "what is passed is used"


def test_the_action_annotates_reports_and_fails_on_the_threshold(folder: Path) -> None:
    done, outputs, summary = lint_by_action(folder, fail_on="medium", junit="out/kvaudit.xml")
    assert done.returncode == 3, done.stderr
    assert "::warning file=infra/main.tf,line=1,col=1,title=kvaudit%3A purge-protection-not-declared::" in done.stdout
    assert outputs == {"exit-code": "3", "sarif": "kvaudit.sarif"}
    assert "purge-protection-not-declared" in summary
    assert (folder / "work" / "kvaudit.sarif").exists()
    assert (folder / "work" / "out" / "kvaudit.xml").exists()
    assert lint_by_action(folder)[0].returncode == 0, "nothing is high"


def test_what_could_not_be_read_fails_the_action_unless_it_is_allowed(folder: Path) -> None:
    (folder / "work" / "broken.tf").write_text("{")
    done, outputs, _ = lint_by_action(folder)
    assert (done.returncode, outputs["exit-code"]) == (4, "4")
    done, outputs, summary = lint_by_action(folder, allow_incomplete="true")
    assert (done.returncode, outputs["exit-code"]) == (0, "4")
    assert "Not read: 1" in summary
    assert lint_by_pipeline(folder).returncode == 4
    assert lint_by_pipeline(folder, allowIncomplete="True").returncode == 0


def test_an_input_is_never_run(folder: Path) -> None:
    hostile = ("$(touch pwned)", "`touch pwned`", 'infra"; touch pwned; "', "--help", "-c touch")
    paths = "\n".join(("infra", *hostile))
    for done in (lint_by_action(folder, paths=paths)[0], lint_by_pipeline(folder, paths=paths)):
        assert done.returncode == 2, done.stdout + done.stderr
        assert all(f"{path}: not found" in done.stderr for path in hostile)
    assert not (folder / "work" / "pwned").exists()
    assert lint_by_action(folder, sarif="a\nexit-code=0")[0].returncode == 2


def test_several_paths_stand_one_a_line(folder: Path) -> None:
    (folder / "work" / "my scripts").mkdir()
    (folder / "work" / "my scripts" / "make.sh").write_text("az keyvault create --name kv-contoso\n")
    done, _, _ = lint_by_action(folder, paths="infra\nmy scripts\n", fail_on="never")
    assert "file=my scripts/make.sh,line=1" in done.stdout
    assert "file=infra/main.tf" in done.stdout


def test_the_pipeline_logs_issues_and_leaves_its_results(folder: Path) -> None:
    done = lint_by_pipeline(folder, failOn="medium")
    assert done.returncode == 3, done.stderr
    assert "##vso[task.logissue type=warning;code=purge-protection-not-declared;sourcepath=infra/main.tf" in done.stdout
    results = folder / "kvaudit-results"
    assert f"##vso[task.uploadsummary]{results}/kvaudit.md" in done.stdout
    published = [step["inputs"] for step in next(iter(PIPELINE["steps"][1].values()))]
    named = [item.get("testResultsFiles") or item["PathtoPublish"] for item in published]
    for path in named:
        assert Path(path.replace("$(Agent.TempDirectory)", str(folder))).exists()


def test_the_action_and_the_pipeline_install_what_they_say(folder: Path) -> None:
    """With a `python3` that writes down what it was asked: an index is not at hand in a test run."""
    asked = folder / "asked"
    python = folder / "bin" / "python3"
    python.write_text(
        '#!/bin/bash\nprintf \'%s\\n\' "$*" >> "$ASKED"\n'
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\n'
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    host = {"RUNNER_TEMP": str(folder), "GITHUB_PATH": str(folder / "path"), "ASKED": str(asked)}
    step = step_of_action("Install kvaudit")
    done = bash(step["run"], folder, {**host, **with_values(step["env"], {"action_path": str(ROOT)})})
    assert done.returncode == 0, done.stderr
    _, locked, own = asked.read_text().splitlines()
    assert locked.endswith(f"--require-hashes -r {ROOT}/requirements.lock")
    assert own.endswith(f"install --quiet {ROOT}[bicep]")
    assert (folder / "path").read_text() == f"{folder}/kvaudit/bin\n"
    asked.unlink()
    defaults = {item["name"]: str(item["default"]) for item in PIPELINE["parameters"]}
    pipeline = with_values(PIPELINE["steps"][0]["env"], defaults)
    bash(PIPELINE["steps"][0]["bash"], folder, {"AGENT_TEMPDIRECTORY": str(folder), "ASKED": str(asked), **pipeline})
    assert asked.read_text().splitlines()[1].endswith("install --quiet kvaudit[bicep]")


def test_the_hook_judges_the_files_of_a_commit(folder: Path) -> None:
    pattern = re.compile(HOOK["files"])
    work = folder / "work"
    (work / "README.md").write_text("az keyvault create")
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    subprocess.run(["git", "-C", str(work), "add", "."], check=True)
    listed = subprocess.run(["git", "-C", str(work), "ls-files"], check=True, capture_output=True, text=True).stdout
    files = [name for name in listed.splitlines() if pattern.search(name)]
    assert files == ["infra/main.tf"]
    words = [*HOOK["entry"].split(), "--fail-on", "medium", *files]
    done = subprocess.run(
        [str(KVAUDIT), *words[1:]], cwd=work, capture_output=True, text=True, check=False, env={"HOME": str(folder)}
    )
    assert (words[0], done.returncode) == ("kvaudit", 3)
    assert "purge-protection-not-declared" in done.stdout
    assert done.stderr == ""


def test_the_hook_takes_every_file_that_is_looked_into_and_the_parser_of_bicep() -> None:
    pattern = re.compile(HOOK["files"])
    names = [
        *("main.bicep", "main.bicepparam", "a/b.json", "a.jsonc", "m.tf", "x.sh", "x.azcli", "x.ps1", "x.psm1"),
        *("ci.yml", "ci.yaml", "app.py", "requirements.txt", "requirements-dev.txt", "a/pyproject.toml"),
        *("package.json", "A.csproj", "go.mod", "pom.xml", "Directory.Packages.props", "constraints.txt"),
    ]
    assert [name for name in names if not pattern.search(name)] == []
    assert all(pattern.search(f"deep/{name}") for name in NAMES)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert HOOK["additional_dependencies"] == project["optional-dependencies"]["bicep"]


def test_the_page_shows_what_there_is() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    workflow = blocks[0]["jobs"]["lint"]["steps"][1]
    assert set(workflow["with"]) <= set(ACTION["inputs"])
    taken = next(block for block in blocks if "resources" in block)["steps"][0]
    assert taken["template"] == "pipelines/kvaudit.yml@kvaudit"
    assert set(taken["parameters"]) <= {item["name"] for item in PIPELINE["parameters"]}
    hooked = next(block for block in blocks if "repos" in block)["repos"][0]["hooks"][0]
    assert hooked["id"] == HOOK["id"]
    outputs = set(re.findall(r"steps\.kvaudit\.outputs\.([\w-]+)", page))
    assert outputs <= set(ACTION["outputs"])
