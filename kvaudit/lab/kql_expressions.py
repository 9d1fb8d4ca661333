"""Expressions of the Kusto query language, as far as inventory queries use them.

Names, paths (`properties.x`, `tags['a']`), literals, comparisons, `in~`, `and`, `or`, `not` and a few functions. What is
not known here is a parse error with its place, never a guess.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Expression = Callable[[Row], Any]


class KqlError(Exception):
    """The query cannot be parsed.

    Attributes:
        line: from 1.
        character: from 0, within the line.
        token: what stood there.
    """

    def __init__(self, query: str, position: int, token: str) -> None:
        before = query[:position]
        self.line = before.count("\n") + 1
        self.character = position - (before.rfind("\n") + 1)
        self.token = token or "<EOF>"
        super().__init__(f"line {self.line}:{self.character} near {self.token}")


_TOKEN = re.compile(
    r"""(?:\s+|//[^\n]*)*(?:
      (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<word>[A-Za-z_$][A-Za-z0-9_$]*(?:-(?:away|keep|rename|expand))?)
    | (?P<symbol>!in~|!~|=~|==|!=|<=|>=|[|()\[\],.<>=!~+-])
    )""",
    re.VERBOSE,
)
_END = re.compile(r"(?:\s+|//[^\n]*)*\Z")


class Tokens:
    """The words of a query with their places."""

    def __init__(self, query: str) -> None:
        self.query = query
        self._items: list[tuple[str, str, int]] = []
        self._at = 0
        position = 0
        while not _END.match(query, position):
            match = _TOKEN.match(query, position)
            if match is None or match.lastgroup is None:
                rest = query[position:].lstrip()
                raise KqlError(query, len(query) - len(rest), rest[:1])
            self._items.append((match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
            position = match.end()

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """Kind and text of a coming token; `end` after the last."""
        index = self._at + ahead
        return self._items[index][:2] if index < len(self._items) else ("end", "")

    def take(self) -> tuple[str, str]:
        """The next token."""
        token = self.peek()
        self._at += 1
        return token

    def accept(self, *texts: str) -> str | None:
        """The next token when it is one of these words or symbols, without regard to case."""
        kind, text = self.peek()
        if kind in {"word", "symbol"} and text.casefold() in texts:
            self._at += 1
            return text.casefold()
        return None

    def expect(self, text: str) -> None:
        """Take this word or symbol. Raises KqlError."""
        if self.accept(text) is None:
            raise self.error()

    def name(self) -> str:
        """Take a name. Raises KqlError."""
        kind, text = self.peek()
        if kind != "word":
            raise self.error()
        self._at += 1
        return text

    def error(self) -> KqlError:
        """The error of a token that should not stand here."""
        if self._at >= len(self._items):
            return KqlError(self.query, len(self.query), "")
        _, text, position = self._items[self._at]
        return KqlError(self.query, position, text)


def expression(tokens: Tokens) -> Expression:
    """Parse an expression: `or` binds weakest. Raises KqlError."""
    parts = [_conjunction(tokens)]
    while tokens.accept("or"):
        parts.append(_conjunction(tokens))
    return parts[0] if len(parts) == 1 else lambda row: any(truth(part(row)) for part in parts)


def _conjunction(tokens: Tokens) -> Expression:
    parts = [_comparison(tokens)]
    while tokens.accept("and"):
        parts.append(_comparison(tokens))
    return parts[0] if len(parts) == 1 else lambda row: all(truth(part(row)) for part in parts)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: _text(left) == _text(right),
    "!=": lambda left, right: _text(left) != _text(right),
    "=~": lambda left, right: _folded(left) == _folded(right),
    "!~": lambda left, right: _folded(left) != _folded(right),
    "contains": lambda left, right: _folded(right) in _folded(left),
    "has": lambda left, right: (
        _folded(right) in re.split(r"[^0-9a-z]+", _folded(left)) or _folded(right) in _folded(left)
    ),
    "startswith": lambda left, right: _folded(left).startswith(_folded(right)),
    "endswith": lambda left, right: _folded(left).endswith(_folded(right)),
    "<": lambda left, right: _number(left) < _number(right),
    ">": lambda left, right: _number(left) > _number(right),
    "<=": lambda left, right: _number(left) <= _number(right),
    ">=": lambda left, right: _number(left) >= _number(right),
}


_NEGATABLE = ("contains", "has", "startswith", "endswith")


def _comparison(tokens: Tokens) -> Expression:
    left = _operand(tokens)
    operator = tokens.accept(*_COMPARISONS)
    if operator is not None:
        compare, right = _COMPARISONS[operator], _operand(tokens)
        return lambda row: compare(left(row), right(row))
    negated = tokens.accept("!") is not None
    word = tokens.accept(*_NEGATABLE) if negated else None
    if word is not None:
        refuse, unwanted = _COMPARISONS[word], _operand(tokens)
        return lambda row: not refuse(left(row), unwanted(row))
    any_of = None if negated else tokens.accept("has_any")
    if any_of is not None:
        wanted = _literals(tokens)
        return lambda row: any(_COMPARISONS["has"](left(row), value) for value in wanted)
    if tokens.accept("!in~"):
        folded, negated = True, True
    elif tokens.accept("in"):
        folded = tokens.accept("~") is not None
    elif negated:
        raise tokens.error()
    else:
        return left
    same = _folded if folded else _text
    values = [same(value) for value in _literals(tokens)]
    return lambda row: (same(left(row)) in values) is not negated


def _literals(tokens: Tokens) -> list[Any]:
    tokens.expect("(")
    values = [_literal(tokens)]
    while tokens.accept(","):
        values.append(_literal(tokens))
    tokens.expect(")")
    return values


def _literal(tokens: Tokens) -> Any:
    kind, text = tokens.peek()
    if kind == "string":
        tokens.take()
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind == "number":
        tokens.take()
        return float(text) if "." in text else int(text)
    word = tokens.accept("true", "false", "null")
    if word is None:
        raise tokens.error()
    return {"true": True, "false": False}.get(word)


def _operand(tokens: Tokens) -> Expression:
    kind, text = tokens.peek()
    if kind in {"string", "number"} or (kind == "word" and text.casefold() in {"true", "false", "null"}):
        value = _literal(tokens)
        return lambda row: value  # noqa: ARG005 - a constant
    if tokens.accept("("):
        inside = expression(tokens)
        tokens.expect(")")
        return inside
    if tokens.peek(1) == ("symbol", "("):
        return _path(tokens, _call(tokens))
    name = tokens.name()
    return _path(tokens, lambda row: row.get(name))


def _path(tokens: Tokens, start: Expression) -> Expression:
    """`.name`, `['name']` and `[0]` after an operand."""
    found = start
    while True:
        if tokens.accept("."):
            found = _step(found, tokens.name())
        elif tokens.accept("["):
            found = _step(found, _literal(tokens))
            tokens.expect("]")
        else:
            return found


def _step(container: Expression, key: Any) -> Expression:
    def look(row: Row) -> Any:
        value = container(row)
        if isinstance(value, dict) and isinstance(key, str):
            return value.get(key)
        if isinstance(value, list) and isinstance(key, int):
            return value[key] if -len(value) <= key < len(value) else None
        return None

    return look


def _case(args: Sequence[Any]) -> Any:
    """`case(condition, value, ..., otherwise)`."""
    for condition, value in zip(args[:-1:2], args[1:-1:2], strict=False):
        if truth(condition):
            return value
    return args[-1]


_FUNCTIONS: Mapping[str, tuple[range, Callable[[Sequence[Any]], Any]]] = {
    "tostring": (range(1, 2), lambda args: _text(args[0])),
    "tolower": (range(1, 2), lambda args: _text(args[0]).lower()),
    "toupper": (range(1, 2), lambda args: _text(args[0]).upper()),
    "tobool": (range(1, 2), lambda args: None if args[0] is None else truth(args[0])),
    "toint": (range(1, 2), lambda args: None if args[0] is None else int(_number(args[0]))),
    "tolong": (range(1, 2), lambda args: None if args[0] is None else int(_number(args[0]))),
    "isnull": (range(1, 2), lambda args: args[0] is None),
    "isnotnull": (range(1, 2), lambda args: args[0] is not None),
    "isempty": (range(1, 2), lambda args: _text(args[0]) == ""),
    "isnotempty": (range(1, 2), lambda args: _text(args[0]) != ""),
    "not": (range(1, 2), lambda args: not truth(args[0])),
    "strcat": (range(1, 65), lambda args: "".join(_text(arg) for arg in args)),
    "coalesce": (range(2, 65), lambda args: next((arg for arg in args if arg is not None), None)),
    "array_length": (range(1, 2), lambda args: len(args[0]) if isinstance(args[0], list) else None),
    "iff": (range(3, 4), lambda args: args[1] if truth(args[0]) else args[2]),
    "iif": (range(3, 4), lambda args: args[1] if truth(args[0]) else args[2]),
    "case": (range(3, 65), _case),
    "strlen": (range(1, 2), lambda args: len(_text(args[0]))),
    "split": (range(2, 3), lambda args: _text(args[0]).split(_text(args[1]))),
}


def _call(tokens: Tokens) -> Expression:
    known = _FUNCTIONS.get(tokens.peek()[1].casefold())
    if known is None:
        raise tokens.error()
    tokens.take()
    tokens.expect("(")
    arguments = [expression(tokens)]
    while tokens.accept(","):
        arguments.append(expression(tokens))
    counts, function = known
    if len(arguments) not in counts:
        raise tokens.error()
    tokens.expect(")")
    return lambda row: function([argument(row) for argument in arguments])


def truth(value: Any) -> bool:
    """Whether a value counts as true: `true`, the text of it, or a number that is not 0."""
    if isinstance(value, str):
        return value.casefold() == "true"
    return bool(value) and value is not None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _folded(value: Any) -> str:
    return _text(value).casefold()


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
