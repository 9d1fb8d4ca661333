"""A dependency pins a management SDK that does not speak api-version 2026-02-01

Such an SDK sends an older version, which Resource Manager refuses from 2027-02-27 on.

## Why it matters

The program works until that day, and then no call to Key Vault's control plane does. Clients of the data plane (secrets, keys,
certificates) are not touched.

## How to fix it

Raise the pin: Azure.ResourceManager.KeyVault 1.4.0 (.NET), armkeyvault v2 (Go), the latest of the others. State
`enable_rbac_authorization` wherever the program creates vaults, since the new versions create them with Azure RBAC.

## References

- [What's new for Azure Key Vault](https://learn.microsoft.com/azure/key-vault/general/whats-new)
"""

from collections.abc import Iterator
from datetime import date

from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, fails, passes, unknown
from kvaudit.preflight.rules.retiring_api_version import RETIREMENT, left
from kvaudit.templates.declarations import DependencyPin
from kvaudit.templates.dependencies import GO_MODULE
from kvaudit.templates.project import Project
from kvaudit.templates.versions import numbers

DOTNET_FIRST = "1.4.0"
PYTHON_BEFORE = "13.0.0"
"""azure-mgmt-keyvault of 2025-12-11, before api-version 2026-02-01 was released: this one and older do not know it."""
PYTHON_SURE = "14.1.0"
"""Its default is 2026-05-15. What lies between is not established (facts azure.md 1.3)."""


def check(project: Project, today: date) -> Iterator[FileJudgement]:
    """One verdict per pin of a management SDK for Key Vault."""
    for pin in project.pins:
        if pin.ecosystem != "terraform" and pin.package != "azure-keyvault":
            yield _judged(pin, today)


def reaches(pin: DependencyPin, version: str) -> bool:
    """Whether a pin lets in a version, or a later one."""
    if pin.highest is None:
        return True
    end, wanted = numbers(pin.highest), numbers(version)
    return end > wanted if pin.is_below else end >= wanted


def _judged(pin: DependencyPin, today: date) -> FileJudgement:
    subject = f"{pin.package} {pin.constraint}".strip()
    if (
        pin.highest is None
        and pin.constraint not in ("", "*", "latest", "x")
        and not any(map(str.isdigit, pin.constraint))
    ):
        return unknown(subject, pin.position, f"{pin.constraint[:60]!r} names no version")
    if pin.ecosystem == "go":
        return (
            passes(subject, pin.position) if pin.package != GO_MODULE else _old(pin, subject, today, f"{GO_MODULE}/v2")
        )
    if pin.highest is None:
        return passes(subject, pin.position)
    if pin.ecosystem == "nuget":
        newer = reaches(pin, DOTNET_FIRST)
        return passes(subject, pin.position) if newer else _old(pin, subject, today, f"{pin.package} {DOTNET_FIRST}")
    if pin.ecosystem == "pypi":
        if reaches(pin, PYTHON_SURE):
            return passes(subject, pin.position)
        end, known_old = numbers(pin.highest), numbers(PYTHON_BEFORE)
        if end <= known_old:
            return _old(pin, subject, today, f"azure-mgmt-keyvault {PYTHON_SURE}")
    reason = f"which version of {pin.package} first sends 2026-02-01 is not established"
    return unknown(subject, pin.position, reason)


def _old(pin: DependencyPin, subject: str, today: date, newer: str) -> FileJudgement:
    message = (
        f"{pin.package} {pin.constraint} sends api-versions that retire on {RETIREMENT.isoformat()}, {left(today)}"
    )
    return fails(subject, pin.position, message, f"use {newer} or newer, and state the permission model of new vaults")


RULE = FileRule(
    id="management-sdk-too-old",
    title="A dependency pins a management SDK that does not speak api-version 2026-02-01",
    severity=Severity.HIGH,
    check=check,
)
