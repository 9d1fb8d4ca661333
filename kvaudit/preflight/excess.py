"""The least change that takes away what a workload holds beyond its needs, and keeps what it needs.

A record may give what is needed beside what is not: what would be lost with it is granted anew first. Records that reach
others (a group's) or more than the vault (a scope above) are not proposed for removal; they are named.
"""

from collections.abc import Iterator, Sequence

from kvaudit.access.answers import Citation, CitationKind, Decision
from kvaudit.access.evaluator import Access
from kvaudit.contracts.reading import Contract
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import iter_operations, mask_of
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.preflight.least_change import joined, policy_word, roles_for
from kvaudit.remediation import Fix, PolicyEntry, grant_policy, quoting

_GIVES = (Answer.ALLOWED, Answer.CONDITIONAL)
_OPTIONS = {
    "secrets": "--secret-permissions",
    "keys": "--key-permissions",
    "certificates": "--certificate-permissions",
}


def excess_fix(
    access: Access,
    vault: Vault,
    principal_id: str,
    contract: Contract,
    because: Sequence[Citation],
    needed: Sequence[Decision],
) -> Fix | None:
    """What takes excess away and keeps what is needed; None where no record that gives it is known.

    Args:
        access: to name principals.
        vault: where it is held.
        principal_id: the workload.
        contract: whose forbidden operations no new role may give.
        because: the records that give the excess.
        needed: what the records say to every need of every contract of this workload on this vault.
    """
    grants = [item for item in because if item.answer in _GIVES]
    direct = [item for item in grants if not _beyond(item, vault)]
    told = tuple(dict.fromkeys(text for item in grants if (text := _beyond(item, vault))))
    if vault.permission_model is PermissionModel.ACCESS_POLICIES:
        fix = _narrowed_policies(vault, principal_id, direct, needed)
    else:
        fix = _removed(access, vault, principal_id, contract, direct, needed)
    if fix is None:
        return _only_words("; ".join(told)) if told else None
    also = tuple(f"This alone does not take it away: {text}." for text in told)
    return Fix(fix.what, fix.az, fix.bicep, fix.terraform, (*also, *fix.notes))


def _beyond(item: Citation, vault: Vault) -> str | None:
    """What to do about a record that is not this workload's on this vault alone; None for one that is."""
    if item.groups:
        return f"take the workload out of group {item.groups[0]}, or narrow what the group is given: others hold it too"
    if item.kind is CitationKind.ACCESS_POLICY:
        return None
    if item.scope is None or not scopes.is_within(scopes.fold(item.scope), vault.scope):
        return f"{item.role or 'a role'} is assigned at {item.scope}: it reaches more than this vault"
    if item.kind is not CitationKind.ROLE_ASSIGNMENT:
        return f"remove {item.role or 'the record'} ({item.id}) in Privileged Identity Management"
    return None


def _removed(
    access: Access,
    vault: Vault,
    principal_id: str,
    contract: Contract,
    direct: Sequence[Citation],
    needed: Sequence[Decision],
) -> Fix | None:
    """The assignments taken away, after what would be lost with them is granted anew."""
    if not direct:
        return None
    gone = {item.id for item in direct}
    lost: dict[str | None, list[str]] = {}
    for item in needed:
        if _is_lost(item, gone):
            lost.setdefault(item.object, []).append(item.operation)
    removals = [quoting.shell_command("az", "role", "assignment", "delete", ids=name) for name in sorted(gone)]
    number = f"{len(removals)} role assignment{'' if len(removals) == 1 else 's'}"
    if not lost:
        return Fix(
            what=f"remove {number}: nothing that is needed rests on {'it' if len(removals) == 1 else 'them'}",
            az="\n".join(removals),
            bicep="// delete the role assignments: a deployment does not remove them\n",
            terraform="# remove the resources of the role assignments\n",
        )
    keep = joined(
        [
            roles_for(access, vault, principal_id, tuple(dict.fromkeys(words)), contract, on=ref)
            for ref, words in lost.items()
        ]
    )
    return Fix(
        what=f"{keep.what}; then remove {number} that give{'s' if len(removals) == 1 else ''} more",
        az="\n".join([keep.az, *removals]),
        bicep=f"{keep.bicep}\n// then delete the wider role assignments: a deployment does not remove them\n",
        terraform=f"{keep.terraform}\n# then remove the resources of the wider role assignments\n",
        notes=("Grant first, wait until the new role works (up to 10 minutes), then remove.", *keep.notes),
    )


def _is_lost(decision: Decision, gone: set[str]) -> bool:
    """Whether an operation is held, and by nothing but what goes."""
    giving = [item for item in decision.because if item.answer in _GIVES]
    if decision.answer not in _GIVES or not giving:
        return False
    kept = [item for item in giving if item.id not in gone]
    return not any(item.answer is decision.answer for item in kept)


def _only_words(text: str) -> Fix:
    return Fix(text, f"# {quoting.one_line(text)}", f"// {quoting.one_line(text)}", f"# {quoting.one_line(text)}")


def _narrowed_policies(
    vault: Vault, principal_id: str, direct: Sequence[Citation], needed: Sequence[Decision]
) -> Fix | None:
    """Each entry that gives excess, with only what is needed of it."""
    words = mask_of(tuple(item.operation for item in needed))
    fixes = [_narrowed(vault, principal_id, entry, words) for entry in _entries(vault, direct)]
    if not fixes:
        return None
    return Fix(
        what="; ".join(item.what for item in fixes),
        az="\n".join(item.az for item in fixes),
        bicep="\n".join(item.bicep for item in fixes),
        terraform="\n".join(item.terraform for item in fixes),
        notes=tuple(dict.fromkeys(note for item in fixes for note in item.notes)),
    )


def _entries(vault: Vault, direct: Sequence[Citation]) -> Iterator[AccessPolicy]:
    """The entries that citations name by `VAULT#accessPolicies/INDEX`."""
    listed = vault.access_policies or ()
    for index in dict.fromkeys(item.id.rpartition("#accessPolicies/")[2] for item in direct):
        if index.isdigit() and int(index) < len(listed):
            yield listed[int(index)]


def _narrowed(vault: Vault, principal_id: str, entry: AccessPolicy, words: int) -> Fix:
    permissions: dict[str, tuple[str, ...]] = {}
    for kind in _OPTIONS:
        if getattr(entry, kind):
            needed = [item.word for item in iter_operations(words) if item.kind == kind]
            permissions[kind] = tuple(dict.fromkeys(policy_word(word) for word in needed))
    emptied = [kind for kind, names in permissions.items() if not names]
    fix = grant_policy(PolicyEntry(vault.id, vault.tenant_id or "", principal_id, permissions, entry.application_id))
    if not emptied:
        return fix
    return Fix(
        fix.what,
        " ".join([fix.az, *(_OPTIONS[kind] for kind in emptied)]),
        fix.bicep,
        fix.terraform,
        ("Resource Manager's add does not take permissions away: use the CLI, or Terraform.", *fix.notes),
    )
