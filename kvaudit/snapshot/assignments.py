"""The file of role assignments, read as a whole, or in two parts of which a second process reads the last one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from kvaudit.errors import SnapshotError
from kvaudit.model.assignments import AssignmentsBuilder, RoleAssignments
from kvaudit.model.gaps import Gap
from kvaudit.snapshot import layout
from kvaudit.snapshot.columns import AssignmentReader
from kvaudit.snapshot.lines import Part, corrupt, next_block
from kvaudit.snapshot.reader import Items, Snapshot

KIND = "role_assignments"

_TIMES = {"role_assignments": 6.0, "vaults": 20.0, "principals": 8.0, "service_principals": 8.0, "group_members": 1.7}
"""About how many microseconds an item takes to read. Only how they compare counts."""

_ARRANGING = 2.0
"""The same of an assignment, to find repeats and to sort, which the first process does with all of them."""

_LEAST, _MOST = 0.05, 0.9
"""The smallest part of the assignments that is worth sending, and the largest that the second process reads."""


@dataclass(slots=True)
class ReadAssignments:
    """What the file of role assignments says, or a part of it.

    Attributes:
        counts: items by the listing's scope.
        unreadable: listings with an item that could not be understood, each with why.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    _reader: AssignmentReader = field(init=False)

    def __post_init__(self) -> None:
        # A reader that knew of this object would be a cycle, and stay while none are looked for.
        unreadable = self.unreadable
        self._reader = AssignmentReader(lambda scope, problem: unreadable.add((scope, str(problem))))

    def read(self, snapshot: Snapshot, part: Part | None = None) -> None:
        """Read the whole file, or a part. Raises SnapshotError where it is not as it was written."""
        self._reader.read(counted(snapshot.batches(KIND, part), self.counts))

    def take(self, rest: "AssignmentsPart") -> None:
        """Take in what another process read, as if this one had read it after what it has."""
        self._reader.take(rest.rows)
        self.counts.update(rest.counts)
        self.unreadable.update(rest.unreadable)

    def part(self) -> "AssignmentsPart":
        """What was read so far."""
        return AssignmentsPart(self._reader.builder, self.counts, self.unreadable)

    def done(self) -> tuple[RoleAssignments, tuple[Gap, ...]]:
        """Every assignment once, and the gaps of those that two listings describe differently."""
        return self._reader.done(KIND)


@dataclass(frozen=True, slots=True)
class AssignmentsPart:
    """The same of a part, to be sent.

    Attributes:
        rows: what was taken in, in the order of the file.
        counts, unreadable: see `ReadAssignments`.
    """

    rows: AssignmentsBuilder
    counts: dict[str, int]
    unreadable: set[tuple[str, str]]


def counted(batches: Iterable[Items], counts: Counter[str]) -> Iterator[Items]:
    """The same items; those of each listing are counted."""
    for froms, items in batches:
        if froms.count(froms[0]) == len(froms):
            counts[froms[0]] += len(froms)
        else:
            counts.update(froms)
        yield froms, items


def read_assignments(
    snapshot: Snapshot, cut: int | None = None, rest: Callable[[], AssignmentsPart | None] = lambda: None
) -> ReadAssignments:
    """Read the role assignments of a snapshot. It makes no difference whether and where the file was cut.

    Args:
        snapshot: the snapshot.
        cut: where in the file the part begins that another process reads, see `place_to_cut`.
        rest: waits for that part; None where the other process came to no answer.

    Raises:
        SnapshotError: the file is not as it was written.
    """
    if cut is not None:
        try:
            return _read_in_two(snapshot, cut, rest)
        except SnapshotError:
            pass  # the file is not as it was written, or no block begins there: reading all of it tells which
    found = ReadAssignments()
    found.read(snapshot)
    return found


def _read_in_two(snapshot: Snapshot, cut: int, rest: Callable[[], AssignmentsPart | None]) -> ReadAssignments:
    """Both parts. That the first one ends without an error shows that the second one begins there."""
    found = ReadAssignments()
    found.read(snapshot, Part(end=cut))
    other = rest()
    if other is None:
        found.read(snapshot, Part(cut))
    else:
        found.take(other)
    if found.counts.total() != snapshot.written(KIND):
        raise corrupt(snapshot.path / layout.kind_file(KIND), "it holds too many or too few items")
    return found


def place_to_cut(snapshot: Snapshot) -> int | None:
    """From where on another process should read the file, so that both end together; None where it should read none.

    The other one reads the members of groups too, and this one everything else.
    """
    mine, all_of_it = _TIMES["role_assignments"], snapshot.written(KIND)
    if all_of_it <= 0:
        return None
    other = sum(snapshot.written(kind) * time for kind, time in _TIMES.items() if kind not in (KIND, "group_members"))
    less = snapshot.written("group_members") * _TIMES["group_members"]
    share = ((mine + _ARRANGING) * all_of_it + other - less) / (2 * mine * all_of_it)
    if share < _LEAST:
        return None
    path = snapshot.path / layout.kind_file(KIND)
    try:
        return next_block(path, int(path.stat().st_size * (1 - min(share, _MOST))))
    except (OSError, SnapshotError):
        return None
