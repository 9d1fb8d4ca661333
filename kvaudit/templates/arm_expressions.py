"""The expression language of Resource Manager templates: `[concat(parameters('name'), '-kv')]` into a tree.

Source: Microsoft's documentation "Syntax and expressions in Azure Resource Manager templates".
"""

import re
from dataclasses import dataclass
from typing import Any

DEEPEST = 60
"""Levels of nesting. Real expressions have fewer than 20."""

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_.$]*)|(?P<sign>[()\[\],.?]))"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a whole number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; the name is folded."""

    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A property of an object, or an element of an array: `.name` or `[expression]`."""

    of: "Expression"
    key: "Expression"
    safe: bool = False


Expression = Literal | Call | Member


class ExpressionError(ValueError):
    """A text in brackets that is no expression; the message says where in it."""


def is_expression(text: str) -> bool:
    """Whether Resource Manager evaluates a text: it stands in brackets and does not begin with two."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """A text that is no expression, as it is meant: `[[` at its beginning is one bracket."""
    return text[1:] if text.startswith("[[") else text


def parse_expression(text: str) -> Expression:
    """Parses a text for which `is_expression` holds.

    Raises:
        ExpressionError: it is no expression.
    """
    parser = _Parser(text[1:-1])
    result = parser.expression(0)
    if parser.kind:
        raise ExpressionError(f"{parser.word!r} at character {parser.start + 2} is one too many")
    return result


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._next = 0
        self.kind = ""
        self.word = ""
        self.start = 0
        self._advance()

    def _advance(self) -> None:
        if self._next >= len(self._text):
            self.kind, self.word, self.start = "", "", self._next
            return
        found = _TOKEN.match(self._text, self._next)
        if not found or found.lastgroup is None:
            raise ExpressionError(f"cannot be understood from character {self._next + 2} on")
        self.kind, self.word = found.lastgroup, found[found.lastgroup]
        self.start = found.start(found.lastgroup)
        self._next = found.end()

    def _take(self, sign: str) -> None:
        if self.word != sign or self.kind != "sign":
            raise ExpressionError(f"{sign} is missing at character {self.start + 2}")
        self._advance()

    def _is(self, sign: str) -> bool:
        return self.kind == "sign" and self.word == sign

    def expression(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise ExpressionError(f"nested deeper than {DEEPEST} levels")
        node = self._primary(depth)
        while True:
            safe = self._is(".") and self._text[self._next : self._next + 1] == "?"
            if self._is("."):
                self._advance()
                if self._is("?"):
                    self._advance()
                node = self._property(node, depth, safe=safe)
            elif self._is("["):
                self._advance()
                safe = self._is("?")
                if safe:
                    self._advance()
                node = Member(node, self.expression(depth + 1), safe)
                self._take("]")
            else:
                return node

    def _property(self, node: Expression, depth: int, *, safe: bool) -> Expression:
        if self._is("["):  # `.?[key]`
            self._advance()
            key = self.expression(depth + 1)
            self._take("]")
            return Member(node, key, safe)
        if self.kind != "name":
            raise ExpressionError(f"a property name is missing at character {self.start + 2}")
        path = self.word
        self._advance()
        for part in path.split("."):
            node, safe = Member(node, Literal(part), safe), False
        return node

    def _primary(self, depth: int) -> Expression:
        kind, word = self.kind, self.word
        if kind == "string":
            self._advance()
            return Literal(word[1:-1].replace("''", "'"))
        if kind == "number":
            self._advance()
            if len(word) > 40:
                raise ExpressionError("a number of more than 40 digits")
            return Literal(int(word))
        if kind != "name":
            raise ExpressionError(f"a function is missing at character {self.start + 2}")
        self._advance()
        self._take("(")
        arguments: list[Expression] = []
        while not self._is(")"):
            arguments.append(self.expression(depth + 1))
            if not self._is(")"):
                self._take(",")
        self._take(")")
        return Call(word.casefold(), tuple(arguments))


def as_plain(value: Any) -> Any:
    """A value of a template without expressions in it: texts in double brackets lose one."""
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, list) else value
