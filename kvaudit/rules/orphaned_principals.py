"""Access is given to principals that no longer exist

An access policy or a role assignment names a principal that the directory does not hold.

## Why it matters

Nobody can use such a record today. But it hides the records that matter, counts against the limit of 4,000 role
assignments in a subscription, and shows that leaving does not end access here: the next one who leaves keeps it.

Four things look alike and are told apart. *Orphaned*: the directory answered that it holds no such principal; only this is
a failure. *Deleted but restorable*: in the directory's recycle bin for 30 days, and restoring it restores the access;
shown, not counted. *Unresolved*: the directory could not be asked or did not answer; the verdict is unknown.
*Foreign*: groups and principals of other tenants, which this directory never holds; no failure.

In access policies an ID that the directory does not hold may be a security group delegated from another tenant, which
Azure admits: ask before you remove it.

## How to fix it

Remove the record. Removing a role assignment of a principal that does not exist takes nothing from anybody.

## References

- [Role assignments with identity not found](https://learn.microsoft.com/azure/role-based-access-control/troubleshooting)
- [Troubleshoot access policies](https://learn.microsoft.com/azure/key-vault/general/troubleshooting-access-issues)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kvaudit.access.answers import CitationKind
from kvaudit.access.grants import Record
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import PrincipalState
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules import az
from kvaudit.rules.judgement import EVIDENCE_KEPT, Evidence, Judgement, Rule, Severity, failed, passed, unknown
from kvaudit.rules.policies import entries, list_not_read
from kvaudit.rules.words import counted, place_words

if TYPE_CHECKING:
    from kvaudit.access.vault_counts import VaultCounts

_ASSIGNED = frozenset({CitationKind.ROLE_ASSIGNMENT, CitationKind.ELIGIBLE_ASSIGNMENT})


@dataclass(frozen=True, slots=True)
class _Named:
    """One record that names a principal, and the command that removes it, or None for an eligible assignment."""

    record_id: str
    principal_id: str
    principal_type: str | None
    what: str
    scope: str | None
    removal: str | None


def check(subject: VaultAccess) -> Judgement:
    """Fails a vault when a record that gives, or would give, access to it names a principal that is not found."""
    return _judged(subject, _records(subject, _assignments(subject), _inherited(subject)))


def quick(counts: "VaultCounts") -> Judgement | None:
    """The same without asking what everybody holds."""
    inherited: Iterable[_Named] = ()
    if counts.vault.permission_model is PermissionModel.AZURE_RBAC:
        strays = counts.strays()
        if strays is None:
            return None
        inherited = tuple(_from_records(counts, strays)) if strays else ()
    subject, on_vault = counts.subject, counts.strays_on_vault()
    if not inherited and not on_vault and not _names_strays(subject):
        return _judged(subject, ())
    return _judged(subject, _records(subject, _on_vault(on_vault), inherited))


def _names_strays(subject: VaultAccess) -> bool:
    """Whether an access policy names somebody who is not simply there in the directory."""
    policies = subject.vault.access_policies or ()
    return any(subject.principal(item.object_id).state is not PrincipalState.FOUND for item in policies)


def _judged(subject: VaultAccess, records: Iterable[_Named]) -> Judgement:
    by_state: dict[PrincipalState, list[_Named]] = {}
    for named in records:
        by_state.setdefault(_state(subject, named), []).append(named)
    orphans = by_state.get(PrincipalState.NOT_FOUND, [])
    restorable = by_state.get(PrincipalState.DELETED_RESTORABLE, [])
    unresolved = by_state.get(PrincipalState.UNRESOLVED, [])
    if orphans:
        return failed(
            f"{counted(len(orphans), 'record names', 'records name')} principals that the directory does not hold"
            + (f" ({counted(len(restorable), 'more')} deleted but restorable, not counted)" if restorable else ""),
            [*orphans, *restorable],
            partial(_cite, subject),
            # What can be restored is left alone: removing it would take access from somebody who may come back.
            lambda _: dict.fromkeys(item.removal for item in orphans[:EVIDENCE_KEPT] if item.removal),
        )
    if unresolved:
        principals = len({item.principal_id for item in unresolved})
        return unknown(
            f"{counted(principals, 'principal')} with access could not be looked up in the directory",
            (gap.id for gap in subject.gaps(frozenset({"principals", "deleted_principals"}))),
        )
    if subject.vault.access_policies is None:
        return list_not_read(subject)
    if restorable:
        return passed(f"{counted(len(restorable), 'record names', 'records name')} principals deleted but restorable")
    return passed()


def _records(subject: VaultAccess, on_vault: Iterable[_Named], inherited: Iterable[_Named]) -> Iterator[_Named]:
    """Every access policy of the vault, every assignment on it, and the data-plane assignments that it inherits."""
    seen = set()
    for named in (*_policies(subject), *on_vault, *inherited):
        if named.record_id not in seen:
            seen.add(named.record_id)
            yield named


def _policies(subject: VaultAccess) -> Iterator[_Named]:
    vault = subject.vault
    rbac = vault.permission_model is PermissionModel.AZURE_RBAC
    for entry in entries(vault):
        if entry.foreign or subject.principal(entry.policy.object_id).state is PrincipalState.FOUND:
            continue  # whom the directory holds no rule would tell of
        removal = az.remove_policy_by_rest(vault, entry.policy) if rbac else az.delete_policy(vault, entry.policy)
        yield _Named(entry.record_id, entry.policy.object_id, None, "an access policy", vault.scope, removal)


def _assignments(subject: VaultAccess) -> Iterator[_Named]:
    return _on_vault(subject.estate.role_assignments_by_vault.get(subject.vault.scope, ()))


def _on_vault(assignments: Iterable[RoleAssignment]) -> Iterator[_Named]:
    for item in assignments:
        # A managed identity of another tenant (Lighthouse) is not in this directory (facts azure.md 2.1).
        if item.delegated_managed_identity_resource_id is None:
            removal = az.delete_role_assignment(item.id)
            yield _Named(item.id, item.principal_id, item.principal_type, "a role assignment", item.scope, removal)


def _from_records(counts: "VaultCounts", records: Iterable[Record]) -> Iterator[_Named]:
    """The same as `_inherited` for records of which only the principal matters."""
    foreign = counts.subject.estate.cross_tenant_assignment_ids
    for record in records:
        if record.id not in foreign:
            kind = counts.type_of(record.principal_id)
            yield _Named(record.id, record.principal_id, kind, "a role", record.scope, None)


def _inherited(subject: VaultAccess) -> Iterator[_Named]:
    foreign = subject.estate.cross_tenant_assignment_ids
    for holding in subject.holdings:
        principal = holding.principal_id
        for record in holding.via if principal is not None else ():
            if record.kind not in _ASSIGNED or record.groups or record.id in foreign:
                continue  # a record with groups names the group, which has a holding of its own
            eligible = record.kind is CitationKind.ELIGIBLE_ASSIGNMENT
            what = f"{'the eligible role' if eligible else 'the role'} {record.role or 'that was not read'}"
            removal = None if eligible else az.delete_role_assignment(record.id)
            yield _Named(record.id, principal or "", holding.principal_type, what, record.scope, removal)


def _state(subject: VaultAccess, named: _Named) -> PrincipalState:
    return (
        PrincipalState.FOREIGN
        if named.principal_type == "ForeignGroup"
        else subject.principal(named.principal_id).state
    )


def _cite(subject: VaultAccess, named: _Named) -> Evidence:
    orphan = _state(subject, named) is PrincipalState.NOT_FOUND
    state = "is not in the directory" if orphan else "is deleted and can be restored"
    return Evidence(
        f"{named.principal_id}, named by {named.what} at {place_words(subject, named.scope)}, {state}",
        named.record_id,
        named.principal_id,
        answer=Answer.ALLOWED if orphan else Answer.CONDITIONAL,
        scope=named.scope,
    )


RULE = Rule(
    id="orphaned-principals",
    title="Access is given to principals that no longer exist",
    severity=Severity.LOW,
    needs=frozenset({"role_assignments", "role_definitions"}),
    check=check,
    quick=quick,
)
