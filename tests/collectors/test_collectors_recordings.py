"""Parsers bear every payload in the recordings of the real services, and read what stands there."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recordings import recorded_items

from kvaudit.collectors.catalogue import by_kind
from kvaudit.model.vaults import PermissionModel, PermissionModelSource

Items = dict[str, list[dict[str, Any]]]

LISTED_FROM = {
    "secrets": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
    "keys": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
    "certificates": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
}

AT_LEAST = {
    "vaults": 300,
    "deleted_vaults": 150,
    "role_assignments": 800,
    "role_definitions": 300,
    "secrets": 100,
    "keys": 100,
    "certificates": 30,
}
"""Distinct payloads in the corpus of November 2026: fewer means that this test has stopped looking."""


@pytest.fixture(scope="module")
def items(corpus: Path) -> Items:
    return recorded_items(corpus / "recordings")


@pytest.mark.parametrize("kind", sorted(AT_LEAST))
def test_every_recorded_item_is_read(items: Items, kind: str) -> None:
    assert len(items[kind]) >= AT_LEAST[kind]
    for item in items[kind]:
        by_kind()[kind].parse(item, LISTED_FROM.get(kind, "/subscriptions/s"))


def test_every_recorded_vault_has_the_model_that_its_payload_states(items: Items) -> None:
    seen: Counter[str] = Counter()
    for item in items["vaults"]:
        vault = by_kind()["vaults"].parse(item, "/subscriptions/s")
        stated: tuple[PermissionModel | None, PermissionModelSource | None] = (None, None)
        if "properties" not in item:
            pass
        elif "enableRbacAuthorization" not in item["properties"]:
            stated = (PermissionModel.ACCESS_POLICIES, PermissionModelSource.ABSENT)
        elif item["properties"]["enableRbacAuthorization"] is True:
            stated = (PermissionModel.AZURE_RBAC, PermissionModelSource.EXPLICIT)
        else:
            assert item["properties"]["enableRbacAuthorization"] is False
            stated = (PermissionModel.ACCESS_POLICIES, PermissionModelSource.EXPLICIT)
        assert (vault.permission_model, vault.permission_model_source) == stated
        seen[str(stated)] += 1
    assert len(seen) == 4, f"every way to state a model occurs in the recordings: {seen}"


def test_no_access_policy_of_a_recorded_vault_is_lost(items: Items) -> None:
    compound = 0
    for item in items["vaults"]:
        vault = by_kind()["vaults"].parse(item, "/subscriptions/s")
        sent = item.get("properties", {}).get("accessPolicies", [])
        assert len(vault.access_policies or ()) == len(sent)
        for policy, entry in zip(vault.access_policies or (), sent, strict=True):
            assert policy.object_id == entry["objectId"].lower()
            compound += policy.application_id is not None
            for kind in ("keys", "secrets", "certificates", "storage"):
                words = entry["permissions"].get(kind)
                assert getattr(policy, kind) == (None if words is None else tuple(words))
    assert compound > 0, "an entry with an application occurs in the recordings"


def _examples(corpus: Path, pattern: str) -> Iterator[dict[str, Any]]:
    for path in sorted((corpus / "specs").glob(pattern)):
        body = json.loads(path.read_bytes())["responses"]["200"]["body"]
        yield from body.get("value", [body])


def test_published_examples_of_denies_and_pim(corpus: Path) -> None:
    """No recording holds these; the specifications do."""
    denies = list(_examples(corpus, "authorization-2022-04-01/examples/Get*DenyAssignment*.json"))
    assert len(denies) >= 4
    for item in denies:
        deny = by_kind()["deny_assignments"].parse(item, "/")
        assert deny.effect is None, "2022-04-01 hides the effect"
        assert [principal.id for principal in deny.principals] == [
            entry["id"].lower() for entry in item["properties"]["principals"]
        ]
    for kind, name in (
        ("role_eligibility_schedule_instances", "RoleEligibilityScheduleInstance"),
        ("role_assignment_schedule_instances", "RoleAssignmentScheduleInstance"),
    ):
        instances = list(_examples(corpus, f"authorization-pim-2020-10-01/examples/Get{name}*.json"))
        assert len(instances) >= 2
        for item in instances:
            instance = by_kind()[kind].parse(item, "/")
            assert instance.principal_id == item["properties"]["principalId"]
            assert instance.end == item["properties"]["endDateTime"]


def test_published_examples_of_the_tree(corpus: Path) -> None:
    nodes = list(_examples(corpus, "managementgroups-2023-04-01/examples/GetDescendants.json"))
    assert nodes
    for item in nodes:
        node = by_kind()["management_groups"].parse(item, "/")
        assert node.parent == item["properties"]["parent"]["id"].lower()
    for name in ("GetManagementGroup", "GetSubscriptionFromManagementGroup", "GetAllSubscriptionsFromManagementGroup"):
        for item in _examples(corpus, f"managementgroups-2023-04-01/examples/{name}.json"):
            by_kind()["management_groups"].parse(item, "/")
