"""Contracts against roles assigned on single objects: what stands on one secret is neither denied nor overlooked."""

import shlex
from dataclasses import replace

import pytest
from contract_samples import APP, KV, OFFICER, USER, check, contract, estate, grant, only, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import DenyAssignment, DenyPrincipal, Permission
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.vaults import ObjectRef, VaultObject
from kvaudit.preflight import check as checking
from kvaudit.preflight.check import Deviation

CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
DB = f"{KV}/secrets/db"


def named(one: Estate, *names: str) -> Estate:
    return replace(
        one,
        objects=tuple(VaultObject(KV, ObjectRef("secrets", name)) for name in names),
        listings=(*one.listings, Listing("secrets", KV, len(names))),
    )


def test_what_is_forbidden_and_held_on_one_object_breaks_the_contract() -> None:
    found = only(
        check(contract("keys/sign", forbids=["secrets/get"]), estate(vault(), grant(USER, DB), grant(CRYPTO_USER)))
    )
    assert (found.deviation, found.words, found.object) == (Deviation.BROKEN, ("secrets/get",), "secrets/db")
    assert found.fix
    assert shlex.split(found.fix.az)[:4] == ["az", "role", "assignment", "delete"]


def test_what_is_held_on_one_object_and_not_needed_is_excess() -> None:
    found = only(check(contract("keys/sign"), estate(vault(), grant(USER, DB), grant(CRYPTO_USER))))
    assert (found.deviation, found.words, found.object) == (Deviation.EXCESS, ("secrets/get",), "secrets/db")


def test_an_object_that_no_pattern_names_is_excess_and_one_that_a_pattern_names_is_not() -> None:
    one = named(estate(vault(), grant(USER, DB), grant(USER, f"{KV}/secrets/other")), "db", "other")
    found = only(check(contract("secrets/get", objects={"secrets": ["d*"]}), one))
    assert (found.deviation, found.object) == (Deviation.EXCESS, "secrets/other")
    assert not check(contract("secrets/get", objects={"secrets": ["d*", "OTHER"]}), one).findings


def test_the_fix_keeps_what_is_needed_on_the_object_and_gives_it_nowhere_else() -> None:
    found = [
        item
        for item in check(
            contract("secrets/get", objects={"secrets": ["db"]}), estate(vault(), grant(OFFICER, DB))
        ).findings
        if item.deviation is Deviation.EXCESS
    ]
    assert len(found) == 1
    assert found[0].fix
    assign, delete = map(shlex.split, found[0].fix.az.splitlines())
    assert assign[assign.index("--scope") + 1] == DB
    assert assign[assign.index("--role") + 1] == USER
    assert delete[:4] == ["az", "role", "assignment", "delete"]


def test_a_deny_on_one_object_makes_it_missing_although_the_vault_allows_it() -> None:
    deny = DenyAssignment(
        id=f"{DB}/denies/1",
        name="1",
        scope=DB,
        permissions=(Permission(data_actions=("Microsoft.KeyVault/vaults/secrets/getSecret/action",)),),
        principals=(DenyPrincipal(APP, "ServicePrincipal"),),
        effect="enforced",
    )
    one = estate(vault(), grant(USER), deny_assignments=(deny,))
    for objects in ({}, {"objects": {"secrets": ["d*"]}}):
        found = only(check(contract("secrets/get", **objects), named(one, "db", "other")))
        assert (found.deviation, found.object) == (Deviation.MISSING, "secrets/db")
    assert not check(contract("secrets/get", objects={"secrets": ["other"]}), named(one, "db", "other")).findings


def test_more_objects_than_are_judged_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_OBJECTS", 2)
    grants = [grant(USER, f"{KV}/secrets/d{number}") for number in range(3)]
    few = named(estate(vault(), *grants), "d0", "d1", "other")
    assert [item.object for item in check(contract("secrets/get", objects={"secrets": ["d*"]}), few).findings] == []
    found = only(check(contract("secrets/get", objects={"secrets": ["d*"]}), named(few, "d0", "d1", "d2", "x")))
    assert found.deviation is Deviation.UNKNOWN
    assert found.gaps


def test_answers_on_an_object_are_those_of_can() -> None:
    access = Access(estate(vault(), grant(USER, DB), grant(CRYPTO_USER)))
    one = access.vault(KV)
    for ref in (ObjectRef("secrets", "db"), ObjectRef("secrets", "other"), ObjectRef("keys", "db")):
        found = access.answers(APP, one, ref)
        assert found
        assert found == {item: access.can(APP, item, one, ref).answer for item in found}


def test_words_are_told_beside_the_objects_that_they_are_about() -> None:
    needs = contract("secrets/get, keys/sign", objects={"secrets": ["a", "b"]})
    found = only(check(needs, estate(vault())))
    assert found.message.startswith(
        "keys/sign, and secrets/get on secrets/a, secrets/b will be"
    ) or found.message.startswith("secrets/get on secrets/a, secrets/b, and keys/sign will be")
    assert found.object is None


def test_a_pattern_that_no_name_matches_yet_is_not_kept_by_a_grant_on_another_object() -> None:
    one = named(estate(vault(), grant(USER, DB)), "db")
    found = only(check(contract("secrets/get", objects={"secrets": ["db", "api-*"]}), one))
    assert (found.deviation, found.object) == (Deviation.MISSING, None)
    assert not check(
        contract("secrets/get", objects={"secrets": ["db", "api-*"]}), replace(one, role_assignments=(grant(USER),))
    ).findings
