"""Grammars of C#, TypeScript, JavaScript, Java and Go, from the extra `code`."""

import importlib
import re
from functools import cache
from typing import TYPE_CHECKING

from kvaudit.contracts.infer.clock import Clock

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode
    from tree_sitter import Parser

_MODULES = {
    "csharp": ("tree_sitter_c_sharp", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "java": ("tree_sitter_java", "language"),
    "go": ("tree_sitter_go", "language"),
}

MOST_OPEN = 4_000
"""Of `<` in one statement. The parser keeps both readings of each, generic and less-than, and does not stop between them."""


class MissingGrammarError(ValueError):
    """The extra `code` is not installed."""


@cache
def _parser(grammar: str) -> "Parser":
    module, function = _MODULES[grammar]
    try:
        tree_sitter = importlib.import_module("tree_sitter")
        language = getattr(importlib.import_module(module), function)()
    except ImportError as problem:
        raise MissingGrammarError("pip install 'kvaudit[code]'") from problem
    parser: Parser = tree_sitter.Parser(tree_sitter.Language(language))
    return parser


def parse(text: str, grammar: str, clock: Clock) -> "SyntaxNode":
    """The syntax tree of a source file, as long as there is time on the clock.

    Raises:
        MissingGrammarError: the extra `code` is not installed.
        ValueError: the text is so far from the language that the parser does not end.
    """
    if any(statement.count("<") > MOST_OPEN for statement in re.split(r"[;{}]", text)):
        raise ValueError(f"more than {MOST_OPEN} signs < in one statement")
    parser = _parser(grammar)
    data = text.encode("utf-8", "replace")
    try:
        return parser.parse(
            lambda offset, _: data[offset : offset + 65536], progress_callback=lambda *_: clock.has_ended()
        ).root_node
    except ValueError as problem:  # how the parser says that it was stopped
        parser.reset()
        raise ValueError(clock.problem()) from problem
