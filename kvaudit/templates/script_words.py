"""Scripts of POSIX shells and PowerShell as commands and their words. Nothing is run, and no variable is resolved.

This is no shell: it knows quotes, continued lines, comments, here-documents and nested commands, which is what decides where
a command begins and which words it has. One pass over the text, nesting bounded.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

DEEPEST = 30
"""Commands inside commands."""


MOST_RESTARTS = 3
"""Passes over a text whose quotes are not closed, before its double quotes mean nothing at all."""


class Dialect(StrEnum):
    """How quotes, continued lines and variables are written."""

    SHELL = "shell"
    POWERSHELL = "powershell"


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes; variables and nested commands stand in it as they are written.

    Attributes:
        at: offset in the text.
        is_variable: it is one variable or nested command and nothing else.
        is_quoted: quotes stand in it: it can be no name of a command's option that this reads.
    """

    text: str
    at: int
    is_variable: bool = False
    is_quoted: bool = False


def split_commands(text: str, dialect: Dialect) -> list[tuple[Word, ...]]:
    """Every command of a script, nested ones too, in the order in which they end."""
    quotes_until = len(text)
    for _ in range(MOST_RESTARTS):
        lexer = _Lexer(text, dialect, quotes_until)
        try:
            lexer.block(None, 0)
        except _OpenQuoteError as problem:
            quotes_until = problem.at
        else:
            return lexer.commands
    lexer = _Lexer(text, dialect, quotes_until=0)
    lexer.block(None, 0)
    return lexer.commands


class _OpenQuoteError(Exception):
    """A double quote that nothing closes: from there on double quotes stand for themselves."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


_PLAIN = re.compile(r"[^\s\\'\"`$;&|(){}<>#@]+")
_HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"]?)([A-Za-z_]\w*)\2")
_REDIRECT = re.compile(r"[<>]+&?-?")
_VARIABLE = re.compile(
    r"\$(?:\{\{.{0,200}?\}\}|\{[^}\n]{0,200}\}|[A-Za-z_][\w:]*(?:\.\w+|\[[^\]\n]{0,200}\])*|[@*#?$!0-9-])", re.DOTALL
)
"""Bounded, since the next opening sign looks for its closing one anew."""

MOST_OPEN_HEREDOCS = 50
"""Here-documents of a script that nothing closes; each is looked for to the end of the text."""
_TARGET = re.compile(r"[ \t]*[^\s;&|()<>]*")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(slots=True)
class _Lexer:
    text: str
    dialect: Dialect
    quotes_until: int
    at: int = 0
    commands: list[tuple[Word, ...]] = field(default_factory=list)
    _heredocs: list[tuple[bool, str]] = field(default_factory=list)
    _open_heredocs: int = 0

    @property
    def _is_powershell(self) -> bool:
        return self.dialect is Dialect.POWERSHELL

    def block(self, end: str | None, depth: int) -> None:
        """Commands up to a closing sign, or to the end of the text."""
        words: list[Word] = []
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign == end:
                self.at += 1
                break
            if self._skipped(sign):
                continue
            if sign in "\n;&|{}" or (sign == ")" and end != ")"):
                self._flush(words)
                self.at += 1
                if sign == "\n":
                    self._skip_heredocs()
            elif sign == "(":
                words.extend(self._parentheses(depth))
            else:
                word = self._word(end, depth)
                if not (word.text.isdigit() and self.text[self.at : self.at + 1] in ("<", ">")):  # `2>&1`
                    words.append(word)
        self._flush(words)

    def _flush(self, words: list[Word]) -> None:
        if words:
            self.commands.append(tuple(words))
            words.clear()

    def _skipped(self, sign: str) -> bool:
        """Goes past blanks, continued lines, comments and redirections."""
        before = self.at
        following = self.text[self.at + 1 : self.at + 2]
        if sign in " \t\r":
            self.at += 1
        elif following == "\n" and sign == ("`" if self._is_powershell else "\\"):
            self.at += 2
        elif self._is_powershell and self.text.startswith("<#", self.at):
            end = self.text.find("#>", self.at)
            self.at = len(self.text) if end < 0 else end + 2
        elif sign == "#":
            found = _COMMENT.match(self.text, self.at)
            self.at = found.end() if found else self.at
        elif sign in "<>":
            self._redirection()
        return self.at > before

    def _redirection(self) -> None:
        heredoc = None if self._is_powershell else _HEREDOC.match(self.text, self.at)
        if heredoc:
            self._heredocs.append((bool(heredoc[1]), heredoc[3]))
            self.at = heredoc.end()
            return
        found = _REDIRECT.match(self.text, self.at)
        self.at = found.end() if found else self.at + 1
        target = _TARGET.match(self.text, self.at)
        self.at = target.end() if target else self.at

    def _skip_heredocs(self) -> None:
        for indented, name in self._heredocs:
            if self._open_heredocs >= MOST_OPEN_HEREDOCS:
                break
            blanks = "\t*" if indented else ""
            found = re.compile(rf"^{blanks}{re.escape(name)}$", re.MULTILINE).search(self.text, self.at)
            self._open_heredocs += found is None
            self.at = found.end() if found else self.at
        self._heredocs.clear()

    def _parentheses(self, depth: int) -> list[Word]:
        """A group of commands; in PowerShell its answer is a word."""
        start = self.at
        self.at += 1
        if depth < DEEPEST:
            self.block(")", depth + 1)
        return [Word(self._raw(start), start, is_variable=True)] if self._is_powershell else []

    def _raw(self, start: int) -> str:
        return self.text[start : min(self.at, start + 300)]

    def _word(self, end: str | None, depth: int) -> Word:
        start = self.at
        pieces: list[str] = []
        variables = literals = 0
        quoted = False
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in " \t\r\n;&|()<>" or sign == end or (sign in "{}" and self._is_powershell):
                break
            plain = _PLAIN.match(self.text, self.at)
            before = self.at
            if plain:
                pieces.append(plain[0])
                self.at = plain.end()
                literals += 1
            elif sign in "'\"" and (text := self._quoted(sign, depth)) is not None:
                pieces.append(text)
                quoted = True
                is_variable = bool(_VARIABLE.fullmatch(text)) or (text.startswith("$(") and text.endswith(")"))
                variables += is_variable and sign == '"'
                literals += not (is_variable and sign == '"')
            elif self._nested(sign, depth):
                pieces.append(self._raw(before))
                variables += 1
            elif sign == ("`" if self._is_powershell else "\\"):
                following = self.text[self.at + 1 : self.at + 2]
                if following == "\n":
                    break
                pieces.append(following)
                self.at += 2
                literals += 1
            else:
                pieces.append(sign)
                self.at += 1
                literals += 1
        return Word("".join(pieces), start, is_variable=variables == 1 and not literals, is_quoted=quoted)

    def _nested(self, sign: str, depth: int) -> bool:
        """Goes past a variable or a nested command, whose own commands are kept."""
        if sign == "$" and self.text.startswith("$(", self.at) and depth < DEEPEST:
            self.at += 2
            self.block(")", depth + 1)
            return True
        if sign == "`" and not self._is_powershell and depth < DEEPEST:
            self.at += 1
            self.block("`", depth + 1)
            return True
        if (
            sign == "@"
            and self._is_powershell
            and self.text[self.at + 1 : self.at + 2] in ("{", "(")
            and depth < DEEPEST
        ):
            closing = "}" if self.text[self.at + 1] == "{" else ")"
            self.at += 2
            self.block(closing, depth + 1)
            return True
        found = _VARIABLE.match(self.text, self.at) if sign == "$" else None
        if found:
            self.at = found.end()
        return found is not None

    def _quoted(self, sign: str, depth: int) -> str | None:
        """The text between quotes; None where they are not closed: the sign then stands for itself."""
        if sign == "'":
            return self._single()
        if self.at >= self.quotes_until:
            return None
        start = self.at
        self.at += 1
        pieces: list[str] = []
        escape = "`" if self._is_powershell else "\\"
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                if self._is_powershell and self.text.startswith('""', self.at):
                    pieces.append('"')
                    self.at += 2
                    continue
                self.at += 1
                return "".join(pieces)
            before = self.at
            if char == escape:
                following = self.text[self.at + 1 : self.at + 2]
                pieces.append("" if following == "\n" else following)
                self.at += 2
            elif char in "$`" and self._nested(char, depth):
                pieces.append(self._raw(before))
            else:
                pieces.append(char)
                self.at += 1
        raise _OpenQuoteError(start)

    def _single(self) -> str | None:
        end = self.text.find("'", self.at + 1)
        while self._is_powershell and end >= 0 and self.text.startswith("''", end):
            end = self.text.find("'", end + 2)
        if end < 0:
            return None
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return text.replace("''", "'") if self._is_powershell else text
