"""The actions that routes are made of: a bit for each, and the places at which a record gives it."""

import importlib.util

import pytest
from builders import RESOURCE_GROUP, SUBSCRIPTION, management_group, vault

from kvaudit.access.escalation import actions
from kvaudit.model.authorization import Permission
from kvaudit.model.scopes import fold

kv = vault("kv")
GROUP = fold(RESOURCE_GROUP)
MACHINE = f"{GROUP}/providers/microsoft.compute/virtualmachines/vm-1"
RUN = "Microsoft.Compute/virtualMachines/runCommand/action"
ANYWHERE = "Microsoft.Authorization/denyAssignments/delete"


def test_each_action_has_a_bit_of_its_own() -> None:
    """Read anew, because the bits are given out when the module is read."""
    assert actions.__spec__ is not None
    assert actions.__spec__.loader is not None
    fresh = importlib.util.module_from_spec(actions.__spec__)
    actions.__spec__.loader.exec_module(fresh)
    assert [item.bit for item in fresh.ACTIONS] == [1 << place for place in range(len(fresh.ACTIONS))]
    assert [(item.name, item.at) for item in fresh.ACTIONS] == [(item.name, item.at) for item in actions.ACTIONS]
    assert fresh.ACTIONS[0].name == "Microsoft.KeyVault/vaults/accessPolicies/write"
    assert fresh.ACTIONS[0].bit == fresh.POLICIES_WRITE
    assert fresh.names_of(fresh.ELEVATE) == ("Microsoft.Authorization/elevateAccess/action",)


LEVELS = {
    "Microsoft.KeyVault/vaults/accessPolicies/write": "vault",
    "Microsoft.Compute/virtualMachines/runCommand/action": "resource",
    "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action": "group",
    "Microsoft.KeyVault/locations/deletedVaults/purge/action": "subscription",
    "Microsoft.Management/managementGroups/subscriptions/write": "management group",
    "Microsoft.Authorization/elevateAccess/action": "root",
    "Microsoft.Authorization/denyAssignments/delete": "any",
}
PLACES = {
    "/": "vault resource group subscription management-group root any",
    management_group("root"): "vault resource group subscription management-group any",
    SUBSCRIPTION: "vault resource group subscription any",
    GROUP: "vault resource group any",
    kv.scope: "vault any",
    MACHINE: "resource any",
    f"{kv.scope}/secrets/db": "any",
}


def of_levels(bits: int) -> set[str]:
    return {LEVELS[name].replace(" ", "-") for name in actions.names_of(bits & actions.HELD) if name in LEVELS}


@pytest.mark.parametrize("place", PLACES)
def test_a_record_gives_what_is_checked_at_or_below_its_scope(place: str) -> None:
    assert of_levels(actions.counting_at(place)) == set(PLACES[place].split())


CHECKED = {
    "/": "root any",
    management_group("root"): "management-group any",
    SUBSCRIPTION: "subscription any",
    GROUP: "group any",
    kv.scope: "vault any",
    MACHINE: "resource any",
    f"{kv.scope}/secrets/db": "any",
}


@pytest.mark.parametrize("place", CHECKED)
def test_a_deny_for_one_scope_alone_takes_what_is_checked_there(place: str) -> None:
    assert of_levels(actions.checked_at(place)) == set(CHECKED[place].split())


@pytest.mark.parametrize(
    ("block", "held", "unsure"),
    [
        (Permission(actions=(RUN,)), True, False),
        (Permission(actions=("Microsoft.Compute/*/action",)), True, False),
        (Permission(actions=("Microsoft.Compute/virtualMachines/*/runCommand/action",)), True, False),
        (Permission(actions=("*",), not_actions=(RUN,)), False, False),
        (Permission(actions=("*",), not_actions=("*/runCommand/action",)), False, False),
        (
            Permission(actions=("*",), not_actions=("Microsoft.Compute/virtualMachines/*/runCommand/action",)),
            False,
            True,
        ),
        (Permission(actions=("*/read",)), False, False),
    ],
)
def test_what_a_block_of_a_role_holds(block: Permission, held: bool, unsure: bool) -> None:
    bit = next(item.bit for item in actions.ACTIONS if item.name == RUN)
    assert tuple(bool(found & bit) for found in actions.bits_of(block)) == (held, unsure)
