"""A vault keeps what was deleted for less than 30 days

The retention period is set when a vault is created and never again.

## Why it matters

A deletion that nobody noticed for a month is then final. The default is 90 days; the shortest is 7.

## How to fix it

Leave `softDeleteRetentionInDays` (Terraform: `soft_delete_retention_days`) out (90 days) or raise it. A vault that exists keeps
what it has: only a new one can be longer.

## References

- [Soft delete](https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.properties import judge_property, spelled
from kvaudit.templates.declarations import VaultDeclaration
from kvaudit.templates.project import Project

SHORTEST = 30
"""Days. Ours: a month is how long a deletion goes unnoticed; Azure lets in 7 to 90."""


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared vault."""
    for declared in project.declarations:
        for vault in declared.vaults:
            yield judge_property(vault, "softDeleteRetentionInDays", _judged)


def _judged(vault: VaultDeclaration, value: object) -> FileJudgement:
    if vault.properties.get("enableSoftDelete") is False:
        return fails(
            vault.address,
            vault.position,
            "enableSoftDelete is false: Azure ignores that on new vaults, and refuses it where soft delete is on",
            "leave enableSoftDelete out",
        )
    if value is None:
        return passes(vault.address, vault.position)
    name = spelled(vault, "softDeleteRetentionInDays")
    days = int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdigit()) else None
    if days is None:
        return unknown(vault.address, vault.position, f"{name} is {str(value)[:40]!r}")
    if days >= SHORTEST:
        return passes(vault.address, vault.position)
    return fails(
        vault.address,
        vault.position,
        f"what is deleted is kept for {days} days only",
        f"leave {name} out: 90 days",
    )


RULE = FileRule(
    id="soft-delete-retention-short",
    title="A vault keeps what was deleted for less than 30 days",
    severity=Severity.LOW,
    check=check,
)
