"""What of a snapshot that was cut off can be kept: the listings that are finished and whose items are all there."""

import os
from collections import Counter
from pathlib import Path

from kvaudit.snapshot import layout
from kvaudit.snapshot.append import AppendFile
from kvaudit.snapshot.layout import FinishedListing, ListingKey, listing_key
from kvaudit.snapshot.lines import whole_lines

_BLOCK = 1000


def salvage(folder: Path) -> tuple[FinishedListing, ...]:
    """Drops what is not finished from a folder and returns the listings that stay.

    Every file is rewritten beside itself and then put in place, so a second cut loses nothing more. May raise OSError.
    """
    claimed = _claimed(folder)
    counts: Counter[ListingKey] = Counter()
    for kind in {listing.kind for listing in claimed.values()}:
        counts.update(_items_of(folder, kind))
    kept = {key: listing for key, listing in claimed.items() if counts[key] == listing.stored}
    for path in sorted(folder.glob("*.ndjson.gz")):
        _rewrite_items(path, path.name.removesuffix(".ndjson.gz"), kept)
    _rewrite_lines(folder / layout.LISTINGS, [layout.encode_listing(item) for item in kept.values()])
    _rewrite_lines(folder / layout.GAPS, _gap_lines(folder, kept))
    return tuple(kept.values())


def _claimed(folder: Path) -> dict[ListingKey, FinishedListing]:
    found = {}
    for line in whole_lines(folder / layout.LISTINGS, compressed=False):
        try:
            listing = layout.decode_listing(line)
        except ValueError:
            continue  # the end of a cut line: its listing is read again
        found[listing.key] = listing
    return found


def _items_of(folder: Path, kind: str) -> Counter[ListingKey]:
    counts: Counter[ListingKey] = Counter()
    for line in whole_lines(folder / layout.kind_file(kind), compressed=True):
        counts[listing_key(kind, layout.decode_item(line)[0])] += 1
    return counts


def _rewrite_items(path: Path, kind: str, kept: dict[ListingKey, FinishedListing]) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    target = AppendFile(part, compressed=True)
    try:
        block: list[bytes] = []
        for line in whole_lines(path, compressed=True):
            if listing_key(kind, layout.decode_item(line)[0]) in kept:
                block.append(line + b"\n")
            if len(block) == _BLOCK:
                target.append(block)
                block = []
        if block:
            target.append(block)
        target.sync()
    finally:
        target.close()
    os.replace(part, path)  # noqa: PTH105 - one call that replaces at once


def _gap_lines(folder: Path, kept: dict[ListingKey, FinishedListing]) -> list[bytes]:
    """Gaps of listings that stay (unreadable items). Those of the others are found again when they are asked again."""
    lines = []
    for line in whole_lines(folder / layout.GAPS, compressed=False):
        try:
            gap = layout.decode_gap(line)
        except ValueError:
            continue  # the end of a cut line
        if listing_key(gap.kind, gap.scope) in kept:
            lines.append(layout.encode_gap(gap))
    return lines


def _rewrite_lines(path: Path, lines: list[bytes]) -> None:
    if not path.exists():
        return
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    target = AppendFile(part, compressed=False)
    try:
        if lines:
            target.append(lines)
        target.sync()
    finally:
        target.close()
    os.replace(part, path)  # noqa: PTH105
