"""What people read about routes of the control and data plane, whole: each route by each of the rights that open it.

The golden is reviewed when it changes; which role has which route is the table of `test_escalation_by_role`.
"""

from dataclasses import replace
from typing import Any

from builders import (
    OTHER_TENANT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    group,
    guid,
    management_group,
    policy,
    role,
    user,
    vault,
)
from syrupy.assertion import SnapshotAssertion
from told import routes_told

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, DenyAssignment, DenyPrincipal, Permission, RoleDefinition
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.hierarchy import HierarchyNode
from kvaudit.model.vaults import PermissionModel, Vault

anna, ben = user("anna"), user("ben")
ops = group("ops", anna)
everybody = group("everybody", ops)
modern = vault("kv", enable_purge_protection=None)
legacy = vault("kv", policy(ben, secrets="get"), enable_purge_protection=None)
foreign = replace(modern, tenant_id=OTHER_TENANT)
NAMES = ("anna", "ben", "ops", "everybody", "partner", "databricks")
HERE, THERE, AWAY = RESOURCE_GROUP, f"{RESOURCE_GROUP}-2", "/subscriptions/33333333-3333-3333-3333-333333333333"
RBAC_ADMINISTRATOR = "Role Based Access Control Administrator"
ADMITS = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
    " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{%s}))"
)
SECRETS_USER, CONTRIBUTOR = "4633458b-17de-408a-b874-0445c86b69e6", "b24988ac-6180-42a0-ab88-20f7382dd24c"
CHIEF = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
AUTH, KV = "Microsoft.Authorization", "Microsoft.KeyVault"
LATER, LATEST = "2027-03-01T00:00:00Z", "2027-06-01T00:00:00Z"


def may(name: str, *actions: str, at: str | Vault = SUBSCRIPTION, who: Item = anna) -> tuple[Item, ...]:
    """A custom role of some actions, and its assignment."""
    held = role(name, actions=actions)
    assert isinstance(who, Principal | type(ops))
    return held, assignment(held, who, at)


def custom(name: str, *scopes: str) -> RoleDefinition:
    return replace(role(name, actions=("*/read",)), assignable_scopes=scopes)


def everyones(at: str, *spared: Principal, protected: bool | None = False, **permission: Any) -> DenyAssignment:
    """A deny assignment that meets everybody but some."""
    found = deny(EVERYONE, at, **permission)
    excluded = tuple(DenyPrincipal(item.id, "User") for item in spared)
    return replace(
        found, principals=(DenyPrincipal(EVERYONE),), exclude_principals=excluded, is_system_protected=protected
    )


TREE = (HierarchyNode(management_group("root"), None), HierarchyNode(SUBSCRIPTION, management_group("root")))
LIMITED = assignment(RBAC_ADMINISTRATOR, anna, HERE, condition=ADMITS % SECRETS_USER)
PARTNER = Principal(guid("partner"), "ForeignGroup", state=PrincipalState.FOREIGN)
DATABRICKS = Principal(guid("databricks"), "ServicePrincipal", app_id="2FF814A6-3304-4AB8-85CB-CD0E6F879C1D")
CONDITION = "@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEquals 'Group'"

WRITES_AND_ASSIGNS = may(
    "writer", f"{KV}/vaults/write", f"{KV}/vaults/accessPolicies/write", f"{AUTH}/roleAssignments/write"
)
ASSIGNER = role("assigner", actions=(f"{AUTH}/roleAssignments/write",))

STORIES: dict[str, tuple[Vault, tuple[Item, ...]]] = {
    "Owner, access policies": (legacy, (assignment("Owner", anna),)),
    "Owner, Azure RBAC": (modern, (assignment("Owner", anna),)),
    "writes and assigns, a vault that trusts another tenant": (foreign, WRITES_AND_ASSIGNS),
    "writes and assigns, access policies of another tenant": (
        replace(legacy, tenant_id=OTHER_TENANT),
        WRITES_AND_ASSIGNS,
    ),
    "Owner, a vault of which only the ID was read": (Vault(modern.id, "kv"), (assignment("Owner", anna),)),
    "eligible through two groups, for a time": (
        modern,
        (ops, everybody, eligible("User Access Administrator", everybody, HERE, end=LATER)),
    ),
    "an administrator to come": (
        modern,
        (eligible("User Access Administrator", anna, HERE, eligible=False, start=LATER, end=LATEST),),
    ),
    "a role that was not read": (legacy, (assignment("77777777-7777-7777-7777-777777777777", anna, legacy),)),
    "an eligible administrator of some roles": (
        modern,
        (eligible(RBAC_ADMINISTRATOR, anna, HERE, condition=ADMITS % SECRETS_USER),),
    ),
    "accessPolicies/write alone": (legacy, may("writer", f"{KV}/vaults/accessPolicies/write", at=legacy)),
    "vaults/write alone": (legacy, may("writer", f"{KV}/vaults/write", at=HERE)),
    "may assign any role, access policies": (legacy, may("assigner", f"{AUTH}/roleAssignments/write")),
    "may assign Contributor only": (
        legacy,
        (assignment(RBAC_ADMINISTRATOR, anna, HERE, condition=ADMITS % CONTRIBUTOR),),
    ),
    "may assign Key Vault Secrets User only": (modern, (LIMITED,)),
    "may assign two roles, by a group": (
        modern,
        (ops, assignment(RBAC_ADMINISTRATOR, ops, condition=ADMITS % f"{SECRETS_USER}, {CHIEF}")),
    ),
    "may assign to groups only": (modern, (assignment(RBAC_ADMINISTRATOR, anna, condition=CONDITION),)),
    "Key Vault Data Access Administrator": (modern, (assignment("Key Vault Data Access Administrator", anna),)),
    "may grant through PIM, access policies": (
        legacy,
        may("granter", f"{AUTH}/roleEligibilityScheduleRequests/write"),
    ),
    "may grant active roles through PIM": (modern, may("granter", f"{AUTH}/roleAssignmentScheduleRequests/write")),
    "may weaken the rules of PIM": (modern, may("granter", f"{AUTH}/roleManagementPolicies/write")),
    "eligible for a data role": (modern, (eligible("Key Vault Secrets User", anna, modern),)),
    "eligible for a role that opens another way": (modern, (ASSIGNER, eligible(ASSIGNER, anna, modern))),
    "eligible for two data roles, one by a group": (
        modern,
        (ops, eligible("Key Vault Secrets User", anna), eligible("Key Vault Crypto User", ops, modern)),
    ),
    "rewrites a role of its own": (
        modern,
        (
            custom("worker", SUBSCRIPTION),
            assignment(custom("worker"), anna, HERE),
            *may("rewriter", f"{AUTH}/roleDefinitions/write"),
        ),
    ),
    "rewrites a role of its group": (
        modern,
        (
            ops,
            custom("worker", SUBSCRIPTION),
            assignment(custom("worker"), ops, HERE),
            *may("rewriter", f"{AUTH}/roleDefinitions/write"),
        ),
    ),
    "rewrites a role of others, access policies": (
        legacy,
        (
            custom("worker", SUBSCRIPTION),
            assignment(custom("worker"), ben, HERE),
            *may("rewriter", f"{AUTH}/roleDefinitions/write"),
        ),
    ),
    "deploys and installs, Azure RBAC with the flags on": (
        replace(modern, enabled_for_template_deployment=True, enabled_for_deployment=True),
        may(
            "deployer",
            f"{KV}/vaults/deploy/action",
            "Microsoft.Resources/deployments/write",
            "Microsoft.Compute/virtualMachines/write",
        ),
    ),
    "deploys into another group": (
        replace(legacy, enabled_for_template_deployment=True),
        (
            *may("deployer", f"{KV}/vaults/deploy/action", at=legacy),
            *may("elsewhere", f"{KV}/vaults/deploy/action", "Microsoft.Resources/deployments/write", at=THERE),
        ),
    ),
    "installs on a machine of another group": (
        replace(legacy, enabled_for_deployment=True),
        (
            *may("deployer", f"{KV}/vaults/deploy/action", at=legacy),
            *may("elsewhere", "Microsoft.Compute/virtualMachines/write", at=THERE),
        ),
    ),
    "not on one of another subscription": (
        replace(legacy, enabled_for_deployment=True),
        (
            *may("deployer", f"{KV}/vaults/deploy/action", at=legacy),
            *may("elsewhere", "Microsoft.Compute/virtualMachines/write", at=AWAY),
        ),
    ),
    "plants keys only": (modern, may("planter", f"{KV}/vaults/keys/write")),
    "plants secrets only": (modern, may("planter", f"{KV}/vaults/secrets/write")),
    "connects an endpoint": (modern, may("connector", f"{KV}/vaults/privateEndpointConnections/write")),
    "approves an endpoint": (modern, may("connector", f"{KV}/vaults/PrivateEndpointConnectionsApproval/action")),
    "deletes and purges": (
        modern,
        may("remover", f"{KV}/vaults/delete", f"{KV}/locations/deletedVaults/purge/action"),
    ),
    "deletes, purges and creates": (
        modern,
        (
            *may("remover", f"{KV}/vaults/delete", f"{KV}/locations/deletedVaults/purge/action"),
            *may("creator", f"{KV}/vaults/write"),
        ),
    ),
    "deletes what is protected": (
        replace(modern, enable_purge_protection=True),
        may("remover", f"{KV}/vaults/delete", f"{KV}/locations/deletedVaults/purge/action"),
    ),
    "redirects the log": (modern, may("blinder", "Microsoft.Insights/diagnosticSettings/write")),
    "stops the log": (modern, may("blinder", "Microsoft.Insights/diagnosticSettings/delete")),
    "assigns policies": (modern, may("policies", f"{AUTH}/policyAssignments/write")),
    "defines policies": (modern, may("policies", f"{AUTH}/policyDefinitions/write")),
    "elevates at /": (modern, may("elevator", f"{AUTH}/elevateAccess/action", at="/")),
    "moves the subscription": (
        modern,
        (
            *TREE,
            *may("assigner", f"{AUTH}/roleAssignments/write"),
            *may("mover", "Microsoft.Management/managementGroups/subscriptions/write", at=management_group("else")),
        ),
    ),
    "moves the vault to where it reads": (
        modern,
        (
            *may("mover", "Microsoft.Resources/subscriptions/resourceGroups/*"),
            assignment("Key Vault Secrets User", anna, THERE),
        ),
    ),
    "moves the vault, of three groups to one where it reads and may put it": (
        modern,
        (
            *may("mover", "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"),
            *may("keeper", "Microsoft.Resources/subscriptions/resourceGroups/write", at=THERE),
            assignment("Key Vault Reader", anna, HERE),
            assignment("Key Vault Crypto User", anna, f"{RESOURCE_GROUP}-3"),
            assignment("Key Vault Secrets User", anna, THERE),
            assignment("Key Vault Secrets Officer", anna, THERE, condition="x StringEquals 'y'"),
        ),
    ),
    "a deny closes assigning, and may be removed": (
        modern,
        (
            everyones(SUBSCRIPTION, ben, actions=(f"{AUTH}/roleAssignments/write",)),
            *may("remover", f"{AUTH}/roleAssignments/write", f"{AUTH}/denyAssignments/delete"),
        ),
    ),
    "a deny of a deployment stack": (
        modern,
        (
            everyones(HERE, protected=True, actions=(f"{KV}/vaults/write",)),
            *may("stacker", f"{KV}/vaults/write", "Microsoft.Resources/deploymentStacks/delete"),
        ),
    ),
    "a deny closes assigning some roles": (
        modern,
        (deny(anna, modern, actions=(f"{AUTH}/roleAssignments/write",)), LIMITED),
    ),
    "a role takes back, perhaps, what it gives": (
        legacy,
        (
            TAKING := role(
                "taking",
                actions=(f"{KV}/vaults/accessPolicies/write",),
                not_actions=(f"{KV}/vaults/*/accessPolicies/write",),
            ),
            assignment(TAKING, anna, legacy),
        ),
    ),
    "a role takes back, perhaps, the right to assign some roles": (
        modern,
        (
            DOUBTFUL := role(
                "doubtful", actions=(f"{AUTH}/roleAssignments/*",), not_actions=(f"{AUTH}/*/roleAssignments/write",)
            ),
            assignment(DOUBTFUL, anna, modern, condition=ADMITS % SECRETS_USER),
        ),
    ),
    "eligible for the halves of a route": (
        legacy,
        (
            *(
                item
                for name, action in (("one", "vaults/write"), ("two", "vaults/accessPolicies/write"))
                for half in [role(name, actions=(f"{KV}/{action}",))]
                for item in (half, eligible(half, anna, legacy))
            ),
        ),
    ),
    "eligible for a role that was not read, and for one that gives no data": (
        modern,
        (
            eligible("77777777-7777-7777-7777-777777777777", anna, modern),
            eligible("Contributor", ben, f"{modern.id}"),
        ),
    ),
    "a deny that perhaps takes": (
        legacy,
        (deny(anna, HERE, effect=None, actions=("*",)), *may("writer", f"{KV}/vaults/accessPolicies/write")),
    ),
    "a deny on the data, from it alone": (
        modern,
        (deny(anna, HERE, data_actions=("*",)), *may("assigner", f"{AUTH}/roleAssignments/write")),
    ),
    "a deny on some data of everybody, where some roles may be assigned": (
        modern,
        (everyones(HERE, data_actions=(f"{KV}/vaults/*/read", f"{KV}/vaults/secrets/readMetadata/action")), LIMITED),
    ),
    "a deny on some data, from it alone": (
        modern,
        (deny(anna, HERE, data_actions=(f"{KV}/vaults/keys/*",)), *may("assigner", f"{AUTH}/roleAssignments/write")),
    ),
    "denies on the data under a condition": (
        modern,
        (
            replace(everyones(HERE, data_actions=("*",)), condition=CONDITION),
            replace(everyones(SUBSCRIPTION), permissions=(Permission(data_actions=("*",), condition=CONDITION),)),
            *may("assigner", f"{AUTH}/roleAssignments/write"),
        ),
    ),
    "a deny on the data of the vault alone": (
        modern,
        (
            replace(everyones(modern.id, data_actions=("*",)), do_not_apply_to_child_scopes=True),
            *may("assigner", f"{AUTH}/roleAssignments/write"),
        ),
    ),
    "a deny on some data of everybody": (
        modern,
        (
            everyones(HERE, data_actions=(f"{KV}/vaults/secrets/*",)),
            *may("assigner", f"{AUTH}/roleAssignments/write"),
        ),
    ),
    "onboards another tenant": (
        modern,
        may("onboarder", f"{AUTH}/roleAssignments/write", "Microsoft.ManagedServices/registrationAssignments/write"),
    ),
    "backs up secrets and certificates": (vault("kv", policy(anna, secrets="backup", certificates="backup")), ()),
    "backs up with an application only": (vault("kv", policy(anna, application="portal", secrets="backup")), ()),
    "backs up keys, into a vault of its own": (
        vault("kv", policy(anna, keys="backup")),
        may("creator", f"{KV}/vaults/write", at=HERE),
    ),
    "backs up under a condition": (
        modern,
        (eligible("Key Vault Secrets Officer", anna, modern, end=LATER),),
    ),
    "releases keys": (vault("kv", policy(anna, keys="update release")), ()),
    "a partner's group, Azure RBAC": (modern, (PARTNER, assignment("User Access Administrator", PARTNER, HERE))),
    "a partner's group, access policies": (legacy, (PARTNER, assignment("Contributor", PARTNER, legacy))),
    "a service of Microsoft": (modern, (DATABRICKS, assignment("Key Vault Secrets User", DATABRICKS, modern))),
}


def test_golden(snapshot: SnapshotAssertion) -> None:
    blocks = []
    for title, (where, items) in STORIES.items():
        routes = Access(estate(anna, ben, where, *items)).routes(where, expand_groups=True).routes
        blocks.append(f"## {title}\n{routes_told(routes, NAMES)}\n")
    assert "\n".join(blocks) == snapshot


def test_models_that_were_not_read_are_said_so() -> None:
    """A route that exists in one model only is told where the model is not known, and no other model is named."""
    where = Vault(modern.id, "kv")
    routes = Access(estate(anna, where, assignment("Owner", anna))).routes_of(anna.id, where)
    told = {item.model for item in routes if item.notes == ("the permission model of the vault was not read",)}
    assert told == {PermissionModel.ACCESS_POLICIES, PermissionModel.AZURE_RBAC}
