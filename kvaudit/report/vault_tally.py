"""What is counted while vaults go by: verdicts, readers, rows and what gaps touch; small enough to send to another process."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from kvaudit.access.answers import CitationKind, Holding
from kvaudit.access.counting import AnyGrant
from kvaudit.access.evaluator import Access
from kvaudit.access.subject import VaultAccess
from kvaudit.model.vaults import Vault
from kvaudit.report.readers import READS, ReaderCounter, ReaderRows
from kvaudit.rules.judge import Judges
from kvaudit.rules.judgement import Judgement, Rule
from kvaudit.rules.side_by_side import LEAST, collecting_seldom, in_halves

Value = TypeVar("Value")

_AHEAD = 100
"""One vault in so many is judged before a second process is started."""

HIDING = frozenset(
    {"deny_assignments", "group_eligibility_schedule_instances", "group_members", "principals", "role_assignments"}
    | {"role_assignment_schedule_instances", "role_definitions", "role_eligibility_schedule_instances"}
    | {"service_principal_groups", "service_principals", "subscriptions", "vaults"}
)
"""The kinds of records that may hide who holds something."""


class Once(Generic[Value]):
    """Rows of values, one row for each vault; equal values, as most vaults have, are kept once.

    Args:
        width: values in a row.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._values: list[Value] = []
        self._places: dict[Value, int] = {}
        self._same: dict[int, int] = {}
        self._numbers = array("I")

    def append(self, row: Sequence[Value]) -> None:
        """Take in the next row."""
        try:
            self._numbers.extend(
                list(map(self._same.__getitem__, map(id, row)))
            )  # of a value that is kept: it is this one
        except KeyError:
            self._numbers.extend([self._place(value) for value in row])

    def _place(self, value: Value) -> int:
        place = self._places.get(value)
        if place is None:
            place = self._places[value] = self._same[id(value)] = len(self._values)
            self._values.append(value)
        return place

    def __iter__(self) -> Iterator[tuple[Value, ...]]:
        every = map(self._values.__getitem__, self._numbers)
        return zip(*[every] * self.width, strict=True)

    def counts(self, column: int) -> Iterator[tuple[Value, int]]:
        """Each different value at one place of the rows, and how often it stands there."""
        return ((self._values[place], number) for place, number in Counter(self._numbers[column :: self.width]).items())

    def __getstate__(self) -> tuple[int, list[Value], "array[int]"]:
        return self.width, self._values, self._numbers

    def __setstate__(self, state: tuple[int, list[Value], "array[int]"]) -> None:
        self.width, self._values, self._numbers = state
        self._places = {value: place for place, value in enumerate(self._values)}
        self._same = {id(value): place for place, value in enumerate(self._values)}


@dataclass(slots=True)
class VaultTally:
    """Some vaults, judged and counted, in their order.

    Attributes:
        judgements: the judgement of each rule, in their order, without evidence.
        readers: who can read secrets.
        rows: rows that the access table has, or a few more where deny assignments or conditions take something away.
        answers: gap -> rows that are unknown because of it.
        touched: gap -> the folded scopes of the vaults that have such a row.
    """

    judgements: Once[Judgement]
    readers: ReaderRows = field(default_factory=ReaderRows)
    rows: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    touched: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


class VaultCounter:
    """Judges and counts the vaults of one estate.

    Args:
        access: the evaluator.
        rules: what to judge by.
    """

    def __init__(self, access: Access, rules: Sequence[Rule]) -> None:
        self._access = access
        self._rules = tuple(rules)
        self.judges = Judges(access, rules, (READS, AnyGrant()))
        self._counter = ReaderCounter(self.judges.bulk) if self.judges.bulk else None

    def all_vaults(self, *, least: int = LEAST) -> list[VaultTally]:
        """Every vault of the estate, in its order, in one part or in several (see `in_halves`)."""
        vaults = self._access.estate.vaults
        ahead = len(vaults) // _AHEAD if len(vaults) >= least else 0  # what they make known both halves then know
        with collecting_seldom():
            first = [self.some(vaults[:ahead])] if ahead else []
            return [*first, *in_halves(vaults[ahead:], self.some, least=least - ahead)]

    def some(self, vaults: Iterable[Vault]) -> VaultTally:
        """Some vaults. Those that lie side by side share most of the work."""
        tally = VaultTally(Once(len(self._rules)))
        for vault in vaults:
            subject = self._access.subject(vault)
            self._add(tally, subject)
        return tally

    def _add(self, tally: VaultTally, subject: VaultAccess) -> None:
        counts = self.judges.counts(subject)
        row = self.judges.row(subject, counts)
        tally.judgements.append([item if item.details is None else replace(item, details=None) for item in row])
        if counts is not None and not counts.has_no_gap(HIDING):
            counts = None
        if self._counter is not None:
            tally.readers.append(self._counter.numbers(subject, counts))
        rows = counts.named() if counts else None
        if rows is None:
            _add_rows(tally, subject.vault, (*subject.holdings, *subject.object_holdings))
        else:
            tally.rows += rows


def _add_rows(tally: VaultTally, vault: Vault, holdings: Sequence[Holding]) -> None:
    tally.rows += len(holdings)
    for holding in holdings:
        if holding.unknown:
            for gap in {item.id for item in holding.via if item.kind is CitationKind.GAP}:
                tally.answers[gap] += 1
                tally.touched[gap].add(vault.scope)
