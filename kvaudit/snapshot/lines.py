"""The lines of a snapshot's file, bounded in length and in what compression may hide."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from kvaudit.errors import SnapshotError
from kvaudit.snapshot import layout
from kvaudit.snapshot.manifest import COLLECT_AGAIN, open_regular

_CHUNK = 256 * 1024


def lines(path: Path, *, compressed: bool) -> Iterator[bytes]:
    """Every line of a file without its newline. A file that is not there has none.

    Raises:
        SnapshotError: the file is cut, corrupt, expands too far, or holds a line of more than 16 MiB.
    """
    yield from _split(path, _bytes(path, compressed=compressed, cut_allowed=False), cut_allowed=False)


def whole_lines(path: Path, *, compressed: bool) -> Iterator[bytes]:
    """As `lines`, of a file that may have been cut anywhere: ends quietly with the last whole line."""
    yield from _split(path, _bytes(path, compressed=compressed, cut_allowed=True), cut_allowed=True)


def _bytes(path: Path, *, compressed: bool, cut_allowed: bool) -> Iterator[bytes]:
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise SnapshotError(
            f"{path} cannot be read: {problem.strerror}", hint="Check the file's permissions."
        ) from problem
    with open(descriptor, "rb") as file:
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
                    raise SnapshotError(f"{path} is corrupt: {problem}", hint=COLLECT_AGAIN) from problem
                started = True
                expanded += len(piece)
                if expanded > limit:
                    raise SnapshotError(f"{path} expands to more than {limit} bytes", hint=COLLECT_AGAIN)
                if piece:
                    yield piece
                if member.eof:
                    chunk, member, started = member.unused_data, zlib.decompressobj(wbits=31), False
                else:
                    chunk = member.unconsumed_tail
        if started and not cut_allowed:
            raise SnapshotError(f"{path} ends within a block", hint=COLLECT_AGAIN)


def _split(path: Path, pieces: Iterator[bytes], *, cut_allowed: bool) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        if len(rest) > layout.MAX_LINE_BYTES:
            raise SnapshotError(f"{path} holds a line of more than {layout.MAX_LINE_BYTES} bytes", hint=COLLECT_AGAIN)
        yield from parts
    if rest and not cut_allowed:
        raise SnapshotError(f"{path} ends within a line", hint=COLLECT_AGAIN)
