"""Which permission model a declared vault gets when it is created, and whether somebody said so.

Source: facts azure.md 1.1 and 1.3. The model of a vault that exists stays what it is where the flag is left out: this is
about creation, and about what a raised version would change.
"""

import re
from dataclasses import dataclass

from kvaudit.model.vaults import PermissionModel
from kvaudit.templates.declarations import VaultDeclaration
from kvaudit.templates.unknown import Unknown

NEW_DEFAULT_FROM = "2026-02-01"
"""From this control-plane api-version on a vault that is created without the flag uses Azure RBAC."""

FIRST_NEW_PREVIEW = "2026-03-01-preview"
"""The first preview with the new default; previews before it, also of 2024-12, have the old one (facts azure.md 1.1)."""

_VERSION = re.compile(r"(\d{4}-\d{2}-\d{2})(-[A-Za-z]+)?")
_NUMBERS = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class ModelOnCreate:
    """The permission model that a declaration gives.

    Attributes:
        model: unknown with the reason where it is not decided.
        is_explicit: the declaration says so itself, with any version.
        because: for a person.
    """

    model: PermissionModel | Unknown
    is_explicit: bool
    because: str


def model_on_create(vault: VaultDeclaration) -> ModelOnCreate:
    """The permission model of a vault that this declaration creates."""
    if isinstance(vault.rbac, Unknown):
        return ModelOnCreate(vault.rbac, is_explicit=False, because=vault.rbac.reason)
    if vault.rbac is not None:
        model = PermissionModel.AZURE_RBAC if vault.rbac else PermissionModel.ACCESS_POLICIES
        return ModelOnCreate(model, is_explicit=True, because="the declaration says so")
    if vault.api_version is not None:
        return _by_api_version(vault.api_version)
    return _by_provider(vault.provider_version)


def _by_api_version(version: str | Unknown) -> ModelOnCreate:
    if isinstance(version, Unknown):
        return ModelOnCreate(version, is_explicit=False, because=version.reason)
    new = has_new_default(version)
    if new is None:
        reason = f"{version[:40]!r} is no api-version"
        return ModelOnCreate(Unknown(reason), is_explicit=False, because=reason)
    model = PermissionModel.AZURE_RBAC if new else PermissionModel.ACCESS_POLICIES
    text = f"the flag is left out, and api-version {version} then creates a vault with {model.value}"
    return ModelOnCreate(model, is_explicit=False, because=text)


def _by_provider(constraint: str | None) -> ModelOnCreate:
    """Azurerm below 5.0 sends false or nothing through an old api-version; from 5.0 on the argument is required."""
    floor = lowest_major(constraint)
    if floor is not None and floor >= 5:
        reason = f"azurerm {constraint} refuses a vault without rbac_authorization_enabled"
        return ModelOnCreate(Unknown(reason), is_explicit=False, because=reason)
    text = "the flag is left out, which azurerm before 5.0 takes for access policies; azurerm 5.0 requires it"
    return ModelOnCreate(PermissionModel.ACCESS_POLICIES, is_explicit=False, because=text)


def has_new_default(version: str) -> bool | None:
    """Whether an api-version creates vaults with Azure RBAC by default; None for a text that is no api-version."""
    found = _VERSION.fullmatch(version.strip().casefold())
    if not found:
        return None
    return found[1] >= (FIRST_NEW_PREVIEW[:10] if found[2] else NEW_DEFAULT_FROM)


def lowest_major(constraint: str | None) -> int | None:
    """The lowest major version that a constraint such as `~> 4.0` or `>= 3.90, < 5.0` lets in; None when it names none."""
    lowest: int | None = None
    for part in (constraint or "").split(","):
        sign = part.strip().lstrip("v")
        found = _NUMBERS.search(sign)
        if found and not sign.startswith(("<", "!=")):
            lowest = max(lowest or 0, int(found[1]))
    return lowest
