"""What applications may do: permissions on Microsoft Graph that take over others, and consents for Azure Key Vault."""

from kvaudit.collectors import payload
from kvaudit.collectors.collector import Collector, Feature, Plane, Raw
from kvaudit.model.identities import ApplicationPermission, AppRoles, DelegatedPermission

MICROSOFT_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
"""Application ID of Microsoft Graph, the same in every tenant and cloud (learn.microsoft.com/troubleshoot/entra/
entra-id/governance/verify-first-party-apps-sign-in)."""

KEY_VAULT_APP_ID = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"
"""Application ID of Azure Key Vault (same page). A tenant in which nobody consented to it has no service principal for it."""


def service_principal_scope(service_principal_id: str) -> str:
    """The listing's scope of what an API's service principal gave out."""
    return f"servicePrincipals/{service_principal_id}"


def absent_scope(app_id: str) -> str:
    """The listing's scope of what an API gave out that has no service principal in the tenant: nothing."""
    return f"servicePrincipals(appId='{app_id}')"


def parse_application_permission(raw: Raw, scope: str) -> ApplicationPermission:
    """One of appRoleAssignedTo. It names the role by its GUID; `app_roles` tell the role's published name."""
    item = payload.mapping(raw, "app role assignment")
    return ApplicationPermission(
        principal_id=payload.identifier(item, "principalId"),
        resource_id=payload.optional_identifier(item, "resourceId") or payload.scope_id(scope, "servicePrincipals"),
        app_role_id=payload.identifier(item, "appRoleId"),
    )


def parse_app_roles(raw: Raw, scope: str) -> AppRoles:  # noqa: ARG001 - every parser has this signature
    """The app roles of an API's service principal. A role that cannot be read has no name, and is no reason to lose the rest."""
    item = payload.mapping(raw, "service principal")
    roles = (role for role in payload.items(item, "appRoles") if isinstance(role, dict))
    pairs = ((payload.shown_text(role, "id"), payload.shown_text(role, "value")) for role in roles)
    return AppRoles(
        resource_id=payload.identifier(item, "id"),
        names=tuple((guid.strip().casefold(), name) for guid, name in pairs if guid and name),
    )


def parse_delegated_permission(raw: Raw, scope: str) -> DelegatedPermission:  # noqa: ARG001 - every parser has this signature
    """One of oauth2PermissionGrants. `scope` there is a list of words with blanks between them."""
    item = payload.mapping(raw, "delegated permission")
    return DelegatedPermission(
        id=payload.text(item, "id"),
        client_id=payload.identifier(item, "clientId"),
        consent_type=payload.text(item, "consentType"),
        principal_id=payload.optional_identifier(item, "principalId"),
        resource_id=payload.identifier(item, "resourceId"),
        scopes=tuple((payload.optional_text(item, "scope") or "").split()),
    )


APPLICATION_PERMISSIONS = Collector(
    kind="application_permissions",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}/appRoleAssignedTo",
    query={"$top": "999"},
    requires=("Application.Read.All",),
    parse=parse_application_permission,
    feature=Feature.IDENTITIES,
)

APP_ROLES = Collector(
    kind="app_roles",
    plane=Plane.GRAPH,
    path="/v1.0/{scope}",  # one object, no list
    query={"$select": "id,appId,displayName,appRoles"},
    requires=("Application.Read.All",),
    parse=parse_app_roles,
    feature=Feature.IDENTITIES,
)

DELEGATED_PERMISSIONS = Collector(
    kind="delegated_permissions",
    plane=Plane.GRAPH,
    path="/v1.0/oauth2PermissionGrants",
    query={"$filter": "resourceId eq '{id}'"},
    requires=("Directory.Read.All",),
    parse=parse_delegated_permission,
    feature=Feature.IDENTITIES,
)
