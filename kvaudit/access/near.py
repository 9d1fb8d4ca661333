"""What comes near to giving what was denied: records of the principal that do not count here, and why each does not.

"Denied" alone leaves a person looking for the role that he knows somebody gave him. Nothing here changes an answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from kvaudit.access.answers import Citation, CitationKind, Decision
from kvaudit.access.grants import Record
from kvaudit.access.surroundings import Surroundings
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import ScheduleInstance
from kvaudit.model.permissions import Operation, operation
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault

MOST = 5
"""Records that are told for one answer: the nearest ones. Who holds a hundred roles elsewhere is not helped by the list."""


class Miss(StrEnum):
    """Why a record does not give it."""

    OTHER_MODEL = "other_model"
    """It would, if the vault used the other permission model."""
    OTHER_SCOPE = "other_scope"
    """It gives the operation, at a place that does not cover this one."""
    TAKEN_AWAY = "taken_away"
    """It gives the operation here, and a deny assignment takes it away."""
    CONDITION = "condition"
    """It gives the operation here, on a condition that cannot hold."""
    ENDED = "ended"
    """It gave the operation here until it ended."""
    OTHER_OPERATIONS = "other_operations"
    """It stands over this place and gives other things."""


_ORDER = tuple(Miss)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A record of the principal, or of a group that it is in for certain, and why it does not count."""

    why: Miss
    citation: Citation


def near_misses(around: Surroundings, vault: Vault, ref: ObjectRef | None, decision: Decision) -> tuple[NearMiss, ...]:
    """The records that come nearest to giving what was denied; nothing for any other answer.

    Args:
        around: where the records are.
        vault: the vault that was asked about.
        ref: the object, or None.
        decision: the answer.
    """
    if decision.answer is not Answer.DENIED or around.tenants_differ(vault):
        return ()
    asked = operation(decision.operation)
    chains = {decision.principal_id: (), **around.directory.chains_up(decision.principal_id)}
    found = [
        *_policies(vault, asked, chains),
        *_roles(around, vault, ref, decision, chains),
    ]
    found.sort(key=lambda item: (_ORDER.index(item.why), _distance(item, vault), item.citation.id.casefold()))
    return tuple(found[:MOST])


def _distance(item: NearMiss, vault: Vault) -> int:
    """Parts of the path that the record's scope does not share with the vault: an object of it first, then neighbours."""
    mine, its = vault.scope.split("/"), str(item.citation.scope).split("/")
    return len(mine) - next(
        (number for number, part in enumerate(mine) if its[number : number + 1] != [part]), len(mine)
    )


def _policies(vault: Vault, asked: Operation, chains: dict[str, tuple[str, ...]]) -> Iterator[NearMiss]:
    for index, entry in enumerate(vault.access_policies or ()):
        chain = chains.get(entry.object_id.casefold())
        if chain is None or not entry.mask:
            continue
        gives = bool(entry.mask & asked.mask)
        if vault.permission_model is PermissionModel.AZURE_RBAC and not gives:
            continue
        why = Miss.OTHER_MODEL if vault.permission_model is PermissionModel.AZURE_RBAC else Miss.OTHER_OPERATIONS
        if gives and why is Miss.OTHER_OPERATIONS:
            continue  # of another tenant, or for an application: notes tell it
        where = f"{vault.id}#accessPolicies/{index}"
        citation = Citation(
            CitationKind.ACCESS_POLICY, where, vault.scope, None, chain, answer=Answer.DENIED, mask=entry.mask
        )
        yield NearMiss(why, citation)


def _roles(
    around: Surroundings, vault: Vault, ref: ObjectRef | None, decision: Decision, chains: dict[str, tuple[str, ...]]
) -> Iterator[NearMiss]:
    asked = operation(decision.operation)
    here = frozenset(around.chain(vault, ref))
    reaching = {record.id for record in around.records_over(vault)[0]}
    by_policies = vault.permission_model is PermissionModel.ACCESS_POLICIES
    denied = any(item.kind is CitationKind.DENY_ASSIGNMENT for item in decision.because)
    for record in _held_by(around, chains):
        power = around.grants.power(record.role)
        gives = any((block.mask | block.unsure) & asked.mask for block in power.blocks)
        covers = record.scope in here or record.id in reaching
        why: Miss | None
        if by_policies:
            why = Miss.OTHER_MODEL if gives and covers else None
        elif gives and not covers:
            why = Miss.OTHER_SCOPE
        elif gives:
            why = _hindrance(around, record, denied=denied)
        else:
            why = Miss.OTHER_OPERATIONS if covers and power.is_known else None
        if why is not None:
            yield NearMiss(why, _cited(record, power.name, chains[record.principal_id]))


def _held_by(around: Surroundings, chains: dict[str, tuple[str, ...]]) -> Iterator[Record]:
    """Every assignment and schedule instance of the principal and its groups, wherever it stands."""
    everywhere: Iterable[Record] = (*around.estate.role_assignments, *around.grants.loose_instances)
    return (record for record in everywhere if record.principal_id in chains)


def _hindrance(around: Surroundings, record: Record, *, denied: bool) -> Miss | None:
    counts, _, _ = around.grants.window(record)
    if not counts:
        return Miss.ENDED
    if around.grants.depends_on_place(record):
        return Miss.CONDITION
    return Miss.TAKEN_AWAY if denied else None


def _cited(record: Record, role: str | None, chain: tuple[str, ...]) -> Citation:
    eligible = isinstance(record, ScheduleInstance) and record.eligible
    kind = CitationKind.ELIGIBLE_ASSIGNMENT if eligible else CitationKind.ROLE_ASSIGNMENT
    conditions = (record.condition,) if record.condition else ()
    return Citation(
        kind,
        record.id,
        record.scope,
        role,
        chain,
        condition=record.condition,
        answer=Answer.DENIED,
        conditions=conditions,
    )
