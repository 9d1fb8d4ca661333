"""The index beside a snapshot: derived, made when a large snapshot is loaded, thrown away by whoever likes.

It answers for a snapshot whose manifest, and with it every file, is the one that it was made from, and for the version of
kvaudit that made it. Anything else is no index: then the snapshot is loaded.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kvaudit import __version__
from kvaudit.errors import SnapshotError
from kvaudit.model.estate import Estate
from kvaudit.snapshot.index_file import IndexDamagedError, IndexReader
from kvaudit.snapshot.index_write import is_plain, write_index
from kvaudit.snapshot.layout import encode
from kvaudit.snapshot.load import load_estate, no_collector_pauses
from kvaudit.snapshot.reader import Snapshot

FOLDER = "index"
FILE = "vaults.index"

_WORTHWHILE = 50_000
"""Lines below which a snapshot loads about as fast as its index."""

UNUSABLE = (IndexDamagedError, AttributeError, IndexError, KeyError, OSError, TypeError, ValueError)
"""What reading an index raises that is not there, damaged, or not what this version writes: then load the snapshot."""


def load_indexed(snapshot: Snapshot, *, least: int = _WORTHWHILE) -> Estate:
    """Load a snapshot, and leave its index beside it where it is large and the folder may be written.

    Args:
        snapshot: the snapshot.
        least: how many lines its files hold at least to be indexed.

    Raises:
        SnapshotError: see `load_estate`.
    """
    estate = load_estate(snapshot)
    if snapshot.complete and snapshot.lines_written >= least and os.access(snapshot.path, os.W_OK):
        # It only saves time: what could not be written, or another process writes, is not there, and nothing is lost.
        with suppress(*UNUSABLE, SnapshotError), no_collector_pauses():
            if is_plain(estate):
                write_index(_path(snapshot), estate, _made_from(snapshot))
    return estate


@contextmanager
def open_index(snapshot: Snapshot) -> Iterator[IndexReader]:
    """The index of a snapshot. Raises one of `UNUSABLE` where there is none, and while it is read where it is damaged."""
    with IndexReader(_path(snapshot), _made_from(snapshot)) as index:
        yield index


def _path(snapshot: Snapshot) -> Path:
    return snapshot.path / FOLDER / FILE


def _made_from(snapshot: Snapshot) -> str:
    return f"{__version__} {hashlib.sha256(encode(dict(snapshot.manifest))).hexdigest()}"
