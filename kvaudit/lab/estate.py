"""The raw stores of the lab: payloads as Azure Resource Manager and Microsoft Graph would send them.

Everything the lab serves or decides is read from here. Keys are folded ids: casefolded, without a final slash; what is
stored under them keeps the spelling of the payload. The evaluator and the faces read nothing else.
"""

from dataclasses import dataclass, field
from typing import Any

Raw = dict[str, Any]
"""One payload, as JSON."""


def fold(identifier: str) -> str:
    """The form in which ids are compared: casefolded, without a final slash (`/` itself stays)."""
    return identifier.casefold().rstrip("/") or "/"


@dataclass(slots=True)
class StoredVersion:
    """One version of a secret, key or certificate.

    Attributes:
        version: 32 hexadecimal digits.
        created, updated, expires, not_before: seconds since 1970, as the service sends them.
        value: of a secret; planted in sample estates, never to be read by an audit.
        key: public part of a key (`kty`, `key_ops`, `n`, `e`, ...); empty for secrets.
        x5t: thumbprint of a certificate, base64url.
    """

    version: str
    enabled: bool = True
    created: int = 0
    updated: int = 0
    expires: int | None = None
    not_before: int | None = None
    value: str | None = None
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    key: Raw = field(default_factory=dict)
    x5t: str | None = None


@dataclass(slots=True)
class StoredObject:
    """A secret, key or certificate with its versions, oldest first.

    Attributes:
        name: as it was first written; compared casefolded.
        deleted_at: seconds since 1970 when soft-deleted, else None.
        purge_at: seconds since 1970 when a deleted object is purged by the service.
        rotation_policy: of a key, as the service sends it; None for the default one.
        policy: issuance policy of a certificate.
        managed: true for the key and the secret that belong to a certificate.
    """

    name: str
    versions: list[StoredVersion] = field(default_factory=list)
    deleted_at: int | None = None
    purge_at: int | None = None
    rotation_policy: Raw | None = None
    policy: Raw | None = None
    managed: bool = False

    @property
    def current(self) -> StoredVersion:
        """The newest version."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity of the estate that can sign in with a client secret: what `AZURE_*` hold for it.

    Attributes:
        name: its short name in the estate (`auditor`).
        tenant_id, object_id, app_id: ids of its service principal and application.
        client_secret: planted; works against the lab only.
    """

    name: str
    tenant_id: str
    object_id: str
    app_id: str
    client_secret: str


@dataclass(slots=True)
class Estate:
    """Everything a lab serves.

    Attributes:
        name: short name, for messages.
        home_tenant: tenant id that clients sign in to unless told otherwise.
        tenants: by tenant id: `{"id", "tenantId", "displayName", "defaultDomain", "domains", "countryCode"}`.
        subscriptions: by subscription id (a GUID): the item of `GET /subscriptions`; `tenantId` is in it.
        management_groups: by folded group name: `{"id": full resource id, "name", "displayName", "parent": folded name or
            None for the tenant root group, "tenantId"}`.
        subscription_parent: by subscription id: folded name of its management group.
        resource_groups: by folded resource id: raw resource group.
        vaults: by folded resource id: raw vault.
        deleted_vaults: by folded id of the form `/subscriptions/s/providers/microsoft.keyvault/locations/l/deletedvaults/n`:
            raw deleted vault.
        deleted_vault_bodies: by the same key: the vault as it was, for recovery.
        other_resources: by folded id: resources of other types in the generic list (type, location, identity, tags).
        role_definitions: by folded role GUID: raw definition, the 928 built-in ones included.
        role_assignments, deny_assignments, role_eligibility_schedule_instances, role_assignment_schedule_instances: by
            folded id: raw item.
        users, groups, service_principals, applications, devices: by folded object id: raw Graph object.
        deleted_directory_objects: by folded object id: raw Graph object with `@odata.type` and `deletedDateTime`.
        object_tenant: by folded object id: tenant id, for objects outside the home tenant.
        members: by folded group id: folded ids of its direct members, of any type.
        owners: by folded id of a group, application or service principal: folded ids of its owners.
        hidden_members: folded ids of groups whose members Graph refuses to list (hidden membership).
        graph_permissions: by folded service principal id: Graph application permissions (`Directory.Read.All`).
        objects: by folded vault id: `secrets`, `keys`, `certificates`: by folded object name.
        private_endpoints: by folded vault id: raw private endpoint connections.
        diagnostic_settings: by folded vault id: raw diagnostic settings.
        group_eligibility_schedule_instances, group_assignment_schedule_instances: of PIM for Groups, by id: raw Graph
            items with `groupId`, `principalId` and `accessId` (`member`, `owner`). Who has activated a membership is a
            member while the instance runs, and need not stand in `members`.
        directory_role_definitions: by folded id: raw `unifiedRoleDefinition`.
        directory_role_assignments: by id: raw `unifiedRoleAssignment`: who holds an Entra role now.
        directory_role_eligibility_schedule_instances: by id: raw: who may activate an Entra role.
        app_role_assignments: by id: raw `appRoleAssignment`: application permissions that service principals hold.
        oauth2_permission_grants: by id: raw: what users or administrators have consented to.
        federated_credentials: by folded object id of an application: raw Graph federated credentials.
        identity_federated_credentials: by folded resource id of a user-assigned identity (which is one of
            `other_resources`): raw Resource Manager items.
        delegations: by folded id: raw Lighthouse registration assignments with their `registrationDefinition`.
        locks: by folded id: raw management locks.
        pricings: by subscription id: raw Defender for Cloud plans.
        classic_administrators: by subscription id: raw.
        premium: whether the tenant has a licence for PIM; without one every PIM read is a 400.
        provider_registrations: by subscription id: folded namespaces that are NOT registered.
        client_secrets: by folded application id: secrets that are accepted.
        identities: by short name: identities that can sign in.
        paging: how ARM lists page: `size` (int), `empty_pages` (bool: an empty page with a nextLink comes first).
    """

    name: str = "estate"
    home_tenant: str = ""
    tenants: dict[str, Raw] = field(default_factory=dict)
    subscriptions: dict[str, Raw] = field(default_factory=dict)
    management_groups: dict[str, Raw] = field(default_factory=dict)
    subscription_parent: dict[str, str] = field(default_factory=dict)
    resource_groups: dict[str, Raw] = field(default_factory=dict)
    vaults: dict[str, Raw] = field(default_factory=dict)
    deleted_vaults: dict[str, Raw] = field(default_factory=dict)
    deleted_vault_bodies: dict[str, Raw] = field(default_factory=dict)
    other_resources: dict[str, Raw] = field(default_factory=dict)
    role_definitions: dict[str, Raw] = field(default_factory=dict)
    role_assignments: dict[str, Raw] = field(default_factory=dict)
    deny_assignments: dict[str, Raw] = field(default_factory=dict)
    role_eligibility_schedule_instances: dict[str, Raw] = field(default_factory=dict)
    role_assignment_schedule_instances: dict[str, Raw] = field(default_factory=dict)
    users: dict[str, Raw] = field(default_factory=dict)
    groups: dict[str, Raw] = field(default_factory=dict)
    service_principals: dict[str, Raw] = field(default_factory=dict)
    applications: dict[str, Raw] = field(default_factory=dict)
    devices: dict[str, Raw] = field(default_factory=dict)
    deleted_directory_objects: dict[str, Raw] = field(default_factory=dict)
    object_tenant: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, list[str]] = field(default_factory=dict)
    hidden_members: set[str] = field(default_factory=set)
    graph_permissions: dict[str, frozenset[str]] = field(default_factory=dict)
    objects: dict[str, dict[str, dict[str, StoredObject]]] = field(default_factory=dict)
    private_endpoints: dict[str, list[Raw]] = field(default_factory=dict)
    diagnostic_settings: dict[str, list[Raw]] = field(default_factory=dict)
    group_eligibility_schedule_instances: dict[str, Raw] = field(default_factory=dict)
    group_assignment_schedule_instances: dict[str, Raw] = field(default_factory=dict)
    directory_role_definitions: dict[str, Raw] = field(default_factory=dict)
    directory_role_assignments: dict[str, Raw] = field(default_factory=dict)
    directory_role_eligibility_schedule_instances: dict[str, Raw] = field(default_factory=dict)
    app_role_assignments: dict[str, Raw] = field(default_factory=dict)
    oauth2_permission_grants: dict[str, Raw] = field(default_factory=dict)
    federated_credentials: dict[str, list[Raw]] = field(default_factory=dict)
    identity_federated_credentials: dict[str, list[Raw]] = field(default_factory=dict)
    delegations: dict[str, Raw] = field(default_factory=dict)
    locks: dict[str, Raw] = field(default_factory=dict)
    pricings: dict[str, list[Raw]] = field(default_factory=dict)
    classic_administrators: dict[str, list[Raw]] = field(default_factory=dict)
    premium: bool = True
    provider_registrations: dict[str, set[str]] = field(default_factory=dict)
    client_secrets: dict[str, set[str]] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    paging: Raw = field(default_factory=lambda: {"size": 50, "empty_pages": False})

    def tenant_of(self, object_id: str) -> str:
        """Tenant of a directory object; the home tenant unless the estate says otherwise."""
        return self.object_tenant.get(fold(object_id), self.home_tenant)

    def directory_object(self, object_id: str) -> Raw | None:
        """The raw Graph object of a living user, group, service principal, application or device, else None."""
        key = fold(object_id)
        for store in (self.users, self.groups, self.service_principals, self.applications, self.devices):
            if key in store:
                return store[key]
        return None
