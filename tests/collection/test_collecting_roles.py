"""Role definitions: the built-in ones once, every role that a record names, whichever source was asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from collecting import collected, raw_of

from kvaudit.collection.request import CollectRequest, Objects, Source
from kvaudit.lab import Lab, start
from kvaudit.lab.estate import fold
from kvaudit.lab.faults import Fault
from kvaudit.snapshot.load import load_estate

PAYMENTS = "/subscriptions/33333333-3333-3333-3333-000000000001"
WEB = "/subscriptions/33333333-3333-3333-3333-000000000002"
OF_A_GROUP = "cccccccc-cccc-cccc-cccc-000000000001"
NAMED_BY_NOBODY = "cccccccc-cccc-cccc-cccc-000000000002"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The sample estate with two custom roles that can be assigned in one resource group alone; one of them is."""
    with start("contoso") as lab:
        for number, role in enumerate((OF_A_GROUP, NAMED_BY_NOBODY), start=1):
            identifier = f"{WEB}/providers/Microsoft.Authorization/roleDefinitions/{role}"
            lab.world.estate.role_definitions[role] = {
                "id": identifier,
                "name": role,
                "type": "Microsoft.Authorization/roleDefinitions",
                "properties": {
                    "roleName": f"Contoso group role {number}",
                    "type": "CustomRole",
                    "assignableScopes": [f"{WEB}/resourceGroups/rg-web"],
                    "permissions": [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"]}],
                },
            }
        assignment = f"{WEB}/resourceGroups/rg-web/providers/Microsoft.Authorization/roleAssignments/{OF_A_GROUP}"
        lab.world.estate.role_assignments[fold(assignment)] = {
            "id": assignment,
            "name": OF_A_GROUP,
            "type": "Microsoft.Authorization/roleAssignments",
            "properties": {
                "scope": f"{WEB}/resourceGroups/rg-web",
                "principalId": "66666666-6666-6666-6666-000000000010",
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"{WEB}/providers/Microsoft.Authorization/roleDefinitions/{OF_A_GROUP}",
            },
        }
        lab.world.changed()
        yield lab


def test_built_in_roles_are_listed_in_one_subscription_and_named_roles_are_all_there(lab: Lab, tmp_path: Path) -> None:
    lab.journal.clear()
    snapshot = collected(lab, tmp_path / "s", CollectRequest(objects=Objects.NONE, source=Source.ARM))
    lists = [entry for entry in lab.journal if entry.path.endswith("/roleDefinitions") and entry.status == 200]
    assert sum("CustomRole" not in entry.query.get("$filter", "") for entry in lists) == 1
    roles = [item["properties"]["type"] for item in raw_of(snapshot, "role_definitions")]
    assert roles.count("BuiltInRole") == sum(
        raw["properties"]["type"] == "BuiltInRole" for raw in lab.world.estate.role_definitions.values()
    )
    estate = load_estate(snapshot)
    named = {assignment.role for assignment in estate.role_assignments}
    assert OF_A_GROUP in named
    exists = {role for role in named if role in lab.world.estate.role_definitions}
    assert exists <= set(estate.role_definitions)
    assert not [gap for gap in snapshot.gaps() if gap.kind == "role_definitions" and PAYMENTS in gap.scope]


def test_a_subscription_that_refuses_its_roles_leaves_the_next_one_to_tell_them(lab: Lab, tmp_path: Path) -> None:
    refusal = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    path = rf"{PAYMENTS}/providers/Microsoft.Authorization/roleDefinitions$"
    lab.world.faults.append(Fault(path=path, status=403, body=refusal))
    try:
        snapshot = collected(lab, tmp_path / "s", CollectRequest(objects=Objects.NONE, source=Source.ARM))
    finally:
        lab.world.faults.clear()
    assert [gap.scope for gap in snapshot.gaps() if gap.kind == "role_definitions" and gap.scope == PAYMENTS] == [
        PAYMENTS
    ]
    assert "Key Vault Reader" in {role.role_name for role in load_estate(snapshot).role_definitions.values()}
