"""Writes a snapshot so that a killed run leaves something that can be finished, and nobody can mistake for complete."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from kvaudit.errors import OutputError, SnapshotError
from kvaudit.model.gaps import Gap
from kvaudit.snapshot import layout
from kvaudit.snapshot.append import AppendFile, write_whole
from kvaudit.snapshot.layout import FinishedListing, ListingKey, listing_key
from kvaudit.snapshot.lines import read_lines
from kvaudit.snapshot.lock import take_lock
from kvaudit.snapshot.manifest import read_manifest
from kvaudit.snapshot.resume import recover


class SnapshotWriter:
    """Writes one snapshot folder. Use `create` or `resume`; always `close`.

    Not for several threads at once: one event loop writes.
    """

    def __init__(self, path: Path, lock: int, header: Mapping[str, Any], finished: Sequence[FinishedListing]) -> None:
        self._path = path
        self._lock = lock
        self._header = dict(header)
        self._files: dict[str, AppendFile] = {}
        self._stored: dict[ListingKey, int] = {}
        self._listings = list(finished)
        self._finished = {listing.key for listing in finished}
        self._closed = False

    @classmethod
    def create(cls, path: Path, *, header: Mapping[str, Any]) -> "SnapshotWriter":
        """Begins a snapshot in a new or empty folder, which becomes private to the user (0700).

        Args:
            header: what the manifest says beside its own keys: `tool_version`, `tenant_id`, `started_at`, `scope`,
                `asked_by`, ... JSON values.

        Raises:
            SnapshotError: the folder holds something, or another process writes to it.
            OutputError: it cannot be written.
        """
        with _writing(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            if {item.name for item in path.iterdir()} - {layout.LOCK}:
                there = "a snapshot" if (path / layout.MANIFEST).exists() else "files"
                raise SnapshotError(
                    f"{path} holds {there} already",
                    hint="Name another folder, or continue a collection that was cut off with --resume.",
                )
            lock = take_lock(path)
            writer = cls(path, lock, header, ())
            writer._write_manifest(layout.COLLECTING, {})
        return writer

    @classmethod
    def resume(cls, path: Path) -> "SnapshotWriter":
        """Continues a snapshot that was cut off: what is finished stays, the rest is dropped and read again.

        Raises:
            SnapshotError: there is no snapshot, it is complete already, or another process writes to it.
            OutputError: it cannot be written.
        """
        manifest = read_manifest(path)
        if manifest.state == layout.COMPLETE:
            raise SnapshotError(f"{path} is complete already", hint="Leave --resume out and name another folder.")
        with _writing(path):
            lock = take_lock(path)
            header = {
                key: value
                for key, value in manifest.content.items()
                if key not in {"schema", "state", "files", "ended_at"}
            }
            recovered = recover(path, manifest)
            recovered.write(path)
            writer = cls(path, lock, header, recovered.listings)
            writer._write_manifest(layout.COLLECTING, {})
        return writer

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

    def stored_items(self, kind: str, scope: str) -> list[Any]:
        """The raw items of a finished listing, for a run that goes on where another was cut off.

        Raises:
            SnapshotError: the file is not as it was written.
        """
        path = self._path / layout.kind_file(kind)
        if not path.exists():
            return []
        wanted = listing_key(kind, scope)
        found = (layout.decode_item(line) for line in read_lines(path, cut_allowed=False))
        return [item for origin, item in found if listing_key(kind, origin) == wanted]

    def add_page(self, kind: str, scope: str, items: Sequence[Any]) -> None:
        """Stores items as Azure sent them. One that cannot be written as JSON becomes a gap.

        Raises:
            OutputError: the disk refused.
        """
        lines = []
        for item in items:
            try:
                lines.append(layout.encode({"from": scope, "item": item}) + b"\n")
            except ValueError as problem:
                self.add_gap(Gap(kind, scope, f"an item {problem}", code="UnreadableItem"))
        key = listing_key(kind, scope)
        self._stored[key] = self._stored.get(key, 0) + len(lines)
        if lines:
            with _writing(self._path):
                self._file(layout.kind_file(kind), compressed=True).append(lines)

    def finish_listing(
        self,
        kind: str,
        scope: str,
        *,
        items: int,
        pages: int,
        api_version: str | None = None,
        asked_at: str | None = None,
    ) -> None:
        """Notes that a listing was read to its end.

        Raises:
            OutputError: the disk refused.
        """
        key = listing_key(kind, scope)
        listing = FinishedListing(kind, scope, items, self._stored.get(key, 0), pages, api_version, asked_at)
        with _writing(self._path):
            self._file(layout.LISTINGS).append([layout.encode_listing(listing)])
        self._listings.append(listing)
        self._finished.add(key)

    def add_gap(self, gap: Gap) -> None:
        """Notes what could not be read.

        Raises:
            OutputError: the disk refused.
        """
        with _writing(self._path):
            self._file(layout.GAPS).append([layout.encode_gap(gap)])

    def close(self, *, complete: bool, ended_at: str) -> None:
        """Ends the snapshot: the manifest, with the hash of every file, is written last and at once.

        Args:
            complete: whether everything that was asked was tried; gaps are part of a complete snapshot.

        Raises:
            OutputError: the disk refused; the folder then still says that it is being collected.
        """
        if self._closed:
            return
        self._closed = True
        try:
            with _writing(self._path):
                for file in self._files.values():
                    file.sync()
                self._header["ended_at"] = ended_at
                state = layout.COMPLETE if complete else layout.INCOMPLETE
                self._write_manifest(state, {name: asdict(file.facts) for name, file in sorted(self._files.items())})
        finally:
            for file in self._files.values():
                file.close()
            os.close(self._lock)

    def _file(self, name: str, *, compressed: bool = False) -> AppendFile:
        if name not in self._files:
            self._files[name] = AppendFile(
                self._path / name, compressed=compressed, lines=_lines_of(name, self._listings, self._path)
            )
        return self._files[name]

    def _write_manifest(self, state: str, files: Mapping[str, Any]) -> None:
        if state != layout.COLLECTING:
            # Files of an earlier, resumed run that this run did not touch belong to the snapshot too.
            for name in (layout.GAPS, layout.LISTINGS):
                self._file(name)
            for path in sorted(self._path.glob("*.ndjson*")):
                if path.name not in files:
                    self._file(path.name, compressed=path.name.endswith(".gz"))
            files = {name: asdict(file.facts) for name, file in sorted(self._files.items())}
        content = {
            "schema": f"{layout.SCHEMA_NAME}/{layout.SCHEMA_VERSION}",
            "state": state,
            **self._header,
            "files": files,
        }
        write_whole(self._path / layout.MANIFEST, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")


def _lines_of(name: str, listings: Sequence[FinishedListing], folder: Path) -> int:
    """How many lines a file holds already when a resumed run opens it."""
    path = folder / name
    if not path.exists():
        return 0
    if name.endswith(".gz"):
        kind = name.removesuffix(".ndjson.gz")
        return sum(listing.stored for listing in listings if listing.kind == kind)
    return path.read_bytes().count(b"\n")


def is_snapshot(path: Path) -> bool:
    """Whether a folder holds a snapshot of ours, finished or not."""
    return (path / layout.MANIFEST).is_file() and (path / layout.LOCK).is_file()


def remove_snapshot(path: Path) -> None:
    """Removes a snapshot folder. Raises SnapshotError for a folder that is none."""
    if not is_snapshot(path):
        raise SnapshotError(f"{path} is not a snapshot of kvaudit; it is left alone", hint="Name another folder.")
    shutil.rmtree(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        full = problem.errno in {28, 122, 27}
        hint = "The disk is full or a limit is reached: free some space or name another folder." if full else None
        raise OutputError(
            f"the snapshot {path} could not be written: {problem.strerror or problem}", hint=hint
        ) from problem
