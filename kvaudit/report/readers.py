"""Who can read secrets, counted: people, guests, workloads and groups by answer, per vault."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kvaudit.access.answers import Holding
from kvaudit.access.counting import ANSWERS, DataGrants
from kvaudit.access.subject import VaultAccess
from kvaudit.model.answers import Answer
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.permissions import operation

if TYPE_CHECKING:
    from kvaudit.access.bulk import Bulk
    from kvaudit.access.vault_counts import VaultCounts

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
        everybody: principals that are allowed, with every member of the groups that are, also workloads and groups in groups.
        on_objects: principals that may read single secrets only, through a record on the secret.
        hidden: whether a gap may hide further readers.
    """

    counts: Mapping[Answer, Mapping[Kind, int]] = field(default_factory=dict)
    members: int = 0
    everybody: int = 0
    on_objects: int = 0
    hidden: bool = False

    def total(self, answer: Answer) -> int:
        """Principals with this answer."""
        return sum(self.counts.get(answer, {}).values())

    def of(self, answer: Answer, kind: Kind) -> int:
        """Principals of one kind with this answer."""
        return self.counts.get(answer, {}).get(kind, 0)

    def numbers(self) -> list[int]:
        """The same as `_WIDTH` numbers."""
        counted = [self.of(answer, kind) for answer in ANSWERS for kind in _KINDS]
        return [*counted, self.members, self.everybody, self.on_objects, int(self.hidden)]

    @classmethod
    def of_numbers(cls, numbers: Sequence[int]) -> "Readers":
        """The readers of `numbers`."""
        counts = {}
        for place, answer in enumerate(ANSWERS):
            found = zip(_KINDS, numbers[place * len(_KINDS) : (place + 1) * len(_KINDS)], strict=True)
            by_kind = {kind: number for kind, number in found if number}
            if by_kind:
                counts[answer] = by_kind
        members, everybody, on_objects, hidden = numbers[-4:]
        return cls(counts, members, everybody, on_objects, bool(hidden))


_KINDS = tuple(sorted(Kind))
_WIDTH = len(ANSWERS) * len(_KINDS) + 4


class ReaderRows:
    """The readers of many vaults in their order, in a hundred bytes each."""

    def __init__(self) -> None:
        self._numbers = array("I")

    def append(self, numbers: Sequence[int]) -> None:
        """Take in the readers of the next vault, as `Readers.numbers` has them."""
        self._numbers.extend(numbers)

    def __len__(self) -> int:
        return len(self._numbers) // _WIDTH

    def __iter__(self) -> Iterator[Readers]:
        for start in range(0, len(self._numbers), _WIDTH):
            yield Readers.of_numbers(self._numbers[start : start + _WIDTH])


READS = DataGrants(operation(READ_SECRETS).mask)
"""What must be counted of the vaults, with `AnyGrant`, so that their readers can be."""


class ReaderCounter:
    """Counts readers vault by vault.

    Args:
        bulk: what was counted of all vaults; made for `READS` and `AnyGrant`.
    """

    def __init__(self, bulk: "Bulk") -> None:
        from kvaudit.access.numbering import Classes  # roaring bitmaps are loaded where vaults are counted only

        self._bulk, self._numbers = bulk, bulk.numbers
        self._mask = READS.mask
        estate, directory = bulk.estate, bulk.around.directory
        places = {kind: place for place, kind in enumerate(_KINDS)}
        self._kinds = Classes(
            bulk.numbers, lambda item: places[kind_of(estate.principal(item), directory.type_of(item))]
        )

    def count(self, subject: VaultAccess, counts: "VaultCounts | None" = None) -> Readers:
        """The readers of one vault.

        Args:
            subject: the vault.
            counts: what was counted of it, where nothing hides there; else everybody's holdings are looked at.
        """
        return Readers.of_numbers(self.numbers(subject, counts))

    def numbers(self, subject: VaultAccess, counts: "VaultCounts | None" = None) -> list[int]:
        """The same as `Readers.numbers`."""
        found = self.counted(counts) if counts else None
        return self._from_holdings(subject).numbers() if found is None else [*found, 0, 0]

    def counted(self, counts: "VaultCounts") -> Sequence[int] | None:
        """The first of these numbers from counts; None where they are not certain."""
        return counts.holders(READS, self._kinds, len(_KINDS))

    def _from_holdings(self, subject: VaultAccess) -> Readers:
        reading = [item for item in subject.holdings if self._reads(item)]
        strongest: dict[str, tuple[Answer, str | None]] = {}
        for item in reading:  # a principal stands twice when an access policy names it with an application too
            answer, holder = item.answer(self._mask), item.principal_id
            if holder is not None and (holder not in strongest or _ORDER[answer] < _ORDER[strongest[holder][0]]):
                strongest[holder] = (answer, item.principal_type)
        counts, members, everybody = self._counted(strongest)
        on_vault = {item.principal_id for item in reading if item.allowed & self._mask}
        on_objects = {item.principal_id for item in subject.object_holdings if item.allowed & self._mask} - {None}
        hidden = any(item.principal_id is None for item in reading)
        return Readers(counts, members, everybody, len(on_objects - on_vault), hidden)

    def _reads(self, holding: Holding) -> bool:
        return bool((holding.allowed | holding.conditional | holding.unknown) & self._mask)

    def _counted(
        self, strongest: Mapping[str, tuple[Answer, str | None]]
    ) -> tuple[dict[Answer, dict[Kind, int]], int, int]:
        tally: Counter[tuple[Answer, Kind]] = Counter()
        for holder, (answer, recorded) in strongest.items():
            tally[answer, kind_of(self._bulk.estate.principal(holder), recorded)] += 1
        counts: dict[Answer, dict[Kind, int]] = {}
        for (answer, kind), number in sorted(tally.items()):
            counts.setdefault(answer, {})[kind] = number
        members = self._bulk.members
        allowed = self._numbers.set_of(holder for holder, (answer, _) in strongest.items() if answer is Answer.ALLOWED)
        within = members.everyone_in(allowed)
        people = within & members.users - self._numbers.set_of(strongest)
        return counts, len(people), within.union_cardinality(allowed)


_ORDER = {Answer.ALLOWED: 0, Answer.CONDITIONAL: 1, Answer.UNKNOWN: 2, Answer.DENIED: 3}
