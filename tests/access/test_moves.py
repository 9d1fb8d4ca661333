"""E20: a vault is moved to where the mover holds data, by rights of its own, of its groups, and of both together."""

from dataclasses import replace

import pytest
from builders import RESOURCE_GROUP, SUBSCRIPTION, Group, Item, assignment, estate, group, guid, role, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import RoleDefinition
from kvaudit.model.directory import Principal
from kvaudit.model.permissions import operation

anna, ben = user("anna"), user("ben")
modern = vault("kv-modern")


def custom(*names: str) -> RoleDefinition:
    return role("custom", actions=names)


def found(who: Principal, *items: Item) -> str:
    return " ".join(item.id for item in Access(estate(anna, ben, modern, *items)).routes_of(who.id, modern))


def test_a_vault_is_moved_to_where_the_mover_reads() -> None:
    there = f"{SUBSCRIPTION}/resourceGroups/rg-mine"
    mover = custom(
        "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
    )
    held = (mover, assignment(mover, anna))
    assert found(anna, *held, assignment("Key Vault Secrets User", anna, there)) == "E20"
    assert found(anna, *held, assignment("Key Vault Secrets User", anna, RESOURCE_GROUP)) == ""
    assert found(anna, *held, assignment("Key Vault Secrets User", ben, there)) == ""
    assert (
        found(
            anna,
            mover,
            assignment(mover, anna, RESOURCE_GROUP),
            assignment("Key Vault Secrets User", anna, there),
        )
        == ""
    )


ops = group("ops", anna)
MOVER = custom("Microsoft.Resources/subscriptions/resourceGroups/*")
ELSEWHERE = f"{RESOURCE_GROUP}-2"
BLIND = custom("Microsoft.Insights/diagnosticSettings/write")


@pytest.mark.parametrize(
    ("mover", "reader", "listed"),
    [(ops, ops, {ops.id, anna.id}), (ops, anna, {anna.id}), (anna, ops, {anna.id}), (anna, anna, {anna.id})],
)
@pytest.mark.parametrize("also_named", [False, True])
def test_rights_to_move_and_to_read_of_a_person_and_its_group_add_up(
    mover: Principal | Group, reader: Principal | Group, listed: set[str], also_named: bool
) -> None:
    items = (MOVER, assignment(MOVER, mover), assignment("Key Vault Secrets User", reader, ELSEWHERE))
    beside = replace(BLIND, name=guid("blind"))
    more = (beside, assignment(beside, anna, RESOURCE_GROUP)) if also_named else ()
    access = Access(estate(anna, ben, ops, modern, *items, *more))
    (route,) = (item for item in access.routes_of(anna.id, modern) if item.id == "E20")
    assert route.mask == operation("secrets/get").mask | operation("secrets/list").mask
    assert {item.id for item in items[1:]} == {item.id for item in route.via}
    assert [item.groups for item in route.via if item.role == "Key Vault Secrets User"] == [
        (ops.id,) if reader is ops else ()
    ]
    everybodys = access.routes(modern, expand_groups=True).routes
    assert {item.principal_id for item in everybodys if item.id == "E20"} == listed
    assert not [item.id for item in access.routes_of(ben.id, modern)]


def test_one_group_moves_and_another_reads() -> None:
    """No group has this route itself: it is told of whoever stands in both."""
    readers = group("readers", anna, ben)
    items = (MOVER, assignment(MOVER, ops), assignment("Key Vault Secrets User", readers, ELSEWHERE))
    access = Access(estate(anna, ben, ops, readers, modern, *items))
    (route,) = access.routes_of(anna.id, modern)
    assert (route.id, [item.groups for item in route.via]) == ("E20", [(ops.id,), (readers.id,)])
    everybodys = access.routes(modern, expand_groups=True).routes
    assert [(item.principal_id, item.id) for item in everybodys] == [(anna.id, "E20")]
    assert [item.escalation for item in access.rows(expand_groups=True) if item.principal_id == anna.id] == [("E20",)]
    assert not access.routes_of(ben.id, modern)
