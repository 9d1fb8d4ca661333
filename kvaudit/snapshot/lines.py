"""The lines of a snapshot's file, bounded in length and in what compression may hide."""

import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.manifest import COLLECT_AGAIN, open_regular

_CHUNK = 32 * 1024
"""Small, because what follows a gzip member in a chunk is copied once for every member."""

_PIECE = 2**20

_BLOCK = 64 * 1024
"""About how much of whole lines is handed on together: what is made of it still fits a processor's cache."""


_MEMBER = b"\x1f\x8b\x08" + bytes(5)
"""How a gzip member of ours begins: it has no name and no time."""

_SEARCHED = 4 * 2**20


class Part(NamedTuple):
    """Some of the blocks of a compressed file, each of which is a gzip member.

    Attributes:
        begin: where in the file the first one begins.
        end: where the last one ends; None: with the file.
    """

    begin: int = 0
    end: int | None = None


_WHOLE = Part()


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


def read_blocks(path: Path, *, cut_allowed: bool, part: Part = _WHOLE) -> Iterator[bytes]:
    """The same lines, many at once: with newlines between them, and none after the last.

    A part that begins or ends elsewhere than between two blocks, or where no line ends, is an error as a cut file is.

    Raises:
        FileNotFoundError, SnapshotError, OSError: see `read_lines`.
    """
    yield from _whole_lines(path, _bytes(path, part, cut_allowed=cut_allowed), cut_allowed=cut_allowed)


def next_block(path: Path, place: int) -> int | None:
    """Where in a compressed file a block seems to begin, at a place or soon after it; None where none does.

    The same bytes may stand within a block. Who reads up to there finds out: see `read_blocks`. May raise OSError.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        file.seek(place)
        found = file.read(_SEARCHED).find(_MEMBER)
    return None if found < 0 else place + found


def _bytes(path: Path, part: Part, *, cut_allowed: bool) -> Iterator[bytes]:
    with os.fdopen(open_regular(path), "rb") as file:
        if path.suffix != ".gz":
            while chunk := file.read(_PIECE):
                yield chunk
            return
        try:
            yield from _inflated(path, file, part, cut_allowed=cut_allowed)
        except zlib.error as problem:
            if not cut_allowed:
                raise corrupt(path, str(problem)) from problem


def _inflated(path: Path, file: BinaryIO, part: Part, *, cut_allowed: bool) -> Iterator[bytes]:
    """Inflates gzip members one after the other, a bounded piece at a time."""
    left = sys.maxsize if part.end is None else part.end - part.begin
    # Each part has its own share of the limit, so that all of them together keep to it.
    limit = min(os.fstat(file.fileno()).st_size - part.begin, left) * layout.MAX_EXPANSION
    file.seek(part.begin)
    expanded = 0
    member, begun = zlib.decompressobj(wbits=31), False
    while chunk := file.read(min(_CHUNK, left)):
        left -= len(chunk)
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
