"""A vault is declared open to every network

Whoever holds a token reaches it from anywhere; only identity protects what it keeps.

## Why it matters

`publicNetworkAccess` is enabled when it is left out, and the firewall lets everybody in when `networkAcls` is left out or its
`defaultAction` is `Allow`.

## How to fix it

Disable public network access and use a private endpoint, or set `networkAcls.defaultAction` to `Deny` and name the networks
(Terraform: `public_network_access_enabled = false`, or `default_action = "Deny"` in `network_acls`).

## References

- [Network security of Key Vault](https://learn.microsoft.com/azure/key-vault/general/network-security)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.properties import judge_property, setting, spelled
from kvaudit.templates.declarations import VaultDeclaration
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared vault."""
    for declared in project.declarations:
        for vault in declared.vaults:
            yield judge_property(vault, "publicNetworkAccess", _public)


def _public(vault: VaultDeclaration, value: object) -> FileJudgement:
    if str(value).casefold() in ("disabled", "securedbyperimeter"):
        return passes(vault.address, vault.position)
    return judge_property(vault, "networkAcls", _firewall)


def _firewall(vault: VaultDeclaration, value: object) -> FileJudgement:
    action = value.get("defaultAction") if isinstance(value, dict) else None
    if isinstance(action, Unknown):
        return unknown(
            vault.address,
            vault.position,
            f"{spelled(vault, 'networkAcls.defaultAction')} is not decided: {action.reason}",
        )
    if str(action).casefold() == "deny":
        return passes(vault.address, vault.position)
    if vault.module is not None:
        return unknown(vault.address, vault.position, f"the module {vault.module} decides")
    rules, default = spelled(vault, "networkAcls"), spelled(vault, "networkAcls.defaultAction")
    why = f"{rules} is left out" if action is None else f"{default} lets every address in"
    closed = setting(vault, "publicNetworkAccess", "Disabled")
    return fails(
        vault.address,
        vault.position,
        f"public network access is on, and {why}",
        f"set {closed}, or {default} to Deny",
    )


RULE = FileRule(
    id="public-network-declared-open",
    title="A vault is declared open to every network",
    severity=Severity.MEDIUM,
    controls=("kv-public-network",),
    check=check,
)
