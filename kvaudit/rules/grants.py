"""What holders hold of the operations or control-plane actions that a rule looks for, sorted by how certain it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kvaudit.access.answers import Citation, CitationKind, ControlHolding, Holding
from kvaudit.access.counting import ANSWERS, Tally
from kvaudit.access.subject import VaultAccess
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import iter_operations
from kvaudit.model.vaults import AccessPolicy, PermissionModel, Vault
from kvaudit.rules import az
from kvaudit.rules.judgement import Evidence, Judgement, Verdict, failed, passed, unknown
from kvaudit.rules.words import counted, place_words, principal_words

_GIVING = frozenset({CitationKind.ROLE_ASSIGNMENT, CitationKind.ACCESS_POLICY, CitationKind.ELIGIBLE_ASSIGNMENT})
_ORDER = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.DENIED: 3}
_BEHIND_UNKNOWN = frozenset(
    {"role_definitions", "deny_assignments", "group_members", "management_groups", "principals", "vaults"}
)


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
    def record(self) -> Citation | None:
        """The record that gives it, an unconditional one if there is one; None where nothing is cited."""
        giving = [item for item in self.records if item.kind in _GIVING] or self.records
        return next((item for item in giving if item.answer is self.answer), giving[0] if giving else None)


def data_grants(subject: VaultAccess, mask: int) -> list[Grant]:
    """Grants of the operations of `mask` on the vault or on one object in it, allowed ones first.

    One per principal, object and operation, of what records give to the principal itself: what somebody holds through a
    group stands in the grant of the group. What an unread listing may hold is no grant; `judge` tells it by `Rule.needs`.
    """
    on_vault = list(_grants_on(subject, subject.holdings, mask))
    held = {(grant.principal_id, grant.operation) for grant in of_answer(on_vault, Answer.ALLOWED)}
    on_objects = [
        grant
        for grant in _grants_on(subject, subject.object_holdings, mask)
        if (grant.principal_id, grant.operation) not in held and any(_at_object(item) for item in grant.records)
    ]
    return sorted((*on_vault, *on_objects), key=_certain_first)


def _grants_on(subject: VaultAccess, holdings: Sequence[Holding], mask: int) -> Iterator[Grant]:
    rows = {(item.principal_id, item.object): item for item in holdings if item.application_id is None}
    # On a vault with access policies the only thing that a gap can hide is the list itself, and then it hides everybody.
    hidden_counts = subject.permission_model is PermissionModel.ACCESS_POLICIES
    for holding in holdings:
        for operation in iter_operations((holding.allowed | holding.conditional | holding.unknown) & mask):
            records = tuple(item for item in holding.via if item.mask & operation.mask)
            giving = [item for item in records if item.kind in _GIVING]
            answer = holding.answer(operation.mask)
            if giving:
                through = {item.groups[0] for item in giving if item.groups and item.answer is answer}
                told = all(_tells(rows.get((group, holding.object)), operation.mask, answer) for group in through)
                answer, giving = _own(giving, answer, told_by_groups=told)
            if giving or (hidden_counts and records and records[0].kind is CitationKind.GAP):
                others = tuple(item for item in records if item.kind not in _GIVING)
                kept = (*giving, *others) if answer is Answer.UNKNOWN else tuple(giving)
                kind, word = holding.principal_type, operation.word
                yield Grant(holding.principal_id, kind, holding.object, word, answer, kept)


def _tells(row: Holding | None, mask: int, answer: Answer) -> bool:
    """Whether a group's own row says at least what its member holds through it."""
    return row is not None and row.answer(mask) in {answer, Answer.ALLOWED}


def _own(giving: list[Citation], answer: Answer, *, told_by_groups: bool) -> tuple[Answer, list[Citation]]:
    """What a principal holds by records that name itself, or through groups that do not tell it."""
    own = [item for item in giving if not item.groups]
    if answer is Answer.UNKNOWN:  # a deny or a role that was not read: no single record gives it
        return answer, own if told_by_groups or own else giving
    certain = [item for item in own if item.answer is answer]
    if certain or not told_by_groups:
        return answer, certain or [item for item in giving if item.answer is answer]
    weaker = min((item.answer for item in own), key=_ORDER.__getitem__, default=answer)
    return weaker, [item for item in own if item.answer is weaker]


def _at_object(record: Citation) -> bool:
    return record.kind in _GIVING and record.scope is not None and scopes.level_of(record.scope) == "object"


def control_grants(holdings: Iterable[ControlHolding]) -> list[Grant]:
    """Grants of a control-plane action: one per principal and assignment, unconditioned ones first.

    An assignment is what is mended, and one assignment of a group or at a subscription touches many vaults: findings
    are grouped by it (ARCHITECTURE.md "Access semantics" 11).
    """
    found = []
    for holding in holdings:
        others = tuple(item for item in holding.via if item.kind not in _GIVING)
        for record in (item for item in holding.via if item.kind in _GIVING):
            answer = Answer.UNKNOWN if holding.answer is Answer.UNKNOWN else record.answer
            kept = (record, *others) if answer is Answer.UNKNOWN else (record,)
            found.append(Grant(holding.principal_id, holding.principal_type, None, holding.action, answer, kept))
    return sorted(found, key=_certain_first)


def _certain_first(grant: Grant) -> int:
    return _ORDER[grant.answer]


def of_answer(grants: Iterable[Grant], *answers: Answer) -> list[Grant]:
    """The grants with one of these answers."""
    return [grant for grant in grants if grant.answer in answers]


def holders(grants: Iterable[Grant]) -> int:
    """How many different principals stand in grants."""
    return len({grant.principal_id for grant in grants})


def tallied(grants: Sequence[Grant]) -> Tally:
    """Grants, counted."""
    by_answer = [of_answer(grants, answer) for answer in ANSWERS]
    return Tally(*(number for found in by_answer for number in (len(found), holders(found))))


def by_grants(
    subject: VaultAccess,
    grants: Sequence[Grant],
    message: Callable[[Tally], str],
    what: str,
    commands: Callable[[Sequence[Grant]], list[str]],
) -> Judgement:
    """The judgement of a rule that no grant may exist: fails with those that count, before those that are conditional.

    Args:
        subject: the vault.
        grants: what was found.
        message: the sentence of a failure.
        what: as in `unless_seen`.
        commands: the fix, of the grants that are told.
    """
    allowed = of_answer(grants, Answer.ALLOWED)
    if not allowed:
        return unless_seen(subject, grants, what)
    told = [*allowed, *of_answer(grants, Answer.CONDITIONAL)]
    return failed(message(tallied(grants)), told, cite_grant(subject), commands)


@lru_cache(maxsize=4096)  # vaults side by side mostly have the same counts
def by_tally(tally: Tally | None, message: Callable[[Tally], str], what: str) -> Judgement | None:
    """The judgement that counts alone decide, without its evidence; None: the grants themselves must be looked at.

    Args:
        tally: the grants, or None where they could not be counted.
        message: the sentence of a failure.
        what: as in `unless_seen`.
    """
    if tally is None or (tally.unknown and not tally.allowed):
        return None
    if tally.allowed:
        return Judgement(Verdict.FAIL, message(tally), tally.allowed + tally.conditional)
    return passed(_conditionally(tally.conditional_holders, what) if tally.conditional else "")


def _conditionally(principals: int, what: str) -> str:
    return f"{counted(principals, 'principal')} {what} only on a condition or after activation"


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
        return passed(_conditionally(holders(conditional), what))
    return passed()


def aside(tally: Tally) -> str:
    """What a failing rule does not count, in brackets for the end of its message; empty when there is nothing."""
    conditional, unclear = tally.conditional_holders, tally.unknown_holders
    told = [
        f"{conditional} more only on a condition or after activation, not counted" if conditional else "",
        f"of {unclear} more it cannot be told" if unclear else "",
    ]
    text = "; ".join(item for item in told if item)
    return f" ({text})" if text else ""


def cite_grant(subject: VaultAccess) -> Callable[[Grant], Evidence]:
    """Makes the evidence of grants: who holds what, through which record, and on what condition."""

    def cite(grant: Grant) -> Evidence:
        record = grant.record
        where = f" on {grant.object}" if grant.object else ""
        who = principal_words(subject, grant.principal_id, grant.principal_type)
        through = "; ".join(
            record_words(item, place_words(subject, item.scope)) for item in grant.records if item.kind in _GIVING
        )
        named = "" if record and record.role == grant.operation else f"{grant.operation}{where} through "
        return Evidence(
            f"{who} holds {named}{through or 'a record that was not read'}",
            record.id if record else "",
            grant.principal_id,
            grant.operation,
            grant.answer,
            record.scope if record else None,
        )

    return cite


@lru_cache(maxsize=50_000)  # one assignment at a subscription is told for every vault below it
def record_words(record: Citation, place: str) -> str:
    """A record as words: `Key Vault Secrets User at resource group rg-payments, on the condition: …`."""
    role = record.role or "a role that was not read"
    words = "an access policy" if record.kind is CitationKind.ACCESS_POLICY else f"{role} at {place}"
    words += f", on the condition: {record.condition}" if record.condition else ""
    return words + (f", until {record.ends}" if record.ends else "")


def removals(vault: Vault, grants: Iterable[Grant]) -> list[str]:
    """Commands that take the counted grants away, each record once. A removed assignment is removed for every vault below it."""
    policies = {f"{vault.id}#accessPolicies/{index}": item for index, item in enumerate(vault.access_policies or ())}
    commands: dict[str, None] = {}
    for grant in grants:
        # What waits for a condition or an activation is shown and not counted, so it is not removed either.
        for record in (item for item in grant.records if item.answer is grant.answer is Answer.ALLOWED):
            commands.update(dict.fromkeys(_removal(vault, record, policies)))
    return list(commands)


def _removal(vault: Vault, record: Citation, policies: dict[str, AccessPolicy]) -> list[str]:
    if record.kind is CitationKind.ROLE_ASSIGNMENT:
        return [az.delete_role_assignment(record.id)]
    policy = policies.get(record.id)
    return [az.delete_policy(vault, policy)] if policy else []
