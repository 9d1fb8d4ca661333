"""The permission model of the vault is not written down

`enableRbacAuthorization` of this vault is null or absent. Such a vault uses access policies today, although nobody said so.

## Why it matters

On 2027-02-27 every control-plane API version before 2026-02-01 retires. From 2026-02-01 on, a vault that is created
without saying otherwise uses Azure RBAC. A vault that exists keeps its model when it is changed, so nothing breaks on
the day itself. What breaks is what creates the vault again: a template, a pipeline or a recovery drill that leaves the
property out makes an Azure RBAC vault with the old access policies in it, all of them without effect, and every
workload gets a 403. Tools also read null in different ways: some call such a vault "Azure RBAC off", others leave it out.

## How to fix it

Write down the model that the vault uses: set `enableRbacAuthorization` to false, which changes nobody's access, and set
it in the template too. If the vault shall move to Azure RBAC, make the role assignments first, wait until they work, and
set it to true.

## References

- [Prepare for Key Vault API version 2026-02-01 and later](https://learn.microsoft.com/azure/key-vault/general/access-control-default)
- [Azure RBAC and access policies compared](https://learn.microsoft.com/azure/key-vault/general/rbac-access-policy)
"""

from functools import cache
from typing import TYPE_CHECKING

from kvaudit.access.subject import VaultAccess
from kvaudit.model.vaults import PermissionModelSource
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Rule, Severity, Verdict, failed, passed

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault whose flag is null or absent."""
    vault = subject.vault
    if vault.permission_model_source is PermissionModelSource.EXPLICIT:
        return passed()
    state = _state(vault.permission_model_source)
    return failed(
        _message(state),
        [vault],
        lambda item: Evidence(f"enableRbacAuthorization is {state}", item.id, scope=item.scope),
        lambda _: [az.update_vault(vault, enable_rbac_authorization="false")],
    )


def quick(counts: "VaultCounts") -> Judgement:
    """The same without its evidence."""
    source = counts.vault.permission_model_source
    return passed() if source is PermissionModelSource.EXPLICIT else _not_written(_state(source))


@cache
def _not_written(state: str) -> Judgement:
    return Judgement(Verdict.FAIL, _message(state), 1)


def _state(source: PermissionModelSource | None) -> str:
    return "null" if source is PermissionModelSource.NULL else "absent"


def _message(state: str) -> str:
    return (
        f"enableRbacAuthorization is {state}: the vault uses access policies, and a template without the property"
        " would create it again with Azure RBAC"
    )


RULE = Rule(
    id="permission-model-not-explicit",
    title="The permission model of the vault is not written down",
    severity=Severity.MEDIUM,
    needs=frozenset({"vaults"}),
    check=check,
    quick=quick,
)
