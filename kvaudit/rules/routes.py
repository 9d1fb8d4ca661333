"""Routes to data (E1 to E30) as the evidence of rules: one piece for each record that gives a route, the surest first."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kvaudit.access.answers import Citation, CitationKind
from kvaudit.access.escalation import EscalationRoute
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap
from kvaudit.model.kinds import kind_words
from kvaudit.rules import az
from kvaudit.rules.grants import record_words
from kvaudit.rules.judgement import Evidence, Judgement, passed, unknown
from kvaudit.rules.words import counted, place_words, principal_words

_ORDER = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2}
_ASSIGNED = frozenset({CitationKind.ROLE_ASSIGNMENT, CitationKind.ELIGIBLE_ASSIGNMENT})


@dataclass(frozen=True, slots=True)
class Opened:
    """One route with the record that is mended to close it."""

    route: EscalationRoute
    record: Citation


def opened(routes: Iterable[EscalationRoute]) -> list[Opened]:
    """Routes that a record opens, those that are certain first: one for each principal, record and target."""
    found: dict[tuple[str | None, str, str | None], Opened] = {}
    for route in routes:
        if route.via:
            key = (route.principal_id, route.via[0].id, route.target)
            found.setdefault(key, Opened(route, route.via[0]))
    return sorted(found.values(), key=lambda item: _ORDER[item.route.answer])


def surest_first(found: Mapping[str, Answer]) -> list[tuple[str, Answer]]:
    """Principals and how surely each has a route, those that are certain first."""
    return sorted(found.items(), key=lambda item: (_ORDER[item[1]], item[0]))


def certain(items: Iterable[Opened]) -> list[Opened]:
    """Those that are open without a condition, an activation or a doubt."""
    return [item for item in items if item.route.answer is Answer.ALLOWED]


def unless_held(found: Collection[tuple[str | None, Answer]], what: str, gaps: Iterable[Gap] = ()) -> Judgement:
    """The verdict when no route is certain: unknown when one cannot be told, else a pass that tells what is conditional.

    Args:
        found: principals and how surely each has a route.
        what: completes the sentence "of 2 principals it cannot be told whether they …".
        gaps: what could not be read, wherever it is, and may hide a route to this vault.
    """
    unclear = {who for who, answer in found if answer is Answer.UNKNOWN}
    if unclear:
        return unknown(f"of {counted(len(unclear), 'principal')} it cannot be told whether they {what}")
    hidden = tuple(gaps)
    if hidden:
        kinds = ", ".join(sorted({kind_words(gap.kind) for gap in hidden}))
        return unknown(
            f"nothing was found, but what could not be read ({kinds}) may hide it", (gap.id for gap in hidden)
        )
    waiting = {who for who, _ in found}
    if waiting:
        return passed(f"{counted(len(waiting), 'principal')} {what} only on a condition or after activation")
    return passed()


class Cite:
    """Makes the evidence of routes of one vault."""

    def __init__(self, subject: VaultAccess) -> None:
        self._subject = subject

    def __call__(self, item: Opened) -> Evidence:
        """Who would do what, and the record that lets them."""
        route, record = item.route, item.record
        who = principal_words(self._subject, route.principal_id, route.principal_type)
        through = f" through {record_words(record, place_words(self._subject, record.scope))}" if _gives(record) else ""
        return Evidence(
            f"{who} {route.steps} (route {route.id}){through}",
            record.id,
            route.principal_id,
            route.id,
            route.answer,
            record.scope,
        )


def _gives(record: Citation) -> bool:
    return record.kind in _ASSIGNED


def closings(items: Iterable[Opened]) -> list[str]:
    """Commands that take the certain routes away, each record once; none for records that no command here mends."""
    commands: dict[str, None] = {}
    for item in certain(items):
        record = item.record
        if record.kind is CitationKind.ROLE_ASSIGNMENT:
            commands[az.delete_role_assignment(record.id)] = None
        elif record.kind is CitationKind.OWNERSHIP:
            commands.update(dict.fromkeys(_ownership(record.id)))
    return list(commands)


def _ownership(record: str) -> Iterable[str]:
    kind, thing, _, owner = record.split("/")
    match kind:
        case "groups":
            yield az.command("az", "ad", "group", "owner", "remove", group=thing, owner_object_id=owner)
        case "applications":
            yield az.command("az", "ad", "app", "owner", "remove", id=thing, owner_object_id=owner)
