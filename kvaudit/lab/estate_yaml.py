"""YAML (and so JSON) with a place for every value: what estate files are read with.

Scalars follow YAML 1.2: `on`, `no` and `012` are what they look like. A key given twice is a mistake, not the last one
wins. The file and what its aliases expand to are bounded.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
MAX_REPEATED = 100_000
"""Nodes that aliases may repeat: refuses files whose aliases multiply without bound."""


class EstateFileError(Exception):
    """An estate file with mistakes.

    Attributes:
        mistakes: each as `file:line:column message`, in the order of the file.
    """

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("; ".join(mistakes[:3]))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, both from 1."""

    line: int
    column: int


class Table(dict[str, Any]):
    """A mapping that knows where it and each of its keys stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, Place] = {}

    def where(self, key: str) -> Place:
        """Where a key stands; where the table begins when it has no such key."""
        return self.places.get(key, self.place)


class Rows(list[Any]):
    """A sequence that knows where it and each of its items stand."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: list[Place] = []


@dataclass(slots=True)
class Mistakes:
    """Collects mistakes so that all are told at once."""

    file: str
    found: list[tuple[Place, str]] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        """Notes a mistake."""
        self.found.append((place, text))

    def stop_if_any(self) -> None:
        """Raises EstateFileError when there is any."""
        if self.found:
            lines = tuple(f"{self.file}:{place.line}:{place.column} {text}" for place, text in sorted(self.found))
            raise EstateFileError(lines)


class _Loader(yaml.CSafeLoader):
    """The C parser with the scalars of YAML 1.2's core schema."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_places(text: bytes, file: str, mistakes: Mistakes) -> Any:
    """The document with its places: `Table`, `Rows` and plain scalars.

    Raises:
        EstateFileError: it is no YAML, too large, or its aliases expand too far.
    """
    if len(text) > MAX_BYTES:
        raise EstateFileError((f"{file}:1:1 the file has {len(text)} bytes; {MAX_BYTES} is the most",))
    try:
        _refuse_depth(text, file)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise EstateFileError((f"{file}:{line}:{column} {problem.problem or 'this is not YAML'}",)) from problem
    except yaml.YAMLError as problem:
        raise EstateFileError((f"{file}:1:1 this is not YAML: {str(problem).splitlines()[0]}",)) from problem
    if node is None:
        raise EstateFileError((f"{file}:1:1 the file is empty",))
    return _Walk(file, mistakes).value(node, 0)


def _refuse_depth(text: bytes, file: str) -> None:
    """Refuses deep nesting before the parser recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            where = f"{event.start_mark.line + 1}:{event.start_mark.column + 1}" if event.start_mark else "1:1"
            raise EstateFileError((f"{file}:{where} the file nests too deeply",))


class _Walk:
    def __init__(self, file: str, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes
        self._seen: set[int] = set()
        self._repeated = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._repeated += id(node) in self._seen
        self._seen.add(id(node))
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        if self._repeated > MAX_REPEATED or depth > MAX_DEPTH:
            raise EstateFileError((f"{self._file}:{place.line}:{place.column} the aliases of the file expand too far",))
        if isinstance(node, yaml.MappingNode):
            return self._table(node, place, depth)
        if isinstance(node, yaml.SequenceNode):
            rows = Rows(place)
            for item in node.value:
                rows.append(self.value(item, depth + 1))
                rows.places.append(Place(item.start_mark.line + 1, item.start_mark.column + 1))
            return rows
        return _scalar(node)

    def _table(self, node: yaml.MappingNode, place: Place, depth: int) -> Table:
        table = Table(place)
        for key_node, value_node in node.value:
            at = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key_node.tag == "tag:yaml.org,2002:merge" or key_node.value == "<<":
                merged = self.value(value_node, depth + 1)
                if isinstance(merged, Table):
                    for name, value in merged.items():
                        table.setdefault(name, value)
                continue
            name = str(key_node.value)
            if name in table.places:
                self._mistakes.add(
                    at, f"the key {name!r} stands here a second time (first in line {table.places[name].line})"
                )
                continue
            table.places[name] = at
            table[name] = self.value(value_node, depth + 1)
        return table


def _scalar(node: yaml.Node) -> Any:
    kind = node.tag.rsplit(":", 1)[-1]
    text: str = node.value
    if kind == "bool":
        return text.casefold() == "true"
    if kind == "null":
        return None
    if kind == "int":
        return int(text) if len(text) < 20 else text
    return float(text) if kind == "float" else text


def plain(value: Any) -> Any:
    """A value without its places, as JSON."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
