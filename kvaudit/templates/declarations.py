"""What files would deploy, in one form for every language: vaults, their access policies, and role assignments.

A value that a file leaves to the deployment is `Unknown`, with the parameter, module or expression that is missing. A value
that a file leaves out is None: what Azure makes of that depends on the api-version or provider version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kvaudit.sources.located import Position
from kvaudit.templates.unknown import Unknown


class Language(StrEnum):
    """The language of a file."""

    ARM = "arm"
    BICEP = "bicep"
    TERRAFORM = "terraform"
    TERRAFORM_PLAN = "terraform_plan"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class PolicyDeclaration:
    """One entry of a list of access policies.

    Attributes:
        permissions: kind (`secrets`, `keys`, `certificates`, `storage`) -> names as written, or unknown.
    """

    object_id: str | Unknown
    tenant_id: str | Unknown | None = None
    application_id: str | Unknown | None = None
    permissions: Mapping[str, tuple[str, ...] | Unknown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VaultDeclaration:
    """A vault that a file creates or changes.

    Attributes:
        address: what people call it in the file: a resource's symbolic name, Terraform address, or name expression.
        identity: folded text that is equal for everything in the same file set that means this vault; never a value to show.
        name: of the vault.
        api_version: of the resource (ARM, Bicep); None for Terraform.
        provider_version: constraint on the azurerm provider as written, or the version that a lock file pins; else None.
        rbac: what the file says of `enableRbacAuthorization`: True, False, None where it says nothing or null.
        rbac_at: where it says so, else where the vault begins.
        access_policies: entries listed in the vault itself; None where the list is left out; `Unknown` where the whole
            list is not decided.
        properties: further properties of the vault as they would be sent, values plain or `Unknown`, names as Azure
            spells them (`enablePurgeProtection`, `publicNetworkAccess`, `networkAcls`, `softDeleteRetentionInDays`,
            `createMode`, `tenantId`, `enabledForTemplateDeployment`, ...). A property that is left out is absent.
        assumed: parameters whose default decided what stands here.
        module: the published module that declares the vault, where it is not declared directly, e.g.
            `br/public:avm/res/key-vault/vault:0.9.0`.
        condition: None for always, else the text or reason why it may not be deployed.
        subscription_id, resource_group: where it goes, where known.
    """

    language: Language
    address: str
    identity: str
    position: Position
    name: str | Unknown
    api_version: str | Unknown | None = None
    provider_version: str | None = None
    rbac: bool | Unknown | None = None
    rbac_at: Position | None = None
    access_policies: tuple[PolicyDeclaration, ...] | Unknown | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    module: str | None = None
    condition: str | None = None
    subscription_id: str | Unknown | None = None
    resource_group: str | Unknown | None = None


@dataclass(frozen=True, slots=True)
class PoliciesDeclaration:
    """Access policies declared apart from their vault.

    Attributes:
        vault_identity: as `VaultDeclaration.identity`; None when it cannot be told.
        vault_name: of the vault that they are for.
        mode: `add`, `replace` or `remove`. Terraform's resource of its own adds.
        deployed_if: None for always, else the text or reason why they may not be deployed.
    """

    language: Language
    address: str
    position: Position
    vault_identity: str | None
    vault_name: str | Unknown
    mode: str
    entries: tuple[PolicyDeclaration, ...] | Unknown
    api_version: str | Unknown | None = None
    deployed_if: str | None = None


@dataclass(frozen=True, slots=True)
class RoleAssignmentDeclaration:
    """A role assignment that a file creates.

    Attributes:
        scope: resource ID, or unknown.
        scope_identity: folded text that holds the `identity` of the vault that it is scoped to, where it is; else None.
        role: folded GUID of the role, the role's name where the file names it so, or unknown.
        condition: of the assignment itself (ABAC).
        deployed_if: None for always, else the text or reason why it may not be deployed.
    """

    language: Language
    address: str
    position: Position
    scope: str | Unknown
    scope_identity: str | None
    role: str | Unknown
    principal_id: str | Unknown
    principal_type: str | Unknown | None = None
    condition: str | Unknown | None = None
    deployed_if: str | None = None


@dataclass(frozen=True, slots=True)
class SecretDeclaration:
    """A secret that a file creates, without its value: only whether the value stands in the files as plain text.

    Attributes:
        made_of: names of the parameters or variables whose plain default or given value makes the secret's; empty where
            the value stands at the secret itself.
    """

    language: Language
    address: str
    position: Position
    vault_identity: str | None
    name: str | Unknown
    is_plain: bool
    api_version: str | Unknown | None = None
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherResource:
    """A further resource of the provider Microsoft.KeyVault, of which only the api-version counts: a key, a managed HSM.

    Attributes:
        is_existing: it is only referred to, and read where the deployment needs something of it.
    """

    language: Language
    address: str
    position: Position
    api_version: str | Unknown
    is_existing: bool = False


@dataclass(frozen=True, slots=True)
class SecureValue:
    """A parameter that is declared secret, and whose value stands in a file all the same. The value is not kept."""

    language: Language
    name: str
    position: Position
    why: str


@dataclass(frozen=True, slots=True)
class OutputDeclaration:
    """An output that shows what a vault keeps: the names of outputs that hold secret values or list keys."""

    language: Language
    name: str
    position: Position
    why: str


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A command in a script or pipeline that concerns vaults. Values of secrets are left out.

    Attributes:
        tool: `az` or `powershell`.
        command: words of the command, folded: `keyvault create`, `new-azkeyvault`, `rest`.
        options: option name without dashes, folded -> its value as written, with variables as they stand (`$KV`); None
            for a switch without a value. `@` stands for further options that a variable holds.
        tool_version: of the command line tool or module, where the pipeline step pins it.
    """

    position: Position
    tool: str
    command: str
    options: Mapping[str, str | None]
    tool_version: str | None = None


@dataclass(frozen=True, slots=True)
class DependencyPin:
    """A version of a package that a dependency file asks for.

    Attributes:
        ecosystem: `pypi`, `npm`, `nuget`, `go`, `maven`, `terraform`.
        package: its name as the ecosystem spells it.
        constraint: as written; "" where none is.
        highest: the highest version that the constraint lets in, or None where it lets in the latest. NuGet, Go and Maven
            take the version that is written, and so it is that.
        is_below: `highest` itself is not let in, only versions below it.
    """

    position: Position
    ecosystem: str
    package: str
    constraint: str
    highest: str | None = None
    is_below: bool = False


@dataclass(frozen=True, slots=True)
class LegacyImport:
    """An import in Python code of what the package `azure-keyvault` held before 4.0.

    Attributes:
        name: as imported: `azure.keyvault.KeyVaultClient`.
    """

    position: Position
    name: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A part of a file that was not looked into: a linked template, a module that is not there, a loop without a count."""

    position: Position
    reason: str


@dataclass(frozen=True, slots=True)
class FileDeclarations:
    """Everything that a file, or a set of files that belong together, declares.

    Attributes:
        secure_parameters: folded names of the parameters of the outermost template whose values are secret.
        lines: text of each file in which something is declared, for remarks inside it.
    """

    files: tuple[str, ...]
    language: Language
    vaults: tuple[VaultDeclaration, ...] = ()
    policies: tuple[PoliciesDeclaration, ...] = ()
    role_assignments: tuple[RoleAssignmentDeclaration, ...] = ()
    secrets: tuple[SecretDeclaration, ...] = ()
    others: tuple[OtherResource, ...] = ()
    outputs: tuple[OutputDeclaration, ...] = ()
    secure_values: tuple[SecureValue, ...] = ()
    secure_parameters: frozenset[str] = frozenset()
    undecided: tuple[Undecided, ...] = ()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
