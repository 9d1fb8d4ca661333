"""From raw items to an estate: what is merged, what becomes a gap, and what is known of principals."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from writing import ENDED, SUBSCRIPTIONS, Listed, assignment, graph, load, vault, write_all

from kvaudit.collectors.directory import deleted_scope
from kvaudit.model.authorization import EVERYONE
from kvaudit.model.directory import Membership, PrincipalState
from kvaudit.model.vaults import PermissionModel
from kvaudit.snapshot.writer import SnapshotWriter

OTHER_TENANT = "99999999-9999-9999-9999-999999999999"
BATCH = "directoryObjects/getByIds/1"
TOP = "/providers/Microsoft.Management/managementGroups/top"


def estate_of(folder: Path, *listings: Listed) -> Any:
    return load(write_all(folder / "snapshot", listings))


def test_an_assignment_above_subscriptions_is_one_and_knows_who_returned_it(tmp_path: Path) -> None:
    above = assignment(1, scope=TOP)
    spelled = {**above, "id": above["id"].upper()}
    estate = estate_of(
        tmp_path,
        Listed("role_assignments", SUBSCRIPTIONS[0], ((above,),)),
        Listed("role_assignments", SUBSCRIPTIONS[1].upper(), ((spelled, assignment(2)),)),
    )
    first, second = sorted(estate.role_assignments, key=lambda item: len(item.listed_from))
    assert first.listed_from == {SUBSCRIPTIONS[1]}
    assert second.listed_from == set(SUBSCRIPTIONS)
    assert second.scope == TOP.casefold()


def test_a_record_that_changed_between_two_listings_is_told(tmp_path: Path) -> None:
    estate = estate_of(
        tmp_path,
        Listed("role_assignments", SUBSCRIPTIONS[0], ((assignment(1, scope=TOP),),)),
        Listed("role_assignments", SUBSCRIPTIONS[1], ((assignment(1, scope=TOP, condition="x"),),)),
    )
    assert len(estate.role_assignments) == 1
    [gap] = estate.gaps
    assert (gap.kind, gap.scope, gap.code, gap.retryable) == (
        "role_assignments",
        TOP.casefold(),
        "ChangedWhileReading",
        True,
    )


def test_a_vault_with_properties_wins_over_one_without(tmp_path: Path) -> None:
    bare = {key: value for key, value in vault("a").items() if key != "properties"}
    estate = estate_of(tmp_path, Listed("vaults", "/x", ((vault("a"),),)), Listed("vaults", "/y", ((bare, bare),)))
    [found] = estate.vaults
    assert found.permission_model is PermissionModel.AZURE_RBAC
    assert estate.gaps == ()


@pytest.mark.parametrize("spoil", [{"enableRbacAuthorization": "yes"}, {"accessPolicies": [5]}, {"tenantId": 5}])
def test_a_vault_that_is_half_readable_is_kept_with_a_gap_of_its_own(tmp_path: Path, spoil: dict[str, Any]) -> None:
    estate = estate_of(tmp_path, Listed("vaults", SUBSCRIPTIONS[0], ((vault("a", **spoil), vault("b")),)))
    assert [(item.name, item.permission_model is None) for item in estate.vaults] == [("a", True), ("b", False)]
    [gap] = estate.gaps
    assert gap.code == "PermissionModelUnknown"
    assert estate.gaps_over(estate.vaults[0].scope) == (gap,)
    assert estate.gaps_over(estate.vaults[1].scope) == ()


def test_items_that_do_not_parse_are_one_gap_at_their_listing(tmp_path: Path) -> None:
    estate = estate_of(
        tmp_path, Listed("role_assignments", SUBSCRIPTIONS[0].upper(), ((None, {"id": 5}, assignment(1)), ([],)))
    )
    assert len(estate.role_assignments) == 1
    [gap] = estate.gaps
    assert (gap.kind, gap.scope, gap.code) == ("role_assignments", SUBSCRIPTIONS[0].upper(), "UnreadableItem")
    assert estate.was_read("role_assignments", SUBSCRIPTIONS[0])


def test_what_was_seen_of_a_listing_that_failed_stays_seen(tmp_path: Path) -> None:
    estate = estate_of(
        tmp_path,
        Listed("role_assignments", SUBSCRIPTIONS[0], ((assignment(1),),), fails=True),
        Listed("service_principal_groups", "servicePrincipals/app-1", ((graph("group", "team"),),), fails=True),
        Listed("service_principal_groups", "servicePrincipals/app-2", ((), (graph("group", "ops"),))),
        Listed("service_principal_groups", "servicePrincipals/app-3", ((graph("directoryRole", "reader"),),)),
    )
    assert len(estate.role_assignments) == 1
    assert not estate.was_read("role_assignments", SUBSCRIPTIONS[0])
    assert estate.memberships == (Membership("team", "app-1", "ServicePrincipal"),)
    assert estate.member_of == {"app-2": ("ops",), "app-3": ()}
    assert [gap.status for gap in estate.gaps] == [403, 403]


def test_a_failed_read_says_more_than_an_unreadable_item_of_the_same_listing(tmp_path: Path) -> None:
    estate = estate_of(tmp_path, Listed("vaults", "/", ((None,),), fails=True))
    assert [gap.status for gap in estate.gaps] == [403]


def test_objects_are_one_from_both_sources(tmp_path: Path) -> None:
    place = vault("a")["id"]
    by_arm = {"id": f"{place}/secrets/DB", "properties": {"attributes": {"enabled": True}}}
    estate = estate_of(
        tmp_path,
        Listed("secrets", place, ((by_arm, by_arm),)),
        Listed("keys", place, (({"kid": "https://a.vault.azure.net/keys/DB", "attributes": {}},),)),
    )
    assert [str(item.ref) for item in estate.objects] == ["keys/DB", "secrets/DB"]


def state_of(folder: Path, identifier: str, *listings: Listed) -> PrincipalState:
    state: PrincipalState = estate_of(folder, *listings).principal(identifier).state
    return state


def named(*items: dict[str, Any]) -> Listed:
    return Listed("role_assignments", SUBSCRIPTIONS[0], (items,))


def asked(*answers: dict[str, Any], fails: bool = False) -> Listed:
    return Listed("principals", BATCH, (answers,), fails)


def deleted(identifier: str, *answers: dict[str, Any], fails: bool = False) -> Listed:
    return Listed("deleted_principals", deleted_scope(identifier), (answers,), fails)


NAMED = graph("user", "bo")
HIDDEN = graph("user", "cy", displayName=None)
GONE = (named(assignment(1, principal="Anna")), deleted("anna"))

CASES: list[tuple[str, PrincipalState, tuple[Listed, ...]]] = [
    ("found", PrincipalState.FOUND, (*GONE[:1], asked(graph("user", "ANNA")))),
    ("found without its name", PrincipalState.FOUND, (*GONE[:1], asked(graph("user", "anna", displayName=None)))),
    ("restorable", PrincipalState.DELETED_RESTORABLE, (*GONE[:1], asked(), deleted("anna", graph("user", "anna")))),
    ("gone", PrincipalState.NOT_FOUND, (*GONE, asked(NAMED))),
    ("nobody was readable", PrincipalState.UNRESOLVED, (*GONE, asked())),
    ("no user was readable", PrincipalState.UNRESOLVED, (*GONE, asked(graph("group", "team")))),
    ("some users are hidden", PrincipalState.UNRESOLVED, (*GONE, asked(NAMED, HIDDEN))),
    (
        "hidden groups do not matter",
        PrincipalState.NOT_FOUND,
        (*GONE, asked(NAMED, graph("group", "x", displayName=None))),
    ),
    ("deleted items not read", PrincipalState.UNRESOLVED, (GONE[0], asked(NAMED), deleted("anna", fails=True))),
    ("never asked", PrincipalState.UNRESOLVED, (GONE[0], asked(NAMED))),
    (
        "group of a partner",
        PrincipalState.FOREIGN,
        (named(assignment(1, principal="anna", kind="ForeignGroup")), GONE[1], asked(NAMED)),
    ),
    (
        "managed identity of a managing tenant",
        PrincipalState.FOREIGN,
        (named(assignment(1, principal="anna", delegatedManagedIdentityResourceId="/x")), GONE[1], asked(NAMED)),
    ),
    (
        "policy of another tenant",
        PrincipalState.FOREIGN,
        (
            Listed("vaults", "/", ((vault("a", accessPolicies=[{"objectId": "anna", "tenantId": OTHER_TENANT}]),),)),
            GONE[1],
        ),
    ),
    (
        "policy of a vault of another tenant",
        PrincipalState.FOREIGN,
        (
            Listed("vaults", "/", ((vault("a", tenantId=OTHER_TENANT, accessPolicies=[{"objectId": "anna"}]),),)),
            GONE[1],
        ),
    ),
    (
        "policy of this tenant",
        PrincipalState.NOT_FOUND,
        (Listed("vaults", "/", ((vault("a", accessPolicies=[{"objectId": "anna"}]),),)), GONE[1], asked(NAMED)),
    ),
    (
        "policy, and somebody of any type is hidden",
        PrincipalState.UNRESOLVED,
        (Listed("vaults", "/", ((vault("a", accessPolicies=[{"objectId": "anna"}]),),)), GONE[1], asked(NAMED, HIDDEN)),
    ),
    (
        "a policy elsewhere does not make a home assignment foreign",
        PrincipalState.NOT_FOUND,
        (
            Listed("vaults", "/", ((vault("a", accessPolicies=[{"objectId": "anna", "tenantId": OTHER_TENANT}]),),)),
            *GONE,
            asked(NAMED),
        ),
    ),
]


@pytest.mark.parametrize(("state", "listings"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_states_of_principals(tmp_path: Path, state: PrincipalState, listings: tuple[Listed, ...]) -> None:
    assert state_of(tmp_path, "anna", *listings) is state


def test_a_principal_that_was_not_found_keeps_the_type_that_records_state(tmp_path: Path) -> None:
    estate = estate_of(
        tmp_path,
        named(
            assignment(1, principal="a", kind="Group"),
            assignment(2, principal="b", kind=None),
            assignment(3, principal="c", kind="User"),
            assignment(4, principal="c", kind="Group"),
        ),
    )
    assert [estate.principal(item).type for item in "abc"] == ["Group", None, None]


def test_principals_of_denies_and_schedules_are_known_and_everyone_is_nobody(tmp_path: Path) -> None:
    deny = {
        "id": "/d",
        "properties": {
            "scope": "/",
            "permissions": [],
            "principals": [{"id": EVERYONE, "type": "SystemDefined"}],
            "excludePrincipals": [{"id": "bo", "type": "User"}],
        },
    }
    estate = estate_of(
        tmp_path,
        Listed("deny_assignments", "/", ((deny,),)),
        Listed("role_eligibility_schedule_instances", "/", ((assignment(1, principal="cy"),),)),
    )
    assert set(estate.principals) == {"bo", "cy"}
    assert [item.eligible for item in estate.schedule_instances] == [True]


def test_descriptions_of_one_principal_complete_each_other(tmp_path: Path) -> None:
    estate = estate_of(
        tmp_path,
        asked(graph("servicePrincipal", "app", displayName=None)),
        Listed("service_principals", "servicePrincipals", (({"id": "app", "displayName": "api", "appId": "x"},),)),
        Listed(
            "group_members",
            "groups/team",
            ((graph("user", "bo", userType="Guest"), graph("group", "inner"), graph("orgContact", "mail")),),
        ),
        deleted("bo", graph("user", "bo")),
    )
    assert (estate.principal("app").display_name, estate.principal("app").type) == ("api", "ServicePrincipal")
    assert (estate.principal("bo").state, estate.principal("bo").user_type) == (PrincipalState.FOUND, "Guest")
    assert "mail" not in estate.principals, "a contact is no principal"
    assert len(estate.memberships) == 3, "but stands in the group"


def test_the_tree_is_read_from_both_lists(tmp_path: Path) -> None:
    rows = [
        {"id": f"{TOP}-a", "properties": {"parent": {"id": TOP}, "displayName": "A"}},
        {"id": SUBSCRIPTIONS[0], "properties": {"parent": {"id": f"{TOP}-a"}}},
        {"id": TOP},
    ]
    estate = estate_of(
        tmp_path,
        Listed("management_groups", TOP, (tuple(rows),)),
        Listed("management_groups", f"{TOP}/self", (({"id": f"{TOP}-a"},),)),
        Listed("subscriptions", "/", (({"subscriptionId": "AAAAAAAA"},),)),
        Listed("role_definitions", "/", ((),)),
        Listed("deleted_vaults", "/", ((),)),
    )
    assert estate.management_group_chain("aaaaaaaa") == (f"{TOP}-a".casefold(), TOP.casefold())
    assert [item.subscription_id for item in estate.subscriptions] == ["aaaaaaaa"]


def test_kinds_of_a_later_version_are_left_alone(tmp_path: Path) -> None:
    path = write_all(tmp_path / "s", [Listed("vaults", "/", ((vault("a"),),))])
    (path / "galaxies.ndjson.gz").write_bytes(b"who knows")
    assert len(load(path).vaults) == 1


def test_of_two_spellings_of_a_scope_the_gap_names_the_same_in_every_run(tmp_path: Path) -> None:
    path = tmp_path / "s"
    writer = SnapshotWriter.create(path, header={})
    for scope in ("groups/team", "groups/Team"):
        writer.add_page("group_members", scope, [None])
    writer.close(complete=True, ended_at=ENDED)
    code = (
        "import sys; from pathlib import Path; from kvaudit.snapshot.load import load_estate;"
        "from kvaudit.snapshot.reader import open_snapshot;"
        "print([gap.scope for gap in load_estate(open_snapshot(Path(sys.argv[1]))).gaps])"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(6)
    }
    assert told == {"['groups/Team']\n"}
