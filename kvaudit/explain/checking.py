"""An explanation against the records of a tenant: what is really missing there, and the fix that they call for."""

from dataclasses import replace

from kvaudit.access.answers import Decision
from kvaudit.access.evaluator import Access
from kvaudit.access.near import Miss, NearMiss
from kvaudit.explain.causes import NEXT_STEPS
from kvaudit.explain.explanation import Cause, Confidence, Explanation, Kind
from kvaudit.explain.facts import Facts
from kvaudit.explain.fixes import fix_in, grantee_in
from kvaudit.explain.recorded import not_clear, vault_in
from kvaudit.model.answers import Answer
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import ObjectRef, PermissionModel, Vault
from kvaudit.remediation import Fix

CHECKED = frozenset({Kind.MISSING_ROLE, Kind.MISSING_POLICY, Kind.PROPAGATION})
"""Kinds that the records of access say more about."""

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

_NO_GRANT_HELPS = frozenset({Kind.DENY_ASSIGNMENT, Kind.CONDITION})


def checked(found: Explanation, facts: Facts, access: Access) -> Explanation:
    """The explanation, with what the records say of the caller, the operation and the vault.

    Args:
        found: of one of the kinds `CHECKED`, from the words alone.
        facts: of the same text.
        access: over the records.
    """
    vault, who, word = vault_in(facts, access), _who(facts, access), facts.word
    if (several := not_clear(facts, access)) is not None:
        return replace(found, causes=(*found.causes, several))
    if vault is None or who is None or word is None:
        return _not_asked(found, vault, who, word)
    asked = operation(word)
    ref = None if asked.vault_only else _object(facts, asked.kind)
    decision = access.can(who, asked, vault, ref)
    fix = fix_in(vault, grantee_in(vault, who, access.estate.principal(who).type, facts.object), word)
    match decision.answer:
        case Answer.ALLOWED:
            return _granted(found, decision, word)
        case Answer.CONDITIONAL:
            said = next((item.words for item in decision.because if item.words), None)
            because = f"the condition: {said}" if said else "a role or membership that must be activated first"
            cause = Cause("the caller holds it on a condition only", because)
            return _as(found, Kind.CONDITION, Confidence.LIKELY, (cause,))
        case Answer.UNKNOWN:
            gap = decision.gaps[0].reason if decision.gaps else "what was read does not decide it"
            return replace(found, causes=(*found.causes, Cause("the records do not decide it", gap)))
    near = access.near_misses(decision, vault, ref)
    return _denied(found, vault, near[0], fix) if near else _nothing_near(found, vault, decision, fix)


def _who(facts: Facts, access: Access) -> str | None:
    """Object ID of the caller. An error that names only its application, or a person's name, is looked up."""
    caller = facts.caller
    if caller.object_id is not None:
        return caller.object_id
    name = (caller.name or "").casefold()
    found = [
        item.id
        for item in access.estate.principals.values()
        if (item.type == "ServicePrincipal" and item.app_id and item.app_id.casefold() == caller.app_id)
        or (name and (item.user_principal_name or "").casefold() == name)
    ]
    return found[0] if len(found) == 1 else None


def _not_asked(found: Explanation, vault: Vault | None, who: str | None, word: str | None) -> Explanation:
    asked = {"the vault": vault, "the caller's object ID": who, "the operation": word}
    missing = [name for name, value in asked.items() if value is None]
    because = f"the error does not name {' and '.join(missing)}, or the records do not hold it"
    return replace(found, causes=(*found.causes, Cause("the records were not asked", because)))


def _granted(found: Explanation, decision: Decision, word: str) -> Explanation:
    """The records give it: on its way, or not in the caller's token."""
    cited = decision.because[0] if decision.because else None
    record = cited.id if cited else "a record"
    on_its_way = Cause(
        "the records already grant it",
        f"{record} gives {word}: it was made a moment ago, or the token is older than it, or the records are newer than the call",
    )
    own = [item for item in found.causes if not item.beside]
    through_groups = [item for item in decision.because if item.groups]
    if cited is None or len(through_groups) < len(decision.because):
        return _as(found, Kind.PROPAGATION, Confidence.LIKELY, (on_its_way, *own[1:3]))
    stale = Cause(
        "the records grant it through a group, and the caller's token may be from before the membership",
        f"{record} gives {word} to group {through_groups[0].groups[0]}; a token keeps its groups for 60 to 90 minutes, a "
        "managed identity's for up to 24 hours",
    )
    return _as(found, Kind.STALE_TOKEN, Confidence.LIKELY, (stale, on_its_way))


def _denied(found: Explanation, vault: Vault, near: NearMiss, fix: Fix | None) -> Explanation:
    """A record comes near: why it does not count, and what would."""
    kind, why = _WHY[near.why]
    if kind is Kind.MISSING_ROLE and vault.permission_model is PermissionModel.ACCESS_POLICIES:
        kind = Kind.MISSING_POLICY
    role = f"{near.citation.role} " if near.citation.role else ""
    cause = Cause(why, f"{role}{near.citation.id}", None if kind in _NO_GRANT_HELPS else fix)
    return _as(found, kind, Confidence.CERTAIN, (cause,))


def _nothing_near(found: Explanation, vault: Vault, decision: Decision, fix: Fix | None) -> Explanation:
    """No record comes near. An error in the words of the other model says that the vault has changed since."""
    model = vault.permission_model
    if model is not None and (found.kind is Kind.MISSING_POLICY) != (model is PermissionModel.ACCESS_POLICIES):
        cause = Cause(
            "the vault has changed its permission model since it was read",
            f"the error speaks of the other model than the records, which say {model.value}",
        )
        return replace(found, confidence=Confidence.LIKELY, causes=(*found.causes, cause))
    if decision.because:  # of a vault whose tenant is not its subscription's
        cited = decision.because[0]
        cause = Cause("the records deny it", " ".join(filter(None, (cited.words, cited.id))))
        return replace(found, causes=(cause, *found.causes[1:]))
    kind = Kind.MISSING_POLICY if model is PermissionModel.ACCESS_POLICIES else Kind.MISSING_ROLE
    cause = Cause("the records hold no grant of it to the caller", f"{vault.name}, as it was read", fix)
    return _as(found, kind, Confidence.CERTAIN, (cause,))


def _as(found: Explanation, kind: Kind, confidence: Confidence, causes: tuple[Cause, ...]) -> Explanation:
    """As the records have it. What else the text shows stays beside it, and then nothing is certain."""
    if found.also and confidence is Confidence.CERTAIN:
        confidence = Confidence.LIKELY
    told = [item for item in found.causes if item.beside]
    step = NEXT_STEPS.get(kind, found.next_step)
    return replace(found, kind=kind, confidence=confidence, causes=(*causes, *told), next_step=step)


def _object(facts: Facts, kind: str) -> ObjectRef | None:
    found, _, name = (facts.object or "").partition("/")
    return ObjectRef(found, name) if found == kind else None
