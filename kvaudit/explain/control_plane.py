"""The smallest change that gives a caller an action of Resource Manager, at the scope that refused it."""

import re
from dataclasses import replace

from kvaudit.explain.facts import Facts
from kvaudit.model import scopes
from kvaudit.model.authorization import Permission
from kvaudit.model.roles import builtin_roles
from kvaudit.remediation import Fix, RoleGrant, assign_custom_role, assign_role

_ROLES = {
    "microsoft.keyvault/vaults/read": "Reader",
    "microsoft.keyvault/vaults/secrets/read": "Reader",
    "microsoft.keyvault/vaults/keys/read": "Reader",
    "microsoft.keyvault/locations/deletedvaults/read": "Reader",
    "microsoft.keyvault/vaults/write": "Key Vault Contributor",
    "microsoft.keyvault/vaults/delete": "Key Vault Contributor",
    "microsoft.keyvault/vaults/accesspolicies/write": "Key Vault Contributor",
    "microsoft.keyvault/locations/deletedvaults/purge/action": "Key Vault Purge Operator",
    "microsoft.authorization/roleassignments/write": "Role Based Access Control Administrator",
    "microsoft.authorization/roleassignments/delete": "Role Based Access Control Administrator",
}
"""Action -> the built-in role to give for it. Any other action gets a role of its own: broad roles hold it with much else."""

_BEWARE = {
    "Key Vault Contributor": "on vaults with access policies its holder can give itself everything in them",
    "Role Based Access Control Administrator": "its holder can assign itself data roles: narrow it with a condition",
}


def role_for(action: str) -> str | None:
    """Name of the built-in role to give for an action, in any case; None where a custom role is smaller."""
    return _ROLES.get(action.casefold())


_NO_PLACES = re.compile(
    r"/providers/Microsoft\.(?:Authorization|Resources|KeyVault/locations|Insights/diagnosticSettings)/|/accessPolicies/",
    re.IGNORECASE,
)
"""What stands at a place, and is none to assign a role at: assignments, deployments, deleted vaults, settings."""


def _assignable(action: str, scope: str) -> str:
    """Where a role for an action can be assigned: the refused scope, or the place that it stands at."""
    found = _NO_PLACES.search(scope)
    place = scope[: found.start()] if found and found.start() > 0 else scope
    if action.casefold() == "microsoft.keyvault/vaults/write" and scopes.vault_of(scopes.fold(place)):
        return "/".join(place.split("/")[:5])  # the vault may not exist yet: its resource group
    return place


def control_plane_fix(facts: Facts) -> Fix | None:
    """A role for the refused action; None where the error does not name action and scope, or no role can stand there."""
    action, scope = facts.action, facts.resource
    if action is None or scope is None or not scope.startswith("/"):
        return None
    scope = _assignable(action, scope)
    who = facts.caller.object_id or "<object-id-of-the-caller>"
    name = role_for(action)
    if name is None:
        try:
            return assign_custom_role(
                RoleGrant(scope, "", f"kvaudit {action.replace('/', ' ')}"[:120], who), Permission(actions=(action,))
            )
        except ValueError:  # custom roles of this kind do not stand at management groups
            return None
    role = next(item for item in builtin_roles().values() if item.role_name == name)
    fix = assign_role(RoleGrant(scope, role.name, name, who))
    return replace(fix, az=f"{fix.az}\n# {_BEWARE[name]}") if name in _BEWARE else fix
