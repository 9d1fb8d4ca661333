"""Values with the place at which they stand in a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file. Lines and columns count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def in_file(self, file: str) -> "Position":
        """The same place in a file of this name."""
        return Position(file, self.line, self.column)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Node:
    """A value of JSON, YAML or the like where it stands.

    Attributes:
        value: a dict of text -> `Node`, a list of `Node`, or a text, number, bool or None.
        line, column: where the value begins.
        keys: of a dict: where each key stands, as (line, column).
    """

    value: Any
    line: int
    column: int
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def get(self, key: str) -> "Node | None":
        """The value of a key of a dict, spelled in any case; None when absent or when this is no dict.

        Resource Manager compares the names of properties without case.
        """
        if not isinstance(self.value, dict):
            return None
        found = self.value.get(key)
        if found is not None:
            return found if isinstance(found, Node) else None
        folded = key.casefold()
        return next((node for name, node in self.value.items() if name.casefold() == folded), None)

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Keys and values of a dict; nothing for anything else."""
        yield from self.value.items() if isinstance(self.value, dict) else ()

    def elements(self) -> Iterator["Node"]:
        """Elements of a list; nothing for anything else."""
        yield from self.value if isinstance(self.value, list) else ()

    def text(self) -> str | None:
        """The value when it is a text."""
        return self.value if isinstance(self.value, str) else None

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, file: str) -> Position:
        """Where it stands in a file."""
        return Position(file, self.line, self.column)
