"""The azurerm provider is pinned below the first version that speaks api-version 2026-02-01

azurerm uses 2026-02-01 from 4.81.0 (2026-07-14) on; older ones use versions that retire on 2027-02-27.

## Why it matters

From that day on neither plan nor apply can read or change a vault: Resource Manager refuses the api-version.

## How to fix it

Write `rbac_authorization_enabled` into every vault, then let in azurerm 4.81.0 or newer and renew the lock file.

## References

- [Changes of azurerm 4](https://github.com/hashicorp/terraform-provider-azurerm/blob/main/CHANGELOG-v4.md)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes
from kvaudit.preflight.rules.management_sdk_too_old import reaches
from kvaudit.preflight.rules.retiring_api_version import RETIREMENT, left
from kvaudit.templates.project import Project

FIRST = "4.81.0"
"""Facts azure.md 1.3."""


def check(project: Project, today: date) -> Iterator[FileJudgement]:
    """One verdict per folder that says which azurerm it uses: its lock file, else what it requires."""
    for pin in project.pins:
        if pin.ecosystem != "terraform":
            continue
        subject = f"azurerm {pin.constraint}"
        if reaches(pin, FIRST):
            yield passes(subject, pin.position)
        else:
            message = (
                f"azurerm before {FIRST} uses an api-version that retires on {RETIREMENT.isoformat()}, {left(today)}"
            )
            yield fails(subject, pin.position, message, f"let in azurerm {FIRST} or newer, and renew the lock file")


RULE = FileRule(
    id="provider-too-old",
    title="The azurerm provider is pinned below the first version that speaks api-version 2026-02-01",
    severity=Severity.HIGH,
    check=check,
)
