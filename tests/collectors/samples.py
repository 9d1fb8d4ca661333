"""One full item of every kind, as the service sends it, and the scope it is listed from. Contoso's, with fictional IDs."""

from typing import Any

from sample_vault import APP, AUTHORIZATION, GROUP, ROLE, SUBSCRIPTION, TENANT, USER, VAULT, VAULT_ITEM

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

IDENTITY = (
    f"{SUBSCRIPTION}/resourceGroups/rg-Payments/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-api"
)
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"  # a published role template
REGISTRATION = "88888888-8888-8888-8888-888888888888"

_GROUP_SCHEDULE = {
    "id": f"{GROUP}_member_{USER}",
    "groupId": GROUP.upper(),
    "principalId": USER.upper(),
    "accessId": "Member",
    "memberType": "direct",
    "startDateTime": "2026-01-01T00:00:00Z",
    "endDateTime": "2026-12-31T00:00:00Z",
}

_DIRECTORY_ROLE = {
    "id": "lAPpYvVpN0KRkAEhdxReEJ2SXkqBkDMn",
    "principalId": USER.upper(),
    "roleDefinitionId": GLOBAL_ADMINISTRATOR.upper(),
    "directoryScopeId": "/",
    "appScopeId": None,
    "endDateTime": "2026-12-31T00:00:00Z",
    "roleDefinition": {
        "id": GLOBAL_ADMINISTRATOR,
        "templateId": GLOBAL_ADMINISTRATOR.upper(),
        "displayName": "Global Administrator",
    },
}

_FEDERATED = {
    "name": "github-main",
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:contoso/payments:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}

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
    "group_owners": (f"groups/{GROUP.upper()}", {"@odata.type": "#microsoft.graph.user", "id": USER.upper()}),
    "application_owners": (
        f"applications/{REGISTRATION}",
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": APP.upper()},
    ),
    "service_principal_owners": (f"servicePrincipals/{APP}", {"@odata.type": "#microsoft.graph.user", "id": USER}),
    "service_principal_owned_objects": (
        f"servicePrincipals/{APP.upper()}",
        {"@odata.type": "#microsoft.graph.group", "id": GROUP.upper()},
    ),
    "applications": (
        "applications",
        {"id": REGISTRATION, "appId": APP.upper(), "displayName": "payments-api"},
    ),
    "application_federated_credentials": (f"applications/{REGISTRATION.upper()}", {"id": USER, **_FEDERATED}),
    "federated_credentials": (
        IDENTITY,
        {
            "id": f"{IDENTITY}/federatedIdentityCredentials/github-main",
            "name": "github-main",
            "properties": {key: value for key, value in _FEDERATED.items() if key != "name"},
        },
    ),
    "user_assigned_identities": (
        SUBSCRIPTION,
        {
            "id": IDENTITY,
            "name": "id-api",
            "properties": {"tenantId": TENANT, "principalId": APP.upper(), "clientId": USER.upper()},
        },
    ),
    "resource_identities": (
        SUBSCRIPTION,
        {
            "id": f"{SUBSCRIPTION}/resourceGroups/rg-Payments/providers/Microsoft.Compute/virtualMachines/vm-api",
            "type": "Microsoft.Compute/virtualMachines",
            "identity": {
                "type": "SystemAssigned, UserAssigned",
                "principalId": GROUP.upper(),
                "tenantId": TENANT,
                "userAssignedIdentities": {
                    IDENTITY: {"principalId": APP.upper(), "clientId": USER},
                    f"{IDENTITY}-2": None,
                },
            },
        },
    ),
    "group_eligibility_schedule_instances": (f"groups/{GROUP}", _GROUP_SCHEDULE),
    "group_assignment_schedule_instances": (f"groups/{GROUP}", {**_GROUP_SCHEDULE, "assignmentType": "activated"}),
    "directory_role_assignments": (
        "directory",
        {key: value for key, value in _DIRECTORY_ROLE.items() if key != "endDateTime"},
    ),
    "directory_role_eligibility_schedule_instances": ("directory", _DIRECTORY_ROLE),
    "application_permissions": (
        f"servicePrincipals/{GROUP}",
        {
            "id": "7f-X",
            "principalId": APP.upper(),
            "principalType": "ServicePrincipal",
            "resourceId": GROUP.upper(),
            "appRoleId": "1BFEFB4E-E0B5-418B-A88F-73C46D2CC8E9",  # Application.ReadWrite.All, a published ID
        },
    ),
    "app_roles": (
        f"servicePrincipals/{GROUP}",
        {
            "id": GROUP.upper(),
            "appRoles": [
                {"id": "1BFEFB4E-E0B5-418B-A88F-73C46D2CC8E9", "value": "Application.ReadWrite.All"},
                {"id": "0", "value": None},
            ],
        },
    ),
    "delegated_permissions": (
        f"servicePrincipals/{GROUP}",
        {
            "id": "l5eW7x0ga0-WDOntXzHateQDNpSH5-lPk9HjD3Sarjk",
            "clientId": APP.upper(),
            "consentType": "Principal",
            "principalId": USER.upper(),
            "resourceId": GROUP.upper(),
            "scope": " user_impersonation  openid",
        },
    ),
    "assigned_groups": (
        f"{SUBSCRIPTION}/assignedTo/{USER}",
        {
            "id": f"{AUTHORIZATION}/roleAssignments/{ROLE}",
            "properties": {"principalId": GROUP.upper(), "principalType": "Group", "scope": SUBSCRIPTION},
        },
    ),
    "delegations": (
        SUBSCRIPTION,
        {
            "id": f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices/registrationAssignments/{REGISTRATION}",
            "properties": {
                "registrationDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.ManagedServices/registrationDefinitions/1",
                "registrationDefinition": {
                    "properties": {
                        "managedByTenantId": TENANT.upper(),
                        "registrationDefinitionName": "Fabrikam operations",
                        "authorizations": [
                            {
                                "principalId": USER.upper(),
                                "principalIdDisplayName": "Fabrikam operators",
                                "roleDefinitionId": ROLE.upper(),
                                "delegatedRoleDefinitionIds": [ROLE.upper()],
                            }
                        ],
                        "eligibleAuthorizations": [{"principalId": GROUP, "roleDefinitionId": ROLE}],
                    }
                },
            },
        },
    ),
    "diagnostic_settings": (
        VAULT,
        {
            "id": f"{VAULT}/providers/microsoft.insights/diagnosticSettings/to-workspace",
            "name": "to-workspace",
            "properties": {
                "workspaceId": f"{SUBSCRIPTION}/x",
                "storageAccountId": None,
                "logs": [
                    {"category": "AuditEvent", "categoryGroup": None, "enabled": True},
                    {"categoryGroup": "allLogs", "enabled": False},
                ],
                "metrics": [],
            },
        },
    ),
    "locks": (
        SUBSCRIPTION,
        {
            "id": f"{VAULT}/providers/Microsoft.Authorization/locks/keep",
            "name": "keep",
            "properties": {"level": "CanNotDelete", "notes": "ask the platform team"},
        },
    ),
    "defender_plans": (
        SUBSCRIPTION.upper(),
        {"id": f"{SUBSCRIPTION}/x", "properties": {"pricingTier": "Standard", "subPlan": "PerKeyVault"}},
    ),
    "classic_administrators": (
        SUBSCRIPTION,
        {
            "id": f"{AUTHORIZATION}/classicAdministrators/100300008A2B3C4D",
            "properties": {"emailAddress": "anna@contoso.example", "role": "ServiceAdministrator;AccountAdministrator"},
        },
    ),
    "resource_groups": (
        SUBSCRIPTION,
        {"id": f"{SUBSCRIPTION}/resourceGroups/rg-Payments", "name": "rg-Payments", "location": "westeurope"},
    ),
    "managed_hsms": (
        SUBSCRIPTION,
        {
            "id": f"{SUBSCRIPTION}/resourceGroups/rg-Payments/providers/Microsoft.KeyVault/managedHSMs/hsm-payments",
            "name": "hsm-payments",
            "location": "westeurope",
        },
    ),
}
