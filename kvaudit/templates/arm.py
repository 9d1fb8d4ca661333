"""ARM templates in JSON: the vaults, access policies, role assignments, secrets and outputs that they declare."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kvaudit.sources.json_source import parse_json
from kvaudit.sources.located import Node
from kvaudit.templates.arm_evaluation import DeploymentPlace
from kvaudit.templates.arm_expressions import is_expression
from kvaudit.templates.arm_resources import ArmResource, Template, find_resources
from kvaudit.templates.declarations import (
    FileDeclarations,
    Language,
    OtherResource,
    OutputDeclaration,
    PoliciesDeclaration,
    PolicyDeclaration,
    RoleAssignmentDeclaration,
    SecretDeclaration,
    SecureValue,
    Undecided,
    VaultDeclaration,
)
from kvaudit.templates.plain_secrets import (
    is_placeholder,
    is_plain_text,
    outputs_that_show,
    secure_defaults,
    secure_parameters,
)
from kvaudit.templates.unknown import Unknown, unknown_in

VAULT = "microsoft.keyvault/vaults"
MOST_RESOURCES = 10_000
"""Resources of one template, loops and inner templates counted. Resource Manager itself takes 800 in a template."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = re.compile(r"\b(parameter|variable)s\(\s*'([^']+)'", re.IGNORECASE)
_NO_NODE = Node({}, 0, 0)


def is_template(root: Node) -> bool:
    """Whether a JSON document is an ARM template: its schema says so, or it has resources in the shape of one."""
    schema = root.get("$schema")
    text = (schema.text() or "").casefold() if schema else ""
    return "deploymenttemplate.json" in text and root.get("resources") is not None


def is_parameters(root: Node) -> bool:
    """Whether a JSON document is a file of parameter values."""
    schema = root.get("$schema")
    text = (schema.text() or "").casefold() if schema else ""
    return "deploymentparameters.json" in text or "parametersfile.json" in text


def parameter_values(root: Node) -> dict[str, Any]:
    """Values of a parameter file by name. A value that stands in a vault (`reference`) is unknown.

    null gives nothing: it stands where somebody is to fill in a value, and a parameter that takes null has it anyway.
    """
    values: dict[str, Any] = {}
    for name, item in (root.get("parameters") or _NO_NODE).items():
        value = item.get("value")
        if value is not None and is_placeholder(value.value):
            values[name] = Unknown(f"parameter {name}: its file holds a mark that is replaced before the deployment")
        elif value is not None and value.value is not None:
            values[name] = value.plain()
        elif item.get("reference") is not None:
            values[name] = Unknown(f"parameter {name} is read from a vault during the deployment")
    return values


def read_arm(
    text: str,
    file: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    place: DeploymentPlace | None = None,
    language: Language = Language.ARM,
) -> FileDeclarations:
    """What a template declares.

    Args:
        text: of the file.
        file: its name, for places.
        parameters: values by name, as `parameter_values` gives them.
        place: where it would be deployed.
        language: `BICEP` when the compiler made the template of a Bicep file.

    Raises:
        JsonSourceError: the text is no JSON.
    """
    root = parse_json(text, file).root
    found = read_template(root, file, parameters=parameters, place=place, language=language)
    return replace(found, lines={file: tuple(text.split("\n"))})


def read_template(
    root: Node,
    file: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    place: DeploymentPlace | None = None,
    language: Language = Language.ARM,
) -> FileDeclarations:
    """What a template that was read, or made of another language, declares. Arguments as `read_arm`."""
    reading = _Reading(file, language)
    reading.read(Template(root, dict(parameters or {}), place or DeploymentPlace()))
    return FileDeclarations(
        files=(file,),
        language=language,
        vaults=tuple(reading.vaults),
        policies=tuple(reading.policies),
        role_assignments=tuple(reading.roles),
        secrets=tuple(reading.secrets),
        others=tuple(reading.others),
        outputs=tuple(reading.outputs),
        secure_values=tuple(reading.secure_values),
        secure_parameters=secure_parameters(root),
        undecided=tuple(reading.undecided),
    )


@dataclass(slots=True)
class _Reading:
    file: str
    language: Language
    vaults: list[VaultDeclaration] = field(default_factory=list)
    policies: list[PoliciesDeclaration] = field(default_factory=list)
    roles: list[RoleAssignmentDeclaration] = field(default_factory=list)
    secrets: list[SecretDeclaration] = field(default_factory=list)
    others: list[OtherResource] = field(default_factory=list)
    outputs: list[OutputDeclaration] = field(default_factory=list)
    secure_values: list[SecureValue] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)

    def read(self, template: Template) -> None:
        for number, item in enumerate(find_resources(template)):
            if number >= MOST_RESOURCES:
                reason = f"more than {MOST_RESOURCES} resources: the rest was not looked into"
                self.undecided.append(Undecided(template.root.at(self.file), reason))
                break
            if isinstance(item, Undecided):
                at = item.position if item.position.file else item.position.in_file(self.file)
                self.undecided.append(Undecided(at, item.reason))
            elif item.is_existing:
                self._other(item)
            else:
                self._resource(item)
        self.outputs.extend(outputs_that_show(template.root, self.file, self.language))
        self.secure_values.extend(secure_defaults(template.root, self.file, self.language))

    def _resource(self, item: ArmResource) -> None:
        kind = item.type
        if kind == VAULT:
            self.vaults.append(self._vault(item))
        elif kind == f"{VAULT}/accesspolicies":
            self.policies.append(self._policies(item))
        elif kind == f"{VAULT}/secrets":
            self.secrets.append(self._secret(item))
        elif kind.endswith(("microsoft.authorization/roleassignments", "/providers/roleassignments")):
            self.roles.append(self._role(item))
        else:
            self._other(item)

    def _other(self, item: ArmResource) -> None:
        provider, _, kind = item.type.partition("/")
        if provider == "microsoft.keyvault" and "/providers/" not in kind and item.api_version is not None:
            at = item.node.at(item.file or self.file)
            self.others.append(OtherResource(self.language, item.address, at, _version(item), item.is_existing))

    def _vault(self, item: ArmResource) -> VaultDeclaration:
        evaluator = item.evaluator
        evaluator.assumed.clear()
        properties = evaluator.value(item.node.get("properties") or _NO_NODE)
        flag_node = (item.node.get("properties") or _NO_NODE).get("enableRbacAuthorization")
        evaluator.assumed.clear()
        rbac = _boolean(evaluator.value(flag_node)) if not isinstance(properties, Unknown) else properties
        if flag_node is None and isinstance(properties, dict):
            rbac = _boolean(_folded(properties).get("enablerbacauthorization"))
        assumed = tuple(sorted(evaluator.assumed))
        at = item.node.at(item.file or self.file)
        named = _folded(properties) if isinstance(properties, dict) else {}
        entries = named.pop("accesspolicies", None)
        return VaultDeclaration(
            language=self.language,
            address=item.address,
            identity=item.identity,
            position=at,
            name=_text(item.name),
            api_version=_version(item),
            rbac=rbac,
            rbac_at=flag_node.at(item.file or self.file) if flag_node else at,
            access_policies=policy_entries(entries),
            properties=_spelled(properties) if isinstance(properties, dict) else {},
            assumed=assumed,
            condition=item.condition,
            subscription_id=item.place.subscription_id,
            resource_group=item.place.resource_group,
        )

    def _policies(self, item: ArmResource) -> PoliciesDeclaration:
        properties = item.evaluator.value(item.node.get("properties"))
        vault, _, mode = item.name.rpartition("/") if isinstance(item.name, str) else (item.name, "", "add")
        entries = (
            policy_entries(_folded(properties).get("accesspolicies")) if isinstance(properties, dict) else properties
        )
        return PoliciesDeclaration(
            language=self.language,
            address=item.address,
            position=item.node.at(item.file or self.file),
            vault_identity=item.parent_identity,
            vault_name=vault,
            mode=mode.casefold() or "add",
            entries=() if entries is None else entries,
            api_version=_version(item),
            deployed_if=item.condition,
        )

    def _secret(self, item: ArmResource) -> SecretDeclaration:
        value = (item.node.get("properties") or _NO_NODE).get("value")
        name = item.name.rpartition("/")[2] if isinstance(item.name, str) else item.name
        item.evaluator.assumed.clear()
        plain = is_plain_text(item.evaluator.value(value))
        written = value.text() if value is not None else None
        return SecretDeclaration(
            self.language,
            item.address,
            item.node.at(item.file or self.file),
            item.parent_identity,
            name,
            is_plain=plain,
            api_version=_version(item),
            made_of=_made_of(item, written) if plain else (),
        )

    def _role(self, item: ArmResource) -> RoleAssignmentDeclaration:
        properties = item.evaluator.value(item.node.get("properties"))
        named = _folded(properties) if isinstance(properties, dict) else {}
        missing = properties if isinstance(properties, Unknown) else Unknown("the property is left out")
        return RoleAssignmentDeclaration(
            language=self.language,
            address=item.address,
            position=item.node.at(item.file or self.file),
            scope=item.scope,
            scope_identity=item.scope_identity,
            role=_role(item, named.get("roledefinitionid", missing)),
            principal_id=_text(named.get("principalid", missing)),
            principal_type=_text(named["principaltype"]) if named.get("principaltype") is not None else None,
            condition=_text(named["condition"]) if named.get("condition") is not None else None,
            deployed_if=item.condition,
        )


def _made_of(item: ArmResource, written: str | None) -> tuple[str, ...]:
    """What decided a value: the parameters whose defaults were taken, else what its expression names."""
    if written is None or not is_expression(written):
        return ()
    named = (f"{kind} {name}" for kind, name in _NAMED.findall(written))
    return tuple(f"parameter {name}" for name in sorted(item.evaluator.assumed)) or tuple(dict.fromkeys(named))


def _version(item: ArmResource) -> str | Unknown:
    if item.api_version is None:
        return Unknown("the resource names no api-version, which Resource Manager refuses")
    return _text(item.api_version)


def _role(item: ArmResource, value: Any) -> str | Unknown:
    """The role. Its GUID decides, also where the subscription before it is not known."""
    found = role_of(value)
    if isinstance(found, Unknown):
        symbolic = item.symbolic.value(item.node.get("properties"))
        by_symbol = role_of(_folded(symbolic).get("roledefinitionid")) if isinstance(symbolic, dict) else found
        found = found if isinstance(by_symbol, Unknown) else by_symbol
    return found


def role_of(value: Any) -> str | Unknown:
    """The folded GUID at the end of a role definition's ID."""
    if not isinstance(value, str):
        return value if isinstance(value, Unknown) else Unknown("the role is no text")
    found = _GUID.findall(value.casefold())
    return found[-1] if found else Unknown(f"{value[:80]} names no role by its GUID")


def _folded(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name.casefold(): item for name, item in value.items()}


_SPELLED = {
    name.casefold(): name
    for name in (
        *(
            "enableSoftDelete",
            "softDeleteRetentionInDays",
            "enablePurgeProtection",
            "publicNetworkAccess",
            "networkAcls",
        ),
        *("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment", "createMode", "tenantId"),
        *("sku", "enableRbacAuthorization", "provisioningState", "vaultUri"),
    )
}


def _spelled(value: Mapping[str, Any]) -> dict[str, Any]:
    """Properties under the names that Azure gives them."""
    return {_SPELLED.get(name.casefold(), name): item for name, item in value.items()}


def _boolean(value: Any) -> bool | Unknown | None:
    if value is None or isinstance(value, bool | Unknown):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    return Unknown(f"enableRbacAuthorization is {str(value)[:40]!r}, which is neither true nor false")


def _text(value: Any) -> str | Unknown:
    if isinstance(value, str | Unknown):
        return value
    return Unknown(f"{str(value)[:60]!r} is no text")


def policy_entries(value: Any) -> tuple[PolicyDeclaration, ...] | Unknown | None:
    """The entries of a list of access policies as Resource Manager takes it: plain values, or unknown inside."""
    if value is None or isinstance(value, Unknown):
        return value
    if not isinstance(value, list):
        return Unknown("the list of access policies is no list")
    return tuple(_entry(item) for item in value)


def _entry(value: Any) -> PolicyDeclaration:
    if not isinstance(value, dict):
        reason = value if isinstance(value, Unknown) else Unknown("an entry of the access policies is no object")
        return PolicyDeclaration(object_id=reason)
    named = _folded(value)
    granted = named.get("permissions")
    permissions: dict[str, tuple[str, ...] | Unknown] = {}
    if isinstance(granted, dict):
        for kind, names in _folded(granted).items():
            missing = unknown_in(names)
            if missing is None and isinstance(names, list):
                permissions[kind] = tuple(str(name) for name in names)
            elif names is not None:
                permissions[kind] = missing or Unknown(f"permissions.{kind} is no list")
    elif isinstance(granted, Unknown):
        permissions = dict.fromkeys(("secrets", "keys", "certificates"), granted)
    absent = Unknown("objectId is left out")
    return PolicyDeclaration(
        object_id=_text(named.get("objectid", absent)),
        tenant_id=_text(named["tenantid"]) if "tenantid" in named else None,
        application_id=_text(named["applicationid"]) if named.get("applicationid") is not None else None,
        permissions=permissions,
    )
