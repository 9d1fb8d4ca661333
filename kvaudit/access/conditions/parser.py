"""Reads the text of a condition into a syntax tree.

Grammar (azure/role-based-access-control/conditions-format; keywords and operators in any letter case, as built-in
roles use them):

    chain      = unary { ("AND" | "&&" | "OR" | "||") unary }
    unary      = ("NOT" | "!") unary | primary
    primary    = "(" chain ")" | "Exists" attribute | function set | operand operator operand
    operand    = attribute | 'string' | bare value | set
    set        = "{" [ value { "," value } ] "}"

NOT binds to what follows it directly: Microsoft's examples write `!(...) OR ...` and `a AND NOT b`. The order of AND
and OR is not published, so a chain keeps both and evaluation looks at either.
"""

from dataclasses import dataclass
from functools import lru_cache

from kvaudit.access.conditions.tokens import Kind, Token, UnreadableError, tokens
from kvaudit.access.conditions.tree import (
    Attribute,
    Bare,
    Call,
    Chain,
    Comparison,
    Condition,
    Exists,
    Node,
    Not,
    Operand,
    Text,
    ValueSet,
    attributes_of,
)

MAX_DEPTH = 64
"""Nested parentheses and NOTs that are read. Real conditions nest below 10; no limit but the size is published."""

_CONJUNCTIONS = {"and": True, "&&": True, "or": False, "||": False}
_NEGATIONS = frozenset({"not", "!"})
_EXISTS = "exists"
_KEYWORDS = _CONJUNCTIONS.keys() | _NEGATIONS | {_EXISTS}


@dataclass(frozen=True, slots=True)
class ConditionError:
    """A condition that could not be read.

    Attributes:
        text: as it was written.
        message: what is wrong, without its position.
        offset: where, in characters from 0.
        line, column: the same place, both from 1.
    """

    text: str
    message: str
    offset: int
    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


@lru_cache(maxsize=1024)
def parse(text: str) -> Condition | ConditionError:
    """Read a condition; never raises. An empty text is an error: what an empty condition means is not published."""
    try:
        root = _Reader(text).condition()
    except UnreadableError as error:
        before = text[: error.offset]
        line_start = before.rfind("\n") + 1
        return ConditionError(text, error.message, error.offset, before.count("\n") + 1, error.offset - line_start + 1)
    return Condition(text, root, frozenset(attribute.key for attribute in attributes_of(root)))


class _Reader:
    """Recursive descent over the tokens; `_next` is the first token that is not yet read."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._next = next(self._tokens)
        self._depth = 0

    def condition(self) -> Node:
        root = self._chain()
        if self._next.kind is not Kind.END:
            raise self._expected("AND, OR or the end")
        return root

    def _chain(self) -> Node:
        operands = [self._unary()]
        conjunctions: list[bool] = []
        while (word := self._keyword()) in _CONJUNCTIONS:
            self._take()
            conjunctions.append(_CONJUNCTIONS[word])
            operands.append(self._unary())
        return Chain(tuple(operands), tuple(conjunctions)) if conjunctions else operands[0]

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError(f"the condition nests deeper than {MAX_DEPTH} levels", self._next.offset)
        try:
            if self._keyword() in _NEGATIONS:
                self._take()
                return Not(self._unary())
            return self._primary()
        finally:
            self._depth -= 1

    def _primary(self) -> Node:
        if self._skip("("):
            inner = self._chain()
            if not self._skip(")"):
                raise self._expected("AND, OR or ')'")
            return inner
        if self._keyword() == _EXISTS:
            self._take()
            if self._next.kind is not Kind.ATTRIBUTE:
                raise self._expected("an attribute after Exists")
            return Exists(_attribute(self._take()))
        left = self._operand("a comparison, a function or '('")
        if isinstance(left, Bare) and self._is_mark("{"):
            return Call(left.value, self._set().items)
        if self._next.kind is not Kind.WORD or self._keyword() in _KEYWORDS:
            raise self._expected("an operator")
        operator = self._take().text
        return Comparison(left, operator, self._operand("a value or an attribute"))

    def _operand(self, wanted: str) -> Operand:
        if self._next.kind is Kind.ATTRIBUTE:
            return _attribute(self._take())
        return self._set() if self._is_mark("{") else self._value(wanted)

    def _set(self) -> ValueSet:
        self._take()
        items: list[Text | Bare] = []
        while not self._skip("}"):
            if items and not self._skip(","):
                raise self._expected("',' or '}'")
            items.append(self._value("a value"))
        return ValueSet(tuple(items))

    def _value(self, wanted: str) -> Text | Bare:
        if self._next.kind is Kind.TEXT:
            return Text(self._take().text)
        if self._next.kind is Kind.WORD and self._keyword() not in _KEYWORDS:
            return Bare(self._take().text)
        raise self._expected(wanted)

    def _keyword(self) -> str:
        return self._next.text.casefold() if self._next.kind in (Kind.WORD, Kind.MARK) else ""

    def _is_mark(self, mark: str) -> bool:
        return self._next.kind is Kind.MARK and self._next.text == mark

    def _skip(self, mark: str) -> bool:
        if not self._is_mark(mark):
            return False
        self._take()
        return True

    def _take(self) -> Token:
        token = self._next
        self._next = next(self._tokens)
        return token

    def _expected(self, wanted: str) -> UnreadableError:
        return UnreadableError(f"expected {wanted}, found {self._next}", self._next.offset)


def _attribute(token: Token) -> Attribute:
    return Attribute(token.source, token.text)
