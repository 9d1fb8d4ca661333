"""A Key Vault resource uses an api-version that retires on 2027-02-27

From that day on Resource Manager refuses every control-plane api-version of Key Vault before 2026-02-01: the deployment
fails. Vaults themselves stay, and the data plane is not touched.

## Why it matters

A template that worked for years stops working on one day, for every environment at once. Raising the version is not only a
number: from 2026-02-01 on a vault that is *created* without `enableRbacAuthorization` uses Azure RBAC, so a template that
lists access policies and leaves the flag out makes a vault in which nobody holds what the policies say.

Judged are vaults, their access policies, secrets and keys, managed HSMs, and calls of scripts. A resource that is only referred
to (`existing`) is a low finding: its ID and name ask Azure nothing, what is read of it does.

## How to fix it

Write `enableRbacAuthorization` into the vault first, with the value that the vault has today (`kvaudit scan` tells), then
raise the version to 2026-02-01.

## References

- [Prepare for Key Vault API version 2026-02-01](https://learn.microsoft.com/azure/key-vault/general/access-control-default)
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from kvaudit.preflight.calls import control_plane_version, subject_of
from kvaudit.preflight.judgement import FileJudgement, FileRule, Severity, Verdict, fails, passes, unknown
from kvaudit.sources.located import Position
from kvaudit.templates.declarations import PoliciesDeclaration, SecretDeclaration, VaultDeclaration
from kvaudit.templates.model_on_create import NEW_DEFAULT_FROM, has_new_default
from kvaudit.templates.project import Project
from kvaudit.templates.unknown import Unknown

RETIREMENT = date(2027, 2, 27)
"""Facts azure.md 1.2."""


def check(project: Project, today: date) -> Iterator[FileJudgement]:
    """One verdict per resource of Key Vault, deployed or referred to, that names an api-version, and per call."""
    for declared in project.declarations:
        items: tuple[VaultDeclaration | PoliciesDeclaration | SecretDeclaration, ...]
        items = (*declared.vaults, *declared.policies, *declared.secrets)
        for item in items:
            if item.api_version is not None:
                yield _judged(item.address, item.position, item.api_version, today)
        for other in declared.others:
            found = _judged(other.address, other.position, other.api_version, today)
            yield _referred(found) if other.is_existing and found.verdict is Verdict.FAIL else found
    for call in project.calls:
        version = control_plane_version(call)
        if version is not None:
            written: str | Unknown = Unknown(f"the script has {version}") if "$" in version else version
            yield _judged(subject_of(call), call.position, written, today)


def _judged(subject: str, at: Position, version: str | Unknown, today: date) -> FileJudgement:
    if isinstance(version, Unknown):
        return unknown(subject, at, f"the api-version is not decided: {version.reason}")
    if has_new_default(version) is None:
        return unknown(subject, at, f"{version[:40]!r} is no api-version")
    if version[:10] >= NEW_DEFAULT_FROM:
        return passes(subject, at)
    return fails(
        subject,
        at,
        f"api-version {version} retires on {RETIREMENT.isoformat()}, {left(today)}",
        f"state enableRbacAuthorization, then use api-version {NEW_DEFAULT_FROM}",
    )


def _referred(found: FileJudgement) -> FileJudgement:
    """What is only referred to breaks where something of it is read: its ID and name alone ask Azure nothing."""
    text = f"it is referred to with {found.message}: what the deployment reads of it fails then"
    return replace(found, message=text, severity=Severity.LOW)


def left(today: date) -> str:
    """How far away the retirement is: `in 95 days`, `today`, `3 days ago`."""
    days = (RETIREMENT - today).days
    if days == 0:
        return "today"
    number = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"in {number}" if days > 0 else f"{number} ago"


RULE = FileRule(
    id="retiring-api-version",
    title="A Key Vault resource uses an api-version that retires on 2027-02-27",
    severity=Severity.HIGH,
    check=check,
)
