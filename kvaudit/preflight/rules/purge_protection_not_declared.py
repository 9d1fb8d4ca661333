"""A vault is declared without purge protection

What is deleted from it can be destroyed at once, by whoever holds a purge right.

## Why it matters

See the rule `purge-protection-off` of the audit. In a file it is one line, and it cannot be turned off again.

## How to fix it

`enablePurgeProtection: true` (Terraform: `purge_protection_enabled = true`). The name of a deleted vault then stays taken
until its retention period ends: think before doing so on vaults that tests create and delete.

## References

- [Soft delete and purge protection](https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.properties import judge_property, setting
from kvaudit.templates.declarations import VaultDeclaration
from kvaudit.templates.project import Project


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared vault."""
    for declared in project.declarations:
        for vault in declared.vaults:
            yield judge_property(vault, "enablePurgeProtection", _judged)


def _judged(vault: VaultDeclaration, value: object) -> FileJudgement:
    if value is True or value == "true":
        return passes(vault.address, vault.position)
    if vault.module is not None:
        return unknown(vault.address, vault.position, f"the module {vault.module} decides")
    fix = f"set {setting(vault, 'enablePurgeProtection', 'true')}"
    return fails(vault.address, vault.position, "purge protection is off", fix)


RULE = FileRule(
    id="purge-protection-not-declared",
    title="A vault is declared without purge protection",
    severity=Severity.MEDIUM,
    controls=("kv-purge-protection",),
    check=check,
)
