"""What `access.escalation` returns: routes to data that somebody has without holding the data, each with its records."""

from dataclasses import dataclass
from enum import StrEnum

from kvaudit.access.answers import Citation
from kvaudit.model.answers import Answer
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import PermissionModel


class Confidence(StrEnum):
    """How well established a route is: by a page of Microsoft, by field reports and inference, or hardly at all."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Effect(StrEnum):
    """What a route leads to.

    `READ` gives the holder data itself; `IDENTITY` lets it act as somebody who has access; `INTEGRITY` changes data without
    reading it; `DESTROY` makes data unavailable; `REACH` opens the network way; `BLIND` stops the audit log; `ENABLE` opens
    another route.
    """

    READ = "read"
    IDENTITY = "identity"
    INTEGRITY = "integrity"
    DESTROY = "destroy"
    REACH = "reach"
    BLIND = "blind"
    ENABLE = "enable"


@dataclass(frozen=True, slots=True)
class EscalationRoute:
    """One route of one principal to the data of one vault.

    Attributes:
        id: `E1` to `E30`.
        principal_id: folded object ID of who has the route; None where the records cannot name them (whoever controls the
            subject of a federated credential).
        vault_id: as Azure sent it.
        answer: allowed; conditional (an activation, a condition, a first step that the records do not settle); unknown (a role,
            a deny or a fact about Azure that is not established).
        model: the permission model that the route depends on, or None: it exists in both.
        mask: operations of the data plane that it leads to, 0 where it leads to none by itself.
        actions: what was found of the actions that the route needs, as Azure spells them.
        via: the records that give them.
        steps: what its holder would do, a clause without a full stop.
        target: folded ID of the principal as which it acts, or None.
        notes: what is uncertain or worth knowing.
    """

    id: str
    title: str
    principal_id: str | None
    principal_type: str | None
    vault_id: str
    answer: Answer
    confidence: Confidence
    effect: Effect
    model: PermissionModel | None
    mask: int
    actions: tuple[str, ...]
    via: tuple[Citation, ...]
    steps: str
    target: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of the route, for sorting."""
        return route_number(self.id)


def route_number(route: str) -> int:
    """`E12` is 12."""
    return int(route[1:])


def sorted_ids(routes: set[str] | frozenset[str]) -> tuple[str, ...]:
    """Route ids, each once, by number."""
    return tuple(sorted(routes, key=route_number))


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """Routes whose records were not collected: neither read nor refused. Told once, never silently absent.

    Attributes:
        kind: kind of record.
        routes: the ids that rest on it.
        missing: for how many things that matter (groups, applications, subscriptions) it was not collected.
        of: how many there are.
    """

    kind: str
    routes: tuple[str, ...]
    missing: int
    of: int


@dataclass(frozen=True, slots=True)
class Routes:
    """Every route to the data of one vault.

    Attributes:
        routes: sorted by principal, then number.
        gaps: what could not be read and may hide a route or changes one.
        not_assessed: kinds of records that nobody collected.
    """

    vault_id: str
    routes: tuple[EscalationRoute, ...]
    gaps: tuple[Gap, ...] = ()
    not_assessed: tuple[NotAssessed, ...] = ()
