"""The syntax of Bicep files, by the grammar of tree-sitter."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kvaudit.errors import UsageError

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode


DEEPEST = 100
"""Levels of nesting. Of 431 real files the deepest had 14."""

MOST_SECONDS = 10
"""Of one file, which the parser reads in milliseconds; over text that is no Bicep its time grows with the square."""

_NESTING = frozenset({"array", "object", "parenthesized_expression", "for_statement", "if_statement"})


class BicepUnavailableError(UsageError):
    """The `[bicep]` extra is not installed."""


def text(node: "SyntaxNode") -> str:
    """The source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def parts(node: "SyntaxNode") -> list["SyntaxNode"]:
    """The named children of a node, without comments and decorators."""
    return [item for item in node.named_children if item.type not in ("comment", "diagnostic_comment", "decorators")]


def parse_bicep(source: str, file: str, *, seconds: float = MOST_SECONDS) -> "SyntaxNode":
    """The syntax tree of a file, for which the parser takes no more than some seconds.

    Raises:
        BicepUnavailableError: the parser is not installed.
        UsageError: values are nested too deeply, or the text is so far from Bicep that the parser does not end.
    """
    try:
        import tree_sitter
        import tree_sitter_bicep
    except ImportError as problem:
        raise BicepUnavailableError(
            f"{file}: Bicep files are not read without a parser",
            hint="pip install 'kvaudit[bicep]'",
        ) from problem
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
    data = source.encode("utf-8", "replace")
    ends = time.monotonic() + seconds
    try:
        tree = parser.parse(
            lambda offset, _: data[offset : offset + 65536], progress_callback=lambda *_: time.monotonic() > ends
        )
    except ValueError as problem:  # how the parser says that it was stopped
        raise UsageError(f"{file}: not understood within {seconds:.0f} seconds: is this Bicep?") from problem
    root = tree.root_node
    deep = _too_deep(root)
    if deep is not None:
        line, column = place_of(deep)
        raise UsageError(f"{file}:{line}:{column}: nested deeper than {DEEPEST} levels")
    return root


def _too_deep(root: "SyntaxNode") -> "SyntaxNode | None":
    """The first value that stands inside too many others, or None."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            return node
        waiting.extend((item, depth + (item.type in _NESTING)) for item in node.named_children)
    return None


def first_error(node: "SyntaxNode") -> "SyntaxNode | None":
    """The first place that the grammar does not understand, or None."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if item.type == "ERROR" or item.is_missing:
            return item
        if item.has_error:
            waiting.extend(reversed(item.children))
    return None


def statements_with_decorators(statements: list["SyntaxNode"]) -> Iterator["SyntaxNode"]:
    """Statements with the decorators that stand before each: the grammar makes them its neighbours."""
    for item in statements:
        before = item.prev_named_sibling
        if before is not None and before.type == "decorators":
            yield before
        yield item


def place_of(node: "SyntaxNode") -> tuple[int, int]:
    """Line and column, from 1."""
    return node.start_point[0] + 1, node.start_point[1] + 1


def is_existing(item: "SyntaxNode") -> bool:
    """Whether a resource is only referred to."""
    return any(text(child) == "existing" for child in item.children)


def resource_parts(item: "SyntaxNode") -> tuple[str, str, "SyntaxNode | None"]:
    """Symbolic name, type and body of a resource."""
    pieces = parts(item)
    kind = text(pieces[1]).strip("'").partition("@")[0]
    return text(pieces[0]), kind, body_of(item)


def body_of(item: "SyntaxNode") -> "SyntaxNode | None":
    """The object of a resource or module, inside its condition and loop."""
    waiting = [parts(item)[-1]]
    while waiting:
        node = waiting.pop()
        if node.type == "object":
            return node
        if node.type in ("if_statement", "for_statement"):
            waiting.append(parts(node)[-1])
    return None


def wrappers(item: "SyntaxNode", body: "SyntaxNode | None") -> Iterator["SyntaxNode"]:
    """The condition and loop around a body, outermost first."""
    node = parts(item)[-1]
    while body is not None and node.id != body.id:
        yield node
        node = parts(node)[-1]


def properties_of(body: "SyntaxNode") -> dict[str, "SyntaxNode"]:
    """The values of an object by their keys."""
    table = {}
    for item in parts(body):
        pieces = parts(item)
        if item.type == "object_property" and len(pieces) == 2 and pieces[0].type in ("identifier", "string"):
            table[text(pieces[0]).strip("'")] = pieces[1]
    return table


def inner_resources(body: "SyntaxNode") -> Iterator["SyntaxNode"]:
    """Resources declared inside another one."""
    for item in parts(body):
        if item.type == "object_property" and parts(item) and parts(item)[0].type == "resource_declaration":
            yield parts(item)[0]
        elif item.type == "resource_declaration":
            yield item
