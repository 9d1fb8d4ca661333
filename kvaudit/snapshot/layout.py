"""How a snapshot lies on disk: names, limits, and one line of each file.

```text
manifest.json         schema, state, who asked for what, coverage, and size and SHA-256 of every other file; written last
gaps.ndjson           one `Gap` a line
listings.ndjson       one line per listing that was read to its end
<kind>.ndjson.gz      {"from": scope that was listed, "item": as Azure sent it}; each flush is a gzip member of its own
lock                  held by whoever writes
```

The order of writing makes a killed run recoverable: items first, then gaps, then the line that calls the listing
finished. A listing counts as finished only when its line is there and the items that the line promises are too.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from sys import intern
from typing import Any

import orjson

from kvaudit.model import scopes
from kvaudit.model.gaps import Gap, Listing

SCHEMA_NAME = "kvaudit/snapshot"
SCHEMA_VERSION = 1

MANIFEST = "manifest.json"
GAPS = "gaps.ndjson"
LISTINGS = "listings.ndjson"
LOCK = "lock"

COLLECTING = "collecting"
INCOMPLETE = "incomplete"
COMPLETE = "complete"

UNREADABLE_ITEM = "UnreadableItem"
"""Code of the gap of an item that does not have the shape of its kind."""

RIGHTS_CHANGED = "RightsChanged"
"""Code of the gap of a listing that was read to its end and may have been cut, because the caller's rights ended meanwhile."""

MAX_MANIFEST_BYTES = 64 * 2**20
MAX_LINE_BYTES = 16 * 2**20
"""Longest line. A vault with its 1,024 access policies (facts azure.md 1.5) takes less than 1 MiB."""

MAX_BLOCK_EXPANSION = 64
"""A block that would compress better is stored as it is. An item has IDs of its own, 16 to 32 random bytes in about 700,
so real blocks stay below 40 to 1; deflate can reach 1,032 to 1."""

MAX_EXPANSION = 80
"""A file of which more comes out than this many times its size was not written by us."""


KIND_SUFFIX = ".ndjson.gz"


def kind_file(kind: str) -> str:
    """File name of a kind of record."""
    return f"{kind}{KIND_SUFFIX}"


BEFORE_SCOPE = b'{"from":"'
BEFORE_ITEM = b',"item":'
"""What stands in a line before the listing's scope and before the item. Within a JSON text a quotation mark is escaped, so
the first such place is the one between the two."""

ListingKey = tuple[str, str]
"""A kind and a folded scope."""


def listing_key(kind: str, scope: str) -> ListingKey:
    """What identifies a listing: one (kind, scope) is listed once."""
    return kind, scopes.fold(scope)


@dataclass(frozen=True, slots=True)
class FinishedListing:
    """A line of `listings.ndjson`.

    Attributes:
        items: how many items Azure sent.
        stored: how many of them are in the kind's file; the others have a gap each.
        pages: how many pages it took, empty ones included; of a query over many subscriptions those of the query.
        source: `resource-graph` where that answered; None: the service that the kind's collector names.
    """

    kind: str
    scope: str
    items: int
    stored: int
    pages: int
    api_version: str | None = None
    asked_at: str | None = None
    source: str | None = None

    @property
    def key(self) -> ListingKey:
        """Kind and folded scope."""
        return listing_key(self.kind, self.scope)

    @property
    def listing(self) -> Listing:
        """The same as a record of the model."""
        return Listing(self.kind, self.scope, self.items, self.api_version)


def encode(value: Any) -> bytes:
    """Compact JSON without a newline. Raises ValueError for what cannot be written as JSON.

    orjson refuses integers above 64 bits, lone surrogates and more than 254 levels; the standard library takes those.
    """
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        pass
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"cannot be written as JSON: {type(error).__name__}") from error


def decode(line: bytes) -> Any:
    """The JSON value of a line. Raises ValueError for anything else."""
    try:
        return orjson.loads(line)
    except ValueError:
        pass
    try:
        return json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def encode_gap(gap: Gap) -> bytes:
    """A line of `gaps.ndjson`."""
    return encode(asdict(gap)) + b"\n"


def decode_gap(line: bytes) -> Gap:
    """A gap from its line. Raises ValueError for anything else. Properties of later versions are ignored."""
    value = _object(decode(line))
    status = value.get("status")
    if status is not None and (isinstance(status, bool) or not isinstance(status, int)):
        raise ValueError("status is not a number")
    return Gap(
        kind=_text(value, "kind"),
        scope=_text(value, "scope"),
        reason=_text(value, "reason"),
        status=status,
        code=_optional_text(value, "code"),
        permission=_optional_text(value, "permission"),
        retryable=value.get("retryable") is True,
        asked_at=_optional_text(value, "asked_at"),
    )


def encode_listing(listing: FinishedListing) -> bytes:
    """A line of `listings.ndjson`."""
    return encode(asdict(listing)) + b"\n"


def decode_listing(line: bytes) -> FinishedListing:
    """A finished listing from its line. Raises ValueError for anything else."""
    value = _object(decode(line))
    return FinishedListing(
        kind=intern(_text(value, "kind")),
        scope=_text(value, "scope"),
        items=_count(value, "items"),
        stored=_count(value, "stored"),
        pages=_count(value, "pages"),
        api_version=_optional_text(value, "api_version"),
        asked_at=_optional_text(value, "asked_at"),
        source=_optional_text(value, "source"),
    )


def decode_item(line: bytes) -> tuple[str, Any]:
    """The listing's scope and the raw item of a line. Raises ValueError for anything else."""
    value = _object(decode(line))
    if "item" not in value:
        raise ValueError("item is missing")
    return _text(value, "from"), value["item"]


def decode_block(block: bytes, lines: int) -> tuple[list[str], list[Any]] | None:
    """The same of many lines at once, which is faster: all scopes, and all items. None where a line is not as usual.

    A newline is escaped within a JSON text, so those of a block stand between its lines.

    Args:
        block: whole lines, with newlines between them.
        lines: how many.
    """
    try:
        values = orjson.loads(b"[" + block.replace(b"\n", b",") + b"]")
        froms, items = [value["from"] for value in values], [value["item"] for value in values]
    except (KeyError, TypeError, ValueError):
        return None
    usual = len(items) == lines and set(map(type, froms)) == {str}
    return (froms, items) if usual else None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one exception for everything that is not a line of ours
    return value


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(f"{key} is not text")  # noqa: TRY004 - as above
    return text


def _optional_text(value: Mapping[str, Any], key: str) -> str | None:
    return None if value.get(key) is None else _text(value, key)


def _count(value: Mapping[str, Any], key: str) -> int:
    count = value.get(key)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ValueError(f"{key} is not a count")
    return count
