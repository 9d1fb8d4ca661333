"""The same estate through Resource Graph and through Resource Manager: the same access, the same gaps, fewer questions."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from collecting import NO_OBJECTS, collected, names_of, raw_of

from kvaudit.app.access_export import export_access
from kvaudit.app.settings import Voice
from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.collection.resource_graph import FROM_GRAPH
from kvaudit.collectors.collector import Feature
from kvaudit.lab import Lab, Size, generate, start
from kvaudit.lab.estate import Estate
from kvaudit.lab.faults import Fault
from kvaudit.model import scopes
from kvaudit.snapshot.load import load_estate
from kvaudit.snapshot.reader import Snapshot

AUTO = CollectRequest(objects=Objects.NONE, source=Source.AUTO)
GRAPH = CollectRequest(objects=Objects.NONE, source=Source.RESOURCE_GRAPH)
MANY = Size(subscriptions=5, vaults=8, assignments=70, policies=3, roles=6, denies=2)
MERGERS = "/subscriptions/33333333-3333-3333-3333-000000000005"


def export(snapshot: Snapshot, folder: Path) -> str:
    """The access export of a snapshot, members of groups and gaps included."""
    out = folder / f"{snapshot.path.name}.ndjson"
    export_access(snapshot.path, Voice(), format_name="ndjson", expand_groups=True, out=out)
    return out.read_text()


def generated(seed: int) -> Callable[[], Estate]:
    return lambda: generate(seed, MANY)


ESTATES: dict[str, Callable[[], Estate | str]] = {
    "contoso": lambda: "contoso",
    **{f"seed {seed}": generated(seed) for seed in (3, 8)},
}


@pytest.mark.parametrize("estate", ESTATES)
def test_both_ways_give_the_same_access(tmp_path: Path, estate: str) -> None:
    with start(ESTATES[estate]()) as lab:
        arm = collected(lab, tmp_path / "arm", NO_OBJECTS)
    with start(ESTATES[estate]()) as lab:
        auto = collected(lab, tmp_path / "auto", AUTO)
        asked = Counter(entry.path.rsplit("/", 1)[-1].casefold() for entry in lab.journal)
    assert export(auto, tmp_path) == export(arm, tmp_path)
    one, other = load_estate(auto), load_estate(arm)
    assert {item.scope for item in one.vaults} == {item.scope for item in other.vaults}
    assert {item.id for item in one.role_assignments} == {item.id for item in other.role_assignments}
    assert one.role_definitions == other.role_definitions
    assert one.resource_identities == other.resource_identities
    assert one.delegations == other.delegations
    for kind in FROM_GRAPH:
        assert any(item.kind == kind and item.source for item in auto.listings()) or kind == "role_assignments", kind
    for subscription in one.subscriptions:
        chain = one.management_group_chain(subscription.subscription_id)
        assert chain == other.management_group_chain(subscription.subscription_id)
    assert asked["vaults"] <= (1 if estate == "contoso" else 0), "only where the caller may not see everything"
    assert asked["resources"] <= 6


def test_what_resource_graph_leaves_out_silently_is_a_gap_and_never_an_empty_list(tmp_path: Path) -> None:
    """The sample's auditor may not read one subscription; Resource Graph simply has no rows of it."""
    with start("contoso") as lab:
        for name, request in (("auto", AUTO), ("graph", GRAPH)):
            snapshot = collected(lab, tmp_path / name, request)
            gaps = {gap.kind for gap in snapshot.gaps() if gap.scope == MERGERS}
            assert FROM_GRAPH - {"resource_groups"} <= gaps, name
            assert not [item for item in snapshot.listings() if item.scope == MERGERS]


def test_a_subscription_that_resource_graph_does_not_know_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """It drops such a subscription from the question and answers the others, without an error."""
    with start(generate(8, MANY)) as lab:
        arm = collected(lab, tmp_path / "arm", NO_OBJECTS)
    with start(generate(8, MANY)) as lab:
        lacked = scopes.subscription_of(next(iter(lab.world.estate.vaults))) or ""
        lab.world.resource_graph_lacks = frozenset({lacked})
        auto = collected(lab, tmp_path / "auto", AUTO)
        alone = collected(lab, tmp_path / "alone", GRAPH)
    scope = scopes.SUBSCRIPTION_PREFIX + lacked
    assert {item.kind for item in auto.listings() if item.scope == scope and item.source} == set()
    assert export(auto, tmp_path) == export(arm, tmp_path)
    gaps = {gap.kind for gap in alone.gaps() if gap.scope == scope}
    assert gaps >= FROM_GRAPH
    assert not [item for item in alone.listings() if item.scope == scope and item.kind in FROM_GRAPH]


def test_resource_graph_alone_tells_what_it_may_not_have(tmp_path: Path) -> None:
    with start(generate(3, MANY)) as lab:
        snapshot = collected(lab, tmp_path / "s", GRAPH)
        assert not any(entry.path.endswith("/vaults") for entry in lab.journal)
    told = {gap.scope for gap in snapshot.gaps() if gap.code == "ObjectScopesNotSeen"}
    estate = load_estate(snapshot)
    assert told == {f"/subscriptions/{vault.subscription_id}" for vault in estate.vaults}


def test_where_resource_graph_shows_assignments_on_objects_it_is_taken_at_its_word(tmp_path: Path) -> None:
    with start(generate(3, MANY)) as lab:
        arm = collected(lab, tmp_path / "arm", NO_OBJECTS)
    with start(generate(3, MANY)) as lab:
        lab.world.resource_graph_has_object_scopes = lab.world.resource_graph_has_conditions = True
        auto = collected(lab, tmp_path / "auto", AUTO)
        assert not any(
            entry.path.startswith("/subscriptions/") and entry.path.endswith("/roleAssignments")
            for entry in lab.journal
        )
    assert any(item.kind == "role_assignments" and item.source for item in auto.listings())
    assert export(auto, tmp_path) == export(arm, tmp_path)


def test_without_a_proof_that_conditions_are_shown_resource_manager_tells_the_assignments(tmp_path: Path) -> None:
    with start("contoso") as lab:
        arm = collected(lab, tmp_path / "arm", NO_OBJECTS)
    with start("contoso") as lab:
        lab.world.resource_graph_has_object_scopes = True
        auto = collected(lab, tmp_path / "auto", AUTO)
    conditions = {
        item["properties"]["condition"]
        for item in raw_of(arm, "role_assignments")
        if item["properties"].get("condition")
    }
    assert conditions
    assert conditions <= {item["properties"].get("condition") for item in raw_of(auto, "role_assignments")}
    assert export(auto, tmp_path) == export(arm, tmp_path)


FAULTS = {
    "refused": Fault(path="ResourceGraph", status=403, body={"error": {"code": "AuthorizationFailed"}}),
    "broken": Fault(path="ResourceGraph", status=200, body={"data": None}),
    "cut off": Fault(path="ResourceGraph", status=200, body={"data": [], "totalRecords": 3, "resultTruncated": "true"}),
    "a page of a proxy": Fault(path="ResourceGraph", status=200, body=b"<html>"),
    "too few rows": Fault(path="ResourceGraph", status=200, body={"data": [], "totalRecords": 3}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_without_an_answer_from_resource_graph_resource_manager_gives_the_same(tmp_path: Path, fault: str) -> None:
    with start(generate(8, MANY)) as lab:
        arm = collected(lab, tmp_path / "arm", NO_OBJECTS)
    with start(generate(8, MANY)) as lab:
        lab.world.faults.append(FAULTS[fault])
        auto = collected(lab, tmp_path / "auto", AUTO)
        assert not any(item.source for item in auto.listings())
        assert {item["kind"] for item in auto.manifest["fallbacks"]} == FROM_GRAPH
    assert export(auto, tmp_path) == export(arm, tmp_path)


def test_a_result_that_breaks_off_half_way_is_read_again_and_nothing_is_there_twice(tmp_path: Path) -> None:
    size = Size(subscriptions=2, vaults=1100, secrets=0, keys=0, certificates=0, policies=0, assignments=5)
    with start(generate(4, size)) as lab:
        lab.world.faults.append(Fault(path="ResourceGraph", status=403, body={"error": {"code": "Gone"}}, skip=2))
        access = replace(AUTO, features=frozenset({Feature.ACCESS}))  # nothing that is asked of each vault
        snapshot = collected(lab, tmp_path / "s", access)
        expected = set(lab.world.estate.vaults)
    estate = load_estate(snapshot)
    assert {vault.scope for vault in estate.vaults} == expected
    assert len(estate.vaults) == len(expected)
    assert not [gap for gap in snapshot.gaps() if gap.kind == "vaults"]


def test_differences_between_the_two_services_are_told_and_both_are_kept(tmp_path: Path) -> None:
    request = CollectRequest(objects=Objects.NONE, source=Source.AUTO, verify_with_arm=True)
    with start(generate(8, MANY)) as lab:
        clean = collected(lab, tmp_path / "clean", request)
        assert not [gap for gap in clean.gaps() if gap.code == "SourcesDiffer"]
        hidden = next(iter(lab.world.estate.vaults))

        def forget(world: object) -> None:
            removed.append(lab.world.estate.vaults.pop(hidden))

        def remember(world: object) -> None:
            lab.world.estate.vaults[hidden] = removed[0]
            lab.world.changed()

        removed: list[dict[str, object]] = []
        lab.world.faults += [
            Fault(path="ResourceGraph", status=None, times=1, skip=1, effect=forget),
            Fault(
                path=r"subscriptions/[^/]+/providers/Microsoft.KeyVault/vaults$", status=None, times=1, effect=remember
            ),
        ]
        lab.world.changed()
        snapshot = collected(lab, tmp_path / "s", request)
    differing = [gap for gap in snapshot.gaps() if gap.code == "SourcesDiffer"]
    assert [gap.kind for gap in differing] == ["vaults"]
    assert hidden in differing[0].reason
    assert "1 (" in differing[0].reason
    assert hidden in {vault.scope for vault in load_estate(snapshot).vaults}


def test_only_the_vaults_that_were_named_are_kept(contoso: Lab, tmp_path: Path) -> None:
    snapshot = collected(
        contoso, tmp_path / "s", CollectRequest(vaults=("kv-web-prod",), objects=Objects.NONE, source=Source.AUTO)
    )
    assert names_of(snapshot, "vaults") == {"kv-web-prod"}


def test_a_caller_that_may_read_a_part_is_not_taken_for_one_that_sees_all(tmp_path: Path) -> None:
    """A deny assignment that may hide records: Resource Manager is asked, whose refusal is seen."""
    with start(generate(8, MANY)) as lab:
        subscription = next(iter(lab.world.estate.subscriptions))
        name = "dddddddd-dddd-dddd-dddd-000000000001"
        scope = f"/subscriptions/{subscription}"
        key = f"{scope}/providers/Microsoft.Authorization/denyAssignments/{name}"
        lab.world.estate.deny_assignments[scopes.fold(key)] = {
            "id": key,
            "name": name,
            "type": "Microsoft.Authorization/denyAssignments",
            "properties": {
                "denyAssignmentName": "hidden",
                "scope": scope,
                "permissions": [
                    {"actions": ["Microsoft.KeyVault/*"], "notActions": [], "dataActions": [], "notDataActions": []}
                ],
                "principals": [{"id": "99999999-9999-9999-9999-999999999999", "type": "User"}],
                "excludePrincipals": [],
                "doNotApplyToChildScopes": False,
                "isSystemProtected": False,
            },
        }
        lab.world.changed()
        snapshot = collected(lab, tmp_path / "s", AUTO)
    sources = {item.scope: item.source for item in snapshot.listings() if item.kind == "vaults"}
    assert sources.pop(scope) is None
    assert set(sources.values()) == {"resource-graph"}
