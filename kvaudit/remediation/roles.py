"""Role assignments, and custom roles where no built-in one fits."""

import json

from kvaudit.model.authorization import Permission
from kvaudit.remediation import quoting
from kvaudit.remediation.fix import Fix, RoleGrant
from kvaudit.remediation.places import Place, existing_vault, place, target

_PROPAGATION = "Azure may take up to 10 minutes to apply a role assignment; a group member needs a new token."
"""facts azure.md 1.9."""


def assign_role(grant: RoleGrant) -> Fix:
    """Gives a role at a scope."""
    at = place(grant.scope)
    who = f"{grant.principal_type or 'principal'} {grant.principal_id}"
    notes = [_PROPAGATION]
    if at.kind and at.kind.casefold() == "certificates":
        notes.append("Bicep knows no resource of a certificate to scope to: use the CLI or Terraform for this scope.")
    return Fix(
        what=f"assign {grant.role_name} to {who} at {grant.scope}",
        az=_az(grant),
        bicep=_bicep(grant, at),
        terraform=_terraform(grant, at),
        notes=tuple(notes),
    )


def assign_custom_role(grant: RoleGrant, permission: Permission) -> Fix:
    """Makes a custom role that holds exactly these permissions, assignable no wider than its group, and gives it.

    Args:
        grant: `role_name` names the new role; `role` is not used.
        permission: the single block of the new role.

    Raises:
        ValueError: the scope is not in a subscription: custom roles with data actions cannot be assigned at management
            groups (facts azure.md 1.9).
    """
    at = place(grant.scope)
    if not at.subscription:
        raise ValueError(
            f"a custom role with data actions cannot be assigned at {grant.scope}: choose a subscription or below"
        )
    home = _home(at)
    definition = {
        "Name": grant.role_name,
        "IsCustom": True,
        "Description": "Least privilege, proposed by kvaudit",
        "Actions": list(permission.actions),
        "NotActions": list(permission.not_actions),
        "DataActions": list(permission.data_actions),
        "NotDataActions": list(permission.not_data_actions),
        "AssignableScopes": [home],
    }
    create = quoting.shell_command("az", "role", "definition", "create", role_definition=json.dumps(definition))
    named = RoleGrant(grant.scope, grant.role_name, grant.role_name, grant.principal_id, grant.principal_type)
    return Fix(
        what=f"make the custom role {grant.role_name} and assign it to {grant.principal_id} at {grant.scope}",
        az=f"{create}\n{_az(named)}",
        bicep=_bicep(grant, at, custom=permission),
        terraform=_terraform(grant, at, custom=permission),
        notes=(_PROPAGATION, "A tenant holds at most 5,000 custom roles (2,000 in 21Vianet)."),
    )


def _home(at: Place) -> str:
    """The narrowest scope in which a role for this place can live: its resource group, else its subscription."""
    home = f"/subscriptions/{at.subscription}"
    return f"{home}/resourceGroups/{at.group}" if at.group else home


def _az(grant: RoleGrant) -> str:
    options = {"role": grant.role, "assignee_object_id": grant.principal_id}
    if grant.principal_type:
        options["assignee_principal_type"] = grant.principal_type
    return quoting.shell_command("az", "role", "assignment", "create", **options, scope=grant.scope)


def _bicep(grant: RoleGrant, at: Place, *, custom: Permission | None = None) -> str:
    parts = [target(at)]
    on, line = "resourceGroup().id", ""
    if at.level in ("vault", "object"):
        parts.append(existing_vault(at))
        symbol = "item" if at.object and at.kind in ("secrets", "keys") else "vault"
        on, line = f"{symbol}.id", f"  scope: {symbol}\n"
    elif at.level == "subscription":
        on = "subscription().id"
    elif at.level == "managementGroup":
        on = "managementGroup().id"
    if custom is None:
        role_id = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', {quoting.bicep(grant.role)})"
        if at.level == "managementGroup":
            role_id = f"tenantResourceId('Microsoft.Authorization/roleDefinitions', {quoting.bicep(grant.role)})"
    else:
        home = "resourceGroup().id" if at.group else "subscription().id"
        parts.append(_bicep_role(grant.role_name, home, custom))
        role_id = "role.id"
    kind = f"    principalType: {quoting.bicep(grant.principal_type)}\n" if grant.principal_type else ""
    seed = quoting.bicep(grant.role_name if custom else grant.role)
    parts.append(
        "resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {\n"
        f"  name: guid({on}, {quoting.bicep(grant.principal_id)}, {seed})\n"
        f"{line}"
        "  properties: {\n"
        f"    roleDefinitionId: {role_id} // {quoting.one_line(grant.role_name)}\n"
        f"    principalId: {quoting.bicep(grant.principal_id)}\n"
        f"{kind}"
        "  }\n"
        "}\n"
    )
    return "\n".join(parts)


def _bicep_role(name: str, home: str, permission: Permission) -> str:
    def block(title: str, words: tuple[str, ...]) -> str:
        if not words:
            return f"        {title}: []\n"
        inner = "".join(f"          {quoting.bicep(word)}\n" for word in words)
        return f"        {title}: [\n{inner}        ]\n"

    return (
        "resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {\n"
        f"  name: guid({home}, {quoting.bicep(name)})\n"
        "  properties: {\n"
        f"    roleName: {quoting.bicep(name)}\n"
        "    type: 'CustomRole'\n"
        "    permissions: [\n"
        "      {\n"
        f"{block('actions', permission.actions)}{block('dataActions', permission.data_actions)}"
        "      }\n"
        "    ]\n"
        "    assignableScopes: [\n"
        f"      {home}\n"
        "    ]\n"
        "  }\n"
        "}\n"
    )


def _terraform(grant: RoleGrant, at: Place, *, custom: Permission | None = None) -> str:
    label = quoting.hcl_name(f"{grant.role_name}_{grant.principal_id[:8]}")
    parts = []
    role = (
        f'  role_definition_id = "/providers/Microsoft.Authorization/roleDefinitions/{quoting.hcl(grant.role)[1:-1]}"'
    )
    role += f" # {quoting.one_line(grant.role_name)}"
    if custom is not None:
        name = quoting.hcl_name(grant.role_name)
        parts.append(_terraform_role(name, grant.role_name, _home(at), custom))
        role = f"  role_definition_id = azurerm_role_definition.{name}.role_definition_resource_id"
    kind = f"  principal_type     = {quoting.hcl(grant.principal_type)}\n" if grant.principal_type else ""
    parts.append(
        f'resource "azurerm_role_assignment" "{label}" {{\n'
        f"  scope              = {quoting.hcl(grant.scope)}\n"
        f"{role}\n"
        f"  principal_id       = {quoting.hcl(grant.principal_id)}\n"
        f"{kind}"
        "}\n"
    )
    return "\n".join(parts)


def _terraform_role(label: str, name: str, home: str, permission: Permission) -> str:
    def words(items: tuple[str, ...]) -> str:
        return "[" + ", ".join(quoting.hcl(item) for item in items) + "]"

    return (
        f'resource "azurerm_role_definition" "{label}" {{\n'
        f"  name  = {quoting.hcl(name)}\n"
        f"  scope = {quoting.hcl(home)}\n\n"
        "  permissions {\n"
        f"    actions      = {words(permission.actions)}\n"
        f"    data_actions = {words(permission.data_actions)}\n"
        "  }\n\n"
        f"  assignable_scopes = [{quoting.hcl(home)}]\n"
        "}\n"
    )
