"""Writes a snapshot so that a killed run leaves something that can be finished, and nobody can mistake for complete."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import orjson

from kvaudit.collectors.catalogue import by_kind
from kvaudit.collectors.vault_objects import OBJECT_KINDS, metadata_only
from kvaudit.errors import OutputError, SnapshotError, no_space
from kvaudit.model.gaps import Gap
from kvaudit.snapshot import layout
from kvaudit.snapshot.append import AppendFile, sync_folder, write_whole
from kvaudit.snapshot.layout import FinishedListing, ListingKey, listing_key
from kvaudit.snapshot.lines import read_lines
from kvaudit.snapshot.lock import take_lock
from kvaudit.snapshot.manifest import read_manifest
from kvaudit.snapshot.resume import Recovered, recover

_FLUSH_BYTES = 2**20
_FLUSH_LISTINGS = 64
"""What is held back before it is written: a killed run loses at most this much, and larger blocks compress better."""

_OWN_KEYS = frozenset({"schema", "state", "ended_at", "api_versions", "coverage", "files"})
"""Keys of the manifest that are the writer's; every other one is the header's."""


class SnapshotWriter:
    """Writes one snapshot folder. Use `create` or `resume`; always `close`.

    Not for several threads at once: one event loop writes. The order that makes a killed run recoverable is the
    caller's too: `add_page` for every page, `add_gap` for what went wrong, and `finish_listing` last, when the listing
    was read to its end. A listing that failed half way gets a gap and is not finished; what was seen of it stays.

    After the disk has refused once nothing more is written, and the folder is never called complete.
    """

    def __init__(self, path: Path, lock: int, header: Mapping[str, Any], recovered: Recovered) -> None:
        self._path = path
        self._lock: int | None = lock
        self._header = dict(header)
        self._refused = False
        self._finished = {listing.key: listing for listing in recovered.listings}
        self._recovered = set(self._finished)
        self._earlier: dict[str, dict[ListingKey, list[Any]]] = {}
        self._stored: Counter[ListingKey] = Counter()
        self._gaps = Counter(gap.kind for gap in recovered.gaps)
        self._leftovers = recovered.leftovers
        self._pending: dict[str, list[bytes]] = {}
        self._pending_bytes = 0
        self._pending_gaps: list[bytes] = []
        self._pending_listings: list[bytes] = []
        self._files: dict[str, AppendFile] = {}
        for kind, lines in recovered.lines.items():
            self._file(layout.kind_file(kind), lines)
        self._file(layout.GAPS, len(recovered.gaps))
        self._file(layout.LISTINGS, len(recovered.listings))

    @classmethod
    def create(cls, path: Path, *, header: Mapping[str, Any]) -> Self:
        """Begins a snapshot in a new or empty folder, which becomes private to the user (0700).

        Args:
            path: the folder.
            header: what the manifest says beside its own keys: `tool_version`, `tenant_id`, `started_at`, `scope`,
                `asked_by`, ... JSON values.

        Raises:
            SnapshotError: the folder holds something, or another process writes to it.
            OutputError: it cannot be written.
        """
        with _writing(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            _refuse_content(path)
            lock = take_lock(path)
            with _unlocked_on_error(lock):
                _refuse_content(path)  # again, now that nobody else can be writing
                write_whole(path / layout.MANIFEST, _manifest(header, layout.COLLECTING))
                return cls(path, lock, header, Recovered())

    @classmethod
    def resume(cls, path: Path) -> Self:
        """Continues a snapshot: what is finished stays, the rest is dropped and read again.

        That is what was cut off, and of a complete snapshot what had failed: a permission may have been granted since. Gaps
        of listings that were not finished are dropped too: they are asked again.

        Raises:
            SnapshotError: there is no snapshot, it is complete and nothing in it failed, it is corrupt, or another process
                writes to it.
            OutputError: it cannot be written.
        """
        read_manifest(path)  # before the lock: it is no snapshot of ours where there is none
        with _writing(path):
            lock = take_lock(path)
            with _unlocked_on_error(lock):
                manifest = read_manifest(path)
                recovered = recover(path, manifest)
                if manifest.state == layout.COMPLETE and not recovered.asked_again:
                    raise SnapshotError(
                        f"{path} is complete already, and no read in it failed",
                        hint="Leave --resume out and name another folder.",
                    )
                header = {key: value for key, value in manifest.content.items() if key not in _OWN_KEYS}
                # From here on the hashes of the old manifest do not hold.
                write_whole(path / layout.MANIFEST, _manifest(header, layout.COLLECTING))
                recovered.write(path)
                return cls(path, lock, header, recovered)

    @property
    def header(self) -> Mapping[str, Any]:
        """What the manifest says of the run."""
        return self._header

    @property
    def finished(self) -> frozenset[ListingKey]:
        """Kind and folded scope of every listing that is finished."""
        return frozenset(self._finished)

    def describe(self, **facts: Any) -> None:
        """Adds facts to the header, for example the tenant once it is known."""
        self._header |= facts

    def is_finished(self, kind: str, scope: str) -> bool:
        """Whether a listing is finished, by this run or an earlier one."""
        return listing_key(kind, scope) in self._finished

    def source_of(self, kind: str, scope: str) -> str | None:
        """Which service answered a finished listing, where it is not the one that the kind's collector names."""
        found = self._finished.get(listing_key(kind, scope))
        return found.source if found else None

    def stored_items(self, kind: str, scope: str) -> list[Any]:
        """The raw items of a finished listing, for a run that goes on where another was cut off.

        The file is read once for all listings of a kind, and what was given out is not kept.

        Raises:
            SnapshotError: the file is not as it was written.
        """
        key = listing_key(kind, scope)
        if key not in self._recovered:  # of this run, or given out before: no caller asks for many of those
            return self._items_on_disk(kind).get(key, [])
        self._recovered.discard(key)
        if kind not in self._earlier:
            self._earlier[kind] = self._items_on_disk(kind)
        return self._earlier[kind].pop(key, [])

    def _items_on_disk(self, kind: str) -> dict[ListingKey, list[Any]]:
        self.flush()
        table: dict[ListingKey, list[Any]] = {}
        path = self._path / layout.kind_file(kind)
        for line in read_lines(path, cut_allowed=False) if path.exists() else ():
            scope, item = layout.decode_item(line)
            table.setdefault(listing_key(kind, scope), []).append(item)
        return table

    def add_page(self, kind: str, scope: str, items: Sequence[Any]) -> None:
        """Stores items as Azure sent them. One that cannot be written as JSON becomes a gap.

        Of secrets, keys and certificates only the properties that their lists have are stored: never a value.

        Raises:
            OutputError: the disk refused.
        """
        key = self._open_key(kind, scope)
        lines = self._pending.setdefault(kind, [])
        start = b'{"from":' + layout.encode(scope) + b',"item":'
        for item in items:
            try:
                line = start + layout.encode(metadata_only(item) if kind in OBJECT_KINDS else item) + b"}\n"
            except ValueError as problem:
                self._unreadable(kind, scope, str(problem))
                continue
            if len(line) > layout.MAX_LINE_BYTES:
                self._unreadable(kind, scope, f"is larger than {layout.MAX_LINE_BYTES} bytes")
                continue
            self._stored[key] += 1
            lines.append(line)
            self._pending_bytes += len(line)
        if self._pending_bytes >= _FLUSH_BYTES:
            self.flush()

    def _unreadable(self, kind: str, scope: str, why: str) -> None:
        self.add_gap(Gap(kind, scope, f"an item {why}", code=layout.UNREADABLE_ITEM))

    def _open_key(self, kind: str, scope: str) -> ListingKey:
        if kind not in by_kind():
            raise ValueError(f"{kind!r} is no kind of the collectors' catalogue")
        key = listing_key(kind, scope)
        if key in self._finished:
            raise ValueError(f"the listing of {kind} at {scope} is finished already")
        return key

    def finish_listing(
        self,
        kind: str,
        scope: str,
        *,
        items: int,
        pages: int,
        api_version: str | None = None,
        asked_at: str | None = None,
        source: str | None = None,
    ) -> None:
        """Notes that a listing was read to its end.

        Args:
            kind: the collector's kind.
            scope: as given to `add_page`.
            items: how many items Azure sent, also those that were not wanted and not stored.
            pages: how many pages there were, empty ones included.
            api_version: asked with, or None where the API has none.
            asked_at: ISO 8601 UTC time.
            source: `resource-graph` where that answered.

        Raises:
            OutputError: the disk refused.
        """
        key = self._open_key(kind, scope)
        stored = self._stored.pop(key, 0)
        listing = FinishedListing(kind, scope, items, stored, pages, api_version, asked_at, source)
        self._finished[key] = listing
        self._pending_listings.append(layout.encode_listing(listing))
        if len(self._pending_listings) >= _FLUSH_LISTINGS:
            self.flush()

    def add_gap(self, gap: Gap) -> None:
        """Notes what could not be read."""
        self._pending_gaps.append(layout.encode_gap(gap))
        self._gaps[gap.kind] += 1
        self._leftovers.failed(gap.kind, gap.scope)

    def flush(self) -> None:
        """Hands everything to the operating system: items first, the lines that promise them last.

        Raises:
            OutputError: the disk refused, now or before.
        """
        if self._refused or self._lock is None:
            raise OutputError(f"the snapshot {self._path} cannot be written any more", hint=_FULL)
        with self._refusing():
            for kind, lines in self._pending.items():
                if lines:
                    self._file(layout.kind_file(kind)).append(lines)
            if self._pending_gaps:
                self._file(layout.GAPS).append(self._pending_gaps)
            if self._pending_listings:
                self._file(layout.LISTINGS).append(self._pending_listings)
        self._pending.clear()
        self._pending_bytes = 0
        self._pending_gaps.clear()
        self._pending_listings.clear()

    def close(self, *, complete: bool, ended_at: str) -> None:
        """Ends the snapshot: the manifest, with the hash of every file, is written last and at once.

        Closing again does nothing. After the disk has refused, closing as incomplete only unlocks the folder, which
        then still says that it is being collected.

        Args:
            complete: whether everything that was asked was tried; gaps are part of a complete snapshot.
            ended_at: ISO 8601 UTC time.

        Raises:
            OutputError: the disk refused; the folder then still says that it is being collected.
        """
        if self._lock is None:
            return
        try:
            if self._refused and not complete:
                return
            self.flush()
            self._bring_back()
            with self._refusing():
                for file in self._files.values():
                    file.sync()
                sync_folder(self._path)
                state = layout.COMPLETE if complete else layout.INCOMPLETE
                closing = self._closing(ended_at)
                write_whole(self._path / layout.MANIFEST, _manifest(self._header, state, closing))
        finally:
            for file in self._files.values():
                file.close()
            os.close(self._lock)
            self._lock = None

    def _bring_back(self) -> None:
        """Stores what an earlier run saw of listings that failed again, where this one saw less."""
        for kind in sorted(self._leftovers.kinds):
            path = self._path / layout.kind_file(kind)
            there = read_lines(path, cut_allowed=False) if path.exists() else iter(())
            missing = self._leftovers.missing(kind, ((layout.decode_item(line)[0], line) for line in there))
            self._pending[kind] = [line for key, line in missing if key not in self._finished]
        self.flush()

    def _closing(self, ended_at: str) -> dict[str, Any]:
        """What only the end of a run knows."""
        listings = Counter(kind for kind, _ in self._finished)
        items = {name.removesuffix(layout.KIND_SUFFIX): file.facts.lines for name, file in self._files.items()}
        versions: dict[str, set[str]] = {}
        for listing in self._finished.values():
            if listing.api_version:
                versions.setdefault(listing.kind, set()).add(listing.api_version)
        kinds = sorted(set(listings) | set(self._gaps) | (items.keys() & by_kind().keys()))
        return {
            "ended_at": ended_at,
            "api_versions": {kind: sorted(found) for kind, found in sorted(versions.items())},
            "coverage": {
                kind: {"listings": listings[kind], "items": items.get(kind, 0), "gaps": self._gaps[kind]}
                for kind in kinds
            },
            "files": {name: asdict(file.facts) for name, file in sorted(self._files.items())},
        }

    def _file(self, name: str, lines: int = 0) -> AppendFile:
        if name not in self._files:
            compressed = name.endswith(layout.KIND_SUFFIX)
            self._files[name] = AppendFile(self._path / name, compressed=compressed, lines=lines)
        return self._files[name]

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        with _writing(self._path):
            try:
                yield
            except BaseException:  # also Ctrl-C: a block that was half written must not be written again
                self._refused = True
                raise


def is_snapshot(path: Path) -> bool:
    """Whether a folder holds a snapshot of ours, finished or not."""
    return (path / layout.MANIFEST).is_file() and (path / layout.LOCK).is_file()


def remove_snapshot(path: Path) -> None:
    """Removes a snapshot folder. Raises SnapshotError for a folder that is none."""
    if not is_snapshot(path):
        raise SnapshotError(f"{path} is not a snapshot of kvaudit; it is left alone", hint="Name another folder.")
    shutil.rmtree(path)


def _manifest(header: Mapping[str, Any], state: str, closing: Mapping[str, Any] | None = None) -> bytes:
    own = {"schema": f"{layout.SCHEMA_NAME}/{layout.SCHEMA_VERSION}", "state": state}
    content = own | dict(header) | own | dict(closing or {})
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _refuse_content(path: Path) -> None:
    names = {item.name for item in path.iterdir()} - {layout.LOCK}
    if names:
        there = "a snapshot" if layout.MANIFEST in names else "files"
        raise SnapshotError(
            f"{path} holds {there} already",
            hint="Name another folder, or continue a collection that was cut off with --resume.",
        )


@contextmanager
def _unlocked_on_error(lock: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.close(lock)
        raise


_FULL = "The disk is full or a limit is reached: free some space, then go on with --resume, or name another folder."


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        hint = _FULL if no_space(problem) else "Check the permissions of the folder, or name another one."
        raise OutputError(
            f"the snapshot {path} could not be written: {problem.strerror or problem}", hint=hint
        ) from problem
