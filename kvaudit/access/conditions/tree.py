"""The syntax tree of a condition, and the canonical text of a node.

The tree keeps what the author wrote and decides nothing: unknown functions, operators and attributes are nodes like
any other. Parentheses stand as nesting: a `Chain` inside a `Chain` was written in parentheses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attribute:
    """`@Source[name]`: a value of the resource, the request, the principal or the environment.

    Attributes:
        source: `Resource`, `Request`, `Principal`, `Environment`, or whatever else stood there.
        name: the text between the brackets, such as `Microsoft.KeyVault/vaults/secrets:name` or `UtcNow`.
    """

    source: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """Source and name, folded. Azure refuses unknown attributes when a condition is written, so letter case only varies the spelling."""
        return self.source.casefold(), self.name.casefold()


@dataclass(frozen=True, slots=True)
class Text:
    """A string in single quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Bare:
    """A value without quotes: a GUID, an integer, `true` or `false`."""

    value: str


@dataclass(frozen=True, slots=True)
class ValueSet:
    """Literals in braces."""

    items: tuple[Text | Bare, ...]


Operand = Attribute | Text | Bare | ValueSet


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; the operator as it was spelled, with its cross-product prefix."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Call:
    """`ActionMatches{'...'}`, `SubOperationMatches{'...'}` or a function that is not published."""

    function: str
    arguments: tuple[Text | Bare, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """`Exists @Source[name]`."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Not:
    """`NOT operand` or `!operand`."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined on one level of parentheses, as written: `a AND b OR c` is one chain.

    Attributes:
        operands: two or more.
        conjunctions: True for AND and False for OR; one fewer than the operands.
    """

    operands: tuple["Node", ...]
    conjunctions: tuple[bool, ...]

    @property
    def is_mixed(self) -> bool:
        """Whether AND and OR stand side by side, whose order Microsoft calls ambiguous."""
        return len(set(self.conjunctions)) > 1


Node = Comparison | Call | Exists | Not | Chain


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read.

    Attributes:
        text: as it was written.
        root: the syntax tree.
        attributes: `Attribute.key` of every attribute in it.
    """

    text: str
    root: Node
    attributes: frozenset[tuple[str, str]] = field(default=frozenset())


def attributes_of(node: Node) -> Iterator[Attribute]:
    """Every attribute that a node names, in order, repeats included."""
    match node:
        case Not(operand):
            yield from attributes_of(operand)
        case Chain(operands):
            for operand in operands:
                yield from attributes_of(operand)
        case Exists(attribute):
            yield attribute
        case Comparison(left, _, right):
            yield from (side for side in (left, right) if isinstance(side, Attribute))


def write(node: Node | Operand) -> str:
    """The canonical text of a node, in one line. Reading it again gives the same tree."""
    match node:
        case Attribute(source, name):
            return f"@{source}[{name}]"
        case Text(value):
            return f"'{value}'"
        case Bare(value):
            return value
        case ValueSet(items):
            return "{" + ", ".join(write(item) for item in items) + "}"
        case Comparison(left, operator, right):
            return f"{write(left)} {operator} {write(right)}"
        case Call(function, arguments):
            return function + "{" + ", ".join(write(argument) for argument in arguments) + "}"
        case Exists(attribute):
            return f"Exists {write(attribute)}"
        case Not(operand):
            return f"!({write(operand)})"
        case Chain(operands, conjunctions):
            parts = [_in_chain(operands[0])]
            for conjunction, operand in zip(conjunctions, operands[1:], strict=True):
                parts += ["AND" if conjunction else "OR", _in_chain(operand)]
            return " ".join(parts)


def _in_chain(node: Node) -> str:
    return f"({write(node)})" if isinstance(node, Chain) else write(node)
