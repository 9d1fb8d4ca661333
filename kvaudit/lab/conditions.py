"""Conditions of role assignments, roles and deny assignments: true, false, or None where nothing published says.

The grammar is that of learn.microsoft.com/azure/role-based-access-control/conditions-format. Three things it leaves open
come out as None: a comparison with an attribute that the request does not have, AND beside OR without parentheses where
the two readings differ, and a text that cannot be read. The evaluator lets None give nothing and deny everything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kvaudit.lab.matching import matches

Attributes = Mapping[str, str | tuple[str, ...]]
"""`@request[...]` and `@resource[...]`, casefolded, to what the request holds."""

Truth = bool | None

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.|'')*')|(?P<attribute>@\w+\[[^\]]*\])|(?P<bare>-?\w[\w.-]*(?::\w+)?)|(?P<sign>&&|\|\||!|[(){},]))"
)
"""A bare token is a word, an operator, a number or a GUID: `ForAnyOfAnyValues:GuidEquals {00482a5a-887f-..., ...}`."""


class UnreadableError(Exception):
    """The text is not a condition that the lab can read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a condition is asked about: an action and the attributes of the request."""

    action: str
    attributes: Attributes


def truth(text: str | None, asked: Asked) -> Truth:
    """Whether a condition is true for a request; no condition is true, one that cannot be read is None."""
    if not text:
        return True
    try:
        return _Reader(_tokens(text), asked).whole()
    except (UnreadableError, RecursionError):
        return None


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


def _all(parts: list[Truth]) -> Truth:
    if False in parts:
        return False
    return None if None in parts else True


def _any(parts: list[Truth]) -> Truth:
    if True in parts:
        return True
    return None if None in parts else False


class _Reader:
    """Reads and decides in one walk: every part is read, also where the answer is already known."""

    def __init__(self, tokens: list[str], asked: Asked) -> None:
        self._tokens = tokens
        self._at = 0
        self._asked = asked

    def whole(self) -> Truth:
        result = self._chain()
        if self._at != len(self._tokens):
            raise UnreadableError(self._next())
        return result

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise UnreadableError("the text ends too early")
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise UnreadableError(f"expected {sign}")

    def _chain(self) -> Truth:
        """Parts joined by AND and OR. No precedence is published: where the two readings differ, None."""
        parts, joins = [self._part()], []
        while self._peek().upper() in {"AND", "&&", "OR", "||"}:
            joins.append(self._next().upper() in {"AND", "&&"})
            parts.append(self._part())
        and_first = _any([_all(run) for run in _runs(parts, joins, inner=True)])
        or_first = _all([_any(run) for run in _runs(parts, joins, inner=False)])
        return and_first if and_first is or_first else None

    def _part(self) -> Truth:
        if self._peek().upper() in {"!", "NOT"}:
            self._next()
            inner = self._part()
            return None if inner is None else not inner
        if self._peek() == "(":
            self._next()
            result = self._chain()
            self._expect(")")
            return result
        return self._statement()

    def _statement(self) -> Truth:
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
        """Values of an attribute or of literals, with their escapes; None for an attribute that is absent."""
        token = self._next()
        if token.startswith("@"):
            value = self._asked.attributes.get(token.casefold())
            values = (value,) if isinstance(value, str) else value
            return None if values is None else tuple(item.replace("\\", "\\\\") for item in values)
        if token == "{":  # noqa: S105
            found = [_inner(self._next())]
            while self._peek() == ",":
                self._next()
                found.append(_inner(self._next()))
            self._expect("}")
            return tuple(found)
        return (_inner(token),)


def _runs(parts: list[Truth], joins: list[bool], *, inner: bool) -> list[list[Truth]]:
    """Parts cut into runs that one kind of join (AND when `inner`, else OR) holds together."""
    runs = [[parts[0]]]
    for join, part in zip(joins, parts[1:], strict=True):
        if join is inner:
            runs[-1].append(part)
        else:
            runs.append([part])
    return runs


def _inner(token: str) -> str:
    if token in {"(", ")", "{", "}", ",", "!", "&&", "||"} or token.startswith("@"):
        raise UnreadableError(token)
    return token[1:-1].replace("''", "'") if token.startswith("'") else token


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _text(token: str) -> str:
    return _unescaped(_inner(token))


def _like(value: str, pattern: str) -> bool:
    """`*` and `?`, with backslash before one that stands for itself."""
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(piece) or re.escape(piece.removeprefix("\\") or "\\") for piece in pieces)
    return re.fullmatch(expression, _unescaped(value), re.DOTALL) is not None


def _plainly(test: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda a, b: test(_unescaped(a), _unescaped(b))


def _guid(text: str) -> str:
    return text.casefold().replace("-", "")


_SINGLE: dict[str, Callable[[str, str], bool]] = {
    "stringequals": _plainly(lambda a, b: a == b),
    "stringequalsignorecase": _plainly(lambda a, b: a.casefold() == b.casefold()),
    "stringstartswith": _plainly(lambda a, b: a.startswith(b)),
    "stringstartswithignorecase": _plainly(lambda a, b: a.casefold().startswith(b.casefold())),
    "stringlike": _like,
    "stringlikeignorecase": lambda a, b: _like(a.casefold(), b.casefold()),
    "guidequals": _plainly(lambda a, b: _guid(a) == _guid(b)),
    "boolequals": _plainly(lambda a, b: a.casefold() == b.casefold()),
}
"""By casefolded operator without its `Not` and with `IgnoreCase` at the end, wherever the text has it."""


def _compare(operator: str, left: tuple[str, ...] | None, right: tuple[str, ...] | None) -> Truth:
    quantifier, separator, name = operator.casefold().rpartition(":")
    negated = "not" in name
    bare = name.replace("not", "")
    if "ignorecase" in bare:
        bare = bare.replace("ignorecase", "") + "ignorecase"
    test = _SINGLE.get(bare)
    if test is None:
        raise UnreadableError(operator)
    if not left or not right:
        return None

    def one(a: str, b: str) -> bool:
        return test(a, b) is not negated

    if not separator:
        return one(left[0], right[0]) if len(left) == len(right) == 1 else None
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
