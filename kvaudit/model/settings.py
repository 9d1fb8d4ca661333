"""What stands around vaults: logging, locks, Defender, resource groups, classic administrators; and managed HSMs."""

from dataclasses import dataclass

from kvaudit.model import scopes


@dataclass(frozen=True, slots=True)
class LogSetting:
    """One line of a diagnostic setting: a log category (`AuditEvent`) or group of them (`audit`, `allLogs`).

    Attributes:
        category: None where the line is about a group.
        category_group: None where the line is about a category.
        enabled: None when Azure did not say.
    """

    category: str | None
    category_group: str | None
    enabled: bool | None


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """A diagnostic setting of a vault: which logs go where.

    Attributes:
        vault_id: folded resource ID of the vault.
        logs: None where the list is absent: which logs are sent is not known.
        destinations: folded resource IDs (workspace, storage account, event hub rule, partner) that the logs go to.
    """

    id: str
    vault_id: str
    name: str
    logs: tuple[LogSetting, ...] | None = None
    destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock.

    Attributes:
        id: as Azure sent it.
        scope: folded scope that it stands on; it holds for everything below.
        level: `CanNotDelete` or `ReadOnly`.
        notes: tenant's text.
    """

    id: str
    scope: str
    name: str
    level: str
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class DefenderPlan:
    """Microsoft Defender for Key Vault in a subscription.

    Attributes:
        scope: folded `/subscriptions/{id}`.
        tier: `Standard` (on) or `Free` (off).
    """

    scope: str
    tier: str
    sub_plan: str | None = None


@dataclass(frozen=True, slots=True)
class ClassicAdministrator:
    """A classic administrator of a subscription. The kind was retired in 2024 and is still listed.

    Attributes:
        scope: folded `/subscriptions/{id}`.
        email: tenant's text.
        roles: e.g. `ServiceAdministrator`, `CoAdministrator`.
    """

    id: str
    scope: str
    email: str | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """A resource group.

    Attributes:
        scope: folded resource ID.
        managed_by: folded ID of the resource (a managed application, a Databricks workspace) that manages it, or None.
    """

    scope: str
    name: str
    location: str | None = None
    managed_by: str | None = None


@dataclass(frozen=True, slots=True)
class ManagedHsm:
    """A managed HSM: listed, and not assessed. Its data plane has an authorisation of its own (local RBAC)."""

    id: str
    name: str
    location: str | None = None

    @property
    def scope(self) -> str:
        """The folded resource ID."""
        return scopes.fold(self.id)
