"""From a text to an explanation, and against a snapshot where there is one."""

from collections.abc import Iterator
from dataclasses import replace

from kvaudit.access.evaluator import Access
from kvaudit.explain.causes import NEXT_STEPS, causes_of
from kvaudit.explain.checking import CHECKED, checked
from kvaudit.explain.explanation import Cause, Confidence, Explanation, Kind
from kvaudit.explain.facts import LONGEST, Facts, find_facts
from kvaudit.explain.recorded import recorded
from kvaudit.explain.several import Apart, refusals
from kvaudit.explain.signatures import Classified, classify

_NO_TOKEN = Cause(
    "the request carried no token",
    "clients send the first request to a vault without one, to be told the tenant and audience: this is no error by itself",
)


_SILENT_RECORD = Cause(
    "the record says that the vault refused, and not which of its checks did",
    "AzureDiagnostics has no columns for that: network, permission and state of the object all show as 403",
)


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
    whole = find_facts(text)
    said = classify(whole)
    apart = refusals(whole)
    by_kind: dict[Kind, list[Facts]] = {}
    for item in apart.facts:
        by_kind.setdefault(classify(item).kind, []).append(item)
    if unsaid := tuple(kind for kind in by_kind if kind not in (said.kind, *said.beside, Kind.UNKNOWN)):
        said = Classified(said.kind, Confidence.LIKELY, (*said.beside, *unsaid))
    facts = by_kind.get(said.kind, [whole])[0]
    causes = causes_of(said.kind, facts)
    beside = tuple(item for kind in said.beside for item in _beside(kind, by_kind.get(kind, [whole])[0]))
    beside = (*beside, *_not_told(len(by_kind.get(said.kind, ())), apart, len(text)))
    found = Explanation(
        kind=said.kind,
        confidence=said.confidence,
        also=said.beside,
        status=_status(said, whole),
        operation=facts.word,
        data_action=facts.action,
        caller=facts.caller,
        vault=facts.vault,
        object=facts.object,
        causes=(*causes[:1], *beside, *causes[1:]),
        next_step=NEXT_STEPS.get(said.kind, "Change what the first cause names, then try again."),
    )
    if said.kind is Kind.UNKNOWN:
        return _unknown(found, whole, len(text))
    if access is not None and said.kind in CHECKED:
        return checked(found, facts, access)
    told = recorded(said.kind, facts, access) if access is not None else None
    if told is not None:
        return replace(found, causes=(*found.causes[:1], told, *found.causes[1:]))
    return found


def _not_told(alike: int, apart: Apart, length: int) -> Iterator[Cause]:
    """What a text holds beside the refusal that is told.

    Args:
        alike: how many refusals of its kind were told apart, itself included.
        apart: all that were.
        length: of the text, in characters.
    """
    if alike > 1:
        yield Cause(
            f"the text shows other refusals of the same kind ({alike - 1:,})",
            "they name another caller, vault or operation: only the first is told. Paste the others one by one",
            beside=True,
        )
    if apart.unread:
        yield Cause(
            f"{apart.unread:,} of {apart.looked_at + apart.unread:,} different refusals in the text were not looked at",
            f"the first {apart.looked_at:,} were: the others may be of another kind, caller or vault. Cut out the part in question",
            beside=True,
        )
    if length > LONGEST and apart.looked_at:
        yield _unread(length)


def _unread(length: int) -> Cause:
    """That a text of this length was not looked at as a whole."""
    return Cause(
        f"{'most' if length > 2 * LONGEST else 'a part'} of the text was not looked at",
        f"the first and last {LONGEST // 2:,} characters were: errors stand at either end. Cut out the part with the error",
        beside=True,
    )


_STATUSES: dict[Kind, frozenset[int]] = {
    Kind.THROTTLED: frozenset({429}),
    Kind.STALE_TOKEN: frozenset({401}),
    Kind.CLAIMS_CHALLENGE: frozenset({401}),
    Kind.TENANT: frozenset({401}),
    Kind.TOKEN_AUDIENCE: frozenset({401}),
    Kind.OBJECT_NOT_FOUND: frozenset({404}),
    **dict.fromkeys((Kind.MISSING_ROLE, Kind.MISSING_POLICY, Kind.FIREWALL, Kind.PRIVATE_LINK), frozenset({403})),
    **dict.fromkeys((Kind.DENY_ASSIGNMENT, Kind.CONTROL_PLANE_AUTHORIZATION, Kind.OBJECT_DISABLED), frozenset({403})),
}
"""With which status a service tells a kind (facts azure.md 6)."""


def _status(said: Classified, facts: Facts) -> int | None:
    """The status of the error that is told: where a text shows several, the one that fits; the first call's 401 seldom does."""
    fitting = _STATUSES.get(said.kind, frozenset())
    found = next((item for item in facts.statuses if item in fitting), None)
    if found is not None or said.beside:
        return found
    return facts.status if len(facts.statuses) == 1 or not fitting else None


def _beside(kind: Kind, facts: Facts) -> tuple[Cause, ...]:
    """The first cause of another kind that the text shows as well."""
    return tuple(
        replace(item, beside=True, because=f"the text shows {kind.value.replace('_', ' ')} too: {item.because}")
        for item in causes_of(kind, facts)[:1]
    )


def _unknown(found: Explanation, facts: Facts, length: int) -> Explanation:
    """A text without an established meaning: what can be said all the same."""
    causes = found.causes
    step = found.next_step
    if facts.log is not None and facts.status == 403:
        causes = (_SILENT_RECORD,)
        step = "Paste the client's error, or the record from AZKVAuditLogs (resource-specific tables)."
    if (
        "akv10000" in facts.codes
        or facts.has("request is missing a bearer or pop token")
        or (facts.status == 401 and str((facts.log or {}).get("operationname")).casefold() == "authentication")
    ):
        causes = (_NO_TOKEN,)
        step = "Look at the answer to the next call: this one asks for a token."
    if length > LONGEST:
        causes = (*causes, _unread(length))
    return replace(found, causes=causes, next_step=step)
