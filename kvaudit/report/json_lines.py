"""JSON as it leaves in files and on streams: the data unchanged, the bytes harmless to whoever prints them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

_HASH_BEFORE_HASH = re.compile("#(?=#)")


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON in ASCII: no terminal, reading direction or build log is steered by it.

    `##` (Azure Pipelines obeys `##vso[` anywhere in a line) is written with an escape that every parser undoes. A hash
    stands in strings only, so that the replacement cannot touch anything else.

    Args:
        value: of JSON's types.
        indent: blanks a level; None puts everything on one line.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    return _HASH_BEFORE_HASH.sub(r"\\u0023", json.dumps(value, ensure_ascii=True, indent=indent, separators=separators))


def json_bytes(value: Any) -> bytes:
    """`json_text` on one line, as bytes."""
    return json_text(value).encode("ascii")


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
