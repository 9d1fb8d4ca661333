"""The smallest change that gives a caller one operation: a role, or an entry of the access policies."""

import json
from dataclasses import dataclass, replace

from kvaudit.access.smallest_role import smallest_roles
from kvaudit.explain.facts import Facts
from kvaudit.model.permissions import operation
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.remediation import Fix, PolicyEntry, RoleGrant, assign_custom_role, assign_role, grant_policy, quoting

_NOWHERE = "/subscriptions/<subscription>/resourceGroups/<resource-group>"
_NAMED_FOR_NOTHING = " --resource-group '<resource-group>' --subscription '<subscription>'"
"""The CLI finds a vault by its name: what nobody said is left out where it can be."""

_GRANTEES = frozenset({"User", "Group", "ServicePrincipal"})


@dataclass(frozen=True, slots=True)
class Grantee:
    """Who is to get what, where.

    Attributes:
        vault_id: resource ID, with what nobody said in angle brackets.
        tenant_id: of the vault.
        object_id: of the caller.
        type: `User`, `Group` or `ServicePrincipal`, or None where nobody said.
        object: `secrets/NAME` that the call was about, or None.
    """

    vault_id: str
    tenant_id: str
    object_id: str
    type: str | None = None
    object: str | None = None


def grantee_of(facts: Facts) -> Grantee:
    """From the words of an error."""
    resource = facts.resource or ""
    folded = resource.casefold()
    name = facts.vault or "<vault>"
    vault_id = (
        f"/subscriptions/<subscription>/resourceGroups/<resource-group>/providers/Microsoft.KeyVault/vaults/{name}"
    )
    if "/vaults/" in folded:
        at = folded.index("/vaults/") + len("/vaults/")
        vault_id = resource[:at] + resource[at:].partition("/")[0]
    return Grantee(
        vault_id,
        facts.caller.tenant_id or "<tenant-id>",
        facts.caller.object_id or "<object-id-of-the-caller>",
        object=facts.object,
    )


def grantee_in(vault: Vault, object_id: str, kind: str | None, ref: str | None) -> Grantee:
    """From the records.

    Args:
        kind: type of the principal as the directory says, or None.
        ref: `secrets/NAME`, or None.
    """
    return Grantee(vault.id, vault.tenant_id or "<tenant-id>", object_id, kind if kind in _GRANTEES else None, ref)


def role_fix(who: Grantee, word: str) -> Fix:
    """The smallest built-in role for an operation, at the vault; a custom one where none fits."""
    found = smallest_roles([word], roles=builtin_roles())
    if found.best is None or found.best.caveats:
        name = f"kvaudit {word.replace('/', ' ')}"
        return assign_custom_role(RoleGrant(who.vault_id, "", name, who.object_id, who.type), found.custom)
    role = found.best.roles[0]
    fix = assign_role(RoleGrant(who.vault_id, role.name, role.role_name, who.object_id, who.type))
    asked = operation(word)
    if (
        who.object is None
        or asked.vault_only
        or not who.object.startswith(f"{asked.kind}/")
        or not word.endswith("/get")
    ):
        return fix
    narrower = quoting.one_line(
        f"narrower: the same with --scope …/{who.object} gives this one object only, and no list"
    )
    return replace(fix, az=f"{fix.az}\n# {narrower}")


def policy_fix(who: Grantee, word: str, *, present: AccessPolicy | None = None, known: bool = False) -> Fix:
    """An entry of the access policies for an operation.

    `az keyvault set-policy` replaces all permissions of a kind that it names: those which the entry holds already must
    stand in the command.

    Args:
        present: the entry of the caller, or None where it has none.
        known: whether the records say so; without them the text says how to read the entry first.
    """
    kind, _, _ = word.partition("/")
    name = operation(word).policy_words[0].partition("/")[2]
    held = tuple((getattr(present, kind) if present else None) or ())
    names = held if name.casefold() in {one.casefold() for one in held} else (*held, name)
    fix = grant_policy(PolicyEntry(who.vault_id, who.tenant_id, who.object_id, {kind: names}))
    terraform = (
        "# an entry that exists already belongs to another resource, or must be imported: keep all its permissions\n"
    )
    if known:
        return replace(fix, terraform=f"{terraform}{fix.terraform}") if present else fix
    query = f"properties.accessPolicies[?objectId==`{json.dumps(who.object_id)}`].permissions.{kind}"
    read = quoting.shell_command("az", "keyvault", "show", name=who.vault_id.rpartition("/")[2], query=query)
    warning = (
        f"# set-policy REPLACES all {kind} permissions of this caller. First read those that the entry has:\n"
        f"{read}\n"
        f"# then name them all, beside {name}:\n"
    )
    return replace(
        fix, az=f"{warning}{fix.az.replace(_NAMED_FOR_NOTHING, '')}", terraform=f"{terraform}{fix.terraform}"
    )


def fix_in(vault: Vault, who: Grantee, word: str) -> Fix | None:
    """The change that the records call for: in the model that the vault uses. None where that is not known."""
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return role_fix(who, word)
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        # An entry of another tenant grants nothing, and the CLI makes a new one beside it.
        present = [
            entry
            for entry in vault.access_policies or ()
            if entry.object_id == who.object_id.casefold()
            and entry.application_id is None
            and entry.tenant_id == who.tenant_id.casefold()
        ]
        return policy_fix(who, word, present=present[0] if present else None, known=vault.access_policies is not None)
    return None
