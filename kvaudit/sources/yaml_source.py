"""YAML with places: scalars as YAML 1.2 has them, keys that stand twice refused, and what aliases expand to bounded.

PyYAML alone turns `on:` into true, `no` into false and `012` into 10, and keeps the last of two equal keys silently.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from kvaudit.errors import UsageError
from kvaudit.sources.located import Node

DEEPEST = 100
"""Levels of nesting."""

MOST_REPEATED = 50_000
"""Nodes that aliases may repeat: files whose aliases multiply each other end here."""


class YamlSourceError(UsageError):
    """A text that is no YAML, or not one that is read. The message holds file, line and column."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document.

    Attributes:
        root: its value; null for an empty document.
        mistakes: (line, column, text) of keys that stand twice, in order.
    """

    root: Node
    mistakes: tuple[tuple[int, int, str], ...] = ()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The scalars of YAML 1.2's core schema, and nothing else that a text could mean."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+0123456789.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def parse_yaml(text: str, name: str) -> YamlDocument:
    """Reads a file of one document.

    Raises:
        YamlSourceError: with file, line and column.
    """
    documents = parse_yaml_documents(text, name)
    if len(documents) > 1:
        line = documents[1].root.line
        raise YamlSourceError(f"{name}:{line}:1: one document was expected, and a second one begins here")
    return documents[0] if documents else YamlDocument(Node(None, 1, 1))


def parse_yaml_documents(text: str, name: str) -> tuple[YamlDocument, ...]:
    """Reads a file of several documents, separated by `---`.

    Raises:
        YamlSourceError: with file, line and column.
    """
    try:
        _refuse_depth(text, name)
        return tuple(_document(node, name) for node in yaml.compose_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise YamlSourceError(f"{name}:{where}: {problem.problem or 'this is no YAML'}") from problem
    except yaml.YAMLError as problem:
        line, column = _unprintable(text)
        raise YamlSourceError(f"{name}:{line}:{column}: this is no YAML: {str(problem).splitlines()[0]}") from problem


def _unprintable(text: str) -> tuple[int, int]:
    """Line and column of the first character that YAML does not allow, which libyaml counts in bytes."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    before = text[: found.start()] if found else ""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _refuse_depth(text: str, name: str) -> None:
    """Refuses deep nesting before the composer recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark = event.start_mark
                where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
                raise YamlSourceError(f"{name}:{where}: nested deeper than {DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _document(node: yaml.Node, name: str) -> YamlDocument:
    walk = _Walk(name)
    root = walk.node(node)
    return YamlDocument(root, tuple(sorted(walk.mistakes)))


@dataclass(slots=True)
class _Walk:
    name: str
    mistakes: list[tuple[int, int, str]] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    _above: set[int] = field(default_factory=set)
    _repeated: int = 0

    def node(self, node: yaml.Node) -> Node:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if isinstance(node, yaml.ScalarNode):
            return Node(_scalar(node), line, column)
        if id(node) in self._seen:
            self._repeated += 1 + len(node.value)
        if id(node) in self._above or self._repeated > MOST_REPEATED:
            raise YamlSourceError(
                f"{self.name}:{line}:{column}: the aliases of the file refer to themselves, or expand too far"
            )
        self._seen.add(id(node))
        self._above.add(id(node))
        found = (
            self._mapping(node, line, column)
            if isinstance(node, yaml.MappingNode)
            else self._sequence(node, line, column)
        )
        self._above.discard(id(node))
        return found

    def _sequence(self, node: yaml.Node, line: int, column: int) -> Node:
        return Node([self.node(item) for item in node.value], line, column)

    def _mapping(self, node: yaml.Node, line: int, column: int) -> Node:
        members: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            where = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                self.mistakes.append((*where, "a key that is no plain text"))
                continue
            key = str(key_node.value)
            if key == "<<":
                value = self.node(value_node)
                tables = value.value if isinstance(value.value, list) else [value]
                self.mistakes += [
                    (table.line, table.column, "what << takes in must be a mapping")
                    for table in tables
                    if not isinstance(table.value, dict)
                ]
                merged += tables
            elif key in keys:
                self.mistakes.append(
                    (*where, f"the key {key[:60]!r} stands here a second time (first in line {keys[key][0]})")
                )
            else:
                keys[key] = where
                members[key] = self.node(value_node)
        for table in merged:
            for key, value in table.items():
                members.setdefault(key, value)
                keys.setdefault(key, (value.line, value.column))
        return Node(members, line, column, keys)


def _scalar(node: yaml.ScalarNode) -> Any:
    kind = node.tag.rpartition(":")[2]
    text = str(node.value)
    if kind == "bool":
        return text.casefold() == "true"
    if kind == "null":
        return None
    if kind == "int":
        return int(text) if len(text) < 20 else text
    return float(text) if kind == "float" else text
