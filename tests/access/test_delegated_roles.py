"""E5: what the roles give that a condition lets its holder assign, each role by its own ID whatever it is called."""

from dataclasses import replace

import pytest
from builders import assignment, estate, guid, role, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import RoleDefinition
from kvaudit.model.permissions import mask_of

anna = user("anna")
kv = vault("kv")
DATA = "Microsoft.KeyVault/vaults/"
BUILT_IN = "4633458b-17de-408a-b874-0445c86b69e6"
ADMITTED = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{%s}"


def called(text: str, name: str, *actions: str) -> RoleDefinition:
    return replace(role(name, data_actions=actions), role_name=text)


SECRETS = called("Team role", "one", f"{DATA}secrets/getSecret/action")
KEYS = called("Team role", "two", f"{DATA}keys/sign/action")
TWIN = called("Team role", "three", f"{DATA}secrets/getSecret/action")
LIKE_A_BUILT_IN = called("Key Vault Secrets User", "four", f"{DATA}keys/sign/action")


@pytest.mark.parametrize(
    ("admitted", "masks", "words"),
    [
        ([SECRETS], ("secrets/get",), "Team role"),
        ([SECRETS, KEYS], ("secrets/get", "keys/sign"), f"Team role ({guid('one')}), Team role ({guid('two')})"),
        ([KEYS, SECRETS], ("secrets/get", "keys/sign"), f"Team role ({guid('one')}), Team role ({guid('two')})"),
        ([SECRETS, TWIN], ("secrets/get",), f"Team role ({guid('one')}), Team role ({guid('three')})"),
        (
            [LIKE_A_BUILT_IN, BUILT_IN],
            ("secrets/get", "secrets/list", "keys/sign"),
            f"Key Vault Secrets User ({BUILT_IN}), Key Vault Secrets User ({guid('four')})",
        ),
    ],
)
def test_roles_of_one_name_are_told_apart(
    admitted: list[RoleDefinition | str], masks: tuple[str, ...], words: str
) -> None:
    names = [item if isinstance(item, str) else item.name for item in admitted]
    held = assignment("Owner", anna, condition=ADMITTED % ", ".join(names))
    roles = [item for item in admitted if isinstance(item, RoleDefinition)]
    for order in (roles, roles[::-1]):
        routes = Access(estate(anna, kv, *order, held)).routes_of(anna.id, kv)
        (route,) = (item for item in routes if item.id == "E5")
        assert route.mask == mask_of(masks)
        told = route.steps.removeprefix("assigns itself what its condition admits: ")
        assert sorted(told.split(", ")) == sorted(words.split(", "))
