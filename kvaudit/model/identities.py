"""Who can act as somebody else: owners, credentials, identities of resources, directory roles, consents, delegations.

These are the records of the identity routes to data (facts azure.md 8, E7, E12, E13, E23, E24, E28). IDs of the directory
are folded object IDs, IDs of resources folded resource IDs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Application:
    """An application registration. Its service principal in this tenant has the same `app_id`.

    Attributes:
        id: folded object ID of the registration, which is not the service principal's.
        app_id: folded application (client) ID.
    """

    id: str
    app_id: str
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Ownership:
    """`owner` owns `target`: a group (may add members), an application or service principal (may add a credential).

    Attributes:
        target: folded object ID of the group, application registration or service principal.
        target_kind: `Group`, `Application` or `ServicePrincipal`.
        owner: folded object ID.
        owner_type: `User`, `ServicePrincipal`, ... or None.
    """

    target: str
    target_kind: str
    owner: str
    owner_type: str | None = None


@dataclass(frozen=True, slots=True)
class GroupScheduleInstance:
    """PIM for Groups: somebody is eligible for, or has activated, membership or ownership of a group.

    Attributes:
        group: folded object ID.
        principal_id: folded object ID of a user or group.
        access: `member` or `owner`.
        eligible: True for eligibilityScheduleInstances, False for assignmentScheduleInstances.
        member_type: `direct` or `group`.
        start, end: ISO 8601 times or None.
    """

    id: str
    group: str
    principal_id: str
    access: str
    eligible: bool
    member_type: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceIdentity:
    """A resource that runs as managed identities.

    Attributes:
        resource_id: folded.
        resource_type: folded, e.g. `microsoft.compute/virtualmachines`.
        principal_id: folded object ID of the system-assigned identity, or None.
        user_assigned: folded resource IDs of user-assigned identities -> nothing more than that they are attached.
        user_assigned_principals: their folded object IDs, where Azure sent them, in the same order ("" where not).
    """

    resource_id: str
    resource_type: str
    principal_id: str | None = None
    user_assigned: tuple[str, ...] = ()
    user_assigned_principals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserAssignedIdentity:
    """A user-assigned managed identity: the resource, and the service principal that it is in the directory."""

    resource_id: str
    principal_id: str | None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Tokens of an issuer that are taken for an identity or application.

    Attributes:
        target: folded resource ID of a user-assigned identity, or folded object ID of an application registration.
        issuer, subject, audiences: as the tenant wrote them.
    """

    target: str
    name: str
    issuer: str | None = None
    subject: str | None = None
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryRoleAssignment:
    """An Entra directory role that somebody holds or is eligible for.

    Attributes:
        role_id: folded role template ID, e.g. Global Administrator `62e90394-69f5-4237-9190-012177145e10`.
        principal_id: folded object ID of a user, group or service principal.
        directory_scope: `/` for the tenant, `/administrativeUnits/{id}` or `/{object id}` otherwise, as sent.
        eligible: must be activated first.
    """

    id: str
    role_id: str
    principal_id: str
    directory_scope: str = "/"
    eligible: bool = False
    role_name: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class AppRoles:
    """The app roles that an API offers, by their published names.

    Attributes:
        resource_id: folded object ID of the API's service principal.
        names: folded GUID and name (`Application.ReadWrite.All`) of each role.
    """

    resource_id: str
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplicationPermission:
    """An application permission (app role) that a service principal holds on an API, e.g. on Microsoft Graph.

    Attributes:
        principal_id: folded object ID of the service principal that holds it.
        resource_id: folded object ID of the API's service principal.
        app_role_id: folded GUID of the app role.
        value: its published name, e.g. `Application.ReadWrite.All`, where the API's service principal told it; else None.
    """

    principal_id: str
    resource_id: str
    app_role_id: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class DelegatedPermission:
    """A consent: an application may act as the users who consented (oauth2PermissionGrant).

    Attributes:
        client_id: folded object ID of the application's service principal.
        consent_type: `AllPrincipals` (an administrator consented for everybody) or `Principal`.
        principal_id: folded object ID of the consenting user, None for everybody.
        resource_id: folded object ID of the API's service principal (Azure Key Vault).
        scopes: e.g. `user_impersonation`.
    """

    id: str
    client_id: str
    consent_type: str
    principal_id: str | None
    resource_id: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DelegatedAuthorization:
    """One line of a Lighthouse registration definition: a principal of the managing tenant gets a role here.

    Attributes:
        principal_id: folded object ID in the managing tenant.
        role: folded GUID of the role.
        delegated_roles: folded GUIDs of roles that it may assign to managed identities here (User Access Administrator only).
        eligible: just in time: must be activated.
    """

    principal_id: str
    role: str
    principal_name: str | None = None
    delegated_roles: tuple[str, ...] = ()
    eligible: bool = False


@dataclass(frozen=True, slots=True)
class Delegation:
    """An Azure Lighthouse registration assignment with its definition.

    Attributes:
        id: of the registration assignment, as sent.
        scope: folded subscription or resource group that is delegated.
        managed_by_tenant: folded ID of the managing tenant.
        authorizations: who gets what; None where the definition was not in what Azure sent.
    """

    id: str
    scope: str
    managed_by_tenant: str | None
    name: str | None = None
    authorizations: tuple[DelegatedAuthorization, ...] | None = None
