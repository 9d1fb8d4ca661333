"""The smallest role for some operations: known answers, and nothing smaller exists."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from builders import role
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.smallest_role import CHANGES_ACCESS, caveats_of, given_by, smallest_roles, weight_of
from kvaudit.model.authorization import Permission, RoleDefinition
from kvaudit.model.permissions import mask_of, operation, operations, words_of
from kvaudit.model.roles import builtin_roles

WORDS = [item.word for item in operations()]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("secrets/get secrets/list", ["Secrets User"]),
        ("secrets/get", ["Secrets User"]),
        ("secrets/list", ["Reader"]),
        ("secrets/get secrets/list secrets/set secrets/update", ["Secrets Officer"]),
        ("keys/get keys/list", ["Reader"]),
        ("keys/get keys/wrapKey keys/unwrapKey", ["Crypto Service Encryption User"]),
        ("keys/get keys/list keys/sign", ["Crypto User"]),
        ("keys/get keys/release", ["Crypto Service Release User", "Reader"]),
        ("keys/rotate keys/getrotationpolicy keys/setrotationpolicy", ["Crypto Officer"]),
        ("certificates/get certificates/list", ["Reader"]),
        ("certificates/get secrets/get", ["Certificate User"]),
        ("certificates/get certificates/list certificates/import", ["Certificates Officer"]),
        ("keys/list secrets/list certificates/list", ["Reader"]),
        ("secrets/get keys/sign", ["Crypto User", "Secrets User"]),
    ],
)
def test_known_answers(asked: str, names: list[str]) -> None:
    """As the fact sheet derives them from Microsoft's published roles (azure.md 5)."""
    best = smallest_roles(asked.split(), roles=builtin_roles()).best
    assert best is not None
    assert list(best.names) == [f"Key Vault {name}" for name in names]


def test_a_role_that_microsoft_made_for_a_service_is_no_first_choice_but_is_named() -> None:
    found = smallest_roles(["secrets/set"], roles=builtin_roles())
    assert found.best is not None
    assert found.best.names == ("Key Vault Secrets Officer",)
    service = next(item for item in found.others if "Nexus" in item.names[0])
    assert service.excess == ()
    assert len(service.caveats) == 2


def test_what_no_role_can_leave_out_is_told_apart() -> None:
    best = smallest_roles(["keys/get", "keys/wrapKey", "keys/unwrapKey"], roles=builtin_roles()).best
    assert best is not None
    assert best.excess == best.inseparable == ("keys/list",)
    assert best.is_exact


def test_a_custom_role_is_offered_where_the_best_is_wider_and_holds_what_is_needed() -> None:
    found = smallest_roles(["secrets/list"], roles=builtin_roles())
    assert found.needs_custom_role
    assert found.custom.data_actions == operation("secrets/list").data_actions
    assert not smallest_roles(["secrets/get", "secrets/list"], roles=builtin_roles()).needs_custom_role


def test_no_role_gives_it() -> None:
    reader = role("reader", data_actions=("Microsoft.KeyVault/vaults/secrets/readMetadata/action",))
    found = smallest_roles(["secrets/list", "keys/sign"], roles={reader.name: reader})
    assert found.best is None
    assert found.needs_custom_role


def test_a_role_that_can_change_access_comes_after_a_wider_one_that_cannot() -> None:
    get = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
    narrow = role("narrow", actions=("Microsoft.KeyVault/vaults/write",), data_actions=(get,))
    wide = role("wide", data_actions=("Microsoft.KeyVault/vaults/secrets/*",))
    found = smallest_roles(["secrets/get"], roles={item.name: item for item in (narrow, wide)})
    assert found.best is not None
    assert found.best.names == ("wide",)
    assert [item.names for item in found.others] == [("narrow",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"condition": "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-app'"},
        {"not_data_actions": ("Microsoft.KeyVault/vaults/secrets/getSecret/*/action",)},
    ],
    ids=["conditional", "unsure"],
)
def test_what_a_role_gives_only_perhaps_is_not_given(changes: dict[str, object]) -> None:
    maybe = role("maybe", data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",), **changes)
    assert smallest_roles(["secrets/get"], roles={maybe.name: maybe}).best is None


NAMED = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-app'"
GET, SET = (f"Microsoft.KeyVault/vaults/secrets/{name}Secret/action" for name in ("get", "set"))


@pytest.mark.parametrize(
    ("blocks", "certain", "perhaps"),
    [
        (({"data_actions": (GET,)},), "get", ""),
        (({"data_actions": (GET,), "condition": NAMED},), "", "get"),
        (({"data_actions": (GET, SET.replace("/secrets", "/*/secrets"))},), "get", "set"),
        (({"data_actions": (GET, SET.replace("/secrets", "/*/secrets")), "condition": NAMED},), "", "get set"),
        (({"data_actions": (GET,), "condition": NAMED}, {"data_actions": (GET, SET)}), "get set", ""),
        (({"data_actions": (GET,), "condition": NAMED}, {"data_actions": (SET,), "condition": NAMED}), "", "get set"),
        (({"actions": ("*",)},), "", ""),
    ],
)
def test_what_a_role_gives_for_certain_and_perhaps(
    blocks: tuple[dict[str, Any], ...], certain: str, perhaps: str
) -> None:
    made = replace(role("x"), permissions=tuple(Permission(**item) for item in blocks))
    assert given_by(made) == tuple(mask_of(f"secrets/{word}" for word in words.split()) for words in (certain, perhaps))


PREVIEW, SERVICE = "it is in preview and may change", "Microsoft made it for one of its own services"
CHANGES = "it can also change vaults or who has access"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"role_name": "Vault Reader (Preview)", "role_type": "BuiltInRole"}, (PREVIEW,)),
        ({"role_name": "Vault Reader (Preview)", "role_type": "CustomRole"}, ()),
        ({"role_name": "Vault Service Role", "role_type": "BuiltInRole"}, (SERVICE,)),
        ({"role_name": "Vault Service Role", "role_type": None}, ()),
        ({"role_name": "Vault Service Role (Preview)", "role_type": "BuiltInRole"}, (SERVICE, PREVIEW)),
        *(({"permissions": (Permission(actions=(action,)),)}, (CHANGES,)) for action in CHANGES_ACCESS),
        ({"permissions": (Permission(actions=("*/read",)),)}, ()),
        ({"permissions": (Permission(actions=("*",), not_actions=CHANGES_ACCESS),)}, ()),
        (
            {"permissions": (Permission(), Permission(actions=("*",), not_actions=("Microsoft.KeyVault/*",)))},
            (CHANGES,),
        ),
    ],
)
def test_why_a_role_is_no_first_choice(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert caveats_of(replace(role("x"), **changes)) == expected


def _giving(**roles: str) -> dict[str, RoleDefinition]:
    made = {
        name: role(
            name, data_actions=tuple(action for word in words.split() for action in operation(word).data_actions)
        )
        for name, words in roles.items()
    }
    return {item.name: item for item in made.values()}


@pytest.mark.parametrize(
    ("roles", "best", "excess"),
    [
        # the second has more excess than the first, and it is the excess that the third brings anyhow
        (
            {"a": "keys/sign keys/getrotationpolicy", "b": "keys/sign secrets/set", "c": "secrets/get secrets/set"},
            ("b", "c"),
            ("secrets/set",),
        ),
        # one that gives less with the same excess is never better
        ({"a": "keys/sign secrets/set", "b": "secrets/set", "c": "secrets/get"}, ("a", "c"), ("secrets/set",)),
        ({"a": "keys/sign", "b": "secrets/get", "c": "keys/sign secrets/get secrets/set"}, ("a", "b"), ()),
        ({"a": "keys/sign", "b": "secrets/get", "c": "keys/sign secrets/get"}, ("c",), ()),
        (
            {"a": "keys/sign secrets/list", "b": "secrets/get secrets/list", "c": "secrets/get"},
            ("a", "c"),
            ("secrets/list",),
        ),
    ],
)
def test_combinations(roles: dict[str, str], best: tuple[str, ...], excess: tuple[str, ...]) -> None:
    found = smallest_roles(["keys/sign", "secrets/get"], roles=_giving(**roles)).best
    assert found is not None
    assert (found.names, tuple(word for word in found.excess if word not in found.inseparable)) == (best, excess)


def test_unknown_and_missing_words_are_refused() -> None:
    with pytest.raises(KeyError):
        smallest_roles(["secrets/gett"], roles=builtin_roles())
    with pytest.raises(ValueError, match="no operation"):
        smallest_roles([], roles=builtin_roles())


def test_thousands_of_custom_roles_are_bounded() -> None:
    many = {}
    for index in range(1500):
        actions = tuple(
            action for item in operations() if (index * 2654435761 >> item.bit) & 1 for action in item.data_actions
        )
        many[f"{index}"] = RoleDefinition(
            str(index), str(index), f"role {index}", "CustomRole", role("x", data_actions=actions).permissions
        )
    assert smallest_roles(["secrets/get", "keys/sign", "certificates/import"], roles=many).best is not None


def _cost(masks: tuple[int, ...], wanted: int) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return sum(weight_of(word) for word in words_of(together & ~wanted))


@st.composite
def tenant_roles(draw: st.DrawFn) -> dict[str, RoleDefinition]:
    sets = draw(st.lists(st.sets(st.sampled_from(WORDS[:14]), min_size=1, max_size=6), min_size=1, max_size=7))
    made = [
        role(
            f"r{index}", data_actions=tuple(action for word in sorted(words) for action in operation(word).data_actions)
        )
        for index, words in enumerate(sets)
    ]
    return {item.name: item for item in [*made, *(builtin_roles().values() if draw(st.booleans()) else ())]}


@given(st.sets(st.sampled_from(WORDS[:14]), min_size=1, max_size=4), tenant_roles())
def test_the_choice_gives_everything_and_nothing_smaller_exists(
    asked: set[str], roles: dict[str, RoleDefinition]
) -> None:
    found = smallest_roles(asked, roles=roles)
    wanted = mask_of(asked)
    plain = [item for item in roles.values() if "Nexus" not in item.role_name]
    masks = [mask for mask, _ in map(given_by, plain) if mask]
    rivals = [group for size in (1, 2) for group in combinations(masks, size) if not wanted & ~_union(group)]
    if found.best is None:
        assert not rivals
        return
    held = _union(tuple(given_by(item)[0] for item in found.best.roles))
    assert not wanted & ~held
    assert mask_of(found.best.excess) == held & ~wanted
    if not found.best.caveats:
        assert all(found.best.weight <= _cost(group, wanted) for group in rivals)
    else:
        assert not rivals
    assert all(not wanted & ~given_by(item.roles[0])[0] for item in found.others)


def _union(masks: tuple[int, ...]) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return together
