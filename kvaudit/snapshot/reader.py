"""Reading a snapshot: raw items, gaps and listings, nothing parsed yet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from kvaudit.collectors.collector import Raw
from kvaudit.errors import SnapshotError
from kvaudit.model.gaps import Gap
from kvaudit.snapshot import layout
from kvaudit.snapshot.layout import FinishedListing
from kvaudit.snapshot.lines import Part, corrupt, read_blocks
from kvaudit.snapshot.manifest import Manifest, read_manifest
from kvaudit.snapshot.resume import read_gaps, read_listings
from kvaudit.snapshot.verify import check_sizes, verify_files

Decoded = TypeVar("Decoded")

Items = tuple[Sequence[str], Sequence[Raw]]
"""Scopes that were listed, and for each an item."""


class Snapshot:
    """A snapshot folder whose manifest was read. Everything else is read when asked for.

    Each method raises SnapshotError for a file that is not as it was written.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Use `open_snapshot`."""
        self._path = path
        self._manifest = manifest

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest as it stands: `schema`, `state`, the header of the run, `coverage`, `files`."""
        return self._manifest.content

    @property
    def complete(self) -> bool:
        """Whether every listing was asked. A listing that failed has its gap."""
        return self._manifest.state == layout.COMPLETE

    @property
    def tenant_id(self) -> str | None:
        """Folded ID of the tenant that was asked, or None where the manifest does not say."""
        tenant = self._manifest.text("tenant_id")
        return tenant.casefold() if tenant else None

    @property
    def ended_at(self) -> str | None:
        """ISO 8601 UTC time of the end of collection, or None when it did not end."""
        return self._manifest.text("ended_at")

    def written(self, kind: str) -> int:
        """How many lines of a kind its file holds, as the manifest says; 0 where it does not say so."""
        expected = self._manifest.files.get(layout.kind_file(kind))
        return expected.lines if expected else 0

    @property
    def lines_written(self) -> int:
        """How many lines its files hold, as the manifest says."""
        return sum(item.lines for item in self._manifest.files.values())

    def lines(self, kind: str) -> Iterator[tuple[str, list[bytes]]]:
        """The same items as they stand in the file, for kinds of which there are millions that repeat each other.

        Items of one listing that follow each other come together, with the scope that was listed.
        """
        scopes: dict[bytes, str] = {}
        for block, number in self._blocks(kind):
            first, between, _ = block.partition(layout.BEFORE_ITEM)
            before = first + between
            items = block.split(b"}\n" + before) if first in scopes and block.endswith(b"}") else []
            if len(items) == number:  # every line begins as the first one does
                items[0] = items[0].removeprefix(before)
                items[-1] = items[-1].removesuffix(b"}")
                yield scopes[first], items
                continue
            found = (self._item_of(kind, line, scopes) for line in block.split(b"\n"))
            for scope, together in groupby(found, key=itemgetter(0)):
                yield scope, [item for _, item in together]

    def _item_of(self, kind: str, line: bytes, scopes: dict[bytes, str]) -> tuple[str, bytes]:
        """The scope and the item of a line; what stands before an item is remembered with what it means."""
        start, _, item = line.partition(layout.BEFORE_ITEM)
        scope = scopes.get(start)
        whole = item.endswith(b"}")
        if scope is not None and whole:
            return scope, item[:-1]
        scope, raw = self._decoded(kind, line, layout.decode_item)
        if not whole or not start.startswith(layout.BEFORE_SCOPE):
            return scope, layout.encode(raw)
        scopes[start] = scope
        return scope, item[:-1]

    def decode(self, kind: str, item: bytes) -> Raw:
        """The raw item of one of `lines`."""
        return self._decoded(kind, item, layout.decode)

    def _decoded(self, kind: str, line: bytes, decode: Callable[[bytes], Decoded]) -> Decoded:
        try:
            return decode(line)
        except ValueError as error:
            raise corrupt(self._path / layout.kind_file(kind), "a line is not an item") from error

    def items(self, kind: str) -> Iterator[tuple[str, Raw]]:
        """The items of a kind in the order of writing, each with the scope that was listed."""
        for froms, items in self.batches(kind):
            yield from zip(froms, items, strict=True)

    def batches(self, kind: str, part: Part | None = None) -> Iterator[Items]:
        """The same, about as many at once as were decoded together.

        Args:
            kind: of the items.
            part: the part of the kind's file that is read; None: all of it, and as many items as were written.
        """
        number = 0
        try:
            for block, lines in self._blocks(kind, part):
                found = layout.decode_block(block, lines)
                if found is not None:
                    yield found
                    number += len(found[0])
                    continue
                for line in block.split(b"\n"):
                    number += 1
                    scope, item = layout.decode_item(line)
                    yield (scope,), (item,)
        except ValueError as error:
            path = self._path / layout.kind_file(kind)
            raise corrupt(path, f"line {number} is not an item") from error

    def _blocks(self, kind: str, part: Part | None = None) -> Iterator[tuple[bytes, int]]:
        """The lines of a kind's file, as many as were written; see `read_blocks`. With each block how many it holds."""
        path = self._path / layout.kind_file(kind)
        expected = self._manifest.files.get(path.name)
        number = 0
        try:
            for block in read_blocks(path, cut_allowed=self._cut_allowed, part=part or Part()):
                lines = block.count(b"\n") + 1
                number += lines
                yield block, lines
        except FileNotFoundError as error:
            if expected is not None:
                raise corrupt(path, "it is missing") from error
        except OSError as error:
            raise _unreadable(path, error) from error
        if part is None and expected is not None and number != expected.lines:
            raise corrupt(path, f"it holds {number} items where {expected.lines} were written")

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read, each gap once."""
        try:
            return tuple(read_gaps(self._path, cut_allowed=self._cut_allowed))
        except OSError as error:
            raise _unreadable(self._path / layout.GAPS, error) from error

    def listings(self) -> tuple[FinishedListing, ...]:
        """What was read to its end."""
        return tuple(self.each_listing())

    def each_listing(self) -> Iterator[FinishedListing]:
        """The same one by one, of which a large tenant has a million."""
        try:
            yield from read_listings(self._path, cut_allowed=self._cut_allowed)
        except OSError as error:
            raise _unreadable(self._path / layout.LISTINGS, error) from error

    @property
    def _cut_allowed(self) -> bool:
        return self._manifest.state == layout.COLLECTING


def open_snapshot(path: Path, *, verify: bool = False, allow_incomplete: bool = False) -> Snapshot:
    """Open a snapshot folder.

    Args:
        path: the folder.
        verify: check the SHA-256 of every file too; sizes are always checked.
        allow_incomplete: take one whose collection was interrupted. What it does not hold is unknown.

    Raises:
        SnapshotError: missing, corrupt, of a newer schema, or incomplete.
    """
    manifest = read_manifest(path)
    if manifest.state != layout.COMPLETE and not allow_incomplete:
        raise SnapshotError(
            f"the snapshot {path} is incomplete: its collection was interrupted",
            hint=f"Finish it with `kvaudit collect --resume --snapshot {path}`.",
        )
    if manifest.state != layout.COLLECTING:
        try:
            if verify:
                verify_files(path, manifest)
            else:
                check_sizes(path, manifest)
        except OSError as error:
            raise _unreadable(path, error) from error
    return Snapshot(path, manifest)


def _unreadable(path: Path, error: OSError) -> SnapshotError:
    return SnapshotError(
        f"{path} cannot be read: {error.strerror or type(error).__name__}", hint="Check the permissions of the folder."
    )
