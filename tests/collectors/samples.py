"""One full item of every kind, as the service sends it, and the scope it is listed from. Contoso's, with fictional IDs."""

from typing import Any

TENANT = "11111111-1111-1111-1111-111111111111"
SUBSCRIPTION = "/subscriptions/22222222-2222-2222-2222-222222222222"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-Payments/providers/Microsoft.KeyVault/vaults/kv-payments"
AUTHORIZATION = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
ROLE = "4633458b-17de-408a-b874-0445c86b69e6"  # Key Vault Secrets User, a published ID
USER = "33333333-3333-3333-3333-333333333333"
GROUP = "44444444-4444-4444-4444-444444444444"
APP = "55555555-5555-5555-5555-555555555555"

VAULT_ITEM: dict[str, Any] = {
    "id": VAULT,
    "name": "kv-payments",
    "type": "Microsoft.KeyVault/vaults",
    "location": "westeurope",
    "tags": {"team": "payments"},
    "systemData": {"createdBy": "anna@contoso.example", "createdAt": "2026-01-01T00:00:00Z"},
    "properties": {
        "sku": {"family": "A", "name": "Premium"},
        "tenantId": TENANT.upper(),
        "enableRbacAuthorization": False,
        "accessPolicies": [
            {
                "tenantId": TENANT,
                "objectId": USER.upper(),
                "applicationId": APP,
                "permissions": {"keys": ["wrapKey", "WRAPKEY"], "secrets": ["Get", "all"], "certificates": []},
            }
        ],
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enablePurgeProtection": True,
        "publicNetworkAccess": "Enabled",
        "networkAcls": {
            "bypass": "AzureServices",
            "defaultAction": "Deny",
            "ipRules": [{"value": "203.0.113.0/24"}],
            "virtualNetworkRules": [{"id": f"{SUBSCRIPTION}/x"}],
        },
        "privateEndpointConnections": [
            {
                "id": f"{VAULT}/privateEndpointConnections/pe",
                "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}},
            }
        ],
        "enabledForDeployment": False,
        "enabledForDiskEncryption": True,
        "enabledForTemplateDeployment": False,
        "vaultUri": "https://kv-payments.vault.azure.net/",
        "provisioningState": "Succeeded",
    },
}

_BLOCK = {
    "actions": ["*/read"],
    "notActions": [],
    "dataActions": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
    "notDataActions": [],
    "condition": "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-payments'",
    "conditionVersion": "2.0",
}

_SCHEDULE = {
    "scope": SUBSCRIPTION.upper(),
    "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/{ROLE.upper()}",
    "principalId": USER.upper(),
    "principalType": "User",
    "memberType": "Direct",
    "status": "Provisioned",
    "startDateTime": "2026-01-01T00:00:00Z",
    "endDateTime": "2026-12-31T00:00:00Z",
    "condition": None,
    "expandedProperties": {"principal": {"id": USER, "displayName": "Anna"}},
}

_ATTRIBUTES = {"enabled": True, "created": 1700000000, "updated": 1700000001, "exp": 1800000000, "nbf": 1600000000}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "subscriptions": (
        "/",
        {
            "id": SUBSCRIPTION,
            "subscriptionId": SUBSCRIPTION.rsplit("/", 1)[-1],
            "displayName": "Contoso production",
            "tenantId": TENANT,
            "state": "Enabled",
            "managedByTenants": [{"tenantId": TENANT}],
        },
    ),
    "management_groups": (
        "/providers/Microsoft.Management/managementGroups/contoso",
        {
            "id": "/providers/Microsoft.Management/managementGroups/Platform",
            "type": "Microsoft.Management/managementGroups",
            "name": "Platform",
            "properties": {
                "displayName": "Platform",
                "parent": {"id": "/providers/Microsoft.Management/managementGroups/contoso"},
            },
        },
    ),
    "vaults": (SUBSCRIPTION, VAULT_ITEM),
    "deleted_vaults": (
        SUBSCRIPTION,
        {
            "id": f"{SUBSCRIPTION}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-old",
            "name": "kv-old",
            "properties": {
                "vaultId": f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-old",
                "location": "westeurope",
                "deletionDate": "2026-10-01T00:00:00Z",
                "scheduledPurgeDate": "2026-12-30T00:00:00Z",
                "purgeProtectionEnabled": True,
            },
        },
    ),
    "role_assignments": (
        SUBSCRIPTION.upper(),
        {
            "id": f"{AUTHORIZATION}/roleAssignments/66666666-6666-6666-6666-666666666666",
            "properties": {
                "scope": VAULT,
                "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/{ROLE.upper()}",
                "principalId": USER.upper(),
                "principalType": "User",
                "condition": None,
                "conditionVersion": None,
                "description": "for the nightly job",
                "createdOn": "2026-01-01T00:00:00Z",
                "delegatedManagedIdentityResourceId": None,
            },
        },
    ),
    "role_definitions": (
        SUBSCRIPTION,
        {
            "id": f"{AUTHORIZATION}/roleDefinitions/{ROLE}",
            "properties": {
                "roleName": "Key Vault Secrets User",
                "type": "BuiltInRole",
                "assignableScopes": ["/"],
                "permissions": [_BLOCK, {"actions": ["a"], "notActions": ["b"]}],
            },
        },
    ),
    "deny_assignments": (
        SUBSCRIPTION,
        {
            "id": f"{AUTHORIZATION}/denyAssignments/77777777-7777-7777-7777-777777777777",
            "properties": {
                "denyAssignmentName": "no deletes",
                "scope": SUBSCRIPTION,
                "permissions": [_BLOCK],
                "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
                "excludePrincipals": [{"id": USER.upper(), "type": "User"}],
                "doNotApplyToChildScopes": True,
                "isSystemProtected": False,
                "denyAssignmentEffect": "Audit",
                "condition": None,
            },
        },
    ),
    "role_eligibility_schedule_instances": (
        SUBSCRIPTION,
        {"id": f"{AUTHORIZATION}/roleEligibilityScheduleInstances/8", "properties": _SCHEDULE},
    ),
    "role_assignment_schedule_instances": (
        SUBSCRIPTION,
        {
            "id": f"{AUTHORIZATION}/roleAssignmentScheduleInstances/9",
            "properties": {
                **_SCHEDULE,
                "assignmentType": "Activated",
                "originRoleAssignmentId": f"{AUTHORIZATION}/roleAssignments/66666666-6666-6666-6666-666666666666",
            },
        },
    ),
    "secrets": (
        VAULT,
        {
            "id": f"{VAULT}/secrets/db-password",
            "name": "db-password",
            "properties": {"attributes": _ATTRIBUTES, "contentType": "text/plain"},
        },
    ),
    "keys": (VAULT, {"kid": "https://kv-payments.vault.azure.net/keys/signing", "attributes": _ATTRIBUTES}),
    "certificates": (
        VAULT,
        {"id": "https://kv-payments.vault.azure.net/certificates/tls", "attributes": _ATTRIBUTES, "x5t": "AA"},
    ),
    "principals": (
        "directoryObjects/getByIds/0",
        {
            "@odata.type": "#microsoft.graph.user",
            "id": USER.upper(),
            "displayName": "Anna",
            "userPrincipalName": "anna@contoso.example",
            "accountEnabled": True,
            "userType": "Guest",
        },
    ),
    "service_principals": (
        "servicePrincipals",
        {
            "id": APP,
            "appId": USER,
            "displayName": "payments-api",
            "servicePrincipalType": "ManagedIdentity",
            "alternativeNames": ["isExplicit=True", VAULT],
        },
    ),
    "deleted_principals": (
        f"directory/deletedItems/{USER}",
        {"@odata.type": "#microsoft.graph.group", "id": USER, "displayName": "old team"},
    ),
    "group_members": (f"groups/{GROUP.upper()}", {"@odata.type": "#microsoft.graph.user", "id": USER.upper()}),
    "service_principal_groups": (
        f"servicePrincipals/{APP.upper()}",
        {"@odata.type": "#microsoft.graph.group", "id": GROUP.upper()},
    ),
}
