"""Kinds of records in a person's words. A kind is a word of the snapshot: `role_assignments`."""

_WORDS = {
    "app_roles": "app roles of Microsoft Graph",
    "application_federated_credentials": "federated credentials of applications",
    "application_permissions": "application permissions on Microsoft Graph",
    "defender_plans": "Defender plans",
    "delegated_permissions": "consents for Azure Key Vault",
    "delegations": "Azure Lighthouse delegations",
    "directory_role_assignments": "Entra directory roles",
    "directory_role_eligibility_schedule_instances": "eligibility for Entra directory roles",
    "federated_credentials": "federated credentials of managed identities",
    "group_assignment_schedule_instances": "PIM assignments of groups",
    "group_eligibility_schedule_instances": "PIM eligibility for groups",
    "managed_hsms": "managed HSMs, listed and not assessed",
    "principal_details": "details of principals",
    "resource_identities": "identities of resources",
    "service_principal_owned_objects": "groups that service principals own",
    "user_assigned_identities": "user-assigned identities",
}


def kind_words(kind: str) -> str:
    """A kind as a plural noun: `role assignments`."""
    return _WORDS.get(kind, kind.replace("_", " "))
