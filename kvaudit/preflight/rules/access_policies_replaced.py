"""A redeployment replaces every access policy of the vault

A template that declares a vault sends its whole list of access policies: entries that were added since by hand, by a
pipeline or by another template are gone after the next deployment.

## Why it matters

The outage comes hours or weeks after the change that caused it, on a day when nobody touched access. An empty list `[]`
wipes all of them.

## How to fix it

Move to Azure RBAC, whose assignments stand apart from the vault. Or declare policies in `Microsoft.KeyVault/vaults/accessPolicies`
with the name `add`, and let the vault take the list that exists.

## References

- [Troubleshoot access policies](https://learn.microsoft.com/azure/key-vault/general/troubleshooting-access-issues)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.model.vaults import PermissionModel
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.templates.declarations import Language
from kvaudit.templates.model_on_create import model_on_create
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per vault of ARM or Bicep that uses access policies."""
    for declared in project.declarations:
        if declared.language not in (Language.ARM, Language.BICEP):
            continue
        for vault in declared.vaults:
            model = model_on_create(vault).model
            if model is PermissionModel.AZURE_RBAC or vault.module is not None:
                continue
            listed = vault.access_policies
            if listed is None:
                yield passes(vault.address, vault.position)
            elif isinstance(model, Unknown):
                yield unknown(vault.address, vault.position, f"the model is not decided: {model.reason}")
            elif isinstance(listed, Unknown) or listed:
                yield fails(
                    vault.address,
                    vault.position,
                    "each deployment replaces the whole list of access policies with the one in this file",
                    "move to Azure RBAC, or add entries through Microsoft.KeyVault/vaults/accessPolicies named add",
                )
            else:
                yield fails(
                    vault.address,
                    vault.position,
                    "each deployment empties the list of access policies",
                    "move to Azure RBAC, or leave the list of the vault that exists as it is",
                    severity=Severity.MEDIUM,
                )


RULE = FileRule(
    id="access-policies-replaced",
    title="A redeployment replaces every access policy of the vault",
    severity=Severity.LOW,
    check=check,
)
