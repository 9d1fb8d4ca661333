"""What comes near to giving what was denied, and why it does not count."""

import pytest
from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    Place,
    assignment,
    deny,
    eligible,
    estate,
    group,
    policy,
    secret,
    user,
    vault,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef

ANNA = user("anna")
TEAM = group("team", ANNA)
APP = vault("kv-app")
OTHER = vault("kv-other")
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
NEVER = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-other'"


def near(*items: Item, word: str = "secrets/get") -> list[tuple[str, str | None]]:
    """Why and which role, of the denied answer about Anna on kv-app."""
    access = Access(estate(ANNA, TEAM, *items))
    place = access.vault("kv-app")
    decision = access.can(ANNA.id, operation(word), place)
    assert decision.answer.value == "denied"
    return [(item.why.value, item.citation.role) for item in access.near_misses(decision, place)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((APP,), []),
        ((APP, OTHER, assignment("Key Vault Secrets User", TEAM, OTHER)), [("other_scope", "Key Vault Secrets User")]),
        (
            (APP, secret(APP, "one"), assignment("Key Vault Secrets User", ANNA, f"{APP.id}/secrets/one")),
            [("other_scope", "Key Vault Secrets User")],
        ),
        ((APP, assignment("Owner", TEAM, SUBSCRIPTION)), [("other_operations", "Owner")]),
        ((APP, OTHER, assignment("Owner", TEAM, OTHER)), []),
        ((vault("kv-app", policy(TEAM, secrets="get"), rbac=True),), [("other_model", None)]),
        ((vault("kv-app", policy(TEAM, keys="get"), rbac=True),), []),
        ((vault("kv-app", policy(TEAM, secrets="list")),), [("other_operations", None)]),
        (
            (
                user("bert"),
                vault("kv-app", policy(user("bert"), secrets="get")),
                assignment("Key Vault Secrets User", ANNA, RESOURCE_GROUP),
            ),
            [("other_model", "Key Vault Secrets User")],
        ),
        (
            (APP, assignment("Key Vault Secrets User", ANNA, APP), deny(ANNA, APP, data_actions=(GET,))),
            [("taken_away", "Key Vault Secrets User")],
        ),
        (
            (APP, assignment("Key Vault Secrets User", ANNA, APP, condition=NEVER)),
            [("condition", "Key Vault Secrets User")],
        ),
        (
            (APP, eligible("Key Vault Secrets User", ANNA, APP, end="2026-01-01T00:00:00Z")),
            [("ended", "Key Vault Secrets User")],
        ),
    ],
    ids=[
        *("nothing", "another vault", "one secret", "no data actions", "no data actions elsewhere", "policy on RBAC"),
        *("other policy on RBAC", "policy with other words", "role on policies", "deny", "condition", "ended"),
    ],
)
def test_each_record_says_why_it_does_not_count(
    items: tuple[Item, ...], expected: list[tuple[str, str | None]]
) -> None:
    assert near(*items) == expected


@pytest.mark.parametrize(
    ("role", "condition", "expected"),
    [
        ("Key Vault Secrets User", None, []),
        ("Key Vault Secrets User", NEVER, [("condition", "Key Vault Secrets User")]),
        ("Key Vault Reader", None, [("other_operations", "Key Vault Reader")]),
    ],
)
def test_records_on_the_object_that_was_asked_about(
    role: str, condition: str | None, expected: list[tuple[str, str]]
) -> None:
    mine, other = (ObjectRef("secrets", name) for name in ("one", "two"))
    access = Access(estate(ANNA, APP, assignment(role, ANNA, f"{APP.id}/secrets/one", condition=condition)))
    decision = access.can(ANNA.id, operation("secrets/get"), APP, mine)
    assert (decision.answer.value == "allowed") is not bool(expected)
    found = access.near_misses(decision, APP, mine)
    assert [(item.why.value, item.citation.role) for item in found] == expected
    elsewhere = access.near_misses(access.can(ANNA.id, operation("secrets/get"), APP, other), APP, other)
    assert [item.why.value for item in elsewhere] == ([] if role == "Key Vault Reader" else ["other_scope"])


def test_the_nearest_come_first_and_the_list_is_short() -> None:
    far = vault("kv-far", id=vault("kv-far").id.replace("rg-app", "rg-far"))
    many = [assignment("Key Vault Secrets User", group(f"g{number}", ANNA), far) for number in range(20)]
    groups = [group(f"g{number}", ANNA) for number in range(20)]
    close = assignment("Key Vault Secrets Officer", ANNA, f"{APP.id}/secrets/one")
    owner = assignment("Owner", ANNA, SUBSCRIPTION)
    found = near(APP, far, *groups, *many, close, owner)
    assert len(found) == 5
    assert found[0] == ("other_scope", "Key Vault Secrets Officer")


def test_nearness_is_the_path_that_is_shared_whatever_the_ids_are() -> None:
    beside = vault("kv-beside")
    far = vault("kv-far", id=vault("kv-far").id.replace("rg-app", "rg-far"))
    abroad = vault("kv-abroad", id=vault("kv-abroad").id.replace("2222", "3333"))
    places: tuple[Place, ...] = (f"{APP.id}/keys/one", f"{APP.id}/secrets/one", beside, far, abroad)
    roles = ("Key Vault Crypto User", *["Key Vault Secrets User"] * 4)
    for ids in ("edcba", "abcde"):
        made = [assignment(name, ANNA, at, id=letter) for name, at, letter in zip(roles, places, ids, strict=True)]
        access = Access(estate(ANNA, TEAM, APP, beside, far, abroad, *made))
        decision = access.can(ANNA.id, operation("secrets/get"), APP)
        assert [item.citation.id for item in access.near_misses(decision, APP)] == list(ids[1:])


def test_an_answer_that_is_not_denied_has_nothing_near() -> None:
    access = Access(estate(ANNA, APP, assignment("Key Vault Secrets User", ANNA, APP), assignment("Owner", ANNA, APP)))
    decision = access.can(ANNA.id, operation("secrets/get"), access.vault("kv-app"))
    assert access.near_misses(decision, access.vault("kv-app")) == ()
