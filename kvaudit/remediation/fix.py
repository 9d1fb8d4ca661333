"""What a change is about, and the three texts of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fix:
    """One change in three tongues. Each text stands alone and can be pasted.

    Attributes:
        what: one sentence that says what changes.
        az: commands of the Azure CLI for a POSIX shell.
        bicep: a file, or the part of one, for the deployment scope that its first line names.
        terraform: HCL for the azurerm provider.
        notes: sentences that whoever applies it has to know.
    """

    what: str
    az: str
    bicep: str
    terraform: str
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, str]:
        """The promised form: `{"az", "bicep", "terraform"}` (ARCHITECTURE.md, section 6)."""
        return {"az": self.az, "bicep": self.bicep, "terraform": self.terraform}


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role for a principal at a scope.

    Attributes:
        scope: ARM scope as Azure spells it: a management group, subscription, resource group, vault, or object in a vault.
        role: GUID of the role definition.
        role_name: its name, for people.
        principal_id: object ID.
        principal_type: `User`, `Group` or `ServicePrincipal`; None leaves it out (Azure then looks the principal up).
    """

    scope: str
    role: str
    role_name: str
    principal_id: str
    principal_type: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """What one principal's entry in a vault's access policies shall hold.

    Attributes:
        vault_id: resource ID.
        tenant_id: of the vault.
        object_id: of the principal.
        permissions: kind (`secrets`, `keys`, `certificates`) -> names as they stand in a policy: everything that the
            entry shall hold of that kind afterwards, since the CLI replaces the names of a kind.
        application_id: for a compound identity.
    """

    vault_id: str
    tenant_id: str
    object_id: str
    permissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    application_id: str | None = None
