"""The texts of a change hold what they should, and whatever a tenant writes stays inside its literal."""

import json
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.model.authorization import Permission
from kvaudit.model.permissions import operations, policy_mask
from kvaudit.remediation import PolicyEntry, RoleGrant, assign_custom_role, assign_role, grant_policy, quoting
from kvaudit.remediation.policies import terraform_name

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-payments/providers/Microsoft.KeyVault/vaults/kv-payments"
ROLE = "4633458b-17de-408a-b874-0445c86b69e6"
WHO = "22222222-2222-2222-2222-222222222222"
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"


def unescape_bicep(literal: str) -> str:
    """What Bicep reads, by its own rules of escaping."""
    assert literal[0] == literal[-1] == "'"
    assert not re.search(r"(?<!\\)(?:\\\\)*'", literal[1:-1])
    plain = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(
        r"\\(?:u\{([0-9a-f]+)\}|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else plain.get(found[2], found[2]),
        literal[1:-1],
    )


def unescape_hcl(literal: str) -> str:
    """What Terraform reads, by its own rules of escaping."""
    body = literal[1:-1]
    assert not re.search(r"(?<![$])[$]\{|(?<![%])%\{", body.replace("$${", "").replace("%%{", ""))
    body = body.replace("$${", "${").replace("%%{", "%{")
    return re.sub(r"\\(?:u([0-9a-f]{4})|(.))", lambda found: chr(int(found[1], 16)) if found[1] else found[2], body)


@given(st.text(max_size=40))
def test_a_bicep_string_reads_back_as_what_it_was(text: str) -> None:
    literal = quoting.bicep(text)
    assert unescape_bicep(literal) == text
    assert not re.search(r"(?<!\\)\$\{", literal.replace("\\\\", ""))
    assert len(literal.splitlines()) == 1


@given(st.text(max_size=40))
def test_a_terraform_string_reads_back_as_what_it_was(text: str) -> None:
    literal = quoting.hcl(text)
    assert unescape_hcl(literal) == text
    assert len(literal.splitlines()) == 1


@given(st.text(alphabet=st.characters(exclude_characters="\x00"), min_size=1, max_size=30))
def test_a_hostile_name_stays_one_word_of_the_command(name: str) -> None:
    fix = assign_role(RoleGrant(f"{SUBSCRIPTION}/resourceGroups/{name}", ROLE, name, WHO, "User"))
    words = shlex.split(fix.az)
    assert words[:4] == ["az", "role", "assignment", "create"]
    assert f"{SUBSCRIPTION}/resourceGroups/{name}" in words


@pytest.mark.parametrize(
    ("scope", "target", "scoped"),
    [
        (VAULT, "resourceGroup", "scope: vault"),
        (f"{VAULT}/secrets/db-password", "resourceGroup", "scope: item"),
        (f"{SUBSCRIPTION}/resourceGroups/rg-payments", "resourceGroup", None),
        (SUBSCRIPTION, "subscription", None),
        ("/providers/Microsoft.Management/managementGroups/contoso", "managementGroup", None),
    ],
)
def test_each_level_of_scope_has_its_deployment(scope: str, target: str, scoped: str | None) -> None:
    fix = assign_role(RoleGrant(scope, ROLE, "Key Vault Secrets User", WHO, "Group"))
    assert f"targetScope = '{target}'" in fix.bicep
    assert ("scope: " in fix.bicep.split("resource grant")[1]) is (scoped is not None)
    assert scoped is None or scoped in fix.bicep
    assert f'"{scope}"' in fix.terraform
    assert shlex.split(fix.az)[-1] == scope


def test_a_custom_role_lives_no_wider_than_the_resource_group() -> None:
    fix = assign_custom_role(RoleGrant(VAULT, "", "Payments reader", WHO), Permission(data_actions=(GET,)))
    create, assign = fix.az.splitlines()
    definition = json.loads(shlex.split(create)[-1])
    assert definition["AssignableScopes"] == [f"{SUBSCRIPTION}/resourceGroups/rg-payments"]
    assert definition["DataActions"] == [GET]
    assert shlex.split(assign)[5] == "Payments reader"


def test_a_custom_role_with_data_actions_is_refused_at_a_management_group() -> None:
    grant = RoleGrant("/providers/Microsoft.Management/managementGroups/contoso", "", "R", WHO)
    with pytest.raises(ValueError, match="management"):
        assign_custom_role(grant, Permission(data_actions=(GET,)))


def test_a_policy_entry_names_the_vault_the_principal_and_every_kind() -> None:
    entry = PolicyEntry(
        VAULT, "t" * 8, WHO, {"secrets": ("get", "list"), "keys": ("getrotationpolicy",), "certificates": ()}
    )
    fix = grant_policy(entry)
    words = shlex.split(fix.az)
    assert words[words.index("--secret-permissions") :] == [
        "--secret-permissions", "get", "list", "--key-permissions", "getrotationpolicy",
    ]  # fmt: skip
    assert 'secret_permissions = ["Get", "List"]' in fix.terraform
    assert 'key_permissions = ["GetRotationPolicy"]' in fix.terraform
    assert "certificate" not in fix.az + fix.bicep + fix.terraform


@pytest.mark.parametrize("word", sorted({word for item in operations() for word in item.policy_words}))
def test_terraform_names_differ_from_policy_words_in_case_only(word: str) -> None:
    kind, name = word.split("/")
    spelled = terraform_name(name)
    assert spelled.casefold() == name.casefold()
    assert spelled[0].isupper()
    assert policy_mask(kind, [spelled]) == policy_mask(kind, [name])
