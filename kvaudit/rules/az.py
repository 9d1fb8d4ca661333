"""Commands of the Azure CLI that mend a finding, safe to paste whatever a name holds.

Names and IDs in a snapshot are the tenant's text: every word is quoted for a POSIX shell, and a value that begins with a
dash is bound to its option so that the CLI cannot take it for another option.
"""

import json
import shlex
from functools import lru_cache
from typing import Any

from kvaudit.model.vaults import AccessPolicy, Vault

API_VERSION = "2026-02-01"
"""Control-plane version for `az rest`: older ones retire on 2027-02-27 (facts azure.md 1.2)."""


def command(*words: str, **options: str) -> str:
    """One command: words, then options (`resource_group="rg"` becomes `--resource-group rg`), each quoted."""
    line = list(words)
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        line.extend([f"{option}={value}"] if value.startswith("-") else [option, value])
    return shlex.join(line)


def _vault_options(vault: Vault) -> dict[str, str]:
    options = {"name": vault.name}
    if vault.resource_group:
        options["resource_group"] = vault.resource_group
    if vault.subscription_id:
        options["subscription"] = vault.subscription_id
    return options


def update_vault(vault: Vault, **settings: str) -> str:
    """Changes properties of a vault and leaves the others alone (the CLI reads the vault and writes it back)."""
    return command("az", "keyvault", "update", **_vault_options(vault), **settings)


def delete_policy(vault: Vault, policy: AccessPolicy) -> str:
    """Removes the entry of one principal from a vault that uses access policies."""
    options = {**_vault_options(vault), "object_id": policy.object_id}
    if policy.application_id:
        options["application_id"] = policy.application_id
    return command("az", "keyvault", "delete-policy", **options)


def set_policy(vault: Vault, policy: AccessPolicy, **permissions: tuple[str, ...]) -> str:
    """Replaces the permissions of the named kinds (`secret_permissions=("get", "list")`) in one principal's entry."""
    options = {**_vault_options(vault), "object_id": policy.object_id}
    if policy.application_id:
        options["application_id"] = policy.application_id
    line = [command("az", "keyvault", "set-policy", **options)]
    for name, words in permissions.items():
        line.append(shlex.join([f"--{name.replace('_', '-')}", *words]))
    return " ".join(line)


@lru_cache(maxsize=50_000)  # one assignment at a subscription is told for every vault below it
def delete_role_assignment(assignment_id: str) -> str:
    """Removes one role assignment, everywhere below its scope."""
    return command("az", "role", "assignment", "delete", ids=assignment_id)


def list_role_assignments(scope: str) -> str:
    """Shows who is assigned what at a scope and above it: what to read before a change."""
    return f"{command('az', 'role', 'assignment', 'list', scope=scope)} --include-inherited --output table"


def empty_policies_by_rest(vault: Vault) -> str:
    """Empties the list of access policies of a vault that uses Azure RBAC: the CLI's own commands refuse such a vault."""
    return _put_access_policies(vault, "replace", [])


def remove_policy_by_rest(vault: Vault, policy: AccessPolicy) -> str:
    """Removes one entry from a vault that uses Azure RBAC: all of its permissions, and so the entry."""
    kinds = ("keys", "secrets", "certificates", "storage")
    entry: dict[str, Any] = {
        "tenantId": policy.tenant_id or vault.tenant_id,
        "objectId": policy.object_id,
        "permissions": {kind: list(words) for kind in kinds if (words := getattr(policy, kind)) is not None},
    }
    if policy.application_id:
        entry["applicationId"] = policy.application_id
    return _put_access_policies(vault, "remove", [entry])


def _put_access_policies(vault: Vault, verb: str, entries: list[dict[str, Any]]) -> str:
    # A URL without a host goes to the Resource Manager of the cloud that the CLI is signed in to.
    return command(
        "az",
        "rest",
        method="put",
        url=f"{vault.id}/accessPolicies/{verb}?api-version={API_VERSION}",
        body=json.dumps({"properties": {"accessPolicies": entries}}),
    )
