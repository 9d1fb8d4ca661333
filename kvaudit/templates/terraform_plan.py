"""Terraform plans as `terraform show -json` prints them: resolved values, and what is known only after the apply.

Source: "JSON Output Format" of Terraform's documentation (`resource_changes`, `after`, `after_unknown`, `configuration`).
A plan holds secret values in the open: nothing of one is kept but whether the value stands in the configuration, and no line
of a plan is kept at all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kvaudit.sources.json_source import JsonSourceError, parse_json
from kvaudit.sources.located import Node, Position
from kvaudit.templates.arm import policy_entries
from kvaudit.templates.declarations import (
    FileDeclarations,
    Language,
    PoliciesDeclaration,
    RoleAssignmentDeclaration,
    SecretDeclaration,
    Undecided,
    VaultDeclaration,
)
from kvaudit.templates.terraform_references import PlanConfiguration, without_index
from kvaudit.templates.terraform_resources import VAULT_PROPERTIES, policy_entry, text_or_unknown
from kvaudit.templates.unknown import Unknown

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VAULT_TYPE = "microsoft.keyvault/vaults"
_VAULT_SEGMENTS = 9
"""Of the resource ID of a vault, split at its slashes, the first being empty."""

_FLAGS = ("rbac_authorization_enabled", "enable_rbac_authorization")


def is_plan(root: Node) -> bool:
    """Whether a JSON document is a plan, by the members that every plan has."""
    return root.get("format_version") is not None and root.get("resource_changes") is not None


def read_plan(root: Node, file: str) -> FileDeclarations:
    """What a plan would leave behind: resources that it creates, changes or keeps; deleted ones and data are left out."""
    reading = _Reading(file, PlanConfiguration.of(root))
    changes = root.get("resource_changes")
    waiting: list[_Change] = []
    for node in changes.elements() if changes is not None else ():
        change = reading.change(node)
        if change is None:
            continue
        if change.kind in ("azurerm_key_vault", "azapi_resource"):
            _VAULTS[change.kind](reading, change)
        else:
            waiting.append(change)
    for change in waiting:  # what refers to vaults comes after all of them
        _OTHERS[change.kind](reading, change)
    complete = root.get("complete")
    errored = root.get("errored")
    if (complete is not None and complete.value is False) or (errored is not None and errored.value is True):
        reading.undecided.append(Undecided(Position(file, 1, 1), "the plan is not complete: it says so itself"))
    return FileDeclarations(
        files=(file,),
        language=Language.TERRAFORM_PLAN,
        vaults=tuple(reading.vaults),
        policies=tuple(reading.policies),
        role_assignments=tuple(reading.role_assignments),
        secrets=tuple(reading.secrets),
        undecided=tuple(reading.undecided),
    )


@dataclass(frozen=True, slots=True)
class _Change:
    kind: str
    address: str
    position: Position
    after: Mapping[str, Any]

    def value(self, name: str) -> Any:
        return self.after.get(name)


@dataclass(slots=True)
class _Reading:
    file: str
    configuration: PlanConfiguration
    vaults: list[VaultDeclaration] = field(default_factory=list)
    policies: list[PoliciesDeclaration] = field(default_factory=list)
    role_assignments: list[RoleAssignmentDeclaration] = field(default_factory=list)
    secrets: list[SecretDeclaration] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    by_id: dict[str, str] = field(default_factory=dict)

    def change(self, node: Node) -> _Change | None:
        """One element of `resource_changes`, or None where it is nothing that concerns vaults."""
        kind, address, mode = (_text(node, name) for name in ("type", "address", "mode"))
        if (kind not in _VAULTS and kind not in _OTHERS) or address is None or mode == "data":
            return None
        change = node.get("change")
        actions = change.get("actions") if change is not None else None
        if change is None or (actions is not None and actions.plain() in (["delete"], ["forget"])):
            return None
        after, unknown = change.get("after"), change.get("after_unknown")
        merged = _merged(after.plain() if after else None, unknown.plain() if unknown else None, address)
        if not isinstance(merged, dict):
            self.undecided.append(Undecided(node.at(self.file), f"{address}: the plan holds no values of it"))
            return None
        return _Change(kind, address, node.at(self.file), merged)

    def vault_of(self, change: _Change, argument: str) -> str | None:
        """The identity of the vault that an argument means: by its resource ID, else by what the configuration refers to."""
        value = change.value(argument)
        if isinstance(value, str):
            return self.by_id.get("/".join(value.casefold().split("/")[:_VAULT_SEGMENTS]))
        known = {vault.identity for vault in self.vaults}
        for target in self.configuration.targets(change.address, argument):
            folded = target.casefold()
            if folded in known:
                return folded
            instances = [name for name in known if without_index(name) == without_index(folded)]
            if len(instances) == 1:
                return instances[0]
        return None


def _merged(after: Any, unknown: Any, address: str) -> Any:
    """Planned values with `Unknown` where the plan says that a value is known only after the apply."""
    if unknown is True:
        return Unknown(f"known only after apply: {address}")
    if isinstance(unknown, dict) and (isinstance(after, dict) or after is None):
        members = dict(after or {})
        for name, inner in unknown.items():
            found = _merged(members.get(name), inner, f"{address}.{name}")
            if found is not None or name in members:
                members[name] = found
        return members if members or after is not None else None
    if isinstance(unknown, list) and isinstance(after, list):
        return [
            _merged(item, unknown[at] if at < len(unknown) else None, f"{address}[{at}]")
            for at, item in enumerate(after)
        ]
    return after


def _azurerm(reading: _Reading, change: _Change) -> None:
    properties = {azure: change.value(name) for name, azure in VAULT_PROPERTIES.items()}
    public = change.value("public_network_access_enabled")
    if public is not None:
        properties["publicNetworkAccess"] = public if isinstance(public, Unknown) else _enabled(public)
    acls = change.value("network_acls")
    if isinstance(acls, Unknown):
        properties["networkAcls"] = acls
    elif isinstance(acls, list) and acls and isinstance(acls[0], dict):
        properties["networkAcls"] = {
            "defaultAction": acls[0].get("default_action"),
            "bypass": acls[0].get("bypass"),
            "ipRules": acls[0].get("ip_rules") or [],
            "virtualNetworkRules": acls[0].get("virtual_network_subnet_ids") or [],
        }
    group = change.value("resource_group_name")
    _add_vault(
        reading,
        VaultDeclaration(
            language=Language.TERRAFORM_PLAN,
            address=change.address,
            identity=change.address.casefold(),
            position=change.position,
            name=text_or_unknown(change.value("name"), "the name"),
            provider_version=reading.configuration.azurerm,
            rbac=_flag(reading, change),
            rbac_at=change.position,
            access_policies=_inline(reading, change),
            properties={name: value for name, value in properties.items() if value is not None},
            resource_group=group if isinstance(group, str | Unknown) else None,
        ),
        change,
    )


def _add_vault(reading: _Reading, vault: VaultDeclaration, change: _Change) -> None:
    reading.vaults.append(vault)
    resource_id = change.value("id")
    if isinstance(resource_id, str):
        reading.by_id[resource_id.casefold()] = vault.identity


def _flag(reading: _Reading, change: _Change) -> bool | Unknown | None:
    """What the configuration says. A value that it does not set is the provider's, not somebody's decision."""
    written = reading.configuration.written(change.address)
    for name in _FLAGS:
        value = change.value(name)
        if value is not None and (written is None or name in written):
            return value if isinstance(value, bool | Unknown) else Unknown(f"{name} is no bool")
    return None


def _inline(reading: _Reading, change: _Change) -> Any:
    """Entries of `access_policy`; the attribute is computed, so unknown where no block is written means none."""
    listed = change.value("access_policy")
    written = reading.configuration.written(change.address)
    if isinstance(listed, Unknown) and written is not None and "access_policy" not in written:
        return None
    if listed is None or isinstance(listed, Unknown):
        return listed
    if not isinstance(listed, list):
        return Unknown("access_policy is no list")
    return tuple(policy_entry(item.get if isinstance(item, dict) else lambda _: None) for item in listed)


def _azapi(reading: _Reading, change: _Change) -> None:
    kind = change.value("type")
    if not isinstance(kind, str):
        return
    resource, _, version = kind.partition("@")
    if resource.casefold() != _VAULT_TYPE:
        return
    body = _body(change.value("body"))
    properties = body.get("properties") if isinstance(body, dict) else body
    missing = properties if isinstance(properties, Unknown) else None
    named: Mapping[str, Any] = properties if isinstance(properties, dict) else {}
    flag = missing or named.get("enableRbacAuthorization")
    settled = flag is None or isinstance(flag, bool | Unknown)
    _add_vault(
        reading,
        VaultDeclaration(
            language=Language.TERRAFORM_PLAN,
            address=change.address,
            identity=change.address.casefold(),
            position=change.position,
            name=text_or_unknown(change.value("name"), "the name"),
            api_version=version or Unknown("the type names no api-version"),
            rbac=flag if settled else Unknown("enableRbacAuthorization is no bool"),
            rbac_at=change.position,
            access_policies=missing or policy_entries(named.get("accessPolicies")),
            properties=dict(named),
        ),
        change,
    )


def _body(body: Any) -> Any:
    """The body of `azapi_resource`: an object, or the text of one in azapi 1."""
    if not isinstance(body, str):
        return body
    try:
        return parse_json(body, "body").root.plain()
    except JsonSourceError as problem:
        return Unknown(f"the body is no JSON ({problem.message[:80]})")


def _policy(reading: _Reading, change: _Change) -> None:
    vault = change.value("key_vault_id")
    shown = vault.rpartition("/")[2] if isinstance(vault, str) else Unknown("the vault is another resource's")
    identity = reading.vault_of(change, "key_vault_id")
    reading.policies.append(
        PoliciesDeclaration(
            language=Language.TERRAFORM_PLAN,
            address=change.address,
            position=change.position,
            vault_identity=identity,
            vault_name=shown,
            mode="add",
            entries=(policy_entry(change.value),),
        )
    )


def _role(reading: _Reading, change: _Change) -> None:
    role, written = change.value("role_definition_name"), change.value("role_definition_id")
    if not isinstance(role, str):
        guids = _GUID.findall(written.casefold()) if isinstance(written, str) else []
        role = guids[-1] if guids else written if isinstance(written, Unknown) else role
    kind, condition = change.value("principal_type"), change.value("condition")
    reading.role_assignments.append(
        RoleAssignmentDeclaration(
            language=Language.TERRAFORM_PLAN,
            address=change.address,
            position=change.position,
            scope=text_or_unknown(change.value("scope"), "scope"),
            scope_identity=reading.vault_of(change, "scope"),
            role=text_or_unknown(role, "the role"),
            principal_id=text_or_unknown(change.value("principal_id"), "principal_id"),
            principal_type=None if kind is None else text_or_unknown(kind, "principal_type"),
            condition=None if condition is None else text_or_unknown(condition, "condition"),
        )
    )


def _secret(reading: _Reading, change: _Change) -> None:
    reading.secrets.append(
        SecretDeclaration(
            language=Language.TERRAFORM_PLAN,
            address=change.address,
            position=change.position,
            vault_identity=reading.vault_of(change, "key_vault_id"),
            name=text_or_unknown(change.value("name"), "the name"),
            is_plain=reading.configuration.is_constant(change.address, "value"),
        )
    )


_VAULTS: dict[str, Callable[[_Reading, _Change], None]] = {"azurerm_key_vault": _azurerm, "azapi_resource": _azapi}
_OTHERS: dict[str, Callable[[_Reading, _Change], None]] = {
    "azurerm_key_vault_access_policy": _policy,
    "azurerm_role_assignment": _role,
    "azurerm_key_vault_secret": _secret,
}


def _enabled(value: Any) -> str:
    return "Enabled" if value is True else "Disabled"


def _text(node: Node, name: str) -> str | None:
    member = node.get(name)
    return member.text() if member is not None else None
