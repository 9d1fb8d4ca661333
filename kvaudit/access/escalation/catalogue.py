"""The routes E1 to E30 (facts azure.md 8): what each is called, leads to and rests on, and how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from kvaudit.access.escalation.answers import Confidence, Effect
from kvaudit.model.vaults import PermissionModel

_POLICIES, _RBAC = PermissionModel.ACCESS_POLICIES, PermissionModel.AZURE_RBAC
_HIGH, _MEDIUM, _LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_ASSIGNMENTS = ("role_assignments", "role_definitions", "deny_assignments", "role_eligibility_schedule_instances")
_RESOURCES = ("resource_identities", "user_assigned_identities")
_ROLES = ("directory_role_assignments", "directory_role_eligibility_schedule_instances")
_OWNERS = ("applications", "application_owners", "service_principal_owners")


@dataclass(frozen=True, slots=True)
class RouteKind:
    """One route.

    Attributes:
        model: the permission model that it depends on, or None: both.
        confidence: see `Confidence`; a step may say otherwise.
        source: where it is published or reported, in short.
        actions: what it takes: actions of Azure, permissions of Microsoft Graph, or words where it takes neither.
        kinds: kinds of records that it is read from.
    """

    id: str
    title: str
    effect: Effect
    model: PermissionModel | None
    confidence: Confidence
    source: str
    actions: tuple[str, ...]
    kinds: tuple[str, ...] = _ASSIGNMENTS


_KV, _AUTH = "Microsoft.KeyVault/", "Microsoft.Authorization/"

ROUTES: tuple[RouteKind, ...] = (
    RouteKind(
        "E1",
        "Adds itself to the access policies",
        Effect.READ,
        _POLICIES,
        _HIGH,
        "Microsoft: key-vault/general/rbac-guide (warning)",
        (f"{_KV}vaults/accessPolicies/write",),
    ),
    RouteKind(
        "E2",
        "Writes the vault with an access policy for itself",
        Effect.READ,
        _POLICIES,
        _MEDIUM,
        "Microsoft: Azure CLI az keyvault set-policy; inferred for vaults/write alone",
        (f"{_KV}vaults/write",),
    ),
    RouteKind(
        "E3",
        "Switches the vault to access policies",
        Effect.READ,
        _RBAC,
        _HIGH,
        "Microsoft: key-vault/general/secure-key-vault; its pages disagree on vaults/write alone",
        (f"{_KV}vaults/write", f"{_AUTH}roleAssignments/write"),
    ),
    RouteKind(
        "E4",
        "Assigns itself a role with data access",
        Effect.READ,
        _RBAC,
        _HIGH,
        "Microsoft: key-vault/general/rbac-guide; field reports",
        (f"{_AUTH}roleAssignments/write",),
    ),
    RouteKind(
        "E5",
        "Assigns what the condition of its role admits",
        Effect.READ,
        _RBAC,
        _HIGH,
        "Microsoft: built-in role definitions",
        (f"{_AUTH}roleAssignments/write",),
    ),
    RouteKind(
        "E6",
        "Adds data actions to a custom role",
        Effect.READ,
        _RBAC,
        _HIGH,
        "Microsoft: role-based-access-control/custom-roles",
        (f"{_AUTH}roleDefinitions/write",),
    ),
    RouteKind(
        "E7",
        "Elevates a Global Administrator to User Access Administrator at /",
        Effect.READ,
        None,
        _HIGH,
        "Microsoft: role-based-access-control/elevate-access-global-admin",
        (f"{_AUTH}elevateAccess/action",),
        _ROLES,
    ),
    RouteKind(
        "E8",
        "Grants or activates a role through PIM",
        Effect.READ,
        _RBAC,
        _MEDIUM,
        "inferred from the PIM interface of Microsoft.Authorization",
        (
            f"{_AUTH}roleEligibilityScheduleRequests/write",
            f"{_AUTH}roleAssignmentScheduleRequests/write",
            f"{_AUTH}roleManagementPolicies/write",
        ),
    ),
    RouteKind(
        "E9",
        "Takes secrets into a template deployment",
        Effect.READ,
        None,
        _MEDIUM,
        "Microsoft: azure-resource-manager/templates/key-vault-parameter; inferred for Azure RBAC",
        (f"{_KV}vaults/deploy/action", "Microsoft.Resources/deployments/write"),
    ),
    RouteKind(
        "E10",
        "Installs certificates on a virtual machine",
        Effect.READ,
        None,
        _LOW,
        "inferred from enabledForDeployment",
        (f"{_KV}vaults/deploy/action", "Microsoft.Compute/virtualMachines/write"),
    ),
    RouteKind(
        "E11",
        "Plants or overwrites secrets and keys",
        Effect.INTEGRITY,
        None,
        _HIGH,
        "Microsoft: operations of Microsoft.KeyVault; keys.json of the published interface",
        (f"{_KV}vaults/secrets/write", f"{_KV}vaults/keys/write"),
    ),
    RouteKind(
        "E12",
        "Acts as a managed identity that has access",
        Effect.IDENTITY,
        None,
        _MEDIUM,
        "field reports on managed identities; bloodhound documentation",
        (
            "control of a resource that runs as the identity",
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        ),
        (*_ASSIGNMENTS, *_RESOURCES),
    ),
    RouteKind(
        "E13",
        "Acts as an application, user or group member that has access",
        Effect.IDENTITY,
        None,
        _MEDIUM,
        "bloodhound documentation; Microsoft: entra role reference",
        (
            "ownership of an application",
            "directory roles",
            "Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
            "Group.ReadWrite.All",
            "GroupMember.ReadWrite.All",
            "Directory.ReadWrite.All",
        ),
        (*_OWNERS, *_ROLES, "application_permissions"),
    ),
    RouteKind(
        "E14",
        "Opens the network way to the vault",
        Effect.REACH,
        None,
        _HIGH,
        "Microsoft: operations of Microsoft.KeyVault; field reports",
        (
            f"{_KV}vaults/write",
            f"{_KV}vaults/privateEndpointConnections/write",
            f"{_KV}vaults/PrivateEndpointConnectionsApproval/action",
        ),
    ),
    RouteKind(
        "E15",
        "Blinds the audit log",
        Effect.BLIND,
        None,
        _HIGH,
        "Microsoft: built-in role definitions",
        ("Microsoft.Insights/diagnosticSettings/delete", "Microsoft.Insights/diagnosticSettings/write"),
    ),
    RouteKind(
        "E16",
        "Deletes the vault",
        Effect.DESTROY,
        None,
        _HIGH,
        "Microsoft: key-vault/general/soft-delete-overview",
        (f"{_KV}vaults/delete", f"{_KV}locations/deletedVaults/purge/action"),
    ),
    RouteKind(
        "E17",
        "Copies objects by backup and restore",
        Effect.READ,
        None,
        _MEDIUM,
        "Microsoft: key-vault/general/backup; inferred",
        ("secrets/backup", "keys/backup", "certificates/backup"),
    ),
    RouteKind(
        "E18",
        "Changes the vault through a policy's remediation",
        Effect.READ,
        None,
        _LOW,
        "field report, by its heading",
        (f"{_AUTH}policyAssignments/write", f"{_AUTH}policyDefinitions/write"),
    ),
    RouteKind(
        "E19",
        "Hands the vault's trust to another tenant",
        Effect.READ,
        None,
        _LOW,
        "Microsoft: key-vault/general/move-subscription; abuse not established",
        (f"{_KV}vaults/write",),
    ),
    RouteKind(
        "E20",
        "Moves the vault under assignments of its own",
        Effect.READ,
        _RBAC,
        _MEDIUM,
        "Microsoft: azure-resource-manager/management/move-resource-group-and-subscription; inferred",
        (
            "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action",
            "Microsoft.Resources/subscriptions/resourceGroups/write",
        ),
    ),
    RouteKind(
        "E21",
        "Moves the subscription under another management group",
        Effect.READ,
        None,
        _LOW,
        "field report; inferred",
        ("Microsoft.Management/managementGroups/subscriptions/write", f"{_AUTH}roleAssignments/write"),
    ),
    RouteKind(
        "E22",
        "Removes the deny assignment that closes another route",
        Effect.ENABLE,
        None,
        _MEDIUM,
        "Microsoft: Remove-AzDenyAssignment; deployment stacks; field walkthrough",
        (
            f"{_AUTH}denyAssignments/delete",
            f"{_AUTH}denyAssignments/write",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            "Microsoft.Resources/deploymentStacks/delete",
        ),
    ),
    RouteKind(
        "E23",
        "Comes into a group that has access",
        Effect.IDENTITY,
        None,
        _HIGH,
        "Microsoft Graph: PIM for Groups; owners of groups",
        ("ownership of a group", "eligible membership or ownership"),
        (
            "group_owners",
            "group_eligibility_schedule_instances",
            "group_assignment_schedule_instances",
            "service_principal_owned_objects",
        ),
    ),
    RouteKind(
        "E24",
        "Acts from another tenant through Azure Lighthouse",
        Effect.READ,
        None,
        _MEDIUM,
        "Microsoft: lighthouse/concepts/tenants-users-roles; inferred",
        ("Microsoft.ManagedServices/registrationAssignments/write", f"{_AUTH}roleAssignments/write"),
        (*_ASSIGNMENTS, "delegations"),
    ),
    RouteKind(
        "E25",
        "Acts from a partner's tenant (foreign group)",
        Effect.READ,
        None,
        _MEDIUM,
        "inferred",
        (f"{_KV}vaults/write", f"{_AUTH}roleAssignments/write"),
    ),
    RouteKind(
        "E26",
        "Exports a key under an attestation of its own",
        Effect.READ,
        None,
        _MEDIUM,
        "published data-plane interface: KeyReleasePolicy.immutable; inferred",
        ("keys/update", "keys/release"),
    ),
    RouteKind(
        "E27",
        "Has a service show the secret that it fetched",
        Effect.READ,
        None,
        _MEDIUM,
        "field reports; inferred",
        (
            "Microsoft.ApiManagement/service/namedValues/listValue/action",
            "Microsoft.App/containerApps/listSecrets/action",
            "Microsoft.MachineLearningServices/workspaces/connections/listsecrets/action",
            "Microsoft.Web/sites/config/list/action",
        ),
        (*_ASSIGNMENTS, *_RESOURCES),
    ),
    RouteKind(
        "E28",
        "Controls the subject of a federated credential",
        Effect.IDENTITY,
        None,
        _MEDIUM,
        "field reports; inferred",
        ("tokens of another issuer",),
        ("federated_credentials", "application_federated_credentials"),
    ),
    RouteKind(
        "E29",
        "Uses a service of Microsoft that has access",
        Effect.IDENTITY,
        None,
        _LOW,
        "inferred",
        ("use of the service",),
        ("principals",),
    ),
    RouteKind(
        "E30",
        "Takes over the vault's name",
        Effect.INTEGRITY,
        None,
        _MEDIUM,
        "inferred",
        (f"{_KV}vaults/delete", f"{_KV}locations/deletedVaults/purge/action", f"{_KV}vaults/write"),
    ),
)

BY_ID: Mapping[str, RouteKind] = {item.id: item for item in ROUTES}
IDENTITY_KINDS: tuple[str, ...] = tuple(
    sorted({kind for item in ROUTES for kind in item.kinds} - {*_ASSIGNMENTS, "principals"})
)
"""Kinds of records that only routes rest on: where they were not collected, routes are not assessed."""
