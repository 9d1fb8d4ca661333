"""The entries of a vault's access policies as records that evidence can name."""

from dataclasses import dataclass

from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes
from kvaudit.model.vaults import AccessPolicy, Vault
from kvaudit.rules.judgement import Judgement, unknown


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """One entry and the ID by which citations name it.

    Attributes:
        record_id: the vault's ID and the entry's place in the list, as in `kvaudit.access.answers.Citation`.
        foreign: the entry is of another tenant than the vault: it grants nothing here (facts azure.md 1.5).
    """

    policy: AccessPolicy
    record_id: str
    foreign: bool


def is_foreign(vault: Vault, policy: AccessPolicy) -> bool:
    """Whether an entry is of another tenant than the vault: it grants nothing here (facts azure.md 1.5)."""
    return None not in (policy.tenant_id, vault.tenant_id) and policy.tenant_id != vault.tenant_id


def entries(vault: Vault) -> tuple[PolicyEntry, ...]:
    """The entries of a vault in their order; none where the list is absent."""
    return tuple(
        PolicyEntry(
            policy,
            f"{vault.id}#accessPolicies/{index}",
            is_foreign(vault, policy),
        )
        for index, policy in enumerate(vault.access_policies or ())
    )


def list_not_read(subject: VaultAccess) -> Judgement:
    """The verdict where Azure sent a vault without its list of access policies: an absent list is not an empty one."""
    gaps = [gap.id for gap in subject.gaps(frozenset({"vaults"})) if scopes.fold(gap.scope) == subject.vault.scope]
    return unknown("the list of access policies was not in what Azure sent", gaps)
