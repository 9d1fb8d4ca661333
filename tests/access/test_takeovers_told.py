"""What people read about routes through somebody else, whole: each way to act as a holder of access, and who has it.

The golden is reviewed when it changes; `test_escalation_identities` says which of these ways exist.
"""

from dataclasses import replace
from typing import Any

from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    eligible,
    estate,
    gap,
    group,
    guid,
    policy,
    role,
    user,
    vault,
    workload,
)
from syrupy.assertion import SnapshotAssertion
from told import routes_told

from kvaudit.access.evaluator import Access
from kvaudit.model.directory import Principal
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
from kvaudit.model.scopes import fold
from kvaudit.model.vaults import Vault

USES = "Key Vault Secrets User"
LATER, EARLIER = "2027-03-01T00:00:00Z", "2026-11-24T05:59:59Z"
anna, ben, reader = user("anna"), user("ben"), user("reader")
robot, second = workload("robot"), workload("second")
app = Principal(
    guid("app"), "ServicePrincipal", display_name="app", app_id=guid("app-id"), service_principal_type="Application"
)
registration = Application(guid("registration"), guid("app-id"), "app")
readers = group("readers", reader)
guarded = group("guarded", ben, is_assignable_to_role=True)
modern = vault("kv")
legacy = vault("kv", policy(robot, secrets="get"))
NAMES = ("anna", "ben", "reader", "readers", "robot", "second", "app", "registration", "guarded", "far", "outer")
MACHINES = f"{SUBSCRIPTION}/resourcegroups/rg-machines"
MACHINE = fold(f"{MACHINES}/providers/Microsoft.Compute/virtualMachines/vm-1")
SITE = fold(f"{MACHINES}/providers/Microsoft.Web/sites/web-1")
ONE = fold(f"{MACHINES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1")
TWO = fold(f"{MACHINES}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-2")
holds, app_holds = assignment(USES, robot, modern), assignment(USES, app, modern)
readers_hold, guarded_hold = assignment(USES, readers, modern), assignment(USES, guarded, modern)
RUNS = ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", robot.id)
CI = FederatedCredential(ONE, "ci", "https://issuer.example", "repo:contoso/app")
BARE = FederatedCredential(registration.id, "bare")


def may(name: str, *actions: str, at: str = SUBSCRIPTION) -> tuple[Item, ...]:
    held = role(name, actions=actions)
    return held, assignment(held, anna, at)


def directory_role(template: str, **changes: Any) -> DirectoryRoleAssignment:
    return DirectoryRoleAssignment("role-1", template, anna.id, **changes)


def of_a_partner(role_id: str, *delegated: str, eligible: bool = False, at: str = SUBSCRIPTION) -> Delegation:
    given = DelegatedAuthorization(guid("far"), role_id, delegated_roles=delegated, eligible=eligible)
    return Delegation("/delegations/1", at, "their-tenant", "support", (given,))


GLOBAL, PRIVILEGED = "62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"
APPLICATIONS, GROUPS = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "fdd7a751-b60b-444a-984c-02652fe8fa1c"
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
CONTRIBUTOR, ADMINISTRATOR = "b24988ac-6180-42a0-ab88-20f7382dd24c", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
SECRETS_USER, READER = "4633458b-17de-408a-b874-0445c86b69e6", "acdd72a7-3385-48ef-bd42-f606fba81ae7"
VM, OPERATOR = "Virtual Machine Contributor", "Managed Identity Operator"
AUDITS = ApplicationPermission(app.id, guid("graph"), "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9")


def permission(value: str) -> ApplicationPermission:
    return ApplicationPermission(app.id, guid("graph"), guid(value), value)


SHOWN = {"E7", "E12", "E13", "E23", "E24", "E27", "E28"}
STORIES: dict[str, tuple[Vault, tuple[Item, ...]]] = {
    "controls a machine, and may from next year": (
        modern,
        (holds, assignment(VM, anna, MACHINES), eligible(VM, ben, MACHINES, end=LATER), RUNS),
    ),
    "the identity has access through two groups": (
        modern,
        (
            group("readers", robot),
            group("outer", group("readers", robot)),
            assignment(USES, group("outer"), modern),
            assignment(VM, anna, MACHINE),
            RUNS,
        ),
    ),
    "a deny listing of the machines was not read": (
        modern,
        (holds, assignment(VM, anna, MACHINES), RUNS, gap("deny_assignments", MACHINES)),
    ),
    "controls a site that also shows what it fetched": (
        modern,
        (
            holds,
            *may("worker", "Microsoft.Web/sites/config/list/action"),
            ResourceIdentity(SITE, "microsoft.web/sites", robot.id),
        ),
    ),
    "a resource of a type that runs nothing": (
        modern,
        (holds, assignment("Owner", anna, MACHINES), ResourceIdentity(SITE, "microsoft.odd/things", robot.id)),
    ),
    "user-assigned identities of a machine, by their listing and by what the machine says": (
        modern,
        (
            holds,
            assignment(USES, second, modern),
            assignment(VM, anna, MACHINE),
            UserAssignedIdentity(ONE, robot.id),
            ResourceIdentity(MACHINE, "microsoft.compute/virtualmachines", None, (ONE, TWO), ("", second.id)),
        ),
    ),
    "attaches an identity to a machine of its own, or to one it must activate": (
        modern,
        (
            holds,
            UserAssignedIdentity(ONE, robot.id),
            assignment(OPERATOR, anna, ONE),
            assignment(VM, anna, RESOURCE_GROUP),
            assignment(OPERATOR, ben, MACHINES),
            eligible(VM, ben, RESOURCE_GROUP),
        ),
    ),
    "attaches an identity, of two places the certain one": (
        modern,
        (
            holds,
            UserAssignedIdentity(ONE, robot.id),
            assignment(OPERATOR, anna, ONE),
            eligible(VM, anna, f"{SUBSCRIPTION}/resourcegroups/rg-a"),
            assignment("Website Contributor", anna, f"{SUBSCRIPTION}/resourcegroups/rg-b"),
        ),
    ),
    "federates an identity": (
        modern,
        (holds, UserAssignedIdentity(ONE, robot.id), assignment("Managed Identity Contributor", anna, ONE)),
    ),
    "federated credentials of an identity and of an application": (
        modern,
        (holds, app_holds, UserAssignedIdentity(ONE, robot.id), registration, CI, BARE),
    ),
    "owns an application, and its service principal": (
        modern,
        (
            app_holds,
            registration,
            Ownership(registration.id, "Application", anna.id, "User"),
            Ownership(app.id, "ServicePrincipal", ben.id, "User"),
        ),
    ),
    "Global Administrator": (
        modern,
        (holds, app_holds, readers, readers_hold, guarded, guarded_hold, directory_role(GLOBAL, role_name="Chief")),
    ),
    "eligible Global Administrator, for a time": (
        modern,
        (readers, readers_hold, directory_role(GLOBAL, eligible=True, end=LATER)),
    ),
    "a Global Administrator whose time is over": (modern, (readers, readers_hold, directory_role(GLOBAL, end=EARLIER))),
    "Privileged Role Administrator": (
        modern,
        (guarded, guarded_hold, readers, readers_hold, directory_role(PRIVILEGED)),
    ),
    "Global Administrator of one application only": (
        modern,
        (app_holds, registration, directory_role(GLOBAL, directory_scope=f"/{registration.id.upper()}")),
    ),
    "Application Administrator of one service principal": (
        modern,
        (app_holds, directory_role(APPLICATIONS, directory_scope=f"/{app.id}")),
    ),
    "eligible Groups Administrator of an administrative unit": (
        modern,
        (readers, readers_hold, directory_role(GROUPS, directory_scope="/administrativeUnits/1", eligible=True)),
    ),
    "Helpdesk Administrator, of a reader and of readers": (
        modern,
        (readers, readers_hold, assignment(USES, ben, modern), directory_role(HELPDESK)),
    ),
    "Helpdesk Administrator, of a group in which nobody is": (
        modern,
        (group("readers", robot), assignment(USES, group("readers", robot), modern), directory_role(HELPDESK)),
    ),
    "Helpdesk Administrator, of a group whose members were not read": (
        modern,
        (group("readers", is_read=False), assignment(USES, group("readers"), modern), directory_role(HELPDESK)),
    ),
    "Helpdesk Administrator of an administrative unit, by the group": (
        modern,
        (readers, readers_hold, directory_role(HELPDESK, directory_scope="/administrativeUnits/1", eligible=True)),
    ),
    "Helpdesk Administrator, of somebody with a directory role": (
        modern,
        (
            assignment(USES, ben, modern),
            directory_role(HELPDESK),
            DirectoryRoleAssignment("role-2", READER, ben.id),
        ),
    ),
    "Helpdesk Administrator, of members and owners of a group that can hold roles": (
        modern,
        (
            guarded,
            guarded_hold,
            assignment(USES, ben, modern),
            assignment(USES, reader, modern),
            Ownership(guarded.id, "Group", reader.id, "User"),
            directory_role(HELPDESK),
        ),
    ),
    "Helpdesk Administrator, of a member of a group with a directory role": (
        modern,
        (
            group("outer", ben),
            assignment(USES, ben, modern),
            directory_role(HELPDESK),
            DirectoryRoleAssignment("role-2", READER, guid("outer")),
        ),
    ),
    "Privileged Authentication Administrator, of members of a group that can hold roles": (
        modern,
        (
            guarded,
            guarded_hold,
            assignment(USES, ben, modern),
            directory_role("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
        ),
    ),
    "permissions on Microsoft Graph, by ID and by name": (
        modern,
        (holds, readers, readers_hold, assignment(USES, anna, modern), AUDITS, permission("Group.ReadWrite.All")),
    ),
    "permissions on Microsoft Graph that give themselves more": (
        modern,
        (readers, readers_hold, assignment(USES, anna, modern), permission("AppRoleAssignment.ReadWrite.All")),
    ),
    "a permission on applications": (modern, (assignment(USES, app, modern), replace(AUDITS, principal_id=second.id))),
    "owns a group, owns it by activation, and may activate ownership": (
        modern,
        (
            readers,
            readers_hold,
            Ownership(readers.id, "Group", anna.id, "User"),
            GroupScheduleInstance("pim-1", readers.id, ben.id, "Owner", eligible=True, end=LATER),
            GroupScheduleInstance("pim-2", readers.id, robot.id, "owner", eligible=False),
            GroupScheduleInstance("pim-3", readers.id, second.id, "owner", eligible=True, end=EARLIER),
        ),
    ),
    "may activate membership of a group in a group": (
        modern,
        (
            readers,
            group("outer", readers),
            assignment(USES, group("outer"), modern),
            GroupScheduleInstance("pim-1", readers.id, anna.id, "member", eligible=True, end=LATER),
            GroupScheduleInstance("pim-2", readers.id, ben.id, "member", eligible=False),
        ),
    ),
    "an owner who is a group, for its members": (
        modern,
        (
            group("readers"),
            group("outer", anna),
            assignment(USES, group("readers"), modern),
            Ownership(guid("readers"), "Group", guid("outer"), "Group"),
        ),
    ),
    "another tenant contributes, access policies": (legacy, (of_a_partner(CONTRIBUTOR),)),
    "another tenant contributes once it activates": (
        legacy,
        (of_a_partner(CONTRIBUTOR, eligible=True, at=RESOURCE_GROUP.casefold()),),
    ),
    "another tenant assigns some roles": (modern, (of_a_partner(ADMINISTRATOR, READER, SECRETS_USER),)),
    "another tenant assigns no data role": (modern, (of_a_partner(ADMINISTRATOR, READER),)),
    "another tenant reads": (legacy, (of_a_partner(READER),)),
    "a delegation of which the definition was not sent": (
        modern,
        (Delegation("/delegations/1", SUBSCRIPTION, None),),
    ),
}


def test_golden(snapshot: SnapshotAssertion) -> None:
    blocks = []
    for title, (where, items) in STORIES.items():
        everything = estate(anna, ben, reader, robot, second, app, where, *items)
        routes = Access(everything).routes(where, expand_groups=True).routes
        told = routes_told((item for item in routes if item.id in SHOWN), NAMES)
        blocks.append(f"## {title}\n{told}\n")
    assert "\n".join(blocks) == snapshot
