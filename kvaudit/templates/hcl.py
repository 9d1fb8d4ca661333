"""HCL into blocks, attributes and expressions, with places."""

import re

from kvaudit.templates.hcl_tokens import HclError, Token, Word, tokens
from kvaudit.templates.hcl_tree import (
    Argument,
    Attribute,
    Block,
    Function,
    HclExpression,
    Items,
    Literal,
    Name,
    Opaque,
    Operation,
    Pairs,
    TextOf,
)

DEEPEST = 80
"""Levels of nesting of blocks and expressions. Real files have fewer than 20."""

_BINDS = {
    sign: strength
    for strength, signs in enumerate(
        (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
    )
    for sign in signs
}
"""How strongly binary operators bind (specification, "Operations")."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(\$\$\{|%%\{)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse_hcl(text: str, name: str) -> Block:
    """Reads a file.

    Raises:
        HclError: with file, line and column.
    """
    parser = _Parser(list(tokens(text, name)), name)
    root = Block("", (), 1, 1)
    parser.body(root, 0)
    parser.expect_end()
    return root


class _Parser:
    def __init__(self, words: list[Token], name: str, *, across_lines: bool = False) -> None:
        self._words = words
        self._at = 0
        self._name = name
        self._loose = int(across_lines)

    @property
    def now(self) -> Token:
        if self._loose:
            while self._words[self._at].kind is Word.LINE_END:
                self._at += 1
        return self._words[self._at]

    def _advance(self) -> Token:
        token = self.now
        self._at += token.kind is not Word.END
        return token

    def _error(self, what: str, token: Token | None = None) -> HclError:
        where = token or self.now
        return HclError(f"{self._name}:{where.line}:{where.column}: {what}")

    def _is(self, sign: str) -> bool:
        return self.now.kind is Word.SIGN and self.now.text == sign

    def _take(self, sign: str) -> None:
        if not self._is(sign):
            raise self._error(f"{sign} is missing")
        self._advance()

    def expect_end(self) -> None:
        if self.now.kind is not Word.END:
            raise self._error(f"{self.now.text!r} cannot stand here")

    def body(self, into: Block, depth: int) -> None:
        if depth > DEEPEST:
            raise self._error(f"nested deeper than {DEEPEST} levels")
        while True:
            while self.now.kind is Word.LINE_END:
                self._advance()
            if self.now.kind is Word.END or self._is("}"):
                return
            first = self._advance()
            if first.kind not in (Word.NAME, Word.TEXT):
                raise self._error("the name of an argument or block is missing", first)
            if self._is("="):
                self._advance()
                argument = Argument(first.text, self.expression(depth + 1), first.line, first.column)
                if first.text in into.arguments:
                    into.repeated.append(argument)
                into.arguments[first.text] = argument
                if self.now.kind not in (Word.LINE_END, Word.END) and not self._is("}"):
                    raise self._error("a line should end here")
            else:
                into.blocks.append(self._block(first, depth))

    def _block(self, first: Token, depth: int) -> Block:
        labels = []
        while self.now.kind in (Word.NAME, Word.TEXT):
            labels.append(self._advance().text)
        self._take("{")
        block = Block(first.text, tuple(labels), first.line, first.column)
        kept, self._loose = self._loose, 0
        self.body(block, depth + 1)
        self._loose = kept
        self._take("}")
        return block

    def expression(self, depth: int) -> HclExpression:
        if depth > DEEPEST:
            raise self._error(f"nested deeper than {DEEPEST} levels")
        condition = self._binary(0, depth)
        if not self._is("?"):
            return condition
        self._advance()
        self._loose += 1
        yes = self.expression(depth + 1)
        self._take(":")
        self._loose -= 1
        return Operation("?", (condition, yes, self.expression(depth + 1)))

    def _binary(self, weakest: int, depth: int) -> HclExpression:
        left = self._unary(depth)
        while self.now.kind is Word.SIGN and _BINDS.get(self.now.text, -1) >= weakest:
            sign = self._advance().text
            left = Operation(sign, (left, self._binary(_BINDS[sign] + 1, depth + 1)))
        return left

    def _unary(self, depth: int) -> HclExpression:
        if depth > DEEPEST:
            raise self._error(f"nested deeper than {DEEPEST} levels")
        if self._is("!") or self._is("-"):
            sign = self._advance().text
            return Operation(sign, (self._unary(depth + 1),))
        return self._postfix(self._primary(depth), depth)

    def _postfix(self, node: HclExpression, depth: int) -> HclExpression:
        while True:
            if self._is("."):
                self._advance()
                if self._is("*"):
                    self._advance()
                    node = Opaque("a splat expression")
                else:
                    token = self._advance()
                    if token.kind not in (Word.NAME, Word.NUMBER):
                        raise self._error("the name of an attribute is missing", token)
                    node = Attribute(node, Literal(token.text))
            elif self._is("["):
                node = self._index(node, depth)
            else:
                return node

    def _index(self, node: HclExpression, depth: int) -> HclExpression:
        self._advance()
        self._loose += 1
        if self._is("*"):
            self._advance()
            result: HclExpression = Opaque("a splat expression")
        else:
            result = Attribute(node, self.expression(depth + 1))
        self._loose -= 1
        self._take("]")
        return result

    def _primary(self, depth: int) -> HclExpression:
        token = self.now
        if token.kind is Word.TEXT:
            self._advance()
            return text_of(token, self._name, depth)
        if token.kind is Word.NUMBER:
            self._advance()
            return Literal(int(token.text) if token.text.isdigit() and len(token.text) < 40 else float(token.text))
        if token.kind is Word.NAME:
            self._advance()
            if self._is("("):
                return Function(token.text, self._arguments(depth))
            constants = {"true": True, "false": False, "null": None}
            return Literal(constants[token.text]) if token.text in constants else Name(token.text)
        if self._is("("):
            self._advance()
            self._loose += 1
            inner = self.expression(depth + 1)
            self._loose -= 1
            self._skip_lines()
            self._take(")")
            return inner
        if self._is("[") or self._is("{"):
            return self._collection(depth)
        raise self._error(f"a value should stand here, not {token.text[:40]!r}")

    def _skip_lines(self) -> None:
        while self._words[self._at].kind is Word.LINE_END:
            self._at += 1

    def _arguments(self, depth: int) -> tuple[HclExpression, ...]:
        self._take("(")
        self._loose += 1
        found = []
        while not self._is(")"):
            found.append(self.expression(depth + 1))
            if self._is("..."):
                self._advance()
                found[-1] = Opaque("an expanded list of arguments")
            if not self._is(")"):
                self._take(",")
        self._loose -= 1
        self._take(")")
        return tuple(found)

    def _collection(self, depth: int) -> HclExpression:
        opening = self._advance().text
        closing = {"[": "]", "{": "}"}[opening]
        self._loose += 1
        if self.now.kind is Word.NAME and self.now.text == "for":
            return self._for(closing)
        items: list[HclExpression] = []
        pairs: list[tuple[HclExpression, HclExpression]] = []
        while not self._is(closing):
            item = self.expression(depth + 1)
            if opening == "{":
                if not (self._is("=") or self._is(":")):
                    raise self._error("= is missing")
                self._advance()
                key = Literal(item.name) if isinstance(item, Name) else item
                # A line end closes a value of an object, so the next key cannot be taken for its continuation.
                self._loose, kept = 0, self._loose
                value = self.expression(depth + 1)
                self._loose = kept
                pairs.append((key, value))
            else:
                items.append(item)
            if self._is(","):
                self._advance()
            elif opening == "[" and not self._is(closing):
                raise self._error(", or ] is missing")
        self._loose -= 1
        self._take_after(closing)
        return Items(tuple(items)) if opening == "[" else Pairs(tuple(pairs))

    def _take_after(self, sign: str) -> None:
        self._skip_lines()
        self._take(sign)

    def _for(self, closing: str) -> HclExpression:
        """A `for` is skipped to its closing bracket."""
        open_brackets = [closing]
        pairs = {"[": "]", "{": "}", "(": ")"}
        while open_brackets:
            token = self._advance()
            if token.kind is Word.END:
                raise self._error(f"{closing} is missing")
            if token.kind is Word.SIGN and token.text in pairs:
                open_brackets.append(pairs[token.text])
            elif token.kind is Word.SIGN and token.text == open_brackets[-1]:
                open_brackets.pop()
        self._loose -= 1
        return Opaque("a for expression")


def text_of(token: Token, name: str, depth: int) -> HclExpression:
    """A text: plain, or with the expressions that stand in it."""
    parts: list[HclExpression] = []
    text, at, plain = token.text, 0, 0
    mark = re.compile(r"\\.|\$\$\{|%%\{|\$\{|%\{", re.DOTALL)
    while found := mark.search(text, at):
        at = found.end()
        if found[0] == "%{":
            return Opaque("a text with a directive")
        if found[0] != "${":
            continue
        end = _code_end(text, at)
        if end is None:
            raise HclError(f"{name}:{token.line}:{token.column}: ${{ does not end in this text")
        parts.append(Literal(_unescaped(text[plain : found.start()], is_heredoc=token.is_heredoc)))
        words = [
            Token(word.kind, word.text, token.line, token.column, word.is_heredoc)
            for word in tokens(text[at:end].strip("~ "), name)
        ]
        inner = _Parser(words, name, across_lines=True)
        parts.append(inner.expression(depth + 1))
        inner.expect_end()
        at = plain = end + 1
    if not parts:
        return Literal(_unescaped(text, is_heredoc=token.is_heredoc))
    parts.append(Literal(_unescaped(text[plain:], is_heredoc=token.is_heredoc)))
    filled = tuple(part for part in parts if part != Literal(""))
    return filled[0] if len(filled) == 1 else TextOf(filled)


def _code_end(text: str, at: int) -> int | None:
    """Where the `}` stands that closes a `${` whose code begins at `at`."""
    depth, quoted = 1, False
    while at < len(text):
        sign = text[at]
        if sign == "\\" and quoted:
            at += 1
        elif sign == '"':
            quoted = not quoted
        elif not quoted and sign in "{}":
            depth += 1 if sign == "{" else -1
            if not depth:
                return at
        at += 1
    return None


def _unescaped(text: str, *, is_heredoc: bool) -> str:
    if is_heredoc:
        return text.replace("$${", "${").replace("%%{", "%{")

    def one(found: re.Match[str]) -> str:
        if found[4]:
            return found[4][1:]
        code = found[1] or found[2]
        if code:
            return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"
        return _ESCAPED.get(found[3], found[3])

    return _ESCAPE.sub(one, text)
