"""Routes of somebody who may come into a group (PIM for Groups): those of its members, once the membership is active."""

from dataclasses import replace
from typing import Any

import pytest
from builders import SUBSCRIPTION, Item, assignment, deny, estate, group, user, vault
from hypothesis import given, settings
from hypothesis import strategies as st
from test_routes_by_groups import Given, built, held, in_doubt, places, ruling, taken, told

from kvaudit.access.escalation import EscalationRoute
from kvaudit.access.escalation.powers import weaker
from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.identities import DirectoryRoleAssignment, GroupScheduleInstance, ResourceIdentity
from kvaudit.model.vaults import Vault

anna, ben, carl = user("anna"), user("ben"), user("carl")
ops = group("ops", ben)
above = group("above", ops)
kv = vault("kv")
MARKS = {"allowed": "", "conditional": "~", "unknown": "?"}
eligible = GroupScheduleInstance("pim/1", ops.id, anna.id, "member", eligible=True)


def routes(what: Estate) -> list[EscalationRoute]:
    """Anna's routes, which are those that are told of her among everybody's, and in her row."""
    access, (place,) = Access(what), what.vaults
    found = list(access.routes_of(anna.id, place))
    among = [item for item in access.routes(place, expand_groups=True).routes if item.principal_id == anna.id]
    assert sorted(map(told, among), key=str) == sorted(map(told, found), key=str)
    rows = [item.escalation for item in access.rows(expand_groups=True) if item.principal_id == anna.id]
    assert {route for row in rows for route in row} == {item.id for item in found}
    return found


def of(*items: Item) -> str:
    found = routes(estate(anna, ben, carl, ops, above, kv, *items))
    return " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in found)


ASSIGNS = "User Access Administrator"
closing: dict[str, Any] = {"actions": ("Microsoft.Authorization/*", "Microsoft.KeyVault/*")}
ROUTES: dict[str, tuple[tuple[Item, ...], str]] = {
    "its role assigns": ((assignment(ASSIGNS, ops), eligible), "E4~ E8~ E18?"),
    "the role of a group above it assigns": ((assignment(ASSIGNS, above), eligible), "E4~ E8~ E18?"),
    "an eligible owner is in nothing yet": ((assignment(ASSIGNS, ops), replace(eligible, access="owner")), ""),
    "it is somebody else who is eligible": ((assignment(ASSIGNS, ops), replace(eligible, principal_id=carl.id)), ""),
    "its time is over": ((assignment(ASSIGNS, ops), replace(eligible, end="2020-01-01T00:00:00Z")), ""),
    "its time is still to come": (
        (assignment(ASSIGNS, ops), replace(eligible, eligible=False, start="2030-01-01T00:00:00Z")),
        "E4~ E8~ E18?",
    ),
    "it has the role itself too": ((assignment(ASSIGNS, ops), assignment(ASSIGNS, anna), eligible), "E4 E8 E18?"),
    "a deny of the group": ((assignment(ASSIGNS, ops), eligible, deny(ops, SUBSCRIPTION, **closing)), ""),
    "a deny of the group above": ((assignment(ASSIGNS, ops), eligible, deny(above, SUBSCRIPTION, **closing)), ""),
    "a deny of the person": ((assignment(ASSIGNS, ops), eligible, deny(anna, SUBSCRIPTION, **closing)), ""),
    "a deny of a member": ((assignment(ASSIGNS, ops), eligible, deny(ben, SUBSCRIPTION, **closing)), "E4~ E8~ E18?"),
    "a directory role of the group": (
        (DirectoryRoleAssignment("role/1", "62e90394-69f5-4237-9190-012177145e10", ops.id), eligible),
        "E7~",
    ),
    "it controls a machine": (
        (
            assignment("Contributor", ops, "/subscriptions/99999999-9999-9999-9999-999999999999"),
            assignment("Key Vault Secrets User", carl),
            ResourceIdentity(
                "/subscriptions/99999999-9999-9999-9999-999999999999/resourcegroups/rg/providers/microsoft.compute"
                "/virtualmachines/vm",
                "microsoft.compute/virtualmachines",
                carl.id,
            ),
            eligible,
        ),
        "E12?",
    ),
}


@pytest.mark.parametrize("name", ROUTES)
def test_whoever_is_eligible_has_the_routes_of_the_group(name: str) -> None:
    items, expected = ROUTES[name]
    assert of(*items) == expected


def test_what_must_be_activated_is_cited() -> None:
    held_above = assignment(ASSIGNS, above)
    found = routes(estate(anna, ben, ops, above, kv, held_above, eligible))
    for item in found:
        (via,) = item.via
        assert (via.id, via.groups, via.awaits) == (held_above.id, (above.id, ops.id), (ops.id,))
        assert via.condition == f"eligible for membership of group {ops.id}, must be activated"
        assert via.answer is Answer.CONDITIONAL
    assert [item.scope for item in found[0].via] == [SUBSCRIPTION]


def test_so_are_delegated_administrators() -> None:
    limited = assignment("Key Vault Data Access Administrator", ops)
    access = Access(estate(anna, ben, ops, above, kv, limited, assignment("Key Vault Secrets User", anna), eligible))
    (route,) = (item for item in access.routes_of(anna.id, kv) if item.id == "E5")
    assert route.answer is Answer.CONDITIONAL
    assert access.escalations.delegates(kv) == {ops.id: Answer.ALLOWED, anna.id: Answer.CONDITIONAL}


ones = group("ones", anna)


@settings(max_examples=100)
@given(places, st.lists(st.one_of(held, held, held, taken, ruling), min_size=1, max_size=5))
def test_no_route_of_a_member_is_missing_before_the_activation(place: Vault, records: list[Given]) -> None:
    """But E17 and E26 of what is not held yet, and E20, which looks at groups that somebody is in."""
    kept = [item if item.make.__name__ != "sparing" else replace(item, make=in_doubt) for item in records]
    inside = built(place, kept, [ones] * len(kept))
    outside = replace(
        inside,
        memberships=tuple(item for item in inside.memberships if item.group != ones.id),
        group_schedule_instances=(GroupScheduleInstance("pim/1", ones.id, anna.id, "member", eligible=True),),
    )
    left_out = ("E13", "E17", "E20", "E23", "E26")

    def shown(what: Estate) -> set[tuple[Any, ...]]:
        found = [item for item in routes(what) if item.id not in left_out]
        return {(item.id, weaker(item.answer, Answer.CONDITIONAL), item.target) for item in found}

    assert shown(outside) == shown(inside)
