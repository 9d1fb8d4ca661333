"""Routes to data (E1 to E30) as JSON and as sentences, and the one line that says which were not assessed."""

from collections.abc import Iterable, Iterator
from typing import Any

from kvaudit.access.escalation import EscalationRoute, NotAssessed, sorted_ids
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import words_of
from kvaudit.report.sentences import citation_sentence, principal_name
from kvaudit.report.shapes import citation_shape

_RECORDS = 3
"""Records that the text spells out for one route; `-o json` has them all."""


def route_shape(estate: Estate, route: EscalationRoute) -> dict[str, Any]:
    """One route as JSON."""
    return {
        "route": route.id,
        "title": route.title,
        "principal_id": route.principal_id,
        "principal_type": route.principal_type,
        "display_name": estate.principal(route.principal_id).display_name if route.principal_id else None,
        "answer": route.answer.value,
        "confidence": route.confidence.value,
        "effect": route.effect.value,
        "permission_model": route.model.value if route.model else None,
        "steps": route.steps,
        "actions": list(route.actions),
        "leads_to": list(words_of(route.mask)),
        "target_id": route.target,
        "via": [citation_shape(item) for item in route.via],
        "notes": list(route.notes),
    }


def not_assessed_shape(item: NotAssessed) -> dict[str, Any]:
    """A kind of records that nobody collected as JSON."""
    return {"kind": item.kind, "routes": list(item.routes), "missing": item.missing, "of": item.of}


def route_sentence(estate: Estate, route: EscalationRoute) -> str:
    """Who has which route and what they would do: `E4 allowed, high confidence: user anna assigns itself …`."""
    who = "somebody outside the directory" if route.principal_id is None else principal_name(estate, route.principal_id)
    text = f"{route.id} {route.answer.value}, {route.confidence.value} confidence: {who} {route.steps}"
    return text + "".join(f"; {note}" for note in route.notes)


def route_lines(estate: Estate, routes: Iterable[EscalationRoute]) -> Iterator[str]:
    """Routes as text, each with the first records that give it."""
    for route in routes:
        yield f"  {route_sentence(estate, route)}"
        reasons = list(dict.fromkeys(citation_sentence(estate, item, route.principal_id) for item in route.via))
        for number, text in enumerate(reasons[:_RECORDS]):
            yield f"    {'and ' if number else ''}because {text}"
        if len(reasons) > _RECORDS:
            yield f"    and because of {len(reasons) - _RECORDS} more (-o json lists them)"


def not_assessed_line(items: Iterable[NotAssessed]) -> str | None:
    """The one line that lists what was not collected and which routes rest on it; None where all of it was."""
    found = tuple(items)
    if not found:
        return None
    kinds = ", ".join(
        item.kind.replace("_", " ") + (f" ({item.missing:,} of {item.of:,})" if item.missing < item.of else "")
        for item in found
    )
    routes = sorted_ids({route for item in found for route in item.routes})
    return f"not assessed, because nobody collected it: {kinds}; more may have the routes {', '.join(routes)}"
