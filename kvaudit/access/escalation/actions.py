"""The control-plane actions that routes are made of, as bits, and the scopes at which each of them counts.

An action counts where it is checked: `moveResources` on the resource group, `purge` on the subscription, `elevateAccess` at
`/` only (facts azure.md 8). A role at a narrower scope gives none of it, however much its definition says. One action may
stand behind two bits: `vaults/write` on this vault and `vaults/write` for creating another one in its group.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kvaudit.access.roles import matches, may_match
from kvaudit.model import scopes
from kvaudit.model.authorization import Permission


@dataclass(frozen=True, slots=True)
class Action:
    """One bit.

    Attributes:
        name: as Azure spells the action.
        at: the lowest level at which a role that holds it counts: `vault`, `any resource`, `resource group`,
            `subscription`, `management group`, `root`, or `any`.
    """

    bit: int
    name: str
    at: str


_ALL: list[Action] = []


def _bit(name: str, at: str) -> int:
    _ALL.append(Action(1 << len(_ALL), name, at))
    return _ALL[-1].bit


_KV, _AUTH = "Microsoft.KeyVault/", "Microsoft.Authorization/"

POLICIES_WRITE = _bit(f"{_KV}vaults/accessPolicies/write", "vault")
VAULTS_WRITE = _bit(f"{_KV}vaults/write", "vault")
VAULTS_CREATE = _bit(f"{_KV}vaults/write", "resource group")
VAULTS_DELETE = _bit(f"{_KV}vaults/delete", "vault")
PURGE = _bit(f"{_KV}locations/deletedVaults/purge/action", "subscription")
DEPLOY = _bit(f"{_KV}vaults/deploy/action", "vault")
DEPLOY_GROUP = _bit(f"{_KV}vaults/deploy/action", "resource group")
DEPLOYMENTS_WRITE = _bit("Microsoft.Resources/deployments/write", "resource group")
MACHINES_WRITE = _bit("Microsoft.Compute/virtualMachines/write", "resource group")
SECRETS_WRITE = _bit(f"{_KV}vaults/secrets/write", "vault")
KEYS_WRITE = _bit(f"{_KV}vaults/keys/write", "vault")
ENDPOINTS_WRITE = _bit(f"{_KV}vaults/privateEndpointConnections/write", "vault")
ENDPOINTS_APPROVE = _bit(f"{_KV}vaults/PrivateEndpointConnectionsApproval/action", "vault")
DIAGNOSTICS_WRITE = _bit("Microsoft.Insights/diagnosticSettings/write", "vault")
DIAGNOSTICS_DELETE = _bit("Microsoft.Insights/diagnosticSettings/delete", "vault")
ASSIGN = _bit(f"{_AUTH}roleAssignments/write", "vault")
ASSIGN_SUBSCRIPTION = _bit(f"{_AUTH}roleAssignments/write", "subscription")
ASSIGN_DATA_LIMITED = _bit(f"{_AUTH}roleAssignments/write", "vault")
"""`roleAssignments/write` whose condition admits a role with data access."""
ASSIGN_CONTROL_LIMITED = _bit(f"{_AUTH}roleAssignments/write", "vault")
"""`roleAssignments/write` whose condition admits a role that may write access policies."""
ROLES_WRITE = _bit(f"{_AUTH}roleDefinitions/write", "any")
ELIGIBILITY_WRITE = _bit(f"{_AUTH}roleEligibilityScheduleRequests/write", "vault")
SCHEDULES_WRITE = _bit(f"{_AUTH}roleAssignmentScheduleRequests/write", "vault")
PIM_RULES_WRITE = _bit(f"{_AUTH}roleManagementPolicies/write", "vault")
ELEVATE = _bit(f"{_AUTH}elevateAccess/action", "root")
POLICY_ASSIGNMENTS_WRITE = _bit(f"{_AUTH}policyAssignments/write", "vault")
POLICY_DEFINITIONS_WRITE = _bit(f"{_AUTH}policyDefinitions/write", "subscription")
DENIES_WRITE = _bit(f"{_AUTH}denyAssignments/write", "any")
DENIES_DELETE = _bit(f"{_AUTH}denyAssignments/delete", "any")
STACKS_DENY_SETTING = _bit("Microsoft.Resources/deploymentStacks/manageDenySetting/action", "any")
STACKS_DELETE = _bit("Microsoft.Resources/deploymentStacks/delete", "any")
MOVE = _bit("Microsoft.Resources/subscriptions/resourceGroups/moveResources/action", "resource group")
GROUPS_WRITE = _bit("Microsoft.Resources/subscriptions/resourceGroups/write", "resource group")
MOVE_SUBSCRIPTIONS = _bit("Microsoft.Management/managementGroups/subscriptions/write", "management group")
DELEGATE = _bit("Microsoft.ManagedServices/registrationAssignments/write", "resource group")
ASSIGN_IDENTITY = _bit("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "any resource")
FEDERATE_IDENTITY = _bit(
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write", "any resource"
)
SCRIPTS_WRITE = _bit("Microsoft.Resources/deploymentScripts/write", "resource group")

RUNS: dict[str, tuple[tuple[int, str], ...]] = {
    resource: tuple((_bit(f"{provider}/{action}", "any resource"), action) for action in actions)
    for resource, provider, actions in (
        (
            "microsoft.compute/virtualmachines",
            "Microsoft.Compute/virtualMachines",
            ("runCommand/action", "runCommands/write", "extensions/write", "write"),
        ),
        (
            "microsoft.compute/virtualmachinescalesets",
            "Microsoft.Compute/virtualMachineScaleSets",
            ("extensions/write", "virtualMachines/runCommand/action", "write"),
        ),
        (
            "microsoft.web/sites",
            "Microsoft.Web/sites",
            ("publish/action", "publishxml/action", "config/write", "config/list/action", "write"),
        ),
        (
            "microsoft.automation/automationaccounts",
            "Microsoft.Automation/automationAccounts",
            ("runbooks/write", "runbooks/draft/write", "jobs/write"),
        ),
        ("microsoft.logic/workflows", "Microsoft.Logic/workflows", ("write",)),
        (
            "microsoft.containerinstance/containergroups",
            "Microsoft.ContainerInstance/containerGroups",
            ("containers/exec/action", "write"),
        ),
        (
            "microsoft.containerservice/managedclusters",
            "Microsoft.ContainerService/managedClusters",
            (
                "runCommand/action",
                "listClusterAdminCredential/action",
                "listClusterUserCredential/action",
                "write",
            ),
        ),
        (
            "microsoft.hybridcompute/machines",
            "Microsoft.HybridCompute/machines",
            ("extensions/write", "runCommands/write"),
        ),
        ("microsoft.app/containerapps", "Microsoft.App/containerApps", ("write",)),
        ("microsoft.app/jobs", "Microsoft.App/jobs", ("write", "start/action")),
        ("microsoft.batch/batchaccounts", "Microsoft.Batch/batchAccounts", ("write", "listKeys/action")),
        ("microsoft.datafactory/factories", "Microsoft.DataFactory/factories", ("write", "pipelines/write")),
        ("microsoft.synapse/workspaces", "Microsoft.Synapse/workspaces", ("write",)),
        (
            "microsoft.machinelearningservices/workspaces",
            "Microsoft.MachineLearningServices/workspaces",
            ("write", "computes/write"),
        ),
        ("microsoft.databricks/workspaces", "Microsoft.Databricks/workspaces", ("write",)),
        ("microsoft.resources/deploymentscripts", "Microsoft.Resources/deploymentScripts", ("write",)),
    )
}
"""Folded resource type → the bits of actions that let somebody act as the identity of such a resource (E12)."""

SHOWS: dict[str, tuple[tuple[int, str], ...]] = {
    resource: tuple((_bit(f"{provider}/{action}", "any resource"), action) for action in actions)
    for resource, provider, actions in (
        ("microsoft.apimanagement/service", "Microsoft.ApiManagement/service", ("namedValues/listValue/action",)),
        ("microsoft.app/containerapps", "Microsoft.App/containerApps", ("listSecrets/action",)),
        (
            "microsoft.machinelearningservices/workspaces",
            "Microsoft.MachineLearningServices/workspaces",
            ("connections/listsecrets/action", "datastores/listSecrets/action"),
        ),
        ("microsoft.web/sites", "Microsoft.Web/sites", ("config/list/action", "publish/action")),
    )
}
"""Folded resource type → the bits of actions that show a secret which the service fetched (E27)."""

ACTIVATES = _bit("", "vault")
"""An eligible role that gives data, or a way to it, once it is activated."""
REWRITES_ROLE = _bit(f"{_AUTH}roleDefinitions/write", "vault")
"""`roleDefinitions/write` on every assignable scope of a custom role that is assigned over the vault."""
DEPLOYS = _bit("Microsoft.Resources/deployments/write", "vault")
"""`deployments/write` and `vaults/deploy/action` together on some resource group."""
INSTALLS = _bit("Microsoft.Compute/virtualMachines/write", "vault")
"""`virtualMachines/write` on some resource group of the vault's subscription."""
MOVES_SUBSCRIPTION = _bit("Microsoft.Management/managementGroups/subscriptions/write", "vault")
"""`managementGroups/subscriptions/write` on a management group or at `/`."""
LIFTS_DENY = _bit("", "vault")
"""The right to remove a deny assignment that closes another route of the same principal."""

ACTIONS = tuple(_ALL)
ALL_BITS = (1 << len(ACTIONS)) - 1
WORKED_OUT = ACTIVATES | REWRITES_ROLE | DEPLOYS | INSTALLS | MOVES_SUBSCRIPTION | LIFTS_DENY
"""Bits that no permission string gives: they are worked out from several records."""
LIMITED = ASSIGN_DATA_LIMITED | ASSIGN_CONTROL_LIMITED
HELD = ALL_BITS & ~WORKED_OUT & ~LIMITED
"""Bits that permission strings give."""
GIVES_ACCESS = POLICIES_WRITE | VAULTS_WRITE | ASSIGN | ROLES_WRITE
"""Bits for which an eligible role is worth activating."""


def _at(*levels: str) -> int:
    return sum(item.bit for item in ACTIONS if item.at in levels)


_ANY = _at("any")
_VAULT = _at("vault") | _ANY
_RESOURCE = _at("any resource") | _ANY
_GROUP = _VAULT | _RESOURCE | _at("resource group")
_SUBSCRIPTION = _GROUP | _at("subscription")
_MANAGEMENT_GROUP = _SUBSCRIPTION | _at("management group")


def counting_at(scope: str) -> int:
    """The bits that a record at a folded scope gives, there and below."""
    level = scopes.level_of(scope)
    if level == "resource":
        return _VAULT if scopes.vault_of(scope) == scope else _RESOURCE
    return {
        "root": ALL_BITS,
        "management group": _MANAGEMENT_GROUP,
        "subscription": _SUBSCRIPTION,
        "resource group": _GROUP,
    }.get(level, _ANY)


def checked_at(scope: str) -> int:
    """The bits that are checked at a folded scope itself: what a deny assignment without its child scopes takes."""
    level = scopes.level_of(scope)
    if level == "resource":
        return counting_at(scope)
    return _at(level) | _ANY


@lru_cache(maxsize=4096)
def names_of(bits: int) -> tuple[str, ...]:
    """The actions behind bits, as Azure spells them, each once, in the order of the catalogue."""
    return tuple(dict.fromkeys(item.name for item in ACTIONS if item.bit & bits and item.name))


@lru_cache(maxsize=50_000)
def _pattern_bits(pattern: str) -> tuple[int, int]:
    """The bits that a permission string matches plainly, and those that it matches where `/*/` may stand for `/`."""
    plain = loose = 0
    for item in ACTIONS:
        if item.bit & HELD:
            plain |= item.bit if matches(pattern, item.name) else 0
            loose |= item.bit if may_match(pattern, item.name) else 0
    return plain, loose


def bits_of(block: Permission) -> tuple[int, int]:
    """The bits that a permission block holds for certain, and those that a notAction takes only where `/*/` is `/`."""
    held = _together(block.actions, 1) & ~_together(block.not_actions, 0)
    unsure = held & _together(block.not_actions, 1)
    return held & ~unsure, unsure


def _together(patterns: Iterable[str], index: int) -> int:
    found = 0
    for pattern in patterns:
        found |= _pattern_bits(pattern)[index]
    return found
