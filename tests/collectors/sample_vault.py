"""One full vault as the service sends it, and the fictional IDs that samples share."""

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
