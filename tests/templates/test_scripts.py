"""Scripts and pipelines: which calls they hold, with which options, and where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.sources.located import Position
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.pipelines import read_pipeline
from kvaudit.templates.project import read_project
from kvaudit.templates.script_words import Dialect, split_commands
from kvaudit.templates.scripts import LEFT_OUT, read_script


def shell(text: str) -> tuple[ScriptCall, ...]:
    return read_script(text, "x.sh", Dialect.SHELL)


def powershell(text: str) -> tuple[ScriptCall, ...]:
    return read_script(text, "x.ps1", Dialect.POWERSHELL)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("az keyvault create --name kv -g rg", {"name": "kv", "g": "rg"}),
        ("az keyvault create --name=kv \\\n  --location westeurope", {"name": "kv", "location": "westeurope"}),
        ('az keyvault create -n "$KV" --enable-purge-protection', {"n": "$KV", "enable-purge-protection": None}),
        ("az keyvault create -n 'a b' > out.json 2>&1", {"n": "a b"}),
        ("if ! az keyvault create -n ${KV}-x; then exit 1; fi", {"n": "${KV}-x"}),
        ('id=$(az keyvault create -n kv --query "id" -o tsv)', {"n": "kv", "query": "id", "o": "tsv"}),
        ('echo "$(az keyvault create -n kv)"', {"n": "kv"}),
        ("x=`az keyvault create -n kv`", {"n": "kv"}),
        ('az keyvault create -n kv "${EXTRA[@]}"', {"n": "kv", "@": None}),
        ("az keyvault create -n kv $EXTRA", {"n": "kv", "@": None}),
        ("sudo az keyvault create -n kv # --name no", {"n": "kv"}),
        ("az keyvault create -n kv && echo it\\'s done", {"n": "kv"}),
        ("az keyvault create -n kv | jq '.id'", {"n": "kv"}),
        ("az keyvault create -n ${{ inputs.vault }}", {"n": "${{ inputs.vault }}"}),
    ],
)
def test_options_of_a_call_in_a_shell(text: str, options: dict[str, str | None]) -> None:
    (call,) = shell(text)
    assert (call.tool, call.command) == ("az", "keyvault create")
    assert dict(call.options) == options


@pytest.mark.parametrize(
    "text",
    [
        "# az keyvault create -n kv",
        'echo "az keyvault create -n kv"',
        "echo run az keyvault create -n kv",
        "cat <<EOF\naz keyvault create -n kv\nEOF",
        "cat <<-'EOF'\n\taz keyvault create -n kv\n\tEOF",
        "az group create -n rg",
        "amaz keyvault create",
    ],
)
def test_what_only_looks_like_a_call(text: str) -> None:
    assert shell(text) == ()


def test_what_follows_a_here_document_is_read() -> None:
    (call,) = shell("cat <<EOF > f\nit's\nEOF\naz keyvault create -n kv\n")
    assert call.position == Position("x.sh", 4, 1)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("New-AzKeyVault -Name kv -Location we", {"name": "kv", "location": "we"}),
        (
            '$kv = New-AzKeyVault -Name "kv$x" `\n  -EnableRbacAuthorization',
            {"name": "kv$x", "enablerbacauthorization": None},
        ),
        ("New-AzKeyVault -DisableRbacAuthorization:$false", {"disablerbacauthorization": "$false"}),
        ("New-AzKeyVault -Name (Get-Name 'x') -Tag @{a='b'}", {"name": "(Get-Name 'x')", "tag": "@{a='b'}"}),
        (
            "$p = @{ Name = 'kv'; EnableRbacAuthorization = $true }\nNew-AzKeyVault @p",
            {"name": "kv", "enablerbacauthorization": "$true"},
        ),
        ("$p = @{\n Name = 'kv'\n}\n$p.Location = 'we'\nNew-AzKeyVault @p", {"name": "kv", "@": None}),
        ("New-AzKeyVault @params", {"@": None}),
        ("<# New-AzKeyVault -Name no #>\nif ($x) { new-azkeyvault -Name kv }", {"name": "kv"}),
        ("New-AzKeyVault -Name 'it''s'", {"name": "it's"}),
    ],
)
def test_options_of_a_cmdlet(text: str, options: dict[str, str | None]) -> None:
    (call,) = powershell(text)
    assert (call.tool, call.command) == ("powershell", "new-azkeyvault")
    assert dict(call.options) == options


def test_a_value_that_may_be_a_secret_is_left_out() -> None:
    calls = shell("az keyvault secret set --name db --value hunter2\naz keyvault secret set --name db --value $X")
    assert [call.options["value"] for call in calls] == [LEFT_OUT, "$X"]
    assert "hunter2" not in repr(calls)
    assert "hunter2" not in repr(shell("az rest --url https://x --headers 'Authorization=hunter2'"))


WORKFLOW = """on:
  push:
jobs:
  deploy:
    steps:
      - uses: azure/cli@v2
        with:
          azcliversion: "2.60.0"
          inlineScript: |

            set -e
            az keyvault create --name kv \\
              -g rg
      - run: az keyvault set-policy -n kv --object-id ${{ secrets.ID }}
      - run: >
          az keyvault create
          --name kv2
          --enable-rbac-authorization true
      - shell: pwsh
        run: |
          New-AzKeyVault -Name x `
            -EnableRbacAuthorization
"""


def test_a_workflow_of_github() -> None:
    calls = read_pipeline(WORKFLOW, "w.yml").calls
    assert [(call.command, call.position.line, call.position.column) for call in calls] == [
        ("keyvault create", 12, 13),
        ("keyvault set-policy", 14, 14),
        ("keyvault create", 16, 11),
        ("new-azkeyvault", 21, 11),
    ]
    assert [call.tool_version for call in calls] == ["2.60.0", None, None, None]
    assert dict(calls[2].options) == {"name": "kv2", "enable-rbac-authorization": "true"}


def test_pipelines_of_azure_and_gitlab() -> None:
    azure = """steps:
- task: AzureCLI@2
  inputs:
    scriptType: pscore
    inlineScript: |
      az keyvault create `
        --name $(vaultName)
- task: AzurePowerShell@5
  inputs:
    preferredAzurePowerShellVersion: 11.0.0
    Inline: Set-AzKeyVaultAccessPolicy -VaultName kv
"""
    first, second = read_pipeline(azure, "azure-pipelines.yml").calls
    assert dict(first.options) == {"name": "$(vaultName)"}
    assert (second.command, second.tool_version) == ("set-azkeyvaultaccesspolicy", "11.0.0")
    gitlab = "deploy:\n  script:\n    - az keyvault create -n a\n    - - az keyvault create -n b\n"
    assert [call.position.line for call in read_pipeline(gitlab, ".gitlab-ci.yml").calls] == [3, 4]


def test_an_unquoted_version_is_a_number_and_pins_nothing() -> None:
    text = "with:\n  azcliversion: 2.60\n  inlineScript: az keyvault create -n kv\n"
    assert read_pipeline(text, "w.yml").calls[0].tool_version is None


def test_keys_that_stand_twice_are_told(tmp_path: Path) -> None:
    (tmp_path / "ci.yml").write_text("run: az keyvault create -n a\nrun: az keyvault create -n b\n")
    project = read_project([tmp_path])
    assert [call.options["n"] for call in project.calls] == ["a"]
    assert "ci.yml:2:1" in project.problems[0].message


def test_a_script_without_a_suffix_is_known_by_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "deploy").write_text("#!/usr/bin/env bash\naz keyvault create -n kv\n")
    (tmp_path / "LICENSE").write_text("az keyvault create -n kv\n")
    assert [call.position.line for call in read_project([tmp_path]).calls] == [2]


PIECES = st.lists(
    st.sampled_from(
        [
            "az keyvault create",
            " -n ",
            "kv",
            '"',
            "'",
            "\\",
            "`",
            "$(",
            ")",
            "(",
            "{",
            "}",
            "\n",
            "<<A",
            "#",
            "@{",
            "$x",
            ";",
        ]
    ),
    max_size=25,
).map("".join)


@given(text=PIECES, dialect=st.sampled_from(Dialect))
def test_any_text_is_read_and_its_words_stand_in_order(text: str, dialect: Dialect) -> None:
    for words in split_commands(text, dialect):
        offsets = [word.at for word in words]
        assert offsets == sorted(offsets)
        assert all(0 <= at < len(text) for at in offsets)


def test_nesting_without_end_is_bounded() -> None:
    for piece in ("(", "$(", '"$(', "@{", "`", "<<A\n"):
        for dialect in Dialect:
            split_commands(piece * 3_000, dialect)
