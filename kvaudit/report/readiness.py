"""How an estate stands for 2027-02-27, when every Key Vault control-plane api-version before 2026-02-01 retires.

From 2026-02-01 on, a vault that is created without `enableRbacAuthorization` uses Azure RBAC (facts azure.md 1.1, 1.2).
Vaults that exist keep their model: what changes is what templates and scripts make of them the next time.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kvaudit.model.vaults import PermissionModel, PermissionModelSource, Vault

RETIREMENT = date(2027, 2, 27)
"""The day on which control-plane api-versions before 2026-02-01 stop (facts azure.md 1.2)."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Vaults by permission model and by how it was stated.

    Attributes:
        days_left: from the audit to the retirement; negative afterwards.
        azure_rbac: vaults that say Azure RBAC.
        access_policies: vaults that say access policies.
        null, absent: vaults on access policies because the flag is null or not there: made again from the same template
            through 2026-02-01 or later they would use Azure RBAC, and their access policies would stop counting.
        unread: vaults whose model could not be read.
    """

    days_left: int
    azure_rbac: int
    access_policies: int
    null: int
    absent: int
    unread: int

    @property
    def not_explicit(self) -> int:
        """Vaults whose model would change when they are made again without saying it."""
        return self.null + self.absent

    @property
    def total(self) -> int:
        """All vaults."""
        return self.azure_rbac + self.access_policies + self.not_explicit + self.unread


def readiness(vaults: Iterable[Vault], generated_at: str) -> Readiness:
    """Counts vaults for the retirement.

    Args:
        vaults: all of them.
        generated_at: ISO 8601 time of the audit; its date is the day that is counted from.
    """
    counts = Counter(_class_of(vault) for vault in vaults)
    return Readiness(
        days_left=(RETIREMENT - date.fromisoformat(generated_at[:10])).days,
        **{name: counts[name] for name in ("azure_rbac", "access_policies", "null", "absent", "unread")},
    )


def _class_of(vault: Vault) -> str:
    if vault.permission_model is None:
        return "unread"
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return "azure_rbac"
    if vault.permission_model_source is PermissionModelSource.NULL:
        return "null"
    return "absent" if vault.permission_model_source is PermissionModelSource.ABSENT else "access_policies"
