"""What the calls of scripts say: options by any of their names, the vault that they mean, the model that they make."""

import re

from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.versions import numbers

CLI_DEFAULT = "2.61.0"
"""From this azure-cli on `az keyvault create` makes a vault with Azure RBAC (facts azure.md 1.3)."""

MODULE_DEFAULT = "12.0.0"
"""From this Az on, with Az.KeyVault 6.0.0, `New-AzKeyVault` makes a vault with Azure RBAC (facts azure.md 1.3)."""

SHORTEST_PREFIX = 8
"""Signs of an option's name that are taken for the whole: both command lines complete names."""

_CREATES = {("az", "keyvault create"), ("powershell", "new-azkeyvault")}


def option(call: ScriptCall, *names: str) -> str | None:
    """The value of an option by one of its names; "" for a switch, None where it is not given."""
    for written, value in call.options.items():
        for name in names:
            if written == name or (len(written) >= SHORTEST_PREFIX and name.startswith(written)):
                return value or ""
    return None


def creates_vault(call: ScriptCall) -> bool:
    """Whether a call makes a vault; the same command makes managed HSMs, which always have roles of their own."""
    return (call.tool, call.command) in _CREATES and option(call, "hsm-name") is None


def subject_of(call: ScriptCall) -> str:
    """What people call it: the command, and the vault as it is written."""
    command = f"az {call.command}" if call.tool == "az" else call.command
    name = vault_of(call)
    return f"{command} {name}" if name else command


def vault_of(call: ScriptCall) -> str | None:
    """The vault's name as it is written, a variable too; None where none is."""
    return option(call, "name", "n", "vaultname", "vault-name") or None


def states_rbac(call: ScriptCall) -> bool | str | None:
    """What a call that makes a vault says: True, False, a text that cannot be decided, or None for nothing."""
    if call.tool == "az":
        value = option(call, "enable-rbac-authorization")
        return True if value == "" else _decided(value)
    if (value := option(call, "enablerbacauthorization")) is not None:
        return True if value == "" else _decided(value)
    value = option(call, "disablerbacauthorization")
    found = True if value == "" else _decided(value)
    return not found if isinstance(found, bool) else found


def _decided(value: str | None) -> bool | str | None:
    """Variables of a script are not decided; `$true` and `$false` are PowerShell's constants."""
    folded = (value or "").strip("$").casefold()
    if folded in ("true", "false"):
        return folded == "true"
    return value


def default_is_rbac(call: ScriptCall) -> bool | None:
    """The model of a vault made without the flag by the version that the pipeline pins; None where none is pinned."""
    if call.tool_version is None:
        return None
    return numbers(call.tool_version) >= numbers(CLI_DEFAULT if call.tool == "az" else MODULE_DEFAULT)


_VERSION = re.compile(r"api-version=([^&\s'\"]+)", re.IGNORECASE)
_TARGETS = (
    "url",
    "uri",
    "u",
    "path",
    "ids",
    "id",
    "resource-type",
    "resourceid",
    "resourcetype",
    "resourceprovidername",
    "namespace",
)
_VERSIONED = frozenset(
    {
        "rest",
        "resource create",
        "resource update",
        "invoke-azrestmethod",
        "invoke-azrest",
        "new-azresource",
        "set-azresource",
    }
)


def control_plane_version(call: ScriptCall) -> str | None:
    """The api-version that a call asks of Key Vault's control plane, as written; None where it asks none.

    Calls of other providers, and of a vault's data plane, whose versions do not retire, are none.
    """
    if call.command not in _VERSIONED:
        return None
    target = " ".join(value for name in _TARGETS if (value := option(call, name)))
    if "microsoft.keyvault" not in target.casefold():
        return None
    found = _VERSION.search(target)
    return found[1] if found else option(call, "api-version", "apiversion")
