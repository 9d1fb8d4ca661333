"""What of an unfinished snapshot is known to be whole."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.deny_assignments import DENY_ASSIGNMENTS
from kvaudit.collectors.directory import GROUP_MEMBERS, PRINCIPAL_DETAILS, PRINCIPALS
from kvaudit.collectors.owners import APPLICATION_OWNERS, GROUP_OWNERS, SERVICE_PRINCIPAL_OWNERS
from kvaudit.model import scopes
from kvaudit.model.gaps import Gap
from kvaudit.snapshot import layout
from kvaudit.snapshot.append import AppendFile, write_whole
from kvaudit.snapshot.layout import FinishedListing, ListingKey
from kvaudit.snapshot.leftovers import Leftovers
from kvaudit.snapshot.lines import corrupt, read_lines
from kvaudit.snapshot.manifest import Manifest
from kvaudit.snapshot.verify import verify_files

_BLOCK = 2**20

_PART_OF = {
    "deny_assignment_effects": (DENY_ASSIGNMENTS.kind,),
    PRINCIPAL_DETAILS: tuple(
        item.kind for item in (PRINCIPALS, GROUP_MEMBERS, GROUP_OWNERS, APPLICATION_OWNERS, SERVICE_PRINCIPAL_OWNERS)
    ),
}
"""Gaps of a part of what a listing holds, by the kinds of that listing: they stay as long as it does, for nobody asks for
the part alone."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The whole part of a snapshot.

    Attributes:
        listings: those that were finished and whose items are all there.
        gaps: those of these listings. Others will be told again when the listing is asked again.
        lines: how many items each kind's file keeps.
        rewrite: kinds whose file holds more than that.
        cut_allowed: the run was killed, so its files may end in part of a block.
        asked_again: how many gaps there were beside `gaps`: of listings that are asked again.
        leftovers: takes the items that `write` drops, in case their listing fails again.
    """

    listings: tuple[FinishedListing, ...] = ()
    gaps: tuple[Gap, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)
    rewrite: frozenset[str] = frozenset()
    cut_allowed: bool = False
    asked_again: int = 0
    leftovers: Leftovers = field(default_factory=Leftovers, compare=False)

    def write(self, folder: Path) -> None:
        """Bring the folder to hold exactly this. Killed at any point, it can be done again. May raise OSError."""
        finished = frozenset(listing.key for listing in self.listings)
        for kind in sorted(self.rewrite):
            self._rewrite(folder / layout.kind_file(kind), kind, finished)
        write_whole(folder / layout.LISTINGS, b"".join(map(layout.encode_listing, self.listings)))
        write_whole(folder / layout.GAPS, b"".join(map(layout.encode_gap, self.gaps)))

    def _rewrite(self, path: Path, kind: str, finished: frozenset[ListingKey]) -> None:
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        file = AppendFile(part, compressed=True)
        try:
            block: list[bytes] = []
            size = 0
            for scope, line in _items(path, cut_allowed=self.cut_allowed):
                key = layout.listing_key(kind, scope)
                if key not in finished:
                    self.leftovers.keep(key, line + b"\n")
                else:
                    block.append(line + b"\n")
                    size += len(line)
                if size >= _BLOCK:
                    file.append(block)
                    block, size = [], 0
            if block:
                file.append(block)
            file.sync()
        finally:
            file.close()
        part.replace(path)


def recover(folder: Path, manifest: Manifest) -> Recovered:
    """Find the whole part of a snapshot. Reads only.

    A run that was closed is checked against its hashes first. One that was killed may have lost the end of any file,
    so a listing counts only when every item that its line promises is there.

    Raises:
        SnapshotError: the files are not as they were written.
        OSError: they cannot be read.
    """
    cut_allowed = manifest.state == layout.COLLECTING
    if not cut_allowed:
        verify_files(folder, manifest)
    told = tuple(read_gaps(folder, cut_allowed=cut_allowed))
    listings = {item.key: item for item in read_listings(folder, cut_allowed=cut_allowed)}
    doubted = _doubted(listings, told, ended=manifest.state == layout.COMPLETE)
    counts = {kind: _count(folder / layout.kind_file(kind), kind, cut_allowed=cut_allowed) for kind in by_kind()}
    finished = {
        key: item
        for key, item in listings.items()
        if key not in doubted and item.kind in counts and (counts[item.kind] or Counter())[key] == item.stored
    }
    lines = {}
    rewrite = set()
    for kind, count in counts.items():
        if count is None:
            continue
        lines[kind] = sum(number for key, number in count.items() if key in finished)
        # After a kill the end of the file may be damaged even where every line that counts is there.
        if cut_allowed or lines[kind] != count.total():
            rewrite.add(kind)
    gaps = tuple(
        gap
        for gap in told
        if any(layout.listing_key(kind, gap.scope) in finished for kind in _PART_OF.get(gap.kind, (gap.kind,)))
    )
    kept = tuple(finished.values())
    return Recovered(kept, gaps, lines, frozenset(rewrite), cut_allowed, asked_again=len(told) - len(gaps))


def _doubted(listings: Mapping[ListingKey, FinishedListing], told: Iterable[Gap], *, ended: bool) -> set[ListingKey]:
    """Listings that were read to their end and are asked again, because the caller's rights may have ended before that.

    A run tells these by gaps when its subscriptions are read. In one that was stopped before, every listing is doubted that
    Resource Graph answered of a subscription in which something was refused: it leaves out what may not be read.
    """
    told = tuple(told)
    doubted = {layout.listing_key(gap.kind, gap.scope) for gap in told if gap.code == layout.RIGHTS_CHANGED}
    if not ended:
        refused = {scopes.fold(gap.scope) for gap in told if gap.status == 403 or gap.code == "SubscriptionNotFound"}
        doubted |= {key for key, item in listings.items() if item.source and key[1] in refused}
    return doubted


def _count(path: Path, kind: str, *, cut_allowed: bool) -> Counter[ListingKey] | None:
    """Items of each listing in a kind's file; None when there is no file."""
    try:
        return Counter(layout.listing_key(kind, scope) for scope, _ in _items(path, cut_allowed=cut_allowed))
    except FileNotFoundError:
        return None


def _items(path: Path, *, cut_allowed: bool) -> Iterator[tuple[str, bytes]]:
    for line in read_lines(path, cut_allowed=cut_allowed):
        try:
            yield layout.decode_item(line)[0], line
        except ValueError as error:
            raise corrupt(path, "a line of it is not an item") from error


def read_listings(folder: Path, *, cut_allowed: bool) -> Iterator[FinishedListing]:
    """The finished listings of a snapshot. Raises SnapshotError for anything else in the file."""
    path = folder / layout.LISTINGS
    for line in _lines_if_there(path, cut_allowed=cut_allowed):
        try:
            yield layout.decode_listing(line)
        except ValueError as error:
            raise corrupt(path, "a line of it is not a finished listing") from error


def read_gaps(folder: Path, *, cut_allowed: bool) -> Iterator[Gap]:
    """The gaps of a snapshot, each once. Raises SnapshotError for anything else in the file."""
    path = folder / layout.GAPS
    seen: set[Gap] = set()
    for line in _lines_if_there(path, cut_allowed=cut_allowed):
        try:
            gap = layout.decode_gap(line)
        except ValueError as error:
            raise corrupt(path, "a line of it is not a gap") from error
        if gap not in seen:
            seen.add(gap)
            yield gap


def _lines_if_there(path: Path, *, cut_allowed: bool) -> Iterator[bytes]:
    """The lines of a file that a run killed in its first moment may not have made yet."""
    try:
        yield from read_lines(path, cut_allowed=cut_allowed)
    except FileNotFoundError as error:
        if not cut_allowed:
            raise corrupt(path, "it is missing") from error
