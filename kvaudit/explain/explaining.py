"""From a text to an explanation, and against a snapshot where there is one."""

from dataclasses import replace

from kvaudit.access.evaluator import Access
from kvaudit.access.near import Miss, NearMiss
from kvaudit.explain.causes import NEXT_STEPS, causes_of
from kvaudit.explain.explanation import Cause, Confidence, Explanation, Kind
from kvaudit.explain.facts import Facts, find_facts
from kvaudit.explain.signatures import classify
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault

_AUTHORISATION = frozenset({Kind.MISSING_ROLE, Kind.MISSING_POLICY})
_NO_TOKEN = Cause(
    "the request carried no token",
    "clients send the first request to a vault without one, to be told the tenant and audience: this is no error by itself",
)
_WHY: dict[Miss, tuple[Kind, str]] = {
    Miss.OTHER_MODEL: (Kind.WRONG_MODEL, "the grant stands in the permission model that the vault does not use"),
    Miss.OTHER_SCOPE: (
        Kind.MISSING_ROLE,
        "the role is assigned somewhere else, at a place that does not cover this vault",
    ),
    Miss.TAKEN_AWAY: (Kind.DENY_ASSIGNMENT, "a deny assignment takes the operation away"),
    Miss.CONDITION: (Kind.CONDITION, "the assignment has a condition that does not hold here"),
    Miss.ENDED: (Kind.MISSING_ROLE, "the grant has ended"),
    Miss.OTHER_OPERATIONS: (Kind.MISSING_ROLE, "the caller's role here gives other operations"),
}


def explain(text: str, *, access: Access | None = None) -> Explanation:
    """What an error means.

    Args:
        text: an error in any form: a JSON body, an exception, output of a tool, a line of a log. Of any length and content.
        access: the records of a tenant, to check the claim against: what is really missing, or that the records already
            grant it.

    Returns:
        The kind, how sure it is, what the error says of the call, the causes with their fixes, and the next step. A text
        that says nothing established is `Kind.UNKNOWN`.
    """
    facts = find_facts(text)
    kind, confidence = classify(facts)
    found = Explanation(
        kind=kind,
        confidence=confidence,
        status=facts.status,
        operation=facts.word,
        data_action=facts.action,
        caller=facts.caller,
        vault=facts.vault,
        object=facts.object,
        causes=causes_of(kind, facts),
        next_step=NEXT_STEPS.get(kind, "Change what the first cause names, then try again."),
    )
    if kind is Kind.UNKNOWN and "akv10000" in facts.codes:
        return replace(
            found, causes=(_NO_TOKEN,), next_step="Look at the answer to the next call: this one asks for a token."
        )
    if access is not None and kind in _AUTHORISATION:
        return _checked(found, facts, access)
    return found


def _checked(found: Explanation, facts: Facts, access: Access) -> Explanation:
    """The explanation, with what the records say of the caller, the operation and the vault."""
    vault = _vault(facts, access)
    who = facts.caller.object_id
    if vault is None or who is None or facts.word is None:
        missing = [
            name
            for name, value in (("the vault", vault), ("the caller's object ID", who), ("the operation", facts.word))
            if value is None
        ]
        cause = Cause(
            "the records were not asked",
            f"the error does not name {' and '.join(missing)}, or the records do not hold it",
        )
        return replace(found, causes=(*found.causes, cause))
    asked = operation(facts.word)
    ref = _object(facts, asked.kind) if not asked.vault_only else None
    decision = access.can(who, asked, vault, ref)
    if decision.answer is Answer.ALLOWED:
        record = decision.because[0].id if decision.because else "a record"
        cause = Cause(
            "the records already grant it",
            f"{record} gives {facts.word}: it was made a moment ago, or the token is older than it, or the records are newer than the call",
        )
        return _as(found, Kind.PROPAGATION, Confidence.LIKELY, (cause, *found.causes[1:3]))
    if decision.answer is Answer.CONDITIONAL:
        said = next((item.words for item in decision.because if item.words), None)
        because = f"the condition: {said}" if said else "a role or membership that must be activated first"
        return _as(
            found, Kind.CONDITION, Confidence.LIKELY, (Cause("the caller holds it on a condition only", because),)
        )
    if decision.answer is Answer.UNKNOWN:
        gap = decision.gaps[0].reason if decision.gaps else "what was read does not decide it"
        return replace(found, causes=(*found.causes, Cause("the records do not decide it", gap)))
    near = access.near_misses(decision, vault, ref)
    return _denied(found, vault, near) if near else _model(found, vault)


def _denied(found: Explanation, vault: Vault, near: tuple[NearMiss, ...]) -> Explanation:
    kind, why = _WHY[near[0].why]
    if kind is Kind.MISSING_ROLE and vault.permission_model is PermissionModel.ACCESS_POLICIES:
        kind = Kind.MISSING_POLICY
    citation = near[0].citation
    role = f"{citation.role} " if citation.role else ""
    cause = Cause(why, f"{role}{citation.id}", found.causes[0].fix if found.causes else None)
    return _as(found, kind, Confidence.CERTAIN, (cause, *(found.causes[:1] if kind is found.kind else ())))


def _model(found: Explanation, vault: Vault) -> Explanation:
    """Nothing comes near. An error in the words of the other model says that the vault has changed since."""
    uses_policies = vault.permission_model is PermissionModel.ACCESS_POLICIES
    if (found.kind is Kind.MISSING_ROLE) == uses_policies and vault.permission_model is not None:
        cause = Cause(
            "the vault has changed its permission model since it was read",
            f"the error speaks of the other model than the records, which say {vault.permission_model.value}",
        )
        return replace(found, causes=(*found.causes, cause))
    cause = Cause("the records hold no grant of it to the caller", f"{vault.name}, as it was read")
    return replace(found, confidence=Confidence.CERTAIN, causes=(*found.causes[:1], cause))


def _as(found: Explanation, kind: Kind, confidence: Confidence, causes: tuple[Cause, ...]) -> Explanation:
    step = NEXT_STEPS.get(kind, found.next_step)
    return replace(found, kind=kind, confidence=confidence, causes=causes, next_step=step)


def _vault(facts: Facts, access: Access) -> Vault | None:
    if facts.vault is None:
        return None
    try:
        return access.vault(facts.vault)
    except KeyError:
        return None


def _object(facts: Facts, kind: str) -> ObjectRef | None:
    if facts.object is None:
        return None
    found, _, name = facts.object.partition("/")
    return ObjectRef(found, name) if found == kind else None
