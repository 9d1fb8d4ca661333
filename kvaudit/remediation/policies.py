"""Entries in the access policies of a vault."""

from kvaudit.remediation import quoting
from kvaudit.remediation.fix import Fix, PolicyEntry
from kvaudit.remediation.places import existing_vault, place, target

_OPTION = {"secrets": "secret-permissions", "keys": "key-permissions", "certificates": "certificate-permissions"}
_ARGUMENT = {"secrets": "secret_permissions", "keys": "key_permissions", "certificates": "certificate_permissions"}

_PARTS = ("rotation", "policy", "issuers", "contacts", "key")
"""Parts of compound permission names that Terraform spells with a capital: `GetRotationPolicy`, `UnwrapKey`."""


def grant_policy(entry: PolicyEntry) -> Fix:
    """Makes one principal's entry hold these permissions.

    The CLI replaces the names of each kind that is given; Resource Manager's `add` and Terraform's resource leave
    other principals alone.
    """
    at = place(entry.vault_id)
    kinds = {kind: names for kind, names in entry.permissions.items() if names}
    words = ", ".join(f"{kind}/{name}" for kind, names in kinds.items() for name in names)
    options = {"name": at.vault or ""}
    if at.group and at.subscription:
        options |= {"resource_group": at.group, "subscription": at.subscription}
    options["object_id"] = entry.object_id
    if entry.application_id:
        options["application_id"] = entry.application_id
    line = [quoting.shell_command("az", "keyvault", "set-policy", **options)]
    line += [quoting.shell(f"--{_OPTION[kind]}", *names) for kind, names in kinds.items()]
    return Fix(
        what=f"let the access policy of {entry.object_id} on {at.vault} hold {words}",
        az=" ".join(line),
        bicep=_bicep(entry, kinds),
        terraform=_terraform(entry, kinds),
        notes=(
            "An access policy holds for the whole vault: it cannot be narrowed to one object.",
            "Right after a policy is added, a 403 is possible for a moment: try again.",
        ),
    )


def _bicep(entry: PolicyEntry, kinds: dict[str, tuple[str, ...]]) -> str:
    at = place(entry.vault_id)
    application = f"        applicationId: {quoting.bicep(entry.application_id)}\n" if entry.application_id else ""
    permissions = "".join(
        f"          {kind}: [\n" + "".join(f"            {quoting.bicep(name)}\n" for name in names) + "          ]\n"
        for kind, names in kinds.items()
    )
    return (
        f"{target(at)}\n{existing_vault(at)}\n"
        "resource policy 'Microsoft.KeyVault/vaults/accessPolicies@2026-02-01' = {\n"
        "  parent: vault\n"
        "  name: 'add'\n"
        "  properties: {\n"
        "    accessPolicies: [\n"
        "      {\n"
        f"        tenantId: {quoting.bicep(entry.tenant_id)}\n"
        f"        objectId: {quoting.bicep(entry.object_id)}\n"
        f"{application}"
        "        permissions: {\n"
        f"{permissions}"
        "        }\n"
        "      }\n"
        "    ]\n"
        "  }\n"
        "}\n"
    )


def _terraform(entry: PolicyEntry, kinds: dict[str, tuple[str, ...]]) -> str:
    at = place(entry.vault_id)
    label = quoting.hcl_name(f"{at.vault}_{entry.object_id[:8]}")
    lines = [
        f'resource "azurerm_key_vault_access_policy" "{label}" {{',
        f"  key_vault_id = {quoting.hcl(entry.vault_id)}",
        f"  tenant_id    = {quoting.hcl(entry.tenant_id)}",
        f"  object_id    = {quoting.hcl(entry.object_id)}",
    ]
    if entry.application_id:
        lines.append(f"  application_id = {quoting.hcl(entry.application_id)}")
    for kind, names in kinds.items():
        spelled = ", ".join(quoting.hcl(terraform_name(name)) for name in names)
        lines.append(f"  {_ARGUMENT[kind]} = [{spelled}]")
    return "\n".join([*lines, "}", ""])


def terraform_name(name: str) -> str:
    """A permission as the azurerm provider spells it: `getrotationpolicy` -> `GetRotationPolicy`, `all` stays `All`."""
    rest = name.strip().casefold()
    found = []
    while rest:
        part = next((item for item in _PARTS if rest.endswith(item) and rest != item), None)
        if part is None:
            found.append(rest.capitalize())
            break
        found.append(part.capitalize())
        rest = rest.removesuffix(part)
    return "".join(reversed(found))
