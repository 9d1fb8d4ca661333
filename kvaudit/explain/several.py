"""Several refusals in one text, each with its own facts: a log of two callers must not give one of them the other's grant."""

import re
from dataclasses import dataclass

from kvaudit.explain.facts import Facts, find_facts

_BEGINS = re.compile(
    r"caller is not authorized to perform action on resource|client address is not authorized and caller|"
    r"public network access is disabled and request|the user, group or application '|the client '",
    re.IGNORECASE,
)
"""How the refusals that name a caller begin (facts azure.md 6)."""

_ENDS = re.compile(r"\b(?:key )?vault:? '?[A-Za-z][0-9A-Za-z-]{1,23};location=\w{1,40}", re.IGNORECASE)
"""How a vault ends them."""

MOST = 500
"""Refusals of different words that are told apart, which takes half a second. A text of more should be cut."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The refusals of a text.

    Attributes:
        facts: of each, in the order of the text; empty where those that were looked at are about one caller and one vault.
        looked_at: how many of different words were looked at.
        unread: how many of different words stand behind these, and were not.
    """

    facts: tuple[Facts, ...] = ()
    looked_at: int = 0
    unread: int = 0


def refusals(facts: Facts) -> Apart:
    """Tells the refusals of a text apart.

    SDKs print the message of one refusal several times: refusals that say the same are one.
    """
    starts = [found.start() for found in _BEGINS.finditer(facts.text)]
    ends = [*starts[1:], None] if starts else []
    parts = list(dict.fromkeys(_whole(facts.text[start:end]) for start, end in zip(starts, ends, strict=True)))
    if len(parts) < 2:
        return Apart(looked_at=len(parts))
    told: dict[tuple[str | None, ...], Facts] = {}
    for part in parts[:MOST]:
        found = find_facts(part)
        told.setdefault(_about(found), found)
    several = tuple(told.values()) if len(told) > 1 else ()
    return Apart(several, min(len(parts), MOST), max(len(parts) - MOST, 0))


def _whole(part: str) -> str:
    """A refusal to its end: what follows may be the next one's request."""
    ends = _ENDS.search(part)
    return part[: ends.end()] if ends else part


def _about(facts: Facts) -> tuple[str | None, ...]:
    caller = facts.caller
    return caller.object_id, caller.app_id, caller.name, facts.vault, facts.action or facts.word
