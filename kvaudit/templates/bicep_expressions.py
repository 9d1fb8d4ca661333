"""Bicep's expressions as expressions of Resource Manager, by which they are evaluated: `a ? b : c` becomes `if(a, b, c)`.

Source: Microsoft's documentation of Bicep's operators and of the JSON that the compiler makes of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kvaudit.templates.bicep_syntax import parts, text

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

_BINARY = {
    "&&": "and",
    "||": "or",
    "==": "equals",
    "<": "less",
    "<=": "lessOrEquals",
    ">": "greater",
    ">=": "greaterOrEquals",
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "%": "mod",
    "??": "coalesce",
}

_WITH_PARTS = frozenset(
    {
        *("parenthesized_expression", "call_expression", "member_expression", "subscript_expression"),
        *("ternary_expression", "unary_expression", "binary_expression"),
    }
)

DEEPEST = 50
"""Levels of nesting in an expression."""


class NotTranslatedError(ValueError):
    """An expression that is not translated: what stands in its place is unknown, with this message."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of a Bicep file mean.

    Attributes:
        parameters, variables: names, as written.
        resources: symbolic name -> ARM expressions of the resource's ID and name.
        modules: symbolic names.
        loops: loop variable -> ARM expression of the element or index.
        functions: user-defined functions.
    """

    parameters: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    resources: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    loops: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()


def translate(node: "SyntaxNode", names: Names, depth: int = 0) -> str:
    """The ARM expression of a Bicep expression, without brackets.

    Raises:
        NotTranslatedError: it has no counterpart that can be evaluated before the deployment.
    """
    if depth > DEEPEST:
        raise NotTranslatedError("the expression is nested too deeply")
    kind = node.type
    if kind in _WITH_PARTS and not parts(node):
        raise NotTranslatedError(f"{text(node)[:60]!r} is not understood")
    if kind == "string":
        return _string(node, names, depth)
    if kind == "number":
        return text(node)
    if kind == "boolean":
        return f"{text(node)}()"
    if kind == "null":
        return "null()"
    if kind == "identifier":
        return _name(text(node), names)
    if kind == "parenthesized_expression":
        return translate(parts(node)[0], names, depth + 1)
    if kind == "call_expression":
        return _call(node, names, depth)
    if kind in ("member_expression", "subscript_expression", "nullable_access", "safe_access"):
        return _access(node, names, depth)
    if kind == "ternary_expression":
        chosen = ", ".join(translate(item, names, depth + 1) for item in parts(node))
        return f"if({chosen})"
    if kind == "unary_expression":
        operand = translate(parts(node)[0], names, depth + 1)
        return f"not({operand})" if text(node).startswith("!") else f"sub(0, {operand})"
    if kind == "binary_expression":
        return _binary(node, names, depth)
    if kind == "array":
        return f"createArray({', '.join(translate(item, names, depth + 1) for item in parts(node))})"
    if kind == "object":
        return _object(node, names, depth)
    if kind == "non_null_assertion" or text(node).endswith("!"):
        inner = parts(node)
        if inner:
            return translate(inner[0], names, depth + 1)
    raise NotTranslatedError(f"{text(node)[:60]!r} is not evaluated here")


def key_of(node: "SyntaxNode") -> str:
    """The key of an object's property."""
    return _literal(node) if node.type == "string" else text(node)


def _literal(node: "SyntaxNode") -> str:
    content = "".join(_unescaped(item, node) for item in parts(node))
    if any(item.type == "interpolation" for item in parts(node)):
        raise NotTranslatedError(f"the key {text(node)[:60]} is made of an expression")
    return content


def _unescaped(item: "SyntaxNode", string: "SyntaxNode") -> str:
    raw = text(item)
    if text(string).startswith("'''"):
        return raw.removeprefix("\n")
    plain = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\'": "'", "\\\\": "\\", "\\$": "$"}
    if item.type == "escape_sequence" and raw in plain:
        return plain[raw]
    for escape, sign in plain.items():
        raw = raw.replace(escape, sign) if "\\" in raw else raw
    return raw


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _string(node: "SyntaxNode", names: Names, depth: int) -> str:
    pieces = parts(node)
    if not any(item.type == "interpolation" for item in pieces):
        return _quoted(_literal(node))
    pattern = ""
    values: list[str] = []
    for item in pieces:
        if item.type == "interpolation":
            pattern += f"{{{len(values)}}}"
            values.append(translate(parts(item)[0], names, depth + 1))
        else:
            pattern += _unescaped(item, node).replace("{", "{{").replace("}", "}}")
    return f"format({', '.join([_quoted(pattern), *values])})"


def _name(name: str, names: Names) -> str:
    if name in names.loops:
        return names.loops[name]
    if name in names.parameters:
        return f"parameters('{name}')"
    if name in names.variables:
        return f"variables('{name}')"
    if name in names.resources:
        return names.resources[name][0]
    raise NotTranslatedError(
        f"{name} is decided by the deployment" if name in names.modules else f"{name} is not known here"
    )


def _call(node: "SyntaxNode", names: Names, depth: int) -> str:
    function, *rest = parts(node)
    name = (
        text(function).rpartition(".")[2]
        if function.type == "member_expression" and text(function).startswith(("az.", "sys."))
        else text(function)
    )
    owner, _, method = name.rpartition(".")
    if owner in names.resources and method.startswith("list"):
        return f"{method}({names.resources[owner][0]})"  # as the compiler writes it: the answer is a list function's
    if function.type != "identifier" and "." in name:
        raise NotTranslatedError(f"{name}() is decided by the deployment")
    if name in names.functions:
        raise NotTranslatedError(f"the function {name}() of the file is not evaluated here")
    arguments = [translate(item, names, depth + 1) for group in rest for item in parts(group)]
    return f"{name}({', '.join(arguments)})"


def _access(node: "SyntaxNode", names: Names, depth: int) -> str:
    pieces = parts(node)
    owner, key = pieces[0], pieces[-1]
    if owner.type == "binary_expression":
        # The grammar binds `a ?? b.c` as `(a ?? b).c`; Bicep means `a ?? (b.c)`.
        left, right = parts(owner)[0], parts(owner)[-1]
        sign = _BINARY.get(_sign(owner))
        if sign is not None:
            return f"{sign}({translate(left, names, depth + 1)}, {_into(translate(right, names, depth + 1), key, names, depth)})"
    if owner.type == "identifier" and node.type == "member_expression":
        special = _of_symbol(text(owner), text(key), names)
        if special is not None:
            return special
    if node.type == "member_expression" and owner.type == "member_expression":
        root = parts(owner)[0]
        if root.type == "identifier" and text(root) in (set(names.resources) | names.modules):
            how = "decided by a module" if text(root) in names.modules else "read during the deployment"
            raise NotTranslatedError(f"{text(node)[:80]} is {how}")
    return _into(
        translate(owner, names, depth + 1), key, names, depth, is_member="[" not in text(node)[len(text(owner)) :][:2]
    )


def _of_symbol(name: str, key: str, names: Names) -> str | None:
    if name in names.resources and name not in names.loops:
        identity, named = names.resources[name]
        if key in ("id", "name"):
            return identity if key == "id" else named
        raise NotTranslatedError(f"{name}.{key} is read during the deployment")
    if name in names.modules:
        raise NotTranslatedError(f"{name}.{key} is decided by a module")
    return None


def _into(owner: str, key: "SyntaxNode", names: Names, depth: int, *, is_member: bool = False) -> str:
    if key.type == "property_identifier" or is_member:
        return f"{owner}.{text(key)}"
    return f"{owner}[{translate(key, names, depth + 1)}]"


def _sign(node: "SyntaxNode") -> str:
    return next((text(item) for item in node.children if not item.is_named), "")


def _binary(node: "SyntaxNode", names: Names, depth: int) -> str:
    left, right = (translate(item, names, depth + 1) for item in (parts(node)[0], parts(node)[-1]))
    sign = _sign(node)
    if sign == "!=":
        return f"not(equals({left}, {right}))"
    if sign in ("=~", "!~"):
        same = f"equals(toLower({left}), toLower({right}))"
        return same if sign == "=~" else f"not({same})"
    if sign not in _BINARY:
        raise NotTranslatedError(f"the operator {sign} is not evaluated here")
    return f"{_BINARY[sign]}({left}, {right})"


def _object(node: "SyntaxNode", names: Names, depth: int) -> str:
    pairs = []
    for item in parts(node):
        if item.type != "object_property" or len(parts(item)) != 2:
            raise NotTranslatedError(f"{text(item)[:60]!r} in an object is not evaluated here")
        key, value = parts(item)
        pairs += [_quoted(key_of(key)), translate(value, names, depth + 1)]
    return f"createObject({', '.join(pairs)})"
