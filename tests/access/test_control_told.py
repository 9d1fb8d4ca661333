"""Who holds a control-plane action on a vault, by which records, whole. The golden is reviewed when it changes."""

from dataclasses import replace

from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    management_group,
    role,
    user,
    vault,
)
from syrupy.assertion import SnapshotAssertion
from told import citations_told, named

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import DenyAssignment, Permission, RoleDefinition
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing

WRITE = "Microsoft.KeyVault/vaults/write"
LATER, LATEST = "2027-03-01T00:00:00Z", "2027-06-01T00:00:00Z"
NAME = "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv'"
anna, ben = user("anna"), user("ben")
ops = group("ops", anna)
kv = vault("kv")
NAMES = ("anna", "ben", "ops", "form")
ABOVE = management_group("above")
owns = assignment("Owner", anna)


def blocks(name: str, *permissions: Permission) -> RoleDefinition:
    return replace(role(name), permissions=permissions)


def closing(at: str, *, only_there: bool = False, condition: str | None = None) -> DenyAssignment:
    return replace(deny(anna, at, actions=(WRITE,)), do_not_apply_to_child_scopes=only_there, condition=condition)


two_blocks = blocks("two blocks", Permission(actions=("*",), condition=NAME), Permission(actions=("*/write",)))
taking = blocks("taking", Permission(actions=("*",), not_actions=("Microsoft.KeyVault/*/write",)))

STORIES: dict[str, tuple[Item, ...]] = {
    "two people and a group": (ops, owns, assignment("Contributor", ops, kv), assignment("Reader", ben)),
    "of several records the surest first": (
        eligible("Owner", anna, kv),
        owns,
        assignment("77777777-7777-7777-7777-777777777777", anna, kv),
        assignment("Contributor", anna, RESOURCE_GROUP),
    ),
    "eligible, for a time": (eligible("Owner", anna, end=LATER),),
    "eligible, to come, under a condition": (eligible("Owner", anna, start=LATER, end=LATEST, condition=NAME),),
    "to come": (eligible("Owner", anna, eligible=False, start=LATER),),
    "its time is over": (eligible("Owner", anna, eligible=False, end="2026-01-01T00:00:00Z"),),
    "a condition that does not let it": (
        assignment("Owner", anna, condition="!(ActionMatches{'Microsoft.KeyVault/vaults/write'})"),
    ),
    "a condition that says nothing of it": (
        assignment("Owner", anna, condition="!(ActionMatches{'Microsoft.Storage/x'}) OR x StringEquals 'y'"),
    ),
    "a role of two blocks, one under a condition": (two_blocks, assignment(two_blocks, anna, condition=NAME)),
    "what a role takes back": (taking, assignment(taking, anna)),
    "a role that was not read": (assignment("77777777-7777-7777-7777-777777777777", anna),),
    "a registration of an application": (Principal("form", "Application"), assignment("Owner", Principal("form"))),
    "a deny of a group above": (owns, closing(RESOURCE_GROUP)),
    "a deny of a group above alone": (owns, closing(RESOURCE_GROUP, only_there=True)),
    "a deny at the vault, of a condition in its block": (
        owns,
        replace(closing(kv.scope), permissions=(Permission(actions=("*",), condition=NAME),)),
    ),
    "a deny of the vault alone": (owns, closing(kv.scope, only_there=True)),
    "a deny under a condition": (owns, closing(SUBSCRIPTION, condition=NAME)),
    "a deny whose effect was not read": (owns, replace(closing(SUBSCRIPTION), effect=None)),
    "a deny of somebody else": (assignment("Owner", ben), closing(SUBSCRIPTION)),
    "a deny of a group that was not read": (
        group("ops", is_read=False),
        owns,
        deny(group("ops"), SUBSCRIPTION, actions=(WRITE,)),
    ),
    "denies were not read": (owns, gap("deny_assignments")),
}


def told(everything: Estate) -> str:
    holders = Access(everything).control_holders(kv, WRITE)
    lines = []
    for item in holders:
        lines.append(f"{item.answer} to {item.principal_id} ({item.principal_type}): {item.action}")
        lines.extend(f"  {text}" for text in citations_told(item.via))
    return named("\n".join(lines), NAMES)


def test_golden(snapshot: SnapshotAssertion) -> None:
    found = [f"## {title}\n{told(estate(anna, ben, kv, *items))}\n" for title, items in STORIES.items()]
    assert "\n".join(found) == snapshot


def test_what_stands_above_an_unread_tree_is_not_certain() -> None:
    """Neither a grant nor a deny, unless the deny takes something else or is for the group of the tree alone."""
    above = replace(owns, scope=ABOVE, listed_from=frozenset())
    taken = replace(closing(ABOVE), listed_from=frozenset())
    narrow = replace(taken, do_not_apply_to_child_scopes=True)
    other = replace(taken, permissions=(Permission(actions=("*/delete",)),))
    for kind, records, answer in (
        ("role_assignments", (above,), "unknown"),
        ("deny_assignments", (owns, taken), "unknown"),
        ("deny_assignments", (owns, narrow), "allowed"),
        ("deny_assignments", (owns, other), "allowed"),
    ):
        everything = estate(anna, ben, kv, *records)
        listings = (item for item in everything.listings if item.kind != kind)
        unread = replace(everything, listings=(*listings, Listing(kind, kv.scope, 0)))
        assert [item.answer.value for item in Access(unread).control_holders(kv, WRITE)] == [answer]
