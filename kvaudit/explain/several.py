"""Several refusals in one text, each with its own facts: a log of two callers must not give one of them the other's grant."""

import re

from kvaudit.explain.facts import Facts, find_facts

_BEGINS = re.compile(
    r"caller is not authorized to perform action on resource|client address is not authorized and caller|"
    r"public network access is disabled and request|the user, group or application '|the client '",
    re.IGNORECASE,
)
"""How the refusals that name a caller begin (facts azure.md 6)."""

_ENDS = re.compile(r"\b(?:key )?vault:? '?[A-Za-z][0-9A-Za-z-]{1,23};location=\w{1,40}", re.IGNORECASE)
"""How a vault ends them."""

_MOST = 20
"""Refusals that are told apart. A text of more is a log of one trouble, or should be cut."""


def refusals(facts: Facts) -> tuple[Facts, ...]:
    """The facts of every refusal of a text, in its order; empty where the text is about one caller and one vault.

    SDKs print the message of one refusal several times: refusals that say the same are one.
    """
    starts = [found.start() for found in _BEGINS.finditer(facts.text)][:_MOST]
    if len(starts) < 2:
        return ()
    parts = [_whole(facts.text[start:end]) for start, end in zip(starts, [*starts[1:], None], strict=True)]
    told = {_about(found): found for found in reversed([find_facts(part) for part in parts])}
    return tuple(reversed(told.values())) if len(told) > 1 else ()


def _whole(part: str) -> str:
    """A refusal to its end: what follows may be the next one's request."""
    ends = _ENDS.search(part)
    return part[: ends.end()] if ends else part


def _about(facts: Facts) -> tuple[str | None, ...]:
    caller = facts.caller
    return caller.object_id, caller.app_id, caller.name, facts.vault, facts.action or facts.word
