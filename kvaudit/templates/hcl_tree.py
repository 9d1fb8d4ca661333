"""What HCL is made of: blocks, arguments and expressions."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, bool or null."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class TextOf:
    """A text with `${...}` in it."""

    parts: tuple["HclExpression", ...]


@dataclass(frozen=True, slots=True)
class Name:
    """A root name: `var`, `local`, `azurerm_key_vault`, ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """`of.key` or `of[key]`."""

    of: "HclExpression"
    key: "HclExpression"


@dataclass(frozen=True, slots=True)
class Function:
    """A call."""

    name: str
    arguments: tuple["HclExpression", ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with one, two (or for `?` three) operands."""

    sign: str
    operands: tuple["HclExpression", ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["HclExpression", ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object."""

    pairs: tuple[tuple["HclExpression", "HclExpression"], ...]


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression that is not looked into: a `for`, a splat."""

    what: str


HclExpression = Literal | TextOf | Name | Attribute | Function | Operation | Items | Pairs | Opaque


@dataclass(frozen=True, slots=True)
class Argument:
    """`name = expression`."""

    name: str
    expression: HclExpression
    line: int
    column: int


@dataclass(slots=True)
class Block:
    """`type "label" { ... }`, or a whole file (type "")."""

    type: str
    labels: tuple[str, ...]
    line: int
    column: int
    arguments: dict[str, Argument] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)
    repeated: list[Argument] = field(default_factory=list)

    def of_type(self, *types: str) -> Iterator["Block"]:
        """The blocks inside of these types."""
        return (block for block in self.blocks if block.type in types)
