"""The file of a snapshot's index: tables of JSON values by key, of which a reader reads and checks only what it asks for.

```text
magic                     one line
buckets                   {key: value} as JSON, one after the other
directory                 JSON: what the index was made from, and for each table where each bucket lies and half its SHA-256
length, SHA-256           of the directory: 8 and 32 bytes
```

A key belongs to one bucket, and a bucket is checked whole, so that a key is known to be absent, not only not found.
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from kvaudit.snapshot.manifest import open_regular
from kvaudit.snapshot.record_codec import encode

_MAGIC = b"kvaudit index 2\n"
_TAIL = 8 + 32


class IndexDamagedError(Exception):
    """The file is not an index that was written whole for this snapshot; what it says is not to be used."""


class IndexWriter:
    """Writes an index, table by table, into an open file.

    Args:
        file: empty, to write.
        made_from: what the index is good for; a reader that expects something else refuses it.
    """

    def __init__(self, file: BinaryIO, made_from: str) -> None:
        self._file = file
        self._made_from = made_from
        self._tables: dict[str, list[tuple[int, int, str]]] = {}
        self._offset = file.write(_MAGIC)

    def table(self, name: str, keys: Iterable[str], value: Callable[[str], Any], *, together: int) -> None:
        """Write a table.

        Args:
            keys: each once.
            value: the value of a key, of what `record_codec.encode` takes. Asked bucket by bucket.
            together: about how many keys share a bucket.
        """
        known = list(keys)
        buckets: list[list[str]] = [[] for _ in range(max(1, len(known) // together))]
        for key in known:
            buckets[_bucket(key, len(buckets))].append(key)
        self._tables[name] = [self._written({key: value(key) for key in bucket}) for bucket in buckets]

    def _written(self, content: Mapping[str, Any]) -> tuple[int, int, str]:
        block, begin = encode(content), self._offset
        self._offset += self._file.write(block)
        return begin, len(block), _digest(block)

    def close(self) -> None:
        """Write the directory. The file stays open."""
        directory = encode({"made_from": self._made_from, "tables": self._tables})
        self._file.write(directory)
        self._file.write(len(directory).to_bytes(8, "little"))
        self._file.write(hashlib.sha256(directory).digest())


class IndexReader:
    """Reads an index. Every method raises IndexDamagedError where the file is not as it was written.

    Args:
        path: the file.
        made_from: see `IndexWriter`.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, made_from: str) -> None:
        self.made_from = made_from
        self._file = os.fdopen(open_regular(path), "rb")
        try:
            directory = self._directory(made_from)
        except BaseException:
            self._file.close()
            raise
        self._tables = directory
        self._read: dict[tuple[str, int], Mapping[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, table: str, key: str) -> Any:
        """The value of a key; None where there is none."""
        buckets = self._tables.get(table)
        if not buckets:
            raise IndexDamagedError(f"there is no table {table}")
        number = _bucket(key, len(buckets))
        if (table, number) not in self._read:
            self._read[table, number] = self._bucket_at(*buckets[number])
        return self._read[table, number].get(key)

    def _bucket_at(self, offset: int, length: int, digest: str) -> Mapping[str, Any]:
        block = self._bytes(offset, length)
        if _digest(block) != digest:
            raise IndexDamagedError("a part of the index is not as it was written")
        found = orjson.loads(block)
        return found if isinstance(found, dict) else {}

    def _directory(self, made_from: str) -> Mapping[str, list[tuple[int, int, str]]]:
        size = os.fstat(self._file.fileno()).st_size
        if size < len(_MAGIC) + _TAIL or self._bytes(0, len(_MAGIC)) != _MAGIC:
            raise IndexDamagedError("it is no index of this version")
        tail = self._bytes(size - _TAIL, _TAIL)
        length = int.from_bytes(tail[:8], "little")
        if length > size - _TAIL:
            raise IndexDamagedError("it is cut")
        block = self._bytes(size - _TAIL - length, length)
        if hashlib.sha256(block).digest() != tail[8:]:
            raise IndexDamagedError("its directory is not as it was written")
        directory = orjson.loads(block)
        if directory["made_from"] != made_from:
            raise IndexDamagedError("it was made from another snapshot, or by another version")
        tables: Mapping[str, list[tuple[int, int, str]]] = directory["tables"]
        return tables

    def _bytes(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        found = self._file.read(length)
        if len(found) != length:
            raise IndexDamagedError("it is cut")
        return found


def _digest(block: bytes) -> str:
    """The first half of its SHA-256: against damage, and small, since every reader reads those of all buckets."""
    return hashlib.sha256(block).hexdigest()[:32]


def _bucket(key: str, buckets: int) -> int:
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % buckets
