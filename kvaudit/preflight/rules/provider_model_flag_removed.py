"""Terraform's old name of the model flag, or none at all, will be refused

azurerm 5.0 (2026-07-27) removed `enable_rbac_authorization` and requires `rbac_authorization_enabled`.

## Why it matters

With azurerm 5.0 the plan fails until every vault says its model under the new name. Before, a vault that left the flag out
used access policies, silently.

## How to fix it

Write `rbac_authorization_enabled` with the value that the vault has today. The new name works from azurerm 4.42.0 on.

## References

- [azurerm 5.0 upgrade guide](https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/guides/5.0-upgrade-guide)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes
from kvaudit.preflight.properties import RENAMED_IN, knows_new_name
from kvaudit.templates.declarations import FileDeclarations, Language, VaultDeclaration
from kvaudit.templates.model_on_create import lowest_major
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per `azurerm_key_vault` resource."""
    for declared in project.declarations:
        for vault in declared.vaults:
            if declared.language is Language.TERRAFORM and vault.api_version is None and vault.module is None:
                yield _judged(vault, declared)


def _judged(vault: VaultDeclaration, declared: FileDeclarations) -> FileJudgement:
    at = vault.rbac_at or vault.position
    floor = lowest_major(vault.provider_version)
    refused = floor is not None and floor >= 5
    severity = Severity.HIGH if refused else Severity.LOW
    when = f"azurerm {vault.provider_version} refuses" if refused else "azurerm 5.0 refuses"
    first = "" if knows_new_name(vault) else f"let in azurerm {RENAMED_IN} or newer, then "
    if vault.rbac is None:
        message = f"{when} a vault without rbac_authorization_enabled"
        return fails(vault.address, at, message, f"{first}write rbac_authorization_enabled", severity=severity)
    lines = declared.lines.get(at.file, ())
    written = lines[at.line - 1] if 0 < at.line <= len(lines) else ""
    if "enable_rbac_authorization" in written:
        return fails(
            vault.address,
            at,
            f"{when} enable_rbac_authorization, which is rbac_authorization_enabled from {RENAMED_IN} on",
            f"{first}rename it to rbac_authorization_enabled",
            severity=severity,
        )
    return passes(vault.address, at)


RULE = FileRule(
    id="provider-model-flag-removed",
    title="Terraform's old name of the model flag, or none at all, will be refused",
    severity=Severity.LOW,
    check=check,
)
