"""Cuts the text of a condition into tokens.

Quoting as published: strings stand in single quotes and `{...}` holds a list (learn.microsoft.com
azure/role-based-access-control/conditions-format). How a quote inside a string is written is not published: where a
string could be read in two ways the text is refused, not guessed. Built-in roles also hold GUIDs without quotes,
with and without hyphens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

MAX_CHARACTERS = 8 * 1024
"""Conditions hold at most 8 KB (azure/role-based-access-control/conditions-overview, Limits)."""

_SHOWN = 20
_TOKEN = re.compile(
    r"""
    (?P<text>'[^']*')
    |(?P<attribute>@\s*(?P<source>[A-Za-z]+)\s*\[(?P<name>[^\[\]'"]*)\])
    |(?P<word>[A-Za-z0-9_.:+-]+)
    |(?P<mark>&&|\|\||[(){},!])
    """,
    re.VERBOSE,
)


class Kind(Enum):
    """What a token is. Marks are `(`, `)`, `{`, `}`, `,`, `!`, `&&` and `||`."""

    TEXT = auto()
    ATTRIBUTE = auto()
    WORD = auto()
    MARK = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        text: a string without its quotes, an attribute's name, a word or a mark; empty at the end.
        offset: where it starts, counted in characters from 0.
        source: of an attribute, else empty.
    """

    kind: Kind
    text: str
    offset: int
    source: str = ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.END:
                return "the end"
            case Kind.TEXT:
                return f"the string {shown(self.text, _SHOWN)!r}"
            case Kind.ATTRIBUTE:
                return f"the attribute @{self.source}[{shown(self.text, _SHOWN)}]"
            case Kind.WORD | Kind.MARK:
                return f"'{shown(self.text, _SHOWN)}'"


class UnreadableError(Exception):
    """The text does not follow the grammar. Never leaves the package: `parse` turns it into a `ConditionError`."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def shown(text: str, limit: int) -> str:
    """Tenant's text made safe to stand in a sentence: invisible characters spelled out, cut after `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in cut)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a condition, the last of which is the end. Raises UnreadableError at the first that is none."""
    if len(text) > MAX_CHARACTERS:
        raise UnreadableError(f"the condition is longer than {MAX_CHARACTERS} characters", MAX_CHARACTERS)
    offset = 0
    while offset < len(text):
        if text[offset].isspace():
            offset += 1
            continue
        found = _TOKEN.match(text, offset)
        if found is None:
            raise UnreadableError(_complaint(text, offset), offset)
        yield _token(text, found)
        offset = found.end()
    yield Token(Kind.END, "", len(text))


def _token(text: str, found: re.Match[str]) -> Token:
    raw, start = found.group(), found.start()
    match found.lastgroup:
        case "text":
            # 'it\'s' and 'it''s' each have two readings, and nothing published says which is Azure's.
            if raw.endswith("\\'") or text[found.end() : found.end() + 1] == "'":
                raise UnreadableError("how a quote inside a string is written is not published", found.end() - 1)
            return Token(Kind.TEXT, raw[1:-1], start)
        case "attribute":
            name = found["name"].strip()
            if not name:
                raise UnreadableError("the attribute has no name", start)
            return Token(Kind.ATTRIBUTE, name, start, found["source"])
        case "word":
            return Token(Kind.WORD, raw, start)
    return Token(Kind.MARK, raw, start)


def _complaint(text: str, offset: int) -> str:
    match text[offset]:
        case "'":
            return "the string has no closing quote"
        case "@":
            return "an attribute is written @Source[name]"
    return f"the character '{shown(text[offset], 1)}' does not belong here"
