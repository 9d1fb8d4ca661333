"""Routes as text for goldens: everything that an answer says, with names where the records have fictional IDs."""

import re
from collections.abc import Iterable, Iterator

from builders import OTHER_TENANT, RESOURCE_GROUP, SUBSCRIPTION, TENANT, guid

from kvaudit.access.answers import Citation
from kvaudit.access.escalation import EscalationRoute
from kvaudit.model.permissions import all_operations_mask, words_of

_PLACES = {
    f"{RESOURCE_GROUP.casefold()}/providers/microsoft.keyvault/vaults/": "VAULT ",
    RESOURCE_GROUP.casefold(): "GROUP",
    RESOURCE_GROUP: "GROUP",
    SUBSCRIPTION: "SUB",
    TENANT: "our-tenant",
    OTHER_TENANT: "another-tenant",
}
_FICTIONAL = re.compile(r"([0-9a-f]{4})\1(?:-\1){3}-\1{3}")


def named(text: str, names: Iterable[str]) -> str:
    """A text with names for the IDs that follow from them, short words for the usual places, and the rest of IDs short."""
    for place, word in _PLACES.items():
        text = text.replace(place, word)
    for name in names:
        text = text.replace(guid(name), name)
    return _FICTIONAL.sub(r"#\1", text)


def routes_told(routes: Iterable[EscalationRoute], names: Iterable[str]) -> str:
    """Routes, each with everything that it says; records are not repeated from one route to the next."""
    told: list[str] = []
    before: tuple[Citation, ...] | None = None
    for route in routes:
        told.extend(_route(route, repeats=route.via == before))
        before = route.via
    return named("\n".join(told), names)


def citations_told(via: Iterable[Citation]) -> Iterator[str]:
    """Citations, each with everything that it says."""
    for item in via:
        beside = (
            f"through {' > '.join(item.groups)}" if item.groups else "",
            f"if {item.condition}" if item.condition else "",
            f"begins {item.begins}" if item.begins else "",
            f"until {item.ends}" if item.ends else "",
            f"conditions {item.conditions}" if item.conditions else "",
            f"remark {item.remark}" if item.remark else "",
        )
        said = "; ".join(text for text in beside if text)
        yield f"{item.answer} by {item.kind} {item.role} at {item.scope}, {item.id}" + (f" ({said})" if said else "")


def operations_told(mask: int) -> str:
    """The operations of a mask, or those that it lacks where these are fewer."""
    missing = all_operations_mask() & ~mask
    if not missing:
        return "everything"
    few = missing.bit_count() < mask.bit_count()
    return ("everything but " if few else "") + (" ".join(words_of(missing if few else mask)) or "nothing")


def _route(item: EscalationRoute, *, repeats: bool) -> Iterator[str]:
    who = f"{item.principal_id or 'somebody'} ({item.principal_type})"
    target = f" as {item.target}" if item.target else ""
    yield f"{item.id} {item.answer} to {who}{target}: {item.steps}"
    yield f"  {item.confidence} confidence, {item.effect}, {item.model or 'both models'}, leads to {operations_told(item.mask)}"
    yield f"  takes {', '.join(item.actions)}"
    yield from ("  by the same",) if repeats else (f"  {text}" for text in citations_told(item.via))
    yield from (f"  note: {text}" for text in item.notes)
