"""Conditions of role assignments and roles, decided plainly: true or false, nothing between.

The grammar is that of learn.microsoft.com/azure/role-based-access-control/conditions-format. Where it is silent the lab
picks what lets less through: AND binds tighter than OR, an absent attribute fails every comparison, the negated ones too,
and a condition that cannot be read is false.
"""

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kvaudit.lab.matching import matches

Attributes = Mapping[str, str | tuple[str, ...]]
"""`@request[...]` and `@resource[...]`, casefolded, to what the request holds."""

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.|'')*')|(?P<attribute>@\w+\[[^\]]*\])|(?P<word>[A-Za-z_]\w*(?::\w+)?)|(?P<number>-?\d+)"
    r"|(?P<sign>&&|\|\||!|[(){},]))"
)


class UnreadableError(Exception):
    """The text is not a condition that the lab can read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a condition is asked about: an action and the attributes of the request."""

    action: str
    attributes: Attributes


def holds(text: str | None, asked: Asked) -> bool:
    """Whether a condition is true for a request; no condition is true, one that cannot be read is false."""
    if not text:
        return True
    try:
        return _Reader(_tokens(text), asked).whole()
    except (UnreadableError, RecursionError):
        return False


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnreadableError(text[position : position + 20])
        found.append(match.group().strip())
        position = match.end()
    return found


class _Reader:
    """Reads and decides in one walk: every part is read, also where the answer is already known."""

    def __init__(self, tokens: list[str], asked: Asked) -> None:
        self._tokens = tokens
        self._at = 0
        self._asked = asked

    def whole(self) -> bool:
        result = self._either()
        if self._at != len(self._tokens):
            raise UnreadableError(self._next())
        return result

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise UnreadableError("the condition ends too early")
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise UnreadableError(f"expected {sign}")

    def _either(self) -> bool:
        result = self._both()
        while self._peek().upper() in {"||", "OR"}:
            self._next()
            right = self._both()
            result = result or right
        return result

    def _both(self) -> bool:
        result = self._not()
        while self._peek().upper() in {"&&", "AND"}:
            self._next()
            right = self._not()
            result = result and right
        return result

    def _not(self) -> bool:
        if self._peek().upper() in {"!", "NOT"}:
            self._next()
            return not self._not()
        if self._peek() == "(":
            self._next()
            result = self._either()
            self._expect(")")
            return result
        return self._statement()

    def _statement(self) -> bool:
        word = self._peek().casefold()
        if word in {"actionmatches", "suboperationmatches"}:
            self._next()
            self._expect("{")
            pattern = _text(self._next())
            self._expect("}")
            return word == "actionmatches" and matches(pattern, self._asked.action)
        if word == "exists":
            self._next()
            return bool(self._asked.attributes.get(self._next().casefold()))
        left = self._values()
        operator = self._next()
        return _compare(operator, left, self._values())

    def _values(self) -> tuple[str, ...] | None:
        token = self._next()
        if token.startswith("@"):
            value = self._asked.attributes.get(token.casefold())
            return (value,) if isinstance(value, str) else value
        if token == "{":  # noqa: S105
            values = [_text(self._next())]
            while self._peek() == ",":
                self._next()
                values.append(_text(self._next()))
            self._expect("}")
            return tuple(values)
        return (_text(token),)


def _text(token: str) -> str:
    if token.startswith("'"):
        return re.sub(r"\\(.)", r"\1", token[1:-1]).replace("''", "'")
    return token


def _like(value: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


_SINGLE: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda a, b: a == b,
    "stringequalsignorecase": lambda a, b: a.casefold() == b.casefold(),
    "stringignorecaseequals": lambda a, b: a.casefold() == b.casefold(),
    "stringstartswith": lambda a, b: a.startswith(b),
    "stringlike": _like,
    "stringlikeignorecase": lambda a, b: _like(a.casefold(), b.casefold()),
    "guidequals": lambda a, b: a.casefold() == b.casefold(),
    "boolequals": lambda a, b: a.casefold() == b.casefold(),
    "numericequals": lambda a, b: int(a) == int(b),
}


def _compare(operator: str, left: tuple[str, ...] | None, right: tuple[str, ...] | None) -> bool:
    if not left or not right:
        return False
    quantifier, separator, name = operator.casefold().rpartition(":")
    negated = "not" in name
    test = _SINGLE.get(name.replace("not", ""))
    if test is None:
        raise UnreadableError(operator)

    def one(a: str, b: str) -> bool:
        return test(a, b) is not negated

    if not separator:
        return one(left[0], right[0])
    match quantifier:
        case "foranyofanyvalues":
            return any(one(a, b) for a in left for b in right)
        case "forallofanyvalues":
            return all(any(one(a, b) for b in right) for a in left)
        case "foranyofallvalues":
            return any(all(one(a, b) for b in right) for a in left)
        case "forallofallvalues":
            return all(one(a, b) for a in left for b in right)
    raise UnreadableError(operator)
