"""The text output of `who-can` and `can`: one sentence a line, told to a person who has no other window open.

Lines below a heading are indented by two blanks for each level; a terminal breaks them (`cli.output`), a pipe gets them whole.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kvaudit.access.answers import Citation, CitationKind, Decision, Holding, WhoCan
from kvaudit.access.near import Miss, NearMiss
from kvaudit.model import scopes
from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.permissions import operation
from kvaudit.report.escalation_words import not_assessed_line, route_lines
from kvaudit.report.sentences import citation_sentence, gap_sentence, principal_name, scope_name
from kvaudit.report.text import counted

_REASONS = 5
"""Records that the text spells out for one answer; `-o json` has them all."""

_ORDER = (Answer.ALLOWED, Answer.CONDITIONAL, Answer.UNKNOWN)


def place_name(estate: Estate, vault_id: str, ref: str | None) -> str:
    """`vault kv-app`, or `secrets/db-password in vault kv-app`."""
    vault = scope_name(estate, scopes.fold(vault_id))
    return f"{ref} in {vault}" if ref else vault


def who_can_lines(estate: Estate, answer: WhoCan) -> Iterator[str]:
    """An answer to `who-can`: a heading with the counts, each holder with its reasons, notes. Gaps are told apart."""
    mask = operation(answer.operation).mask
    counts = Counter(item.answer(mask) for item in answer.holdings)
    heading = f"{answer.operation} on {place_name(estate, answer.vault_id, answer.object)}"
    if not answer.holdings:
        yield f"{heading}: nobody" + (", as far as could be read" if answer.gaps else "")
    else:
        yield f"{heading}: {', '.join(f'{counts[kind]:,} {kind.value}' for kind in _ORDER if counts[kind])}"
    gaps = {gap.id: gap for gap in answer.gaps}
    for item in answer.holdings:
        yield f"  {item.answer(mask).value}: {_holder(estate, item)}"
        reasons = [citation_sentence(estate, citation, item.principal_id, gaps) for citation in item.via]
        yield from (f"    {text}" for text in _because(reasons))
    if answer.routes is not None:
        yield from _routes(estate, answer)
    yield from (f"  note: {note}" for note in answer.notes)


def _routes(estate: Estate, answer: WhoCan) -> Iterator[str]:
    """Those who do not hold it and have a route to it, told apart from the holders above."""
    routes = answer.routes or ()
    people = len({item.principal_id for item in routes})
    yield (
        f"  not holders, with a route to it: {people:,}"
        if routes
        else "  nobody else has a route to it, as far as was read"
    )
    yield from (f"  {line}" for line in route_lines(estate, routes))
    line = not_assessed_line(answer.not_assessed)
    if line is not None:
        yield f"  {line}"


def _holder(estate: Estate, item: Holding) -> str:
    name = principal_name(estate, item.principal_id)
    return f"{name}, while application {item.application_id} acts for it" if item.application_id else name


def _because(reasons: Iterable[str]) -> Iterator[str]:
    texts = list(dict.fromkeys(reasons))
    shown = texts if len(texts) <= _REASONS + 1 else texts[:_REASONS]
    for number, text in enumerate(shown):
        yield f"{'and ' if number else ''}because {text}"
    if len(shown) < len(texts):
        yield f"and because of {counted(len(texts) - len(shown), 'more record')} (-o json lists them)"


_MISSES = {
    Miss.OTHER_MODEL: "without effect, because the vault uses {model}",
    Miss.OTHER_SCOPE: "that does not cover {place}",
    Miss.TAKEN_AWAY: "the deny assignment takes it away",
    Miss.CONDITION: "its condition does not hold here",
    Miss.ENDED: "it has ended",
    Miss.OTHER_OPERATIONS: "that role does not hold {operation}",
}


def decision_lines(
    estate: Estate, decision: Decision, near: Iterable[NearMiss] = (), *, named: bool = False
) -> Iterator[str]:
    """An answer to `can`: the answer with its first reason, further reasons, what comes near, gaps, then notes.

    Args:
        near: of a denied answer, see `Access.near_misses`.
        named: say what was asked first: one of several questions.
    """
    gaps = {gap.id: gap for gap in decision.gaps}
    reasons = [citation_sentence(estate, item, decision.principal_id, gaps) for item in _leading(decision)]
    if not reasons and decision.answer is Answer.DENIED:
        asked = f"{decision.operation} on {place_name(estate, decision.vault_id, decision.object)}"
        reasons = [f"no record that was read gives {principal_name(estate, decision.principal_id)} {asked}"]
    head = f"{decision.operation}: {decision.answer.value}" if named else decision.answer.value
    first, *rest = _because(reasons) if reasons else [""]
    yield f"{head}, {first}" if first else head
    yield from (f"  {text}" for text in rest)
    yield from (f"  near: {_near(estate, item, decision)}" for item in near)
    yield from (f"  not read: {gap_sentence(estate, gap)}" for gap in gaps.values())
    yield from (f"  note: {note}" for note in decision.notes)


def _near(estate: Estate, item: NearMiss, decision: Decision) -> str:
    policies = item.citation.kind is CitationKind.ACCESS_POLICY
    why = _MISSES[item.why].format(
        model="Azure RBAC" if policies else "access policies",
        place=place_name(estate, decision.vault_id, decision.object),
        operation=decision.operation,
    )
    if policies and item.why is Miss.OTHER_OPERATIONS:
        why = f"they do not name {decision.operation}"
    return f"{citation_sentence(estate, item.citation, decision.principal_id)}; {why}"


def _leading(decision: Decision) -> list[Citation]:
    """Reasons in the order in which they are told: those that give the answer, then what makes it doubtful."""
    return sorted(decision.because, key=lambda item: item.answer is not decision.answer)


def gap_lines(estate: Estate, gaps: Iterable[Gap]) -> Iterator[str]:
    """Each gap once, in order of what and where."""
    unique = {gap.id: gap for gap in gaps}
    for gap in sorted(unique.values(), key=lambda item: (item.kind, item.scope)):
        yield f"not read: {gap_sentence(estate, gap)}"
