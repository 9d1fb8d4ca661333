"""Commands that can be pasted into a shell whatever the names in them hold."""

import json
import shlex

import pytest
from builders import RESOURCE_GROUP, TENANT, estate, policy, unread_vault, user, vault
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.model.vaults import Vault
from kvaudit.rules import az

HOSTILE = (
    "'; rm -rf ~ #",
    "$(id)",
    "`id`",
    "-rf",
    "--help",
    "a b",
    "a\nb",
    'a"b',
    "a\\",
    "\u202ex",
    "=cmd()",
    "&& id",
    "",
)


def named(name: str) -> Vault:
    return Vault(id=f"{RESOURCE_GROUP}/providers/Microsoft.KeyVault/vaults/{name}", name=name)


@given(st.one_of(st.sampled_from(HOSTILE), st.text().filter(lambda text: "\0" not in text)))
def test_a_hostile_name_stays_one_word(name: str) -> None:
    words = shlex.split(az.update_vault(named(name), default_action="Deny"))
    assert words[:3] == ["az", "keyvault", "update"]
    bound = f"--name={name}" in words
    assert bound or words[words.index("--name") + 1] == name
    assert bound == name.startswith("-")
    assert words[-2:] == ["--default-action", "Deny"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_policies_and_assignments(hostile: str) -> None:
    entry = policy(user("anna"), application=hostile, secrets="get")
    for line in (
        az.delete_policy(named(hostile), entry),
        az.set_policy(named(hostile), entry, secret_permissions=("get", hostile)),
        az.delete_role_assignment(hostile),
        az.list_role_assignments(hostile),
        az.remove_policy_by_rest(named(hostile), entry),
    ):
        assert shlex.split(line)[0] == "az"
        assert not {"rm", "id", ";", "&&"} & set(shlex.split(line))


def test_emptying_the_policies_of_an_azure_rbac_vault() -> None:
    words = shlex.split(az.empty_policies_by_rest(vault("kv-app")))
    assert words[words.index("--url") + 1] == f"{vault('kv-app').id}/accessPolicies/replace?api-version=2026-02-01"
    assert json.loads(words[words.index("--body") + 1]) == {"properties": {"accessPolicies": []}}


def test_removing_one_policy_of_an_azure_rbac_vault() -> None:
    anna = user("anna")
    words = shlex.split(az.remove_policy_by_rest(vault("kv-app"), policy(anna, secrets="get list", tenant=None)))
    assert words[words.index("--url") + 1].endswith("/accessPolicies/remove?api-version=2026-02-01")
    (entry,) = json.loads(words[words.index("--body") + 1])["properties"]["accessPolicies"]
    assert entry == {"tenantId": TENANT, "objectId": anna.id, "permissions": {"secrets": ["get", "list"]}}


def test_a_vault_without_a_group_in_its_id() -> None:
    assert az.update_vault(Vault("kv", "kv"), bypass="None") == "az keyvault update --name kv --bypass None"
    assert estate(unread_vault()).vaults[0].resource_group == "rg-app"
