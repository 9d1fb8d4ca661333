"""Wildcards of `ActionMatches` and `StringLike`, in time that grows with pattern × text whatever the pattern is."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache


class Wildcard(Enum):
    """`ONE` is `?`; `MANY` is `*`, the empty string included; `SEGMENTS` is what may stand between `/` and `/` of `/*/`, or nothing."""

    ONE = auto()
    MANY = auto()
    SEGMENTS = auto()


Pattern = tuple[str | Wildcard, ...]


def action_pattern(text: str, *, optional_segments: bool) -> Pattern:
    """A pattern of `ActionMatches`: the same matching as in a role's permissions, where only `*` is special.

    Args:
        text: as written; letter case does not count.
        optional_segments: whether `/*/` also matches `/`, as some built-in roles seem to need.
    """
    parts: list[str | Wildcard] = []
    for index, piece in enumerate(text.casefold().split("/*/")) if optional_segments else ((0, text.casefold()),):
        if index:
            parts += ["/", Wildcard.SEGMENTS]
        parts += [Wildcard.MANY if character == "*" else character for character in piece]
    return tuple(parts)


@lru_cache(maxsize=10_000)
def like_pattern(text: str) -> Pattern | None:
    r"""A pattern of `StringLike`: `*`, `?`, and `\*`, `\?` for the characters themselves.

    None where a backslash stands before anything else: what that means is not published.
    """
    parts: list[str | Wildcard] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            escaped = next(characters, "")
            if escaped not in ("*", "?"):
                return None
            parts.append(escaped)
        else:
            parts.append({"*": Wildcard.MANY, "?": Wildcard.ONE}.get(character, character))
    return tuple(parts)


def fits(pattern: Sequence[str | Wildcard], text: str) -> bool:
    """Whether a pattern matches a whole text."""
    pieces = _pieces(tuple(pattern))
    return _fits_bit_by_bit(pattern, text) if pieces is None else _stand_in_order(pieces, text)


@lru_cache(maxsize=10_000)
def _pieces(pattern: Pattern) -> tuple[str, ...] | None:
    """What stands before, between and after the `*` of a pattern that has no other wildcards; else None."""
    pieces = [""]
    for part in pattern:
        if part is Wildcard.MANY:
            pieces.append("")
        elif isinstance(part, Wildcard):
            return None
        else:
            pieces[-1] += part
    return tuple(pieces)


def _stand_in_order(pieces: tuple[str, ...], text: str) -> bool:
    """Whether a text begins with the first piece, ends with the last, and holds the others between them one after the other."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    place, end = len(first), len(text) - len(last)
    if place > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces[1:-1]:
        place = text.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def _fits_bit_by_bit(pattern: Sequence[str | Wildcard], text: str) -> bool:
    """The same for any pattern. Bit i of `reached` says that the first i characters are matched."""
    places: dict[str, int] = {}
    for index, character in enumerate(text):
        places[character] = places.get(character, 0) | 1 << index
    end = 1 << len(text)
    reached = 1
    for part in pattern:
        match part:
            case Wildcard.MANY:
                reached = _onwards(reached, end)
            case Wildcard.SEGMENTS:  # a slash was matched just before
                reached |= (_onwards(reached, end) & places["/"]) << 1
            case Wildcard.ONE:
                reached = (reached & (end - 1)) << 1
            case _:
                reached = (reached & places.get(part, 0)) << 1
        if not reached:
            return False
    return bool(reached & end)


def _onwards(reached: int, end: int) -> int:
    lowest = reached & -reached
    return ((end << 1) - 1) & ~(lowest - 1)
