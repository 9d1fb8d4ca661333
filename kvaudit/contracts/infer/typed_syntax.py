"""The syntax tree of a file of C#, TypeScript, JavaScript, Java or Go, asked within bounds of depth, text and time."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kvaudit.contracts.infer.clock import Clock
from kvaudit.contracts.infer.grammars import parse

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

NAMES = frozenset({"identifier", "property_identifier", "field_identifier", "shorthand_property_identifier_pattern"})
CALLS = frozenset({"invocation_expression", "call_expression", "method_invocation"})
MADE = frozenset({"object_creation_expression", "new_expression"})
MEMBERS = frozenset({"member_access_expression", "member_expression", "field_access", "selector_expression"})
FUNCTIONS = frozenset(
    {
        "method_declaration",
        "local_function_statement",
        "function_declaration",
        "method_definition",
        "function_definition",
    }
)
HOLDERS = {
    "variable_declarator": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "assignment_statement": ("left", "right"),
    "short_var_declaration": ("left", "right"),
    "range_clause": ("left", "right"),
    "foreach_statement": ("left", "right"),
    "for_in_statement": ("left", "right"),
    "public_field_definition": ("name", "value"),
    "keyed_element": ("key", "value"),
    "pair": ("key", "value"),
    "const_spec": ("name", "value"),
    "var_spec": ("name", "value"),
}
"""What gives a name something, and the fields of both."""

DEEPEST = 1500
"""Levels of syntax. Generated sums of texts have hundreds; what is deeper was made to be deep."""

LONGEST = 8_000
"""Bytes of the text of one node that are looked at: a chain of calls or an address is shorter, and texts of nested nodes repeat each other."""

_MOST_PARTS = 200
_GIVES = frozenset({"variable_declarator", "assignment_expression", "assignment_statement", "short_var_declaration",
                    "public_field_definition", "const_spec", "var_spec"})  # fmt: skip


class Syntax:
    """A parsed file.

    Args:
        text: of the file.
        grammar: as in `grammars`.

    Raises:
        MissingGrammarError: the extra `code` is not installed.
        ValueError: the text is nested too deeply, or takes more time than a clock gives.
    """

    def __init__(self, text: str, grammar: str) -> None:
        self._clock = Clock()
        self._data = text.encode("utf-8", "replace")
        self._parents: dict[int, SyntaxNode] = {}
        self.nodes = tuple(self._clock.each(self._walk(parse(text, grammar, self._clock))))
        self._texts: dict[str, list[tuple[int, SyntaxNode]]] = {}
        for node in self.each(self.nodes):
            if node.type in _GIVES:
                self._keep_text(node)
            elif node.type == "return_statement" and node.named_children:
                above = self.function_above(node)
                name = above.child_by_field_name("name") if above is not None else None
                self._texts.setdefault(f"{self.text(name)}()", []).append((node.start_byte, node.named_children[0]))

    def each(self, nodes: "Iterable[SyntaxNode]") -> "Iterator[SyntaxNode]":
        """The nodes, as long as there is time. Raises ValueError when there is none left."""
        return self._clock.each(nodes)

    def parent(self, node: "SyntaxNode | None") -> "SyntaxNode | None":
        """The node above; the library would look for it from the root each time."""
        return self._parents.get(node.id) if node is not None else None

    def function_above(self, node: "SyntaxNode") -> "SyntaxNode | None":
        """The function that a node stands in."""
        above: SyntaxNode | None = node
        while above is not None and above.type not in FUNCTIONS:
            above = self.parent(above)
        return above

    def text(self, node: "SyntaxNode | None") -> str:
        """Its text, of which no more than `LONGEST`."""
        if node is None:
            return ""
        return self._data[node.start_byte : min(node.end_byte, node.start_byte + LONGEST)].decode(errors="replace")

    def receiver_and_name(self, node: "SyntaxNode") -> "tuple[SyntaxNode | None, str]":
        """What a method is called on, None for a plain function; and its name."""
        if node.type == "method_invocation":
            return node.child_by_field_name("object"), self.text(node.child_by_field_name("name"))
        function = node.child_by_field_name("function")
        if function is not None and function.type in MEMBERS:
            inner = function.child_by_field_name("expression") or function.child_by_field_name("object")
            return inner or function.child_by_field_name("operand"), self.text(last(function))
        if function is not None and function.type == "conditional_access_expression":
            return function.named_children[0], self.text(function.named_children[-1]).lstrip(".")
        return None, self.text(function)

    def literal(self, node: "SyntaxNode", at: "SyntaxNode") -> str:
        """The text of an expression, with `{}` for what is not literal.

        Args:
            node: the expression.
            at: where it is used: of several texts that a name is given in the file, the last one above counts.
        """
        parts: list[str] = []
        pending, used = [(node, at.start_byte)], 0
        while pending:
            part, place = pending.pop()
            used += 1
            if used > _MOST_PARTS:
                return "".join([*parts, "{}"])
            inner = self._inner(part, place)
            if isinstance(inner, str):
                parts.append(inner)
            else:
                pending += reversed(inner)
        return "".join(parts)

    def _inner(self, node: "SyntaxNode", place: int) -> "str | list[tuple[SyntaxNode, int]]":
        """The text of one part of an expression, or the parts that it is made of."""
        if node.type == "argument":
            return [(child, place) for child in node.named_children[-1:]]
        if node.type in ("binary_expression", "parenthesized_expression", "as_expression"):
            return [(child, place) for child in node.named_children]
        if node.type in ("interpolated_string_expression", "template_string"):
            return self._template(node, place)
        if "string" in node.type:
            return re.sub(r"\{\w*\}|%[sv]", "{}", self.text(node).strip("@'\"`"))
        if node.type in NAMES or node.type in MEMBERS:
            given = self._text_given(self.text(node if node.type in NAMES else last(node)), place)
            return [(given, given.start_byte)] if given is not None else "{}"
        name = self.receiver_and_name(node)[1] if node.type in CALLS else ""
        returned = self._texts.get(f"{name}()", [])
        if len(returned) == 1:
            return [(returned[0][1], returned[0][0])]
        arguments = node.child_by_field_name("arguments")
        if arguments is not None and arguments.named_children:
            name = name or self.text(made_type(node))
            if re.search(r"(?i)format$|sprintf$|create$|(?:^|\.)ur[il]$", name):
                return [(arguments.named_children[0], place)]
        return "{}"

    def _template(self, node: "SyntaxNode", place: int) -> "str | list[tuple[SyntaxNode, int]]":
        """A text with values in it: those that are names of texts are put in."""
        if not any(child.type in ("interpolation", "template_substitution") for child in node.named_children):
            return re.sub(r"\$?\{[^{}]*\}", "{}", self.text(node).strip('$@`"'))
        found = []
        for child in node.named_children:
            is_value = child.type in ("interpolation", "template_substitution")
            inner = (
                [item for item in child.named_children if item.type != "interpolation_brace"] if is_value else [child]
            )
            value = next(iter(inner), None)
            if value is not None and child.type not in ("interpolation_start", "interpolation_quote"):
                found.append((value, place))
        return found

    def _text_given(self, name: str, place: int) -> "SyntaxNode | None":
        """What gives a name its text: the last above, else the only one in the file (a constant below)."""
        given = self._texts.get(name, [])
        above = [value for at, value in given if at < place]
        return above[-1] if above else given[0][1] if len(given) == 1 else None

    def _keep_text(self, node: "SyntaxNode") -> None:
        name, value = sides(node)
        while name is not None and name.type == "expression_list" and name.named_children:
            name = name.named_children[0]
        while value is not None and value.type in ("expression_list", "equals_value_clause") and value.named_children:
            value = value.named_children[0]
        if name is not None and value is not None and (name.type in NAMES or name.type in MEMBERS):
            key = self.text(name if name.type in NAMES else last(name))
            kept = self._texts.setdefault(key, [])
            if len(kept) < _MOST_PARTS:
                kept.append((node.start_byte, value))

    def _walk(self, root: "SyntaxNode") -> "Iterator[SyntaxNode]":
        pending = [(root, 0)]
        while pending:
            node, depth = pending.pop()
            if depth > DEEPEST:
                raise ValueError("nested too deeply to be read")
            yield node
            for child in reversed(node.named_children):
                self._parents[child.id] = node
                pending.append((child, depth + 1))


def sides(node: "SyntaxNode") -> "tuple[SyntaxNode | None, SyntaxNode | None]":
    """The name and the value of one of `HOLDERS`, where both are there."""
    name, value = (node.child_by_field_name(field) for field in HOLDERS[node.type])
    children = node.named_children
    if value is None and len(children) > 1:
        value = children[-1]
    return name or (children[0] if children else None), value


def last(node: "SyntaxNode") -> "SyntaxNode":
    """The name after the last dot."""
    return first_field(node, "name", "property", "field") or node


def made_type(node: "SyntaxNode") -> "SyntaxNode | None":
    """What `new` makes."""
    return first_field(node, "type", "constructor")


def first_field(node: "SyntaxNode", *fields: str) -> "SyntaxNode | None":
    """The first of some fields that a node has."""
    return next((found for field in fields if (found := node.child_by_field_name(field))), None)
