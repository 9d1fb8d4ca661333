"""The lines of a snapshot's file, bounded in length and in what compression may hide."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.manifest import COLLECT_AGAIN, open_regular

_CHUNK = 32 * 1024
"""Small, because what follows a gzip member in a chunk is copied once for every member."""

_PIECE = 2**20

_BLOCK = 64 * 1024
"""About how much of whole lines is handed on together: what is made of it still fits a processor's cache."""


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
    for block in read_blocks(path, cut_allowed=cut_allowed):
        yield from block.split(b"\n")


def read_blocks(path: Path, *, cut_allowed: bool) -> Iterator[bytes]:
    """The same lines, many at once: with newlines between them, and none after the last.

    Raises:
        FileNotFoundError, SnapshotError, OSError: see `read_lines`.
    """
    compressed = path.suffix == ".gz"
    yield from _whole_lines(path, _bytes(path, compressed=compressed, cut_allowed=cut_allowed), cut_allowed=cut_allowed)


def _bytes(path: Path, *, compressed: bool, cut_allowed: bool) -> Iterator[bytes]:
    with os.fdopen(open_regular(path), "rb") as file:
        if not compressed:
            while chunk := file.read(_PIECE):
                yield chunk
            return
        try:
            yield from _inflated(path, file, cut_allowed=cut_allowed)
        except zlib.error as problem:
            if not cut_allowed:
                raise corrupt(path, str(problem)) from problem


def _inflated(path: Path, file: BinaryIO, *, cut_allowed: bool) -> Iterator[bytes]:
    """Inflates gzip members one after the other, a bounded piece at a time."""
    limit = os.fstat(file.fileno()).st_size * layout.MAX_EXPANSION
    expanded = 0
    member, begun = zlib.decompressobj(wbits=31), False
    while chunk := file.read(_CHUNK):
        while True:
            begun = begun or bool(chunk)
            piece = member.decompress(chunk, _PIECE)
            expanded += len(piece)
            if expanded > limit:
                raise corrupt(path, f"it expands to more than {limit} bytes")
            if piece:
                yield piece
            if member.eof:
                chunk = member.unused_data
                member, begun = zlib.decompressobj(wbits=31), False
                if not chunk:
                    break
            else:
                chunk = member.unconsumed_tail
                if not chunk and len(piece) < _PIECE:  # a full piece may leave more inside zlib
                    break
    if begun and not cut_allowed:
        raise corrupt(path, "it ends within a block")


def _whole_lines(path: Path, pieces: Iterator[bytes], *, cut_allowed: bool) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        text, begin = rest + piece, 0
        last = text.rfind(b"\n")
        while begin <= last:
            end = text.rfind(b"\n", begin, begin + _BLOCK)
            if end < 0:  # a line that is longer than a block
                end = text.index(b"\n", begin)
            yield text[begin:end]
            begin = end + 1
        rest = text[begin:]
        if len(rest) > layout.MAX_LINE_BYTES:
            raise corrupt(path, f"it holds a line of more than {layout.MAX_LINE_BYTES} bytes")
    if rest and not cut_allowed:
        raise corrupt(path, "it ends within a line")
