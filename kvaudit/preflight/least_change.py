"""The least change that makes a workload hold what it needs: a role, several, a custom one, or a policy entry.

Least means: the built-in role with the smallest excess at the vault (a grant on one secret never lets a workload list, so
nothing narrower unless it is asked for), else a custom role. Roles that hold what a contract forbids are no choice.
"""

from collections.abc import Sequence
from functools import lru_cache

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.evaluator import Access
from kvaudit.access.smallest_role import RoleChoice, SmallestRoles, given_by, smallest_roles
from kvaudit.contracts.reading import Contract
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import RoleDefinition
from kvaudit.model.permissions import iter_operations, mask_of, operation
from kvaudit.model.roles import builtin_roles
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.remediation import Fix, PolicyEntry, RoleGrant, assign_custom_role, assign_role, grant_policy, quoting

_GRANTEES = frozenset({"User", "Group", "ServicePrincipal"})


def missing_fix(
    access: Access, vault: Vault, principal_id: str, words: Sequence[str], contract: Contract
) -> Fix | None:
    """What gives a principal these operations on a vault; None where the vault's model is not known."""
    if vault.permission_model is PermissionModel.AZURE_RBAC:
        return _roles(access, vault, principal_id, words, contract)
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


def _roles(access: Access, vault: Vault, principal_id: str, words: Sequence[str], contract: Contract) -> Fix:
    found = least_choice(words, contract)
    kind = access.estate.principal(principal_id).type
    kind = kind if kind in _GRANTEES else None
    if found is None:
        named = RoleGrant(vault.id, "", f"kvaudit {contract.name}"[:120], principal_id, kind)
        return assign_custom_role(named, _least(tuple(words), contract.forbids).custom)
    fixes = [assign_role(RoleGrant(vault.id, role.name, role.role_name, principal_id, kind)) for role in found.roles]
    beyond = [word for word in found.excess if word not in contract.needs]
    notes = [f"gives beyond the contract: {', '.join(beyond)}"] if beyond else []
    return _joined(fixes, notes)


def _gives(role: RoleDefinition) -> int:
    certain, perhaps = given_by(role)
    return certain | perhaps


def _joined(fixes: Sequence[Fix], notes: Sequence[str]) -> Fix:
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
            name = _policy_word(word)
            if word.startswith(f"{kind}/") and name.casefold() not in held:
                names.append(name)
                held.add(name.casefold())
        permissions[kind] = tuple(names)
    return grant_policy(PolicyEntry(vault.id, vault.tenant_id or "", principal_id, permissions))


def _policy_word(word: str) -> str:
    """The access-policy name of an operation: the first of those that are enough."""
    return operation(word).policy_words[0].partition("/")[2]


def _entry_of(vault: Vault, principal_id: str) -> AccessPolicy | None:
    return next(
        (
            entry
            for entry in vault.access_policies or ()
            if entry.object_id == principal_id and entry.application_id is None
        ),
        None,
    )


def excess_fix(
    access: Access, vault: Vault, principal_id: str, contract: Contract, because: Sequence[Citation]
) -> Fix | None:
    """What takes the excess away and keeps what is needed.

    Grants through groups reach others too, and grants above the vault reach other vaults: for those nothing is proposed
    but the sentence that says so.
    """
    grants = [item for item in because if item.answer in (Answer.ALLOWED, Answer.CONDITIONAL)]
    if not grants:
        return None
    if any(item.groups for item in grants):
        group = next(item.groups[0] for item in grants if item.groups)
        text = f"take the workload out of group {group}, or narrow what the group is given: others hold it too"
        return _only_words(text)
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        return _narrowed_policy(vault, principal_id, contract)
    wide = [item for item in grants if item.scope != vault.scope]
    if wide:
        return _only_words(
            f"{wide[0].role or 'a role'} is assigned at {wide[0].scope}: it reaches more than this vault"
        )
    keep = _roles(access, vault, principal_id, contract.needs, contract)
    removed = [item.id for item in grants if item.kind is CitationKind.ROLE_ASSIGNMENT]
    kept_roles = {item.casefold() for item in _names(keep)}
    removals = [
        quoting.shell_command("az", "role", "assignment", "delete", ids=item.id)
        for item in grants
        if item.kind is CitationKind.ROLE_ASSIGNMENT and (item.role or "").casefold() not in kept_roles
    ]
    if not removed or not removals:
        return None
    return Fix(
        what=f"{keep.what}; then remove {len(removals)} wider role assignment{'' if len(removals) == 1 else 's'}",
        az="\n".join([keep.az, *removals]),
        bicep=f"{keep.bicep}\n// then delete the wider role assignments: a deployment does not remove them\n",
        terraform=f"{keep.terraform}\n# then remove the resources of the wider role assignments\n",
        notes=("Grant first, wait until the new role works (up to 10 minutes), then remove.", *keep.notes),
    )


def _names(fix: Fix) -> list[str]:
    return [part.removeprefix("assign ").partition(" to ")[0] for part in fix.what.split("; ")]


def _only_words(text: str) -> Fix:
    return Fix(text, f"# {quoting.one_line(text)}", f"// {quoting.one_line(text)}", f"# {quoting.one_line(text)}")


def _narrowed_policy(vault: Vault, principal_id: str, contract: Contract) -> Fix | None:
    entry = _entry_of(vault, principal_id)
    if entry is None:
        return None
    permissions: dict[str, tuple[str, ...]] = {}
    for kind in ("secrets", "keys", "certificates"):
        if getattr(entry, kind):
            needed = [item.word for item in iter_operations(mask_of(contract.needs)) if item.kind == kind]
            permissions[kind] = tuple(dict.fromkeys(_policy_word(word) for word in needed))
    emptied = [kind for kind, names in permissions.items() if not names]
    fix = grant_policy(PolicyEntry(vault.id, vault.tenant_id or "", principal_id, permissions))
    if not emptied:
        return fix
    options = {
        "secrets": "--secret-permissions",
        "keys": "--key-permissions",
        "certificates": "--certificate-permissions",
    }
    return Fix(
        fix.what,
        " ".join([fix.az, *(options[kind] for kind in emptied)]),
        fix.bicep,
        fix.terraform,
        ("Resource Manager's add does not take permissions away: use the CLI, or Terraform.", *fix.notes),
    )
