"""The comparison operators: what they are called, what kind of value they take, and how they compare two values.

Names and meaning: azure/role-based-access-control/conditions-format; `StringEndsWith`, `StringContains` and their
negations: azure/key-vault/general/rbac-abac, which lists them without an IgnoreCase form. Built-in roles write
`boolequals`, so letter case does not count in a name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache, lru_cache

from kvaudit.access.conditions.patterns import fits, like_pattern
from kvaudit.access.conditions.tree import Bare, Text

Value = str | bool | tuple[int, ...]
"""A value to compare: text, a GUID (32 folded hex digits), a truth, a number (one integer) or a time (year to 100 ns)."""
Quantifier = Callable[[Iterable[bool]], bool]


class Family(Enum):
    """The kind of value that an operator takes."""

    STRING = auto()
    NUMERIC = auto()
    DATE_TIME = auto()
    GUID = auto()
    BOOL = auto()


class Relation(Enum):
    """How an operator compares, before any negation."""

    EQUALS = "Equals"
    STARTS_WITH = "StartsWith"
    ENDS_WITH = "EndsWith"
    CONTAINS = "Contains"
    LIKE = "Like"
    LESS_THAN = "LessThan"
    LESS_THAN_EQUALS = "LessThanEquals"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_EQUALS = "GreaterThanEquals"


@dataclass(frozen=True, slots=True)
class Operator:
    """One published operator.

    Attributes:
        negated: whether it is the Not form, "negation of" the other.
        ignores_case: the IgnoreCase form of a string operator.
        crossable: whether it is published with the cross-product prefixes.
        for_left, of_right: quantifiers of the prefix (`any` or `all`), both None without one.
    """

    family: Family
    relation: Relation
    negated: bool = False
    ignores_case: bool = False
    crossable: bool = False
    for_left: Quantifier | None = None
    of_right: Quantifier | None = None


_PREFIXES: dict[str, tuple[Quantifier, Quantifier]] = {
    "foranyofanyvalues": (any, any),
    "forallofanyvalues": (all, any),
    "foranyofallvalues": (any, all),
    "forallofallvalues": (all, all),
}
_ORDERS = (Relation.LESS_THAN, Relation.LESS_THAN_EQUALS, Relation.GREATER_THAN, Relation.GREATER_THAN_EQUALS)
_GUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DATE_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,7}))?Z")


@cache
def _published() -> dict[str, Operator]:
    table: dict[str, Operator] = {}

    def add(prefix: str, operator: Operator) -> None:
        for negated in (False, True) if operator.relation not in _ORDERS else (False,):
            name = f"{prefix}{'Not' if negated else ''}{operator.relation.value}"
            table[(name + "IgnoreCase" * operator.ignores_case).casefold()] = replace(operator, negated=negated)

    for ignores_case in (False, True):
        for relation in (Relation.EQUALS, Relation.LIKE, Relation.STARTS_WITH):
            crossable = relation is not Relation.STARTS_WITH
            add("String", Operator(Family.STRING, relation, ignores_case=ignores_case, crossable=crossable))
    for relation in (Relation.ENDS_WITH, Relation.CONTAINS):
        add("String", Operator(Family.STRING, relation))
    for relation in (Relation.EQUALS, *_ORDERS):
        add("Numeric", Operator(Family.NUMERIC, relation, crossable=True))
        add("DateTime", Operator(Family.DATE_TIME, relation))
    add("Guid", Operator(Family.GUID, Relation.EQUALS, crossable=True))
    add("Bool", Operator(Family.BOOL, Relation.EQUALS))
    return table


@lru_cache(maxsize=1024)
def find_operator(name: str) -> Operator | None:
    """The operator of a name with or without its prefix, or None where that combination is not published."""
    prefix, colon, rest = name.casefold().rpartition(":")
    operator = _published().get(rest)
    if operator is None or not colon:
        return operator
    quantifiers = _PREFIXES.get(prefix)
    if quantifiers is None or not operator.crossable:
        return None
    return replace(operator, for_left=quantifiers[0], of_right=quantifiers[1])


def read_value(family: Family, item: Text | Bare) -> Value | None:
    """A literal as a value of a family, or None where it is written in another way than the published examples."""
    match family:
        case Family.STRING:
            return item.value if isinstance(item, Text) else None
        case Family.GUID:
            folded = item.value.casefold()
            return folded.replace("-", "") if _GUID.fullmatch(folded) else None
        case Family.NUMERIC:
            return (int(item.value),) if isinstance(item, Bare) and _INTEGER.fullmatch(item.value) else None
        case Family.BOOL:
            return {"true": True, "false": False}.get(item.value.casefold()) if isinstance(item, Bare) else None
        case Family.DATE_TIME:
            found = _DATE_TIME.fullmatch(item.value) if isinstance(item, Text) else None
            return (*map(int, found.groups()[:6]), int((found[7] or "").ljust(7, "0"))) if found else None


def readable(operator: Operator, right: Value) -> bool:
    """Whether the right value has a published meaning: a `StringLike` pattern may hold an escape that has none."""
    return operator.relation is not Relation.LIKE or (isinstance(right, str) and like_pattern(right) is not None)


def compare(relation: Relation, left: Value, right: Value) -> bool:
    """Whether two values of one family stand in a relation, before any negation."""
    match relation, left, right:
        case Relation.EQUALS, _, _:
            return left == right
        case Relation.STARTS_WITH, str(), str():
            return left.startswith(right)
        case Relation.ENDS_WITH, str(), str():
            return left.endswith(right)
        case Relation.CONTAINS, str(), str():
            return right in left
        case Relation.LIKE, str(), str():
            return fits(like_pattern(right) or (), left)
        case Relation.LESS_THAN, tuple(), tuple():
            return left < right
        case Relation.LESS_THAN_EQUALS, tuple(), tuple():
            return left <= right
        case Relation.GREATER_THAN, tuple(), tuple():
            return left > right
        case Relation.GREATER_THAN_EQUALS, tuple(), tuple():
            return left >= right
    raise TypeError(f"{relation} does not compare {type(left).__name__} with {type(right).__name__}")
