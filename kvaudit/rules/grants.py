"""What holders hold of the operations or control-plane actions that a rule looks for, sorted by how certain it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kvaudit.access.answers import Citation, CitationKind, ControlHolding, Holding
from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import iter_operations
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, passed, unknown
from kvaudit.rules.words import counted, place_words, principal_words

_GIVING = frozenset({CitationKind.ROLE_ASSIGNMENT, CitationKind.ACCESS_POLICY, CitationKind.ELIGIBLE_ASSIGNMENT})


_BEHIND_UNKNOWN = frozenset({"role_definitions", "deny_assignments", "group_members", "management_groups", "vaults"})


@dataclass(frozen=True, slots=True)
class Grant:
    """One principal holding one operation or action, and the records that give it.

    Attributes:
        object: `secrets/NAME` where the grant is on one object, or None.
        operation: permission word or control-plane action.
        answer: allowed, conditional or unknown.
        records: the assignments and policies, those that give most first; for an unknown answer also the gaps.
    """

    principal_id: str | None
    principal_type: str | None
    object: str | None
    operation: str
    answer: Answer
    records: tuple[Citation, ...]

    @property
    def record_id(self) -> str:
        """The ID of the first record that gives it."""
        return self.records[0].id if self.records else ""


def data_grants(subject: VaultAccess, mask: int) -> list[Grant]:
    """Grants of the operations of `mask` on the vault or on one object in it, allowed ones first.

    One per principal, object and operation, for the principals that a record names itself: what somebody holds through a
    group stands in the grant of the group. What an unread listing may hold is no grant; `judge` tells it by `Rule.needs`.
    """
    on_vault = _settled(_grants_on(subject.holdings, mask, subject))
    held = {(grant.principal_id, grant.operation) for grant in of_answer(on_vault, Answer.ALLOWED)}
    on_objects = [
        grant
        for grant in _settled(_grants_on(subject.object_holdings, mask, subject))
        if (grant.principal_id, grant.operation) not in held and any(_at_object(item) for item in grant.records)
    ]
    return sorted((*on_vault, *on_objects), key=_certain_first)


def _grants_on(holdings: Iterable[Holding], mask: int, subject: VaultAccess) -> Iterator[Grant]:
    # On a vault with access policies the only thing that a gap can hide is the list itself, and then it hides everybody.
    hidden_counts = subject.permission_model is PermissionModel.ACCESS_POLICIES
    for holding in holdings:
        for operation in iter_operations((holding.allowed | holding.conditional | holding.unknown) & mask):
            records = tuple(item for item in holding.via if item.mask & operation.mask)
            if hidden_counts or any(item.kind is not CitationKind.GAP for item in records):
                answer = holding.answer(operation.mask)
                kind, name = holding.principal_type, operation.word
                yield Grant(holding.principal_id, kind, holding.object, name, answer, records)


def _settled(grants: Iterable[Grant]) -> list[Grant]:
    """Grants without those that only repeat what a group holds."""
    found = list(grants)
    answers = {(item.principal_id, item.object, item.operation): item.answer for item in found}

    def repeats(grant: Grant) -> bool:
        giving = [item for item in grant.records if item.kind in _GIVING]
        return bool(giving) and all(
            item.groups
            and answers.get((item.groups[0], grant.object, grant.operation)) in {grant.answer, Answer.ALLOWED}
            for item in giving
        )

    return [grant for grant in found if not repeats(grant)]


def _at_object(record: Citation) -> bool:
    return record.kind in _GIVING and record.scope is not None and scopes.level_of(record.scope) == "object"


def control_grants(holdings: Iterable[ControlHolding]) -> list[Grant]:
    """Grants of a control-plane action: one per principal and assignment, unconditioned ones first.

    An assignment is what is mended, and one assignment of a group or at a subscription touches many vaults: findings
    are grouped by it (ARCHITECTURE.md "Access semantics" 11).
    """
    found = []
    for holding in holdings:
        giving = [item for item in holding.via if item.kind in _GIVING]
        for record in giving:
            answer = Answer.UNKNOWN if holding.answer is Answer.UNKNOWN else record.answer
            others = tuple(item for item in holding.via if item.kind not in _GIVING)
            found.append(
                Grant(holding.principal_id, holding.principal_type, None, holding.action, answer, (record, *others))
            )
        if not giving:
            found.append(
                Grant(holding.principal_id, holding.principal_type, None, holding.action, holding.answer, holding.via)
            )
    return sorted(found, key=_certain_first)


def _certain_first(grant: Grant) -> int:
    return (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN, Answer.DENIED).index(grant.answer)


def of_answer(grants: Iterable[Grant], *answers: Answer) -> list[Grant]:
    """The grants with one of these answers."""
    return [grant for grant in grants if grant.answer in answers]


def holders(grants: Iterable[Grant]) -> int:
    """How many different principals stand in grants."""
    return len({grant.principal_id for grant in grants})


def unless_seen(subject: VaultAccess, grants: Sequence[Grant], what: str) -> Judgement:
    """The verdict when no grant counts: unknown when one cannot be told, else a pass that tells what is conditional.

    Args:
        subject: the vault.
        grants: what was consulted.
        what: completes the sentence "of 2 principals it cannot be told whether they …".
    """
    unclear = of_answer(grants, Answer.UNKNOWN)
    if unclear:
        cited = [item.id for grant in unclear for item in grant.records if item.kind is CitationKind.GAP]
        gaps = cited or [gap.id for gap in subject.gaps(_BEHIND_UNKNOWN)]
        return unknown(f"of {counted(holders(unclear), 'principal')} it cannot be told whether they {what}", gaps)
    conditional = of_answer(grants, Answer.CONDITIONAL)
    if conditional:
        return passed(f"{counted(holders(conditional), 'principal')} {what} only on a condition or after activation")
    return passed()


def cite_grant(subject: VaultAccess) -> Callable[[Grant], Evidence]:
    """Makes the evidence of grants: who holds what, through which record, and on what condition."""

    def cite(grant: Grant) -> Evidence:
        where = f" on {grant.object}" if grant.object else ""
        who = principal_words(subject, grant.principal_id, grant.principal_type)
        through = "; ".join(record_words(item) for item in grant.records if item.kind in _GIVING)
        return Evidence(
            f"{who} holds {grant.operation}{where} through {through or 'a record that was not read'}",
            grant.record_id,
            grant.principal_id,
            grant.operation,
            grant.answer,
            grant.records[0].scope if grant.records else None,
        )

    return cite


def record_words(record: Citation) -> str:
    """A record as words: `Key Vault Secrets User at resource group rg-payments, on the condition …`."""
    if record.kind is CitationKind.ACCESS_POLICY:
        words = "an access policy"
    else:
        eligible = "the eligible role " if record.kind is CitationKind.ELIGIBLE_ASSIGNMENT else ""
        words = f"{eligible}{record.role or 'a role that was not read'} at {place_words(record.scope)}"
    words += f", on the condition: {record.condition}" if record.condition else ""
    return words + (f", until {record.ends}" if record.ends else "")


def removals(vault: Vault, grants: Iterable[Grant]) -> list[str]:
    """Commands that take the counted grants away, each record once. A removed assignment is removed for every vault below it."""
    policies = {f"{vault.id}#accessPolicies/{index}": item for index, item in enumerate(vault.access_policies or ())}
    commands: dict[str, None] = {}
    for grant in grants:
        for record in grant.records if grant.answer is Answer.ALLOWED else ():
            commands.update(dict.fromkeys(_removal(vault, record, policies)))
    return list(commands)


def _removal(vault: Vault, record: Citation, policies: dict[str, AccessPolicy]) -> list[str]:
    if record.kind is CitationKind.ROLE_ASSIGNMENT:
        return [az.delete_role_assignment(record.id)]
    policy = policies.get(record.id)
    return [az.delete_policy(vault, policy)] if policy else []
