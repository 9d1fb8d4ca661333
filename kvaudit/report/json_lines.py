"""JSON as it leaves in files and on streams: the data unchanged, the bytes harmless to whoever prints them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO


def json_bytes(value: Any) -> bytes:
    """A value as JSON on one line, in ASCII: no terminal, reading direction or build log is steered by it.

    `##` (Azure Pipelines obeys `##vso[` anywhere in a line) is written with an escape that every parser undoes. A hash
    stands in strings only, so that the replacement cannot touch anything else.
    """
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("##", "\\u0023#").encode("ascii")


def write_document(out: BinaryIO, members: Iterable[tuple[str, Any]]) -> None:
    """Writes one JSON object member by member, streaming: an iterator becomes an array with one element a line.

    Args:
        out: where to.
        members: names and values, in the order of the file. A list or mapping is written on one line.
    """
    out.write(b"{")
    for count, (name, value) in enumerate(members):
        out.write(b",\n" if count else b"\n")
        out.write(json_bytes(name) + b": ")
        if isinstance(value, str | int | float | list | tuple | Mapping) or value is None:
            out.write(json_bytes(value))
        else:
            _write_array(out, value)
    out.write(b"\n}\n")


def _write_array(out: BinaryIO, items: Iterable[Any]) -> None:
    out.write(b"[")
    count = 0
    for item in items:
        out.write((b",\n  " if count else b"\n  ") + json_bytes(item))
        count += 1
    out.write(b"\n]" if count else b"]")
