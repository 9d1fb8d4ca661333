"""`kvaudit roles`: the smallest role through the installed command, without a snapshot."""

import json

from conftest_types import Run


def test_the_smallest_role_with_its_excess_as_sentences(run: Run) -> None:
    done = run("roles", "secrets/get")
    assert done.code == 0, done.err
    assert done.out.splitlines()[:2] == [
        "Key Vault Secrets User: the smallest for secrets/get",
        "  more than was asked: secrets/list",
    ]
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in done.out


def test_a_combination_and_a_custom_role_as_json(run: Run) -> None:
    done = run("roles", "SECRETS/GET,keys/sign", "-o", "json")
    shape = json.loads(done.out)
    assert shape["operations"] == ["secrets/get", "keys/sign"]
    assert [role["name"] for role in shape["best"]["roles"]] == ["Key Vault Crypto User", "Key Vault Secrets User"]
    assert [item["roles"][0]["name"] for item in shape["others"]] == ["Key Vault Administrator"]
    role = json.loads(run("roles", "secrets/get", "keys/sign", "-o", "json", "--query", "custom_role").out)
    assert role["DataActions"] == [
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/keys/sign/action",
    ]


def test_an_exact_role_needs_no_custom_one(run: Run) -> None:
    done = run("roles", "secrets/get", "secrets/list")
    assert "nothing more than was asked" in done.out
    assert "custom role" not in done.out
    assert json.loads(run("roles", "secrets/get", "secrets/list", "-o", "json").out)["custom_role"] is None


def test_without_an_operation_every_role_with_data_actions_is_listed(run: Run) -> None:
    shapes = json.loads(run("roles", "-o", "json").out)
    assert len(shapes) == 11, "facts azure.md 4"
    assert all(shape["operations"] for shape in shapes)
    text = run("roles").out
    assert all(shape["name"] in text for shape in shapes)


def test_tsv_has_one_row_per_choice(run: Run) -> None:
    rows = [line.split("\t") for line in run("roles", "secrets/list", "-o", "tsv").out.splitlines()]
    assert rows[0][0] == "Key Vault Reader"
    assert ["Key Vault Secrets User", "secrets/get", ""] in rows


def test_a_word_that_is_no_operation(run: Run) -> None:
    done = run("roles", "secrets/sett")
    assert done.code == 2
    assert "secrets/set" in done.err
