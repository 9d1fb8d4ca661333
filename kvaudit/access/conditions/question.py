"""What a condition is asked about, and the value that each attribute has then.

Key Vault attributes: azure/key-vault/general/rbac-abac (preview, 2026-06). Attributes of role assignments:
azure/role-based-access-control/conditions-authorization-actions-attributes.
"""

from dataclasses import dataclass

from kvaudit.access.conditions.operators import Family
from kvaudit.access.conditions.tree import Attribute, Condition

WRITE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments/write"
DELETE_ASSIGNMENT = "Microsoft.Authorization/roleAssignments/delete"

VAULT_NAME = ("resource", "microsoft.keyvault/vaults:name")
SECRET_NAME = ("resource", "microsoft.keyvault/vaults/secrets:name")
REQUESTED_SECRET_NAME = ("request", "microsoft.keyvault/vaults/secrets:name")
ASSIGNMENT_ATTRIBUTE = "microsoft.authorization/roleassignments:"

READ_METADATA = "microsoft.keyvault/vaults/secrets/readmetadata/action"
_ON_EXISTING = frozenset(
    f"microsoft.keyvault/vaults/secrets/{name}"
    for name in (
        "getsecret/action",
        "readmetadata/action",
        "update/action",
        "rotate/action",
        "delete",
        "backup/action",
        "recover/action",
        "purge/action",
    )
)
_ON_REQUESTED = frozenset(f"microsoft.keyvault/vaults/secrets/{name}/action" for name in ("setsecret", "restore"))
_ON_EITHER = _ON_EXISTING | _ON_REQUESTED
_PRINCIPAL_TYPES = frozenset({"user", "group", "serviceprincipal"})


@dataclass(frozen=True, slots=True)
class Assigned:
    """The role assignment that is being written or deleted; None means that it is left open.

    Attributes:
        role: GUID of the role definition, or None.
        principal_id: object ID of the principal, or None.
        principal_type: `User`, `Group`, `ServicePrincipal`, or None where it is not known.
    """

    role: str | None
    principal_id: str | None = None
    principal_type: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One action on one place.

    Attributes:
        action: the data action or control-plane action that is being performed.
        vault: the vault's name, or None where it is left open.
        secret: the secret's name, or None where the question is about the vault as a whole.
        collection: whether the call asks for a collection (list), which carries no secret name.
        assignment: for `roleAssignments/write` and `delete`.
    """

    action: str
    vault: str | None = None
    secret: str | None = None
    collection: bool = False
    assignment: Assigned | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute's value.

    Attributes:
        caseless: whether the value is a name whose letter case the service or the caller may choose.
    """

    value: str
    family: Family
    caseless: bool


@dataclass(frozen=True, slots=True)
class Absent:
    """The request carries no such attribute, as Microsoft describes it."""

    family: Family


@dataclass(frozen=True, slots=True)
class Open:
    """The attribute has a value that the question leaves open."""

    family: Family


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Whether and how the attribute is filled in is not published, or kvaudit does not read it."""

    reason: str


def resolve(attribute: Attribute, question: Question) -> Known | Absent | Open | Unpublished:
    """The value of an attribute for a question."""
    action = question.action.casefold()
    source, name = attribute.key
    if attribute.key in (VAULT_NAME, SECRET_NAME, REQUESTED_SECRET_NAME):
        return _vault_attribute(attribute.key, action, question)
    if name.startswith(ASSIGNMENT_ATTRIBUTE):
        expected = {"request": WRITE_ASSIGNMENT, "resource": DELETE_ASSIGNMENT}.get(source, "").casefold()
        if action != expected:
            return Unpublished(f"attributes of role assignments with @{source} are not published for this action")
        return _assignment_attribute(name.removeprefix(ASSIGNMENT_ATTRIBUTE), question.assignment or Assigned(None))
    if source in ("principal", "environment"):
        return Unpublished(f"@{source} attributes are not known to kvaudit and not published for Key Vault")
    return Unpublished("it names an attribute that is not published for Key Vault")


def _vault_attribute(key: tuple[str, str], action: str, question: Question) -> Known | Absent | Open | Unpublished:
    if action not in _ON_EITHER:
        return Unpublished("attributes of Key Vault are published for data actions on secrets only")
    if key == VAULT_NAME:
        return _known(question.vault)
    if question.collection:
        # "A secret-name condition on readMetadata makes list fail": published for this attribute and action alone.
        if key == SECRET_NAME and action == READ_METADATA:
            return Absent(Family.STRING)
        return Unpublished("what a call on a collection carries of a secret's name is not published here")
    if action not in (_ON_EXISTING if key == SECRET_NAME else _ON_REQUESTED):
        return Unpublished(f"the secret's name with @{key[0]} is not published for this action")
    return _known(question.secret)


def _known(name: str | None) -> Known | Open:
    return Open(Family.STRING) if name is None else Known(name, Family.STRING, caseless=True)


def _guid(value: str | None) -> Known | Open:
    return Open(Family.GUID) if value is None else Known(value, Family.GUID, caseless=False)


def _assignment_attribute(name: str, assigned: Assigned) -> Known | Open | Unpublished:
    match name:
        case "roledefinitionid":
            return _guid(assigned.role)
        case "principalid":
            return _guid(assigned.principal_id)
        case "principaltype":
            if assigned.principal_type is not None and assigned.principal_type.casefold() not in _PRINCIPAL_TYPES:
                return Unpublished("principal types other than User, Group and ServicePrincipal are not published")
            return _known(assigned.principal_type)
    return Unpublished("it names an attribute of role assignments that is not published")


def depends_on_vault(condition: Condition) -> bool:
    """Whether the vault's name can change what the condition decides."""
    return VAULT_NAME in condition.attributes


def depends_on_secret(condition: Condition) -> bool:
    """Whether the secret's name can change what the condition decides."""
    return not condition.attributes.isdisjoint((SECRET_NAME, REQUESTED_SECRET_NAME))
