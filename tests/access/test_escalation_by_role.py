"""Routes of the control plane by role: what the published table of routes says, written down by hand for each role.

Each row says what somebody holds and which routes it then has on a vault that uses Azure RBAC and on one that uses access
policies, both without purge protection. A route that hangs on something not established stands with a question mark, one
that must be activated or hangs on a condition with a tilde.
"""

from collections.abc import Iterable

import pytest
from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    TENANT,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    guid,
    management_group,
    policy,
    role,
    user,
    vault,
)

from kvaudit.access.escalation import BY_ID, EscalationRoute
from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, DenyAssignment, DenyPrincipal, Permission, RoleDefinition
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.vaults import Vault

anna, ben = user("anna"), user("ben")
modern = vault("kv-modern", enable_purge_protection=None)
legacy = vault("kv-legacy", policy(ben, secrets="get"), enable_purge_protection=None)
MARKS = {"allowed": "", "conditional": "~", "unknown": "?"}
ONLY_KEY_VAULT_CERTIFICATES = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
    " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{%s}))"
)
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
HARM = "E11 E14 E15 E16"
PLANS = "E18? E19?"

BY_ROLE: dict[str, tuple[str, str]] = {
    "Contributor": (f"E9? E10? {HARM} E19? E30", f"E1 E2 E9 E10 {HARM} E19? E30"),
    "Owner": (f"E3 E4 E8 E9? E10? {HARM} {PLANS} E24 E30", f"E1 E2 E9 E10 {HARM} {PLANS} E24 E30"),
    "User Access Administrator": ("E4 E8 E18?", "E1 E18?"),
    "Role Based Access Control Administrator": ("E4", "E1"),
    "Key Vault Contributor": ("E9? E11 E14 E16 E19?", "E1 E2 E9 E11 E14 E16 E19?"),
    "Key Vault Data Access Administrator": ("E5", ""),
    "Resource Policy Contributor": ("E18?", "E18?"),
    "Monitoring Contributor": ("E15", "E15"),
    "Log Analytics Contributor": ("E15", "E15"),
    "Reader": ("", ""),
    "Key Vault Administrator": ("E26~", ""),
    "Key Vault Reader": ("", ""),
    "Virtual Machine Contributor": ("", ""),
    "Managed Identity Operator": ("", ""),
}


def found(where: Vault, who: Principal, *items: Item) -> str:
    """The routes of somebody to a vault, as in the table above."""
    access = Access(estate(anna, ben, where, *items))
    routes = access.routes_of(who.id, access.vault(where.name))
    check(access, where, who, routes)
    return " ".join(f"{item.id}{MARKS[item.answer.value]}" for item in routes)


def check(access: Access, where: Vault, who: Principal, routes: Iterable[EscalationRoute]) -> None:
    """What holds of every answer about routes."""
    everybodys = access.routes(access.vault(where.name)).routes
    assert tuple(item for item in everybodys if item.principal_id == who.id) == tuple(routes)
    rows = {item.principal_id: item.escalation for item in access.rows() if item.object is None}
    assert rows.get(who.id, ()) == tuple(dict.fromkeys(item.id for item in routes))
    for item in routes:
        assert item.via, item.id
        assert item.actions
        assert item.steps
        assert item.model in (None, where.permission_model)
        assert item.title == BY_ID[item.id].title


@pytest.mark.parametrize("name", BY_ROLE)
def test_the_routes_of_a_role(name: str) -> None:
    on_modern, on_legacy = BY_ROLE[name]
    assert found(modern, anna, assignment(name, anna)) == on_modern
    assert found(legacy, anna, assignment(name, anna)) == on_legacy


def custom(*names: str, **changes: tuple[str, ...]) -> RoleDefinition:
    return role("custom", actions=names, **changes)


ADD_POLICY = custom("Microsoft.KeyVault/vaults/accessPolicies/write")
WRITE = custom("Microsoft.KeyVault/vaults/write")
ASSIGN = custom("Microsoft.Authorization/roleAssignments/write")
DEPLOY = custom("Microsoft.KeyVault/vaults/deploy/action", "Microsoft.Resources/deployments/write")
INSTALL = custom("Microsoft.KeyVault/vaults/deploy/action", "Microsoft.Compute/virtualMachines/write")
DELETE = custom("Microsoft.KeyVault/vaults/delete")
templates = vault("kv-legacy", policy(ben, secrets="get"), enabled_for_template_deployment=True)
machines = vault("kv-legacy", policy(ben, secrets="get"), enabled_for_deployment=True)


def wild(text: str) -> RoleDefinition:
    return custom(f"Microsoft.KeyVault/{text}")


NARROW: dict[str, tuple[Vault, tuple[Item, ...], str]] = {
    "E1 by one action": (legacy, (ADD_POLICY, assignment(ADD_POLICY, anna)), "E1"),
    "E1 at the vault": (legacy, (ADD_POLICY, assignment(ADD_POLICY, anna, legacy)), "E1"),
    "E1 through a wildcard that spans a segment": (
        legacy,
        (wild("*/accessPolicies/write"), assignment(custom("x"), anna)),
        "E1",
    ),
    "E1 through /*/ that stands for /": (
        legacy,
        (wild("vaults/*/accessPolicies/write"), assignment(custom("x"), anna)),
        "E1",
    ),
    "not E1 on Azure RBAC": (modern, (ADD_POLICY, assignment(ADD_POLICY, anna)), ""),
    "not E1 from another group's scope": (
        legacy,
        (ADD_POLICY, assignment(ADD_POLICY, anna, f"{RESOURCE_GROUP}-2")),
        "",
    ),
    "E1 when eligible": (legacy, (ADD_POLICY, eligible(ADD_POLICY, anna)), "E1~"),
    "E1 by a role that assigns one that may": (
        legacy,
        (
            assignment(
                "Role Based Access Control Administrator", anna, condition=ONLY_KEY_VAULT_CERTIFICATES % CONTRIBUTOR
            ),
        ),
        "E1",
    ),
    "not E1 where only a data role may be assigned": (
        legacy,
        (
            assignment(
                "Role Based Access Control Administrator", anna, condition=ONLY_KEY_VAULT_CERTIFICATES % SECRETS_USER
            ),
        ),
        "",
    ),
    "E2 by vaults/write alone is not settled": (legacy, (WRITE, assignment(WRITE, anna)), "E2? E14 E19?"),
    "vaults/write alone does not switch the model": (modern, (WRITE, assignment(WRITE, anna)), "E14 E19?"),
    "E3 takes both rights": (
        modern,
        (WRITE, assignment(WRITE, anna), assignment("User Access Administrator", anna)),
        "E3 E4 E8 E14 E18? E19?",
    ),
    "E3 takes both of one person": (
        modern,
        (WRITE, assignment(WRITE, anna), assignment("User Access Administrator", ben)),
        "E14 E19?",
    ),
    "not E3 where assigning is limited": (
        modern,
        (WRITE, assignment(WRITE, anna), assignment("Key Vault Data Access Administrator", anna)),
        "E5 E14 E19?",
    ),
    "E4 at the root": (modern, (ASSIGN, assignment(ASSIGN, anna, "/")), "E4"),
    "not E4 at one secret": (modern, (ASSIGN, assignment(ASSIGN, anna, f"{modern.id}/secrets/db")), ""),
    "E5 and not E4 on a condition": (
        modern,
        (
            assignment(
                "Role Based Access Control Administrator", anna, condition=ONLY_KEY_VAULT_CERTIFICATES % SECRETS_USER
            ),
        ),
        "E5",
    ),
    "not E5 where the condition admits no data": (
        modern,
        (assignment("Role Based Access Control Administrator", anna, condition=ONLY_KEY_VAULT_CERTIFICATES % READER),),
        "",
    ),
    "E5 when the condition cannot be read": (
        modern,
        (assignment("Role Based Access Control Administrator", anna, condition="nonsense ("),),
        "E5~",
    ),
    "E8 by an eligible data role": (modern, (eligible("Key Vault Secrets User", anna),), "E8~"),
    "E8 by an eligible Owner": (
        modern,
        (eligible("Owner", anna),),
        "E3~ E4~ E8~ E9? E10? E11~ E14~ E15~ E16~ E18? E19? E24~ E30~",
    ),
    "not E8 by an eligible Reader": (modern, (eligible("Reader", anna),), ""),
    "E9 where the flag is on": (templates, (DEPLOY, assignment(DEPLOY, anna)), "E9"),
    "not E9 where it is off and cannot be set": (legacy, (DEPLOY, assignment(DEPLOY, anna)), ""),
    "not E9 without a group to deploy to": (templates, (DEPLOY, assignment(DEPLOY, anna, templates)), ""),
    "E9 into another group": (
        templates,
        (DEPLOY, assignment(DEPLOY, anna, templates), assignment(DEPLOY, anna, f"{RESOURCE_GROUP}-2")),
        "E9",
    ),
    "E10 where the flag is on": (machines, (INSTALL, assignment(INSTALL, anna)), "E10"),
    "not E10 where it is off": (legacy, (INSTALL, assignment(INSTALL, anna)), ""),
    "E16 without purge is no E30": (legacy, (DELETE, assignment(DELETE, anna)), "E16"),
    "E30 takes purge at the subscription": (
        legacy,
        (assignment("Contributor", anna, RESOURCE_GROUP),),
        f"E1 E2 E9 E10 {HARM} E19?",
    ),
    "no E30 with purge protection": (
        vault("kv-legacy", policy(ben, secrets="get")),
        (assignment("Contributor", anna),),
        f"E1 E2 E9 E10 {HARM} E19?",
    ),
    "elevateAccess below / is worth nothing": (
        modern,
        (custom("Microsoft.Authorization/elevateAccess/action"), assignment(custom("x"), anna)),
        "",
    ),
    "elevateAccess at /": (
        modern,
        (custom("Microsoft.Authorization/elevateAccess/action"), assignment(custom("x"), anna, "/")),
        "E7",
    ),
    "E17 by backup without get": (vault("kv-legacy", policy(anna, secrets="backup")), (), "E17~"),
    "E17 into a vault of its own": (
        vault("kv-legacy", policy(anna, secrets="backup")),
        (WRITE, assignment(WRITE, anna, f"{RESOURCE_GROUP}")),
        "E2? E14 E17 E19?",
    ),
    "not E17 for who reads anyway": (vault("kv-legacy", policy(anna, secrets="get backup")), (), ""),
    "E26 by update and release": (vault("kv-legacy", policy(anna, keys="update release")), (), "E26~"),
    "not E26 by release alone": (vault("kv-legacy", policy(anna, keys="release")), (), ""),
    "a role that was not read may be anything": (
        vault("kv-legacy", policy(ben, secrets="get")),
        (assignment("77777777-7777-7777-7777-777777777777", anna),),
        "E1? E2? E9? E10? E11? E14? E15? E16? E18? E19? E24?",
    ),
    "a deny listing that was not read": (
        legacy,
        (ADD_POLICY, assignment(ADD_POLICY, anna), gap("deny_assignments")),
        "E1?",
    ),
}


@pytest.mark.parametrize("name", NARROW)
def test_a_route_by_exactly_what_it_takes(name: str) -> None:
    where, items, expected = NARROW[name]
    assert found(where, anna, *items) == expected


def test_a_group_has_the_route_and_its_members_too() -> None:
    ops = group("ops", anna)
    access = Access(estate(anna, ben, ops, legacy, ADD_POLICY, assignment(ADD_POLICY, ops)))
    assert {item.principal_id for item in access.routes(legacy).routes} == {ops.id}
    everybody = access.routes(legacy, expand_groups=True).routes
    assert {item.principal_id for item in everybody} == {ops.id, anna.id}
    (mine,) = access.routes_of(anna.id, legacy)
    assert mine.via[0].groups == (ops.id,)


def test_rights_of_a_person_and_of_its_group_add_up() -> None:
    ops = group("ops", anna)
    items = (ops, WRITE, assignment(WRITE, ops), assignment("User Access Administrator", anna, RESOURCE_GROUP))
    assert found(modern, anna, *items).split()[0] == "E3"


DENIED = {
    "an enforced deny closes the route": (deny(anna, SUBSCRIPTION, actions=("Microsoft.KeyVault/vaults/*",)), ""),
    "an audit one does not": (deny(anna, SUBSCRIPTION, effect="audit", actions=("Microsoft.KeyVault/vaults/*",)), "E1"),
    "one whose effect was not read may": (
        deny(anna, SUBSCRIPTION, effect=None, actions=("Microsoft.KeyVault/vaults/*",)),
        "E1?",
    ),
    "one of a group that was not read may": (
        deny(group("hidden", is_read=False), SUBSCRIPTION, actions=("Microsoft.KeyVault/vaults/*",)),
        "E1?",
    ),
    "one of somebody else does not": (deny(ben, SUBSCRIPTION, actions=("Microsoft.KeyVault/vaults/*",)), "E1"),
    "one of another action does not": (deny(anna, SUBSCRIPTION, actions=("Microsoft.KeyVault/vaults/delete",)), "E1"),
    "one on data does not: the policies' vault knows none": (deny(anna, SUBSCRIPTION, data_actions=("*",)), "E1"),
}


@pytest.mark.parametrize("name", DENIED)
def test_denies_on_the_control_plane(name: str) -> None:
    item, expected = DENIED[name]
    assert found(legacy, anna, ADD_POLICY, assignment(ADD_POLICY, anna), item) == expected


def test_whoever_may_remove_the_deny_has_that_route() -> None:
    closing = DenyAssignment(
        f"{SUBSCRIPTION}/denyAssignments/1",
        "1",
        SUBSCRIPTION,
        (Permission(actions=("Microsoft.Authorization/roleAssignments/write",)),),
        (DenyPrincipal(EVERYONE, "SystemDefined"),),
        (DenyPrincipal(ben.id, "User"),),
        is_system_protected=False,
        effect="enforced",
        listed_from=frozenset({SUBSCRIPTION}),
    )
    assert "E22" in found(modern, anna, assignment("Owner", anna), closing).split()
    assert "E4" not in found(modern, anna, assignment("Owner", anna), closing).split()
    assert "E22" not in found(modern, anna, ASSIGN, assignment(ASSIGN, anna), closing).split()
    assert "E22" not in found(modern, ben, assignment("Owner", ben), closing).split()


def test_a_deny_on_the_data_of_everybody_closes_what_roles_open() -> None:
    closing = deny(anna, SUBSCRIPTION, data_actions=("*",))
    closed = DenyAssignment(
        closing.id, "d", SUBSCRIPTION, closing.permissions, (DenyPrincipal(EVERYONE),), effect="enforced"
    )
    assert found(modern, anna, ASSIGN, assignment(ASSIGN, anna), closing) == "E4~"
    assert found(modern, anna, ASSIGN, assignment(ASSIGN, anna), closed) == ""


def rewriting(*scopes_of_role: str) -> tuple[RoleDefinition, RoleDefinition]:
    worker = RoleDefinition(
        guid("worker"), guid("worker"), "Worker", "CustomRole", (Permission(actions=("*/read",)),), scopes_of_role
    )
    return worker, custom("Microsoft.Authorization/roleDefinitions/write")


@pytest.mark.parametrize(
    ("assignable", "holder", "expected"),
    [
        ((SUBSCRIPTION,), anna, "E6"),
        ((SUBSCRIPTION,), ben, "E6~"),
        ((SUBSCRIPTION, "/subscriptions/88888888-8888-8888-8888-888888888888"), anna, ""),
        ((), anna, ""),
    ],
)
def test_a_custom_role_is_rewritten_on_all_its_scopes_or_not_at_all(
    assignable: tuple[str, ...], holder: Principal, expected: str
) -> None:
    worker, writer = rewriting(*assignable)
    items = (worker, writer, assignment(writer, anna), assignment(worker, holder, RESOURCE_GROUP))
    assert found(modern, anna, *items) == expected


def test_a_subscription_is_moved_by_its_owner_who_may_move_it() -> None:
    tree = (HierarchyNode(management_group("root"), None), HierarchyNode(SUBSCRIPTION, management_group("root")))
    mover = custom("Microsoft.Management/managementGroups/subscriptions/write")
    at_group = assignment(mover, anna, management_group("elsewhere"))
    assert "E21~" in found(modern, anna, *tree, mover, at_group, assignment("Owner", anna)).split()
    assert "E21~" not in found(modern, anna, *tree, mover, at_group).split()
    assert "E21~" not in found(modern, anna, *tree, mover, assignment(mover, anna), assignment("Owner", anna)).split()


def test_a_foreign_group_acts_from_a_partners_tenant() -> None:
    partner = Principal(guid("partner"), "ForeignGroup", state=PrincipalState.FOREIGN)
    assert "E25" in found(modern, partner, partner, assignment("Owner", partner)).split()
    assert "E25" not in found(modern, partner, partner, assignment("Reader", partner)).split()


def test_a_vault_that_trusts_another_tenant() -> None:
    away = vault("kv-away", tenant_id=OTHER_TENANT, enable_purge_protection=None)
    assert found(away, anna, assignment("Owner", anna)).split()[:2] == ["E3~", "E9?"]
    assert TENANT != OTHER_TENANT


def test_a_vault_whose_properties_were_not_read_has_unknown_routes() -> None:
    dark = Vault(modern.id, modern.name)
    routes = Access(estate(anna, dark, assignment("Owner", anna))).routes_of(anna.id, dark)
    assert {item.answer.value for item in routes if item.model is not None} == {"unknown"}
    assert {"E1", "E3", "E4"} <= {item.id for item in routes}
