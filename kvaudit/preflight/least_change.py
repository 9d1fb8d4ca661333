"""The least change that makes a workload hold what it needs: a role, several, a custom one, or a policy entry.

Least means: the built-in role with the smallest excess at the vault (a grant on one secret never lets a workload list, so
nothing narrower unless it is asked for), else a custom role. Roles that hold what a contract forbids are no choice.
"""

from collections.abc import Sequence
from functools import lru_cache

from kvaudit.access.evaluator import Access
from kvaudit.access.smallest_role import RoleChoice, SmallestRoles, given_by, smallest_roles
from kvaudit.contracts.reading import Contract
from kvaudit.model.authorization import RoleDefinition
from kvaudit.model.permissions import mask_of, operation
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.remediation import Fix, PolicyEntry, RoleGrant, assign_custom_role, assign_role, grant_policy

_GRANTEES = frozenset({"User", "Group", "ServicePrincipal"})


def missing_fix(
    access: Access, vault: Vault, principal_id: str, words: Sequence[str], contract: Contract
) -> Fix | None:
    """What gives a principal these operations on a vault; None where the vault's model is not known."""
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return roles_for(access, vault, principal_id, words, contract)
    if vault.permission_model is PermissionModel.ACCESS_POLICIES and vault.access_policies is not None:
        return _policy(vault, principal_id, words)
    return None


@lru_cache(maxsize=1024)
def _least(words: tuple[str, ...], forbids: tuple[str, ...]) -> SmallestRoles:
    forbidden = mask_of(forbids)
    return smallest_roles(
        words, roles={name: role for name, role in builtin_roles().items() if not _gives(role) & forbidden}
    )


def least_choice(words: Sequence[str], contract: Contract) -> RoleChoice | None:
    """The smallest choice of built-in roles that gives these operations and nothing that the contract forbids.

    None when a custom role is better: nothing fits, or only roles that can also change access, that Microsoft made for a
    service of its own, or that are in preview.
    """
    best = _least(tuple(words), contract.forbids).best
    return None if best is None or best.caveats else best


def roles_for(
    access: Access,
    vault: Vault,
    principal_id: str,
    words: Sequence[str],
    contract: Contract,
    *,
    on: str | None = None,
) -> Fix:
    """The smallest choice of roles that gives a principal these operations, else a custom role.

    Args:
        on: one object, `secrets/NAME`; None for the vault.
    """
    scope = f"{vault.id}/{on}" if on else vault.id
    found = least_choice(words, contract)
    kind = access.estate.principal(principal_id).type
    kind = kind if kind in _GRANTEES else None
    if found is None:
        named = RoleGrant(scope, "", f"kvaudit {contract.name}"[:120], principal_id, kind)
        return assign_custom_role(named, _least(tuple(words), contract.forbids).custom)
    fixes = [assign_role(RoleGrant(scope, role.name, role.role_name, principal_id, kind)) for role in found.roles]
    beyond = [word for word in found.excess if word not in contract.needs]
    notes = [f"gives beyond the contract: {', '.join(beyond)}"] if beyond else []
    return joined(fixes, notes)


def _gives(role: RoleDefinition) -> int:
    certain, perhaps = given_by(role)
    return certain | perhaps


def joined(fixes: Sequence[Fix], notes: Sequence[str] = ()) -> Fix:
    """Several changes as one, notes told once."""
    return Fix(
        what="; ".join(item.what for item in fixes),
        az="\n".join(item.az for item in fixes),
        bicep="\n".join(item.bicep for item in fixes),
        terraform="\n".join(item.terraform for item in fixes),
        notes=tuple(dict.fromkeys([*notes, *(note for item in fixes for note in item.notes)])),
    )


def _policy(vault: Vault, principal_id: str, words: Sequence[str]) -> Fix:
    entry = _entry_of(vault, principal_id)
    permissions: dict[str, tuple[str, ...]] = {}
    for kind in sorted({word.partition("/")[0] for word in words}):
        names = list((getattr(entry, kind) if entry else None) or ())
        held = {name.casefold() for name in names}
        for word in words:
            name = policy_word(word)
            if word.startswith(f"{kind}/") and name.casefold() not in held:
                names.append(name)
                held.add(name.casefold())
        permissions[kind] = tuple(names)
    return grant_policy(PolicyEntry(vault.id, vault.tenant_id or "", principal_id, permissions))


def policy_word(word: str) -> str:
    """The access-policy name of an operation: the first of those that are enough."""
    return operation(word).policy_words[0].partition("/")[2]


def _entry_of(vault: Vault, principal_id: str) -> AccessPolicy | None:
    """The entry that `az keyvault set-policy` changes; beside one of another tenant, which grants nothing, it makes a new one."""
    tenant = (vault.tenant_id or "").casefold()
    return next(
        (
            entry
            for entry in vault.access_policies or ()
            if entry.object_id == principal_id
            and entry.application_id is None
            and (entry.tenant_id or tenant) == tenant
        ),
        None,
    )
