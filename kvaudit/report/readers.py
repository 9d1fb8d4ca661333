"""Who can read secrets, counted: people, guests, workloads and groups by answer, per vault."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kvaudit.access.answers import Holding
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.permissions import operation

READ_SECRETS = "secrets/get"
"""The operation that returns a secret's value, and with it a certificate's private key (facts azure.md 1.5)."""


class Kind(StrEnum):
    """What a principal is, as a reader of a report asks it."""

    PERSON = "person"
    GUEST = "guest"
    WORKLOAD = "workload"
    GROUP = "group"
    FOREIGN = "foreign"
    UNRESOLVED = "unresolved"


def kind_of(principal: Principal, recorded_type: str | None = None) -> Kind:
    """The kind of a principal; the type that a record states counts where the directory says nothing."""
    kind = principal.type or recorded_type
    if kind == "ForeignGroup" or principal.state is PrincipalState.FOREIGN:
        return Kind.FOREIGN
    if kind == "User":
        return Kind.GUEST if principal.user_type == "Guest" else Kind.PERSON
    if kind == "Group":
        return Kind.GROUP
    if kind in {"ServicePrincipal", "Device", "Application"}:
        return Kind.WORKLOAD
    return Kind.UNRESOLVED


@dataclass(frozen=True, slots=True)
class Readers:
    """Principals by what they may do with `secrets/get` on one vault. Groups count as one, without their members.

    Attributes:
        counts: answer -> kind -> principals that records name; allowed, conditional and unknown only.
        members: people in the groups that are allowed, as far as their members were read, without those named themselves.
        on_objects: principals that may read single secrets only, through a record on the secret.
        hidden: whether a gap may hide further readers.
    """

    counts: Mapping[Answer, Mapping[Kind, int]] = field(default_factory=dict)
    members: int = 0
    on_objects: int = 0
    hidden: bool = False

    def total(self, answer: Answer) -> int:
        """Principals with this answer."""
        return sum(self.counts.get(answer, {}).values())

    def of(self, answer: Answer, kind: Kind) -> int:
        """Principals of one kind with this answer."""
        return self.counts.get(answer, {}).get(kind, 0)


class ReaderCounter:
    """Counts readers vault by vault. Equal sets of readers, as below one subscription, are counted once.

    Args:
        estate: where groups and their members are.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._mask = operation(READ_SECRETS).mask
        self._known: dict[frozenset[tuple[Answer, str, str | None]], tuple[dict[Answer, dict[Kind, int]], int]] = {}
        self._people: dict[frozenset[str], frozenset[str]] = {}
        self._children: dict[str, list[tuple[str, str | None]]] = {}
        for edge in estate.memberships:
            self._children.setdefault(edge.group, []).append((edge.member, edge.member_type))

    def count(self, subject: VaultAccess) -> Readers:
        """The readers of one vault."""
        named = [item for item in subject.holdings if item.principal_id is not None and self._reads(item)]
        hidden = any(item.principal_id is None and self._reads(item) for item in subject.holdings)
        counts, members = self._counted(named)
        on_vault = {item.principal_id for item in named if item.allowed & self._mask}
        on_objects = {
            item.principal_id
            for item in subject.object_holdings
            if item.allowed & self._mask and item.principal_id is not None
        }
        return Readers(counts, members, len(on_objects - on_vault), hidden)

    def _reads(self, holding: Holding) -> bool:
        return bool((holding.allowed | holding.conditional | holding.unknown) & self._mask)

    def _counted(self, named: Iterable[Holding]) -> tuple[dict[Answer, dict[Kind, int]], int]:
        strongest: dict[str, tuple[Answer, str | None]] = {}
        for item in named:  # a principal stands twice when an access policy names it with an application too
            answer, holder = item.answer(self._mask), item.principal_id or ""
            if holder not in strongest or _ORDER[answer] < _ORDER[strongest[holder][0]]:
                strongest[holder] = (answer, item.principal_type)
        key = frozenset((answer, holder, kind) for holder, (answer, kind) in strongest.items())
        if key not in self._known:
            self._known[key] = self._count(strongest)
        return self._known[key]

    def _count(self, strongest: Mapping[str, tuple[Answer, str | None]]) -> tuple[dict[Answer, dict[Kind, int]], int]:
        tally: Counter[tuple[Answer, Kind]] = Counter()
        groups = set()
        for holder, (answer, recorded) in strongest.items():
            kind = kind_of(self._estate.principal(holder), recorded)
            tally[answer, kind] += 1
            if kind is Kind.GROUP and answer is Answer.ALLOWED:
                groups.add(holder)
        counts: dict[Answer, dict[Kind, int]] = {}
        for (answer, kind), number in sorted(tally.items()):
            counts.setdefault(answer, {})[kind] = number
        return counts, len(self._members(frozenset(groups)) - strongest.keys())

    def _members(self, groups: frozenset[str]) -> frozenset[str]:
        """Users in groups, through groups in groups; a cycle ends where it meets itself."""
        if groups not in self._people:
            people, seen, waiting = set(), set(groups), list(groups)
            while waiting:
                for member, edge_type in self._children.get(waiting.pop(), ()):
                    kind = edge_type or self._estate.principal(member).type
                    if kind == "User":
                        people.add(member)
                    elif member in self._children and member not in seen:
                        seen.add(member)
                        waiting.append(member)
            self._people[groups] = frozenset(people)
        return self._people[groups]


_ORDER = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.DENIED: 3}
