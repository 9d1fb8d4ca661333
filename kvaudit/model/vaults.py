"""Vaults, their access policies and the objects in them, as Azure Resource Manager and the vault describe them."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from kvaudit.model import scopes
from kvaudit.model.permissions import policy_mask


class PermissionModel(StrEnum):
    """How a vault authorises data-plane calls (facts azure.md 1.1)."""

    AZURE_RBAC = "azure_rbac"
    ACCESS_POLICIES = "access_policies"


class PermissionModelSource(StrEnum):
    """How `enableRbacAuthorization` stood in the payload: null, false and absent are kept apart."""

    EXPLICIT = "explicit"
    NULL = "null"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """One entry of a vault's access policies.

    Attributes:
        tenant_id: tenant of the principal, folded; None when the payload has none.
        object_id: object ID of a user, group or service principal, folded.
        application_id: when set, the entry counts only for this application acting for that user (compound identity).
        keys, secrets, certificates, storage: permission names as they stand; None when the list is absent.
    """

    tenant_id: str | None
    object_id: str
    application_id: str | None
    keys: tuple[str, ...] | None = None
    secrets: tuple[str, ...] | None = None
    certificates: tuple[str, ...] | None = None
    storage: tuple[str, ...] | None = None

    @property
    def mask(self) -> int:
        """The operations that the entry names, as a mask of the catalogue."""
        return _mask(self.keys, self.secrets, self.certificates)

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """Permission names that exist in no catalogue, as `kind/name`: kept and shown, they grant nothing."""
        return tuple(
            f"{kind}/{name}"
            for kind in ("keys", "secrets", "certificates")
            for name in policy_mask(kind, getattr(self, kind) or ())[1]
        )


@lru_cache(maxsize=10_000)  # a tenant's entries are few different ones
def _mask(*kinds: tuple[str, ...] | None) -> int:
    mask = 0
    for kind, names in zip(("keys", "secrets", "certificates"), kinds, strict=True):
        mask |= policy_mask(kind, names or ())[0]
    return mask


@dataclass(frozen=True, slots=True)
class NetworkAcls:
    """A vault's firewall: `bypass` and `default_action` as Azure spells them, and how many rules there are."""

    bypass: str | None = None
    default_action: str | None = None
    ip_rules: tuple[str, ...] = ()
    virtual_network_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrivateEndpointConnection:
    """One private endpoint connection of a vault and its approval status (`Approved`, `Pending`, ...)."""

    id: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Vault:
    """One vault. Property names are ARM's in snake case; None means absent or null in the payload unless said otherwise.

    Attributes:
        id: resource ID as Azure sent it. Compare `scope`.
        permission_model: None when the payload carried no properties or came through an api-version that hides
            the flag: then the model is unknown and a gap says why.
        permission_model_source: how the flag stood; None exactly when `permission_model` is None.
        access_policies: entries in order; None when the list is absent from the payload.
    """

    id: str
    name: str
    location: str | None = None
    tags: dict[str, str] = field(default_factory=dict, hash=False)
    tenant_id: str | None = None
    vault_uri: str | None = None
    sku: str | None = None
    permission_model: PermissionModel | None = None
    permission_model_source: PermissionModelSource | None = None
    access_policies: tuple[AccessPolicy, ...] | None = None
    enable_soft_delete: bool | None = None
    soft_delete_retention_in_days: int | None = None
    enable_purge_protection: bool | None = None
    public_network_access: str | None = None
    network_acls: NetworkAcls | None = None
    enabled_for_deployment: bool | None = None
    enabled_for_disk_encryption: bool | None = None
    enabled_for_template_deployment: bool | None = None
    private_endpoint_connections: tuple[PrivateEndpointConnection, ...] = ()
    provisioning_state: str | None = None

    @property
    def scope(self) -> str:
        """The folded resource ID."""
        return _place(self.id)[0]

    @property
    def subscription_id(self) -> str | None:
        """The folded subscription ID."""
        return _place(self.id)[1]

    @property
    def resource_group(self) -> str | None:
        """The resource group's name as Azure spelled it in the ID."""
        parts = self.id.split("/")
        return parts[4] if len(parts) > 4 else None


@lru_cache(maxsize=1024)  # of the vault that is looked at, these are asked dozens of times
def _place(identifier: str) -> tuple[str, str | None]:
    scope = scopes.fold(identifier)
    return scope, scopes.subscription_of(scope)


@dataclass(frozen=True, slots=True)
class DeletedVault:
    """A soft-deleted vault: its name is taken until purge or the scheduled date."""

    id: str
    name: str
    vault_id: str | None = None
    location: str | None = None
    deletion_date: str | None = None
    scheduled_purge_date: str | None = None
    purge_protection_enabled: bool | None = None


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """An object of a vault, by kind (`secrets`, `keys`, `certificates`) and name. Names compare without case."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    def scope_in(self, vault: Vault) -> str:
        """The folded scope of the object under its vault."""
        return f"{vault.scope}/{self.kind}/{self.name.casefold()}"


@dataclass(frozen=True, slots=True)
class VaultObject:
    """A secret, key or certificate by name, with its attributes. Never a value.

    Attributes:
        vault_id: resource ID of the vault, folded.
        enabled: None when the listing did not say.
        created, updated, expires, not_before: Unix seconds, or None.
        managed: True for the key and secret behind a certificate.
        content_type: of a secret, or None. Tenant's text.
    """

    vault_id: str
    ref: ObjectRef
    enabled: bool | None = None
    created: int | None = None
    updated: int | None = None
    expires: int | None = None
    not_before: int | None = None
    managed: bool | None = None
    content_type: str | None = None
