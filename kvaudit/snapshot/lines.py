"""The lines of a snapshot's file, bounded in length and in what compression may hide."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.manifest import COLLECT_AGAIN, open_regular

_CHUNK = 256 * 1024


def corrupt(path: Path, why: str) -> SnapshotError:
    """The error of a file that is not as it was written."""
    return SnapshotError(f"{path} is corrupt: {why}", hint=COLLECT_AGAIN)


def read_lines(path: Path, *, cut_allowed: bool) -> Iterator[bytes]:
    """Every line of a file without its newline; a name that ends with .gz is decompressed.

    Args:
        path: the file.
        cut_allowed: whether it may have been cut anywhere: then it ends quietly with the last whole line.

    Raises:
        FileNotFoundError: there is no such file.
        SnapshotError: the file is cut, corrupt, expands too far, or holds a line of more than 16 MiB.
        OSError: it cannot be read.
    """
    compressed = path.suffix == ".gz"
    yield from _split(path, _bytes(path, compressed=compressed, cut_allowed=cut_allowed), cut_allowed=cut_allowed)


def _bytes(path: Path, *, compressed: bool, cut_allowed: bool) -> Iterator[bytes]:
    descriptor = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if not compressed:
            while chunk := file.read(_CHUNK):
                yield chunk
            return
        limit = os.fstat(descriptor).st_size * layout.MAX_EXPANSION + layout.EXPANSION_ALLOWANCE
        expanded = 0
        member = zlib.decompressobj(wbits=31)
        started = False
        while chunk := file.read(_CHUNK):
            while chunk:
                try:
                    piece = member.decompress(chunk, _CHUNK * 4)
                except zlib.error as problem:
                    if cut_allowed:
                        return
                    raise corrupt(path, str(problem)) from problem
                started = True
                expanded += len(piece)
                if expanded > limit:
                    raise corrupt(path, f"it expands to more than {limit} bytes")
                if piece:
                    yield piece
                if member.eof:
                    chunk, member, started = member.unused_data, zlib.decompressobj(wbits=31), False
                else:
                    chunk = member.unconsumed_tail
        if started and not cut_allowed:
            raise corrupt(path, "it ends within a block")


def _split(path: Path, pieces: Iterator[bytes], *, cut_allowed: bool) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        if len(rest) > layout.MAX_LINE_BYTES:
            raise corrupt(path, f"it holds a line of more than {layout.MAX_LINE_BYTES} bytes")
        yield from parts
    if rest and not cut_allowed:
        raise corrupt(path, "it ends within a line")
