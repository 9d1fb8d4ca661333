"""Routes through somebody else who has access: managed identities, applications, groups, directory roles, delegations."""

from dataclasses import replace
from typing import Any

import pytest
from builders import (
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
    policy,
    user,
    vault,
    workload,
)

from kvaudit.access.counting import AnyGrant
from kvaudit.access.evaluator import Access
from kvaudit.access.vault_counts import VaultCounts
from kvaudit.model.directory import Membership, Principal
from kvaudit.model.gaps import Listing
from kvaudit.model.identities import (
    Application,
    ApplicationPermission,
    DelegatedAuthorization,
    Delegation,
    DirectoryRoleAssignment,
    FederatedCredential,
    GroupScheduleInstance,
    Ownership,
    ResourceIdentity,
    UserAssignedIdentity,
)
from kvaudit.model.permissions import operation
from kvaudit.model.scopes import fold

anna, ben, reader = user("anna"), user("ben"), user("reader")
robot = workload("robot")
app = Principal(
    guid("app"), "ServicePrincipal", display_name="app", app_id=guid("app id"), service_principal_type="Application"
)
modern = vault("kv-modern")
legacy = vault("kv-legacy", policy(robot, secrets="get"))
registration = Application(guid("registration"), guid("app id"), "app")
OTHER_GROUP = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
MACHINE = fold(f"{OTHER_GROUP}/providers/Microsoft.Compute/virtualMachines/vm-1")
IDENTITY = fold(f"{OTHER_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1")
RUNS = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
USER_ASSIGNED = UserAssignedIdentity(IDENTITY, robot.id)
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
APPLICATIONS = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
GROUPS = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
USES = "Key Vault Secrets User"


def routes(who: Principal, *items: Item, where: Any = modern, **records: Any) -> dict[str, str]:
    """The routes of somebody to the vault, with their answers."""
    access = Access(estate(anna, ben, reader, robot, app, where, *items, **records))
    found = access.routes_of(who.id, where)
    assert all(item.via and item.steps and "{" not in item.steps for item in found)
    return {item.id: item.answer.value for item in found}


holds = assignment(USES, robot, modern)


def test_who_controls_the_machine_acts_as_its_identity() -> None:
    records = {"resource_identities": (RUNS,)}
    control = assignment("Virtual Machine Contributor", anna, OTHER_GROUP)
    assert routes(anna, holds, control, **records) == {"E12": "allowed"}
    assert routes(anna, holds, eligible("Virtual Machine Contributor", anna, OTHER_GROUP), **records) == {
        "E12": "conditional"
    }
    assert routes(anna, holds, assignment("Virtual Machine Contributor", anna, RESOURCE_GROUP), **records) == {}
    assert routes(anna, holds, assignment("Reader", anna, OTHER_GROUP), **records) == {}
    assert routes(anna, control, **records) == {}, "the identity has no access"
    assert routes(anna, holds, control) == {}, "not collected: told as not assessed"
    denied = deny(anna, OTHER_GROUP, actions=("Microsoft.Compute/*",))
    assert routes(anna, holds, control, denied, **records) == {}
    at_machine = assignment("Virtual Machine Contributor", anna, MACHINE)
    assert routes(anna, holds, at_machine, **records) == {"E12": "allowed"}


def test_the_answer_is_no_stronger_than_the_access_of_the_identity() -> None:
    control = assignment("Virtual Machine Contributor", anna, OTHER_GROUP)
    waits = eligible(USES, robot, modern)
    assert routes(anna, waits, control, resource_identities=(RUNS,)) == {"E12": "conditional"}


def test_nobody_is_in_what_the_directory_knows_as_a_user() -> None:
    control = assignment("Virtual Machine Contributor", anna, OTHER_GROUP)
    said = estate(anna, ben, robot, modern, assignment(USES, ben, modern), control, resource_identities=(RUNS,))
    listed = Access(replace(said, memberships=(Membership(ben.id, robot.id, "ServicePrincipal"),)))
    assert listed.routes_of(anna.id, modern) == ()
    assert VaultCounts(listed.bulk([AnyGrant()]), listed.subject(modern)).gains() == (0, 0, 0)


def test_an_identity_in_a_group_that_has_access() -> None:
    apps = group("apps", robot)
    control = assignment("Virtual Machine Contributor", anna, OTHER_GROUP)
    records = {"resource_identities": (RUNS,)}
    assert routes(anna, apps, assignment(USES, apps, modern), control, **records) == {"E12": "allowed"}
    assert routes(anna, apps, group("others"), assignment(USES, group("others"), modern), control, **records) == {}


def test_who_attaches_a_user_assigned_identity_needs_something_that_runs() -> None:
    records = {"user_assigned_identities": (USER_ASSIGNED,)}
    operator = assignment("Managed Identity Operator", anna, IDENTITY)
    compute = assignment("Virtual Machine Contributor", anna, RESOURCE_GROUP)
    assert routes(anna, holds, operator, compute, **records) == {"E12": "allowed"}
    assert routes(anna, holds, operator, **records) == {}
    assert routes(anna, holds, compute, **records) == {}


def test_who_federates_an_identity_needs_nothing_else() -> None:
    records = {"user_assigned_identities": (USER_ASSIGNED,)}
    assert routes(anna, holds, assignment("Managed Identity Contributor", anna, IDENTITY), **records) == {
        "E12": "allowed"
    }


def test_existing_federated_credentials_let_somebody_unknown_in() -> None:
    trusted = FederatedCredential(IDENTITY, "ci", "https://issuer.example", "repo:contoso/app:ref:refs/heads/main")
    access = Access(
        estate(robot, modern, holds, user_assigned_identities=(USER_ASSIGNED,), federated_credentials=(trusted,))
    )
    (route,) = access.routes(modern).routes
    assert (route.id, route.principal_id, route.target) == ("E28", None, robot.id)
    assert "repo:contoso/app" in route.steps


def test_a_service_shows_the_secret_that_it_fetched() -> None:
    gateway = fold(f"{OTHER_GROUP}/providers/Microsoft.ApiManagement/service/api")
    records = {"resource_identities": (ResourceIdentity(gateway, "microsoft.apimanagement/service", robot.id),)}
    found = routes(anna, holds, assignment("API Management Service Contributor", anna, OTHER_GROUP), **records)
    assert found == {"E27": "allowed"}
    assert routes(anna, holds, assignment("API Management Service Reader Role", anna, OTHER_GROUP), **records) == {}


@pytest.mark.parametrize(
    ("target", "kind"),
    [(app.id, "ServicePrincipal"), (registration.id, "Application")],
)
def test_an_owner_of_an_application_signs_in_as_it(target: str, kind: str) -> None:
    records: dict[str, Any] = {
        "applications": (registration,),
        "ownerships": (Ownership(target, kind, anna.id, "User"),),
    }
    assert routes(anna, assignment(USES, app, modern), **records) == {"E13": "allowed"}
    assert routes(ben, assignment(USES, app, modern), **records) == {}
    assert routes(anna, assignment(USES, robot, modern), **records) == {}


def test_an_owner_of_a_managed_identitys_service_principal_adds_no_credential() -> None:
    owns = Ownership(robot.id, "ServicePrincipal", anna.id, "User")
    assert routes(anna, holds, ownerships=(owns,)) == {}


def role(template: str, who: Principal, **changes: Any) -> DirectoryRoleAssignment:
    return DirectoryRoleAssignment(f"role-{template}-{who.id}", template, who.id, **changes)


readers = group("readers", reader)
guarded = group("guarded", is_assignable_to_role=True)
nameless = group("nameless", display_name=None)
"""As Graph describes a group to a caller who may not read groups: nothing tells whether it is protected."""
ROLES: dict[str, tuple[str, Item, dict[str, Any], dict[str, str]]] = {
    "a Global Administrator elevates": (GLOBAL, assignment(USES, robot, modern), {}, {"E7": "allowed"}),
    "and when eligible, after activation": (GLOBAL, holds, {"eligible": True}, {"E7": "conditional"}),
    "an Application Administrator adds a credential": (
        APPLICATIONS,
        assignment(USES, app, modern),
        {},
        {"E13": "allowed"},
    ),
    "not to a managed identity": (APPLICATIONS, holds, {}, {}),
    "at one application": (
        APPLICATIONS,
        assignment(USES, app, modern),
        {"directory_scope": f"/{registration.id}"},
        {"E13": "allowed"},
    ),
    "not at another": (APPLICATIONS, assignment(USES, app, modern), {"directory_scope": f"/{guid('else')}"}, {}),
    "in an administrative unit nobody knows": (
        HELPDESK,
        assignment(USES, reader, modern),
        {"directory_scope": "/administrativeUnits/1"},
        {"E13": "unknown"},
    ),
    "a Groups Administrator adds itself": (GROUPS, assignment(USES, readers, modern), {}, {"E13": "allowed"}),
    "not to a role-assignable group": (GROUPS, assignment(USES, guarded, modern), {}, {}),
    "whether a group is one that was not described": (
        GROUPS,
        assignment(USES, nameless, modern),
        {},
        {"E13": "unknown"},
    ),
    "a helpdesk resets a reader's password": (HELPDESK, assignment(USES, reader, modern), {}, {"E13": "allowed"}),
    "or that of a member of a group": (HELPDESK, assignment(USES, readers, modern), {}, {"E13": "allowed"}),
    "a role that changes none of these": (guid("some role"), assignment(USES, readers, modern), {}, {}),
}


@pytest.mark.parametrize("name", ROLES)
def test_directory_roles(name: str) -> None:
    template, access, changes, expected = ROLES[name]
    found = routes(
        anna,
        readers,
        guarded,
        nameless,
        access,
        applications=(registration,),
        directory_roles=(role(template, anna, **changes),),
    )
    assert found == expected


def test_a_directory_role_of_a_group_is_its_members() -> None:
    admins = group("admins", anna)
    access = Access(estate(anna, admins, modern, directory_roles=(DirectoryRoleAssignment("1", GLOBAL, admins.id),)))
    assert [item.id for item in access.routes_of(anna.id, modern)] == ["E7"]
    assert {item.principal_id for item in access.routes(modern).routes} == {admins.id}


@pytest.mark.parametrize(
    ("permission", "target", "expected"),
    [
        ("Application.ReadWrite.All", app, {"E13": "allowed"}),
        ("Application.ReadWrite.All", readers, {}),
        ("GroupMember.ReadWrite.All", readers, {"E13": "allowed"}),
        ("GroupMember.ReadWrite.All", guarded, {}),
        ("RoleManagement.ReadWrite.Directory", guarded, {"E13": "allowed"}),
        ("User.Read.All", readers, {}),
    ],
)
def test_permissions_on_microsoft_graph(permission: str, target: Any, expected: dict[str, str]) -> None:
    held = ApplicationPermission(robot.id, guid("graph"), guid(permission), permission)
    assert (
        routes(robot, readers, guarded, assignment(USES, target, modern), application_permissions=(held,)) == expected
    )


GROUP_ROUTES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an owner adds itself": ({"ownerships": (Ownership(readers.id, "Group", anna.id, "User"),)}, {"E23": "allowed"}),
    "an owner of another group does not": ({"ownerships": (Ownership(guarded.id, "Group", anna.id, "User"),)}, {}),
    "an eligible owner activates first": (
        {"group_schedule_instances": (GroupScheduleInstance("1", readers.id, anna.id, "owner", eligible=True),)},
        {"E23": "conditional"},
    ),
    "an owner by activation": (
        {"group_schedule_instances": (GroupScheduleInstance("1", readers.id, anna.id, "owner", eligible=False),)},
        {"E23": "allowed"},
    ),
}


@pytest.mark.parametrize("name", GROUP_ROUTES)
def test_groups(name: str) -> None:
    records, expected = GROUP_ROUTES[name]
    assert routes(anna, readers, guarded, assignment(USES, readers, modern), **records) == expected


def test_an_eligible_member_of_a_group_that_has_access() -> None:
    instance = GroupScheduleInstance("1", readers.id, anna.id, "member", eligible=True)
    found = routes(anna, readers, assignment(USES, readers, modern), group_schedule_instances=(instance,))
    assert found["E23"] == "conditional"


def test_an_owner_of_a_nested_group_comes_into_the_outer_one() -> None:
    outer = group("outer", readers)
    owns = Ownership(readers.id, "Group", anna.id, "User")
    assert routes(anna, readers, outer, assignment(USES, outer, modern), ownerships=(owns,)) == {"E23": "allowed"}
    inner = Ownership(outer.id, "Group", anna.id, "User")
    assert routes(anna, readers, outer, assignment(USES, readers, modern), ownerships=(inner,)) == {}


CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@pytest.mark.parametrize(
    ("where", "authorization", "expected"),
    [
        (legacy, DelegatedAuthorization(guid("far"), CONTRIBUTOR), {"E24": "allowed"}),
        (legacy, DelegatedAuthorization(guid("far"), CONTRIBUTOR, eligible=True), {"E24": "conditional"}),
        (modern, DelegatedAuthorization(guid("far"), CONTRIBUTOR), {}),
        (
            modern,
            DelegatedAuthorization(guid("far"), ADMINISTRATOR, delegated_roles=(SECRETS_USER,)),
            {"E24": "conditional"},
        ),
        (modern, DelegatedAuthorization(guid("far"), ADMINISTRATOR, delegated_roles=(CONTRIBUTOR,)), {}),
    ],
)
def test_lighthouse(where: Any, authorization: DelegatedAuthorization, expected: dict[str, str]) -> None:
    delegation = Delegation("/delegations/1", SUBSCRIPTION, guid("elsewhere"), "support", (authorization,))
    assert routes(Principal(guid("far")), where=where, delegations=(delegation,)) == expected
    away = Delegation("/delegations/1", f"{SUBSCRIPTION}9", guid("elsewhere"), "support", (authorization,))
    assert routes(Principal(guid("far")), where=where, delegations=(away,)) == {}


def test_a_delegation_whose_definition_was_not_read_hides_somebody() -> None:
    delegation = Delegation("/delegations/1", SUBSCRIPTION, guid("elsewhere"), "support")
    (route,) = Access(estate(legacy, robot, delegations=(delegation,))).routes(legacy).routes
    assert (route.id, route.principal_id, route.answer.value) == ("E24", None, "unknown")


def test_a_service_of_microsoft_that_has_access() -> None:
    databricks = Principal(guid("dbx"), "ServicePrincipal", app_id="2ff814a6-3304-4ab8-85cb-cd0e6f879c1d")
    assert routes(databricks, databricks, assignment(USES, databricks, modern)) == {"E29": "unknown"}
    assert routes(app, assignment(USES, app, modern)) == {}


def test_what_was_not_collected_is_told_once() -> None:
    items = (
        anna,
        robot,
        app,
        readers,
        reader,
        modern,
        assignment(USES, readers, modern),
        assignment(USES, app, modern),
    )
    told = {item.kind: item for item in Access(estate(*items)).not_assessed()}
    assert set(told) == {
        "application_permissions",
        "applications",
        "delegations",
        "directory_role_assignments",
        "directory_role_eligibility_schedule_instances",
        "group_assignment_schedule_instances",
        "group_eligibility_schedule_instances",
        "group_owners",
        "resource_identities",
        "service_principal_owned_objects",
        "service_principal_owners",
        "user_assigned_identities",
    }
    assert "E23" in told["group_owners"].routes
    read = estate(*items).listings
    whole = estate(*items, listings=(*read, Listing("group_owners", f"groups/{readers.id}", 0)))
    assert "group_owners" not in {item.kind for item in Access(whole).not_assessed()}


def test_what_could_not_be_read_is_a_gap_and_not_unassessed() -> None:
    refused = gap("directory_role_assignments", "directory")
    access = Access(estate(anna, modern, refused))
    assert "directory_role_assignments" not in {item.kind for item in access.not_assessed()}
    assert refused.id in {item.id for item in access.routes(modern).gaps}
    get = operation("secrets/get")
    assert refused.id in {item.id for item in access.who_can(get, modern, include_escalation=True).gaps}
    assert refused.id not in {item.id for item in access.who_can(get, modern).gaps}


def test_rows_have_those_who_hold_nothing_and_have_a_route() -> None:
    access = Access(
        estate(anna, robot, modern, holds, assignment("Owner", anna, OTHER_GROUP), resource_identities=(RUNS,))
    )
    rows = {item.principal_id: item for item in access.rows()}
    assert rows[anna.id].escalation == ("E12",)
    assert not rows[anna.id].allowed
    assert rows[robot.id].escalation == ()
    assert access.estate.tenant_id == TENANT
