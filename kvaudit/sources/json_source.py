"""JSON as Resource Manager takes it, with places: comments, strings over several lines, trailing commas.

Own code because no library does it: `json5` refuses strings over several lines, and none of the others keeps lines and
columns (measured in November 2026). The reader is a scanner with one regular expression; nesting is bounded.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from kvaudit.errors import UsageError
from kvaudit.sources.located import Node

DEEPEST = 200
"""Levels of nesting. Real templates have fewer than 40."""

_SKIP = re.compile(r"(?:[ \t\n\r\ufeff\xa0]+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[A-Za-z_]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}


class JsonSourceError(UsageError):
    """A text that is no JSON. The message holds line and column."""


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A document and what was odd about it.

    Attributes:
        root: its value.
        remarks: (line, column, text) of trailing commas, in order.
        twice: (line, column, text) of keys that stand twice in one object: readers differ in which of them counts.
    """

    root: Node
    remarks: tuple[tuple[int, int, str], ...] = ()
    twice: tuple[tuple[int, int, str], ...] = ()


def parse_json(text: str, name: str) -> JsonDocument:
    """Reads a document.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        JsonSourceError: with line and column.
    """
    reader = _Reader(text, name)
    root = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise reader.error("there is more after the end of the document")
    return JsonDocument(root, tuple(reader.remarks), tuple(reader.twice))


@dataclass(slots=True)
class _Reader:
    text: str
    name: str
    at: int = 0
    remarks: list[tuple[int, int, str]] = field(default_factory=list)
    twice: list[tuple[int, int, str]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = [0, *(found.end() for found in re.finditer("\n", self.text))]

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1

    def error(self, what: str, at: int | None = None) -> JsonSourceError:
        line, column = self.place(self.at if at is None else at)
        return JsonSourceError(f"{self.name}:{line}:{column}: {what}")

    def skip(self) -> None:
        found = _SKIP.match(self.text, self.at)
        if found:
            self.at = found.end()
        if self.text.startswith("/*", self.at):
            raise self.error("a comment that does not end")

    def peek(self) -> str:
        self.skip()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.error(f"nested deeper than {DEEPEST} levels")
        sign = self.peek()
        line, column = self.place(self.at)
        if sign == "{":
            return self._object(line, column, depth)
        if sign == "[":
            return self._array(line, column, depth)
        if sign == '"':
            return Node(self._string(), line, column)
        if not sign:
            raise self.error("the file ends where a value should stand")
        return Node(self._word(), line, column)

    def _object(self, line: int, column: int, depth: int) -> Node:
        self.at += 1
        members: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        while (sign := self.peek()) != "}":
            where = self.place(self.at)
            if sign != '"':
                raise self.error("a property name in double quotes, or } is missing")
            key = self._string()
            if self.peek() != ":":
                raise self.error(f"a colon is missing after {key[:60]!r}")
            self.at += 1
            if key in members:
                self.twice.append((*where, f"the property {key[:60]!r} stands twice; the last one was taken"))
            keys[key] = where
            members[key] = self.value(depth + 1)
            self._separator("}")
        self.at += 1
        return Node(members, line, column, keys)

    def _array(self, line: int, column: int, depth: int) -> Node:
        self.at += 1
        items: list[Node] = []
        while self.peek() != "]":
            items.append(self.value(depth + 1))
            self._separator("]")
        self.at += 1
        return Node(items, line, column)

    def _separator(self, end: str) -> None:
        sign = self.peek()
        if sign == ",":
            where = self.place(self.at)
            self.at += 1
            if self.peek() == end:
                self.remarks.append((*where, f"a comma before {end}, which strict JSON does not have"))
        elif sign != end:
            raise self.error(f"a comma or {end} is missing")

    def _string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if not found:
            raise self.error("a string that does not end")
        self.at = found.end()
        body = found[1]
        return _ESCAPE.sub(_unescape, body) if "\\" in body else body

    def _word(self) -> Any:
        found = _WORD.match(self.text, self.at)
        if not found:
            raise self.error(f"a value should stand here, not {self.text[self.at]!r}")
        word = found[0]
        if word.casefold() in _LITERALS:
            result = _LITERALS[word.casefold()]
        elif word[0] == "-" or word[0].isdigit():
            if len(word) > 400:
                raise self.error("a number of more than 400 digits")
            result = int(word) if word.lstrip("-").isdigit() else float(word)
        else:
            raise self.error(f"{word[:60]} is no value of JSON")
        self.at = found.end()
        return result


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return _PLAIN.get(found[2], found[2])
