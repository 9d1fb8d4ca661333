"""Terraform resources that concern vaults, as declarations."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kvaudit.sources.located import Position
from kvaudit.templates.arm import policy_entries
from kvaudit.templates.declarations import (
    Language,
    PoliciesDeclaration,
    PolicyDeclaration,
    RoleAssignmentDeclaration,
    SecretDeclaration,
    VaultDeclaration,
)
from kvaudit.templates.hcl_tree import Block, Literal
from kvaudit.templates.plain_secrets import is_plain_text
from kvaudit.templates.terraform_values import ModuleValues
from kvaudit.templates.unknown import Unknown, unknown_in

_KINDS = {"key": "keys", "secret": "secrets", "certificate": "certificates", "storage": "storage"}
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REFERENCE = re.compile(r"‹([^›]*?azurerm_key_vault\.[\w-]+|[^›]*?azapi_resource\.[\w-]+)")

VAULT_PROPERTIES = {
    "purge_protection_enabled": "enablePurgeProtection",
    "soft_delete_retention_days": "softDeleteRetentionInDays",
    "tenant_id": "tenantId",
    "enabled_for_deployment": "enabledForDeployment",
    "enabled_for_disk_encryption": "enabledForDiskEncryption",
    "enabled_for_template_deployment": "enabledForTemplateDeployment",
}
"""Arguments of `azurerm_key_vault` and the properties that they set (the provider's documentation)."""


@dataclass(slots=True)
class Declared:
    """What was found so far."""

    vaults: list[VaultDeclaration] = field(default_factory=list)
    policies: list[PoliciesDeclaration] = field(default_factory=list)
    role_assignments: list[RoleAssignmentDeclaration] = field(default_factory=list)
    secrets: list[SecretDeclaration] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Resource:
    block: Block
    values: ModuleValues
    symbols: ModuleValues
    address: str
    position: Position
    provider_version: str | None
    condition: str | None

    def value(self, name: str) -> Any:
        return self.values.of(self.block, name)

    def vault_of(self, name: str) -> str | None:
        """The identity of the vault that an argument refers to."""
        symbol = self.symbols.of(self.block, name)
        found = _REFERENCE.search(symbol) if isinstance(symbol, str) else None
        return found[1].casefold() if found else None


def declare(
    found: Declared,
    block: Block,
    file: str,
    values: ModuleValues,
    symbols: ModuleValues,
    *,
    prefix: str,
    provider_version: str | None,
    condition: str | None = None,
) -> None:
    """Adds what a resource block declares; one that does not concern vaults, or that nothing is made of, adds nothing.

    `condition` says why the module around it may not be deployed.
    """
    kind, name = block.labels
    maker = _MAKERS.get(kind)
    if maker is None:
        return
    if is_left_out(block, values):
        return
    condition = perhaps_left_out(block, values) or condition
    position = Position(file, block.line, block.column)
    maker(found, _Resource(block, values, symbols, f"{prefix}{kind}.{name}", position, provider_version, condition))


def is_left_out(block: Block, values: ModuleValues) -> bool:
    """Whether nothing is made of a resource or module: `count` is 0, or `for_each` is empty."""
    count, each = values.of(block, "count"), values.of(block, "for_each")
    return (isinstance(count, int) and not isinstance(count, bool) and count == 0) or each in ({}, [])


def perhaps_left_out(block: Block, values: ModuleValues) -> str | None:
    """Why nothing may be made of a resource or module, or None."""
    for name in ("count", "for_each"):
        value = values.of(block, name)
        if isinstance(value, Unknown):
            return value.reason
    return None


def _vault(found: Declared, item: _Resource) -> None:
    item.values.assumed.clear()
    flag, flag_at = _flag(item)
    assumed = tuple(sorted(item.values.assumed))
    group = item.value("resource_group_name")
    found.vaults.append(
        VaultDeclaration(
            language=Language.TERRAFORM,
            address=item.address,
            identity=item.address.casefold(),
            position=item.position,
            name=text_or_unknown(item.value("name"), "the name"),
            provider_version=item.provider_version,
            rbac=flag,
            rbac_at=flag_at,
            access_policies=_inline_policies(item),
            properties=_properties(item),
            assumed=assumed,
            condition=item.condition,
            resource_group=group if isinstance(group, str | Unknown) else None,
        )
    )


def _flag(item: _Resource) -> tuple[bool | Unknown | None, Position]:
    for name in ("rbac_authorization_enabled", "enable_rbac_authorization"):
        argument = item.block.arguments.get(name)
        value = item.value(name)
        if argument is not None and value is not None:
            at = Position(item.position.file, argument.line, argument.column)
            if isinstance(value, str) and value in ("true", "false"):
                value = value == "true"
            return (value if isinstance(value, bool | Unknown) else Unknown(f"{name} is no bool")), at
    return None, item.position


def _properties(item: _Resource) -> dict[str, Any]:
    found = {azure: value for name, azure in VAULT_PROPERTIES.items() if (value := item.value(name)) is not None}
    public = item.value("public_network_access_enabled")
    if public is not None:
        found["publicNetworkAccess"] = (
            public if isinstance(public, Unknown) else ("Enabled" if public is True else "Disabled")
        )
    for acls in item.block.of_type("network_acls"):
        found["networkAcls"] = {
            "defaultAction": item.values.of(acls, "default_action"),
            "bypass": item.values.of(acls, "bypass"),
            "ipRules": item.values.of(acls, "ip_rules") or [],
            "virtualNetworkRules": item.values.of(acls, "virtual_network_subnet_ids") or [],
        }
    if any(block.labels[:1] == ("network_acls",) for block in item.block.of_type("dynamic")):
        found["networkAcls"] = Unknown("network_acls is made by a dynamic block")
    return found


def _inline_policies(item: _Resource) -> tuple[PolicyDeclaration, ...] | Unknown | None:
    if any(block.labels[:1] == ("access_policy",) for block in item.block.of_type("dynamic")):
        return Unknown("the access policies are made by a dynamic block")
    blocks = list(item.block.of_type("access_policy"))
    if blocks:
        return tuple(policy_entry(partial(item.values.of, block)) for block in blocks)
    listed = item.value("access_policy")
    if listed is None or isinstance(listed, Unknown):
        return listed
    if not isinstance(listed, list):
        return Unknown("access_policy is no list")
    return tuple(policy_entry(policy.get if isinstance(policy, dict) else lambda _: None) for policy in listed)


def policy_entry(value: Callable[[str], Any]) -> PolicyDeclaration:
    """One access policy in Terraform's words; `value` answers an argument of the block, None where it is left out."""
    permissions: dict[str, tuple[str, ...] | Unknown] = {}
    for name, kind in _KINDS.items():
        names = value(f"{name}_permissions")
        missing = unknown_in(names)
        if missing is not None:
            permissions[kind] = missing
        elif isinstance(names, list):
            permissions[kind] = tuple(str(word) for word in names)
    tenant, application = value("tenant_id"), value("application_id")
    return PolicyDeclaration(
        object_id=text_or_unknown(value("object_id"), "object_id"),
        tenant_id=None if tenant is None else text_or_unknown(tenant, "tenant_id"),
        application_id=None if application is None else text_or_unknown(application, "application_id"),
        permissions=permissions,
    )


def _policy(found: Declared, item: _Resource) -> None:
    name = item.vault_of("key_vault_id")
    vault = item.value("key_vault_id")
    shown = vault.rpartition("/")[2] if isinstance(vault, str) else Unknown("the vault is another resource's")
    found.policies.append(
        PoliciesDeclaration(
            Language.TERRAFORM,
            item.address,
            item.position,
            name,
            shown,
            "add",
            (policy_entry(item.value),),
            deployed_if=item.condition,
        )
    )


def _role(found: Declared, item: _Resource) -> None:
    role = item.value("role_definition_name")
    if role is None:
        role = item.value("role_definition_id")
        guids = _GUID.findall(role.casefold()) if isinstance(role, str) else []
        role = guids[-1] if guids else role
    kind, condition = item.value("principal_type"), item.value("condition")
    found.role_assignments.append(
        RoleAssignmentDeclaration(
            language=Language.TERRAFORM,
            address=item.address,
            position=item.position,
            scope=text_or_unknown(item.value("scope"), "scope"),
            scope_identity=item.vault_of("scope"),
            role=text_or_unknown(role, "the role"),
            principal_id=text_or_unknown(item.value("principal_id"), "principal_id"),
            principal_type=None if kind is None else text_or_unknown(kind, "principal_type"),
            condition=None if condition is None else text_or_unknown(condition, "condition"),
            deployed_if=item.condition,
        )
    )


def _secret(found: Declared, item: _Resource) -> None:
    name = "value" if "value" in item.block.arguments else "value_wo"
    argument = item.block.arguments.get(name)
    item.values.assumed.clear()
    plain = is_plain_text(item.value(name))
    written_here = argument is None or isinstance(argument.expression, Literal)
    made_of = tuple(f"variable {variable}" for variable in sorted(item.values.assumed)) or ("local or given values",)
    found.secrets.append(
        SecretDeclaration(
            Language.TERRAFORM,
            item.address,
            item.position,
            item.vault_of("key_vault_id"),
            text_or_unknown(item.value("name"), "the name"),
            is_plain=plain,
            made_of=made_of if plain and not written_here else (),
        )
    )


def _azapi(found: Declared, item: _Resource) -> None:
    """`azapi_resource`: the type holds the api-version, the body what Resource Manager is sent."""
    kind = item.value("type")
    if not isinstance(kind, str) or "@" not in kind:
        return
    resource, _, version = kind.partition("@")
    body = item.value("body")
    properties = body.get("properties") if isinstance(body, dict) else body
    if resource.casefold() != "microsoft.keyvault/vaults":
        return
    named: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
    missing = properties if isinstance(properties, Unknown) else None
    flag = missing or named.get("enableRbacAuthorization")
    found.vaults.append(
        VaultDeclaration(
            language=Language.TERRAFORM,
            address=item.address,
            identity=item.address.casefold(),
            position=item.position,
            name=text_or_unknown(item.value("name"), "the name"),
            api_version=version,
            rbac=flag
            if isinstance(flag, bool | Unknown) or flag is None
            else Unknown("enableRbacAuthorization is no bool"),
            rbac_at=item.position,
            access_policies=missing or policy_entries(named.get("accessPolicies")),
            properties=dict(named),
            condition=item.condition,
        )
    )


def text_or_unknown(value: Any, what: str) -> str | Unknown:
    """A text, or why there is none."""
    if isinstance(value, str | Unknown):
        return value
    return Unknown(f"{what} is left out" if value is None else f"{what} is no text")


_MAKERS: dict[str, Callable[[Declared, _Resource], None]] = {
    "azurerm_key_vault": _vault,
    "azurerm_key_vault_access_policy": _policy,
    "azurerm_role_assignment": _role,
    "azurerm_key_vault_secret": _secret,
    "azapi_resource": _azapi,
}
