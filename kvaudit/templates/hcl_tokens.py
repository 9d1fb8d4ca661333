"""Words of HCL, Terraform's language. Source: HashiCorp's "HCL Native Syntax Specification".

Own code: `python-hcl2` needs 1.7 s before its first file and leaves quotes and `${...}` in what it returns (measured in
November 2026), and nothing else keeps lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kvaudit.errors import UsageError


class HclError(UsageError):
    """A text that is no HCL. The message holds file, line and column."""


class Word(Enum):
    """Kinds of words."""

    NAME = "name"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    LINE_END = "line end"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A word where it stands.

    Attributes:
        text: of a text: its content as it stands in the file, still with escapes and `${...}`.
        is_heredoc: of a text: escapes mean nothing in it.
    """

    kind: Word
    text: str
    line: int
    column: int
    is_heredoc: bool = False


_PLAIN = re.compile(
    r"(?P<space>[ \t\r\ufeff]+|#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r"|(?P<line>\n)"
    r"|(?P<heredoc><<-?(?P<mark>[A-Za-z_][\w-]*)[ \t]*\n)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W\d][\w-]*)"
    r"|(?P<sign>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-{}\[\]()=,.:?!+*/%<>])"
    r'|(?P<quote>")',
    re.DOTALL,
)
_INSIDE_TEXT = re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"|\n', re.DOTALL)
_INSIDE_CODE = re.compile(r'"|[{}]|\n')


def tokens(text: str, name: str) -> Iterator[Token]:
    """The words of a file, the last one of kind `END`.

    Raises:
        HclError: a character, text or comment that cannot be.
    """
    at, line, begin = 0, 1, 0
    while at < len(text):
        found = _PLAIN.match(text, at)
        if not found:
            raise HclError(f"{name}:{line}:{at - begin + 1}: {text[at]!r} cannot stand here")
        kind, column, start_line = found.lastgroup, at - begin + 1, line
        end = found.end()
        if kind == "quote":
            end = _text_end(text, end, name, line, column)
            yield Token(Word.TEXT, text[at + 1 : end - 1], start_line, column)
        elif found["heredoc"] is not None:
            body, end = _heredoc(text, found, name, line, column)
            yield Token(Word.TEXT, body, start_line, column, is_heredoc=True)
        elif kind == "line":
            yield Token(Word.LINE_END, "\n", start_line, column)
        elif kind != "space":
            yield Token(Word(kind), found[0], start_line, column)
        crossed = text.count("\n", at, end)
        if crossed:
            line += crossed
            begin = text.rindex("\n", at, end) + 1
        at = end
    yield Token(Word.END, "", line, at - begin + 1)


def _text_end(text: str, at: int, name: str, line: int, column: int) -> int:
    """Behind the closing quote of a text whose content begins at `at`; `${...}` in it may hold texts of its own."""
    depth: list[str] = ["text"]
    while depth:
        found = (_INSIDE_TEXT if depth[-1] == "text" else _INSIDE_CODE).search(text, at)
        if not found or len(depth) > 100:
            raise HclError(f"{name}:{line}:{column}: a text that does not end")
        sign, at = found[0], found.end()
        if depth[-1] == "text":
            if sign == '"':
                depth.pop()
            elif sign in ("${", "%{"):
                depth.append("code")
            elif sign == "\n":
                raise HclError(f"{name}:{line}:{column}: a text that does not end on its line")
        elif sign == '"':
            depth.append("text")
        elif sign == "{":
            depth.append("code")
        elif sign == "}":
            depth.pop()
    return at


def _heredoc(text: str, found: re.Match[str], name: str, line: int, column: int) -> tuple[str, int]:
    closing = re.compile(rf"^[ \t]*{re.escape(found['mark'])}[ \t]*$", re.MULTILINE)
    end = closing.search(text, found.end())
    if not end:
        raise HclError(f"{name}:{line}:{column}: the text <<{found['mark']} does not end")
    return text[found.end() : end.start()], end.end()
