"""A vault's name cannot be, or stands twice

The deployment fails: names have 3 to 24 letters, digits and hyphens, begin with a letter, end with a letter or digit, hold no
two hyphens in a row, and are taken once in the whole cloud.

## Why it matters

It fails late, in the middle of a deployment, after other resources were made.

## How to fix it

Choose another name. Names that are made of parameters are not judged.

## References

- [Names of vaults](https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates)
"""

import re
from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown

_NAME = re.compile(r"(?=.{3,24}\Z)[A-Za-z](?:-?[A-Za-z0-9])*")
"""Facts azure.md 1.7."""


def check(project: Project, today: date) -> Iterator[FileJudgement]:  # noqa: ARG001 - the shape of every rule
    """One verdict per declared vault."""
    for declared in project.declarations:
        seen: dict[str, str] = {}
        for vault in declared.vaults:
            if isinstance(vault.name, Unknown):
                yield unknown(vault.address, vault.position, f"the name is not decided: {vault.name.reason}")
                continue
            folded = vault.name.casefold()
            if not _NAME.fullmatch(vault.name):
                yield fails(vault.address, vault.position, f"{vault.name[:60]!r} is no name that a vault can have")
            elif folded in seen and vault.condition is None:
                yield fails(vault.address, vault.position, f"{vault.name} is also declared as {seen[folded]}")
            else:
                yield passes(vault.address, vault.position)
            seen.setdefault(folded, vault.address)


RULE = FileRule(
    id="vault-name-invalid",
    title="A vault's name cannot be, or stands twice",
    severity=Severity.MEDIUM,
    check=check,
)
