"""Values of a Terraform module: variables, locals and expressions, as far as they are decided before a plan."""

from collections.abc import Mapping
from typing import Any

from kvaudit.templates import terraform_functions
from kvaudit.templates.hcl_tree import (
    Attribute,
    Block,
    Function,
    HclExpression,
    Items,
    Literal,
    Name,
    Opaque,
    Operation,
    Pairs,
    TextOf,
)
from kvaudit.templates.unknown import Unknown, unknown_in

MOST_STEPS = 100_000
"""Evaluations of one module: files that multiply themselves end here, as unknown."""


class ModuleValues:
    """Evaluates the expressions of one module.

    Args:
        blocks: the top-level blocks of all its files.
        given: variable values, plain or `Unknown`.
        symbolic: what is unknown becomes a text that stands for it (see `arm_evaluation.Evaluator`).
        prefix: address of the module, for symbols: `module.vaults.`.

    Attributes:
        assumed: variables whose default was taken.
    """

    def __init__(
        self, blocks: list[Block], given: Mapping[str, Any], *, symbolic: bool = False, prefix: str = ""
    ) -> None:
        self._given = given
        self._symbolic = symbolic
        self._prefix = prefix
        self._variables = {block.labels[0]: block for block in blocks if block.type == "variable" and block.labels}
        self._locals: dict[str, HclExpression] = {}
        for block in blocks:
            if block.type == "locals":
                self._locals.update({name: item.expression for name, item in block.arguments.items()})
        self._values: dict[str, Any] = {}
        self._busy: set[str] = set()
        self._steps = 0
        self.assumed: set[str] = set()

    def of(self, block: Block, name: str) -> Any:
        """The value of an argument; None when it is left out or null."""
        argument = block.arguments.get(name)
        return None if argument is None else self.value(argument.expression)

    def value(self, expression: HclExpression) -> Any:
        """A plain value; `Unknown` where something is not decided, also inside lists and objects."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            return self._unknown("the module takes too long to evaluate", "…")
        match expression:
            case Literal():
                return expression.value
            case TextOf():
                return self._text([self.value(part) for part in expression.parts])
            case Items():
                return [self.value(item) for item in expression.items]
            case Pairs():
                return self._pairs(expression)
            case Opaque():
                return self._unknown(f"{expression.what} is not evaluated", expression.what)
            case Function():
                return self._function(expression)
            case Operation():
                return self._operation(expression)
            case Name() | Attribute():
                return self._reference(expression)

    def _unknown(self, reason: str, symbol: str) -> Any:
        return f"‹{self._prefix}{symbol.replace('/', '·')}›" if self._symbolic else Unknown(reason)

    def _text(self, parts: list[Any]) -> Any:
        missing = unknown_in(parts)
        return missing if missing is not None else "".join(terraform_functions.text(part) for part in parts)

    def _pairs(self, expression: Pairs) -> Any:
        found: dict[str, Any] = {}
        for key, item in expression.pairs:
            name = self.value(key)
            if isinstance(name, Unknown):
                return name
            found[terraform_functions.text(name)] = self.value(item)
        return found

    def _reference(self, expression: Name | Attribute) -> Any:
        path = path_of(expression)
        if path is None:  # an index that is worked out, or an attribute of a call
            return self._attribute(expression)
        match path[0], path[1:]:
            case "var", [str(name), *rest]:
                return self._into(self._variable(name), rest, ".".join(map(str, path)))
            case "local", [str(name), *rest]:
                if name not in self._locals:
                    return self._unknown(f"there is no local value {name}", f"local.{name}")
                return self._into(self._once(f"local.{name}", self._locals[name]), rest, ".".join(map(str, path)))
            case (("each" | "count"), _):
                return self._unknown(f"{path[0]} of a loop is not evaluated", ".".join(map(str, path)))
            case "data", _:
                text = ".".join(map(str, path[:3]))
                return self._unknown(f"{text} is read while planning", ".".join(map(str, path)))
            case "module", _:
                return self._unknown(f"{'.'.join(map(str, path[:2]))} is decided by a module", ".".join(map(str, path)))
            case _:
                return self._unknown(f"{'.'.join(map(str, path))} is known after apply", ".".join(map(str, path)))

    def _attribute(self, expression: Name | Attribute) -> Any:
        if isinstance(expression, Name):
            return self._unknown(f"{expression.name} is not evaluated", expression.name)
        owner, key = self.value(expression.of), self.value(expression.key)
        for item in (owner, key):
            if isinstance(item, Unknown):
                return item
        return self._into(owner, [key], str(key))

    def _into(self, value: Any, path: list[Any], symbol: str) -> Any:
        for key in path:
            if isinstance(value, Unknown):
                return value
            if isinstance(value, dict) and str(key) in value:
                value = value[str(key)]
            elif isinstance(value, list) and str(key).isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif self._symbolic:
                return f"‹{self._prefix}{symbol.replace('/', '·')}›"
            else:
                return Unknown(f"there is no {str(key)[:60]!r} in {symbol[:80]}")
        return value

    def _variable(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        block = self._variables.get(name)
        if block is None:
            return self._unknown(f"there is no variable {name}", f"var.{name}")
        default = block.arguments.get("default")
        if default is None:
            return self._unknown(f"variable {name} has no default and no value was given", f"var.{name}")
        self.assumed.add(name)
        return self._once(f"var.{name}", default.expression)

    def _once(self, key: str, expression: HclExpression) -> Any:
        if key not in self._values:
            if key in self._busy:
                return self._unknown(f"{key} refers to itself", key)
            self._busy.add(key)
            try:
                self._values[key] = self.value(expression)
            except RecursionError:
                self._values[key] = self._unknown(f"{key} is nested too deeply", key)
            finally:
                self._busy.discard(key)
        return self._values[key]

    def _function(self, expression: Function) -> Any:
        if expression.name in ("try", "coalesce"):
            return self._first(expression)
        arguments = [self.value(item) for item in expression.arguments]
        if expression.name == "can":
            return not isinstance(arguments[0], Unknown) if arguments else False
        shallow = expression.name in terraform_functions.STRUCTURAL
        missing = (
            next((item for item in arguments if isinstance(item, Unknown)), None) if shallow else unknown_in(arguments)
        )
        if missing is not None:
            return missing
        result = terraform_functions.call(expression.name, arguments)
        return self._unknown(result.reason, expression.name) if isinstance(result, Unknown) else result

    def _first(self, expression: Function) -> Any:
        """`try`: the first that is no error; `coalesce`: the first that is neither null nor empty."""
        value: Any = None
        for item in expression.arguments:
            value = self.value(item)
            if isinstance(value, Unknown):
                return value
            if expression.name == "try" or value not in (None, ""):
                return value
        return value

    def _operation(self, expression: Operation) -> Any:
        sign = expression.sign
        if sign == "?":
            condition = self.value(expression.operands[0])
            if isinstance(condition, Unknown):
                one, other = (self.value(item) for item in expression.operands[1:])
                return one if unknown_in([one, other]) is None and one == other else condition
            return self.value(expression.operands[1 if condition is True or condition == "true" else 2])
        values = [self.value(item) for item in expression.operands]
        if sign in ("&&", "||"):
            decides = sign == "||"
            if any(value is decides for value in values):
                return decides
        missing = unknown_in(values)
        if missing is not None:
            return missing
        result = terraform_functions.operate(sign, values)
        return self._unknown(result.reason, sign) if isinstance(result, Unknown) else result


def path_of(expression: HclExpression) -> list[str | int] | None:
    """The words of a reference such as `azurerm_key_vault.main[0].id`; None when a part of it is worked out."""
    path: list[str | int] = []
    while isinstance(expression, Attribute):
        if not isinstance(expression.key, Literal) or not isinstance(expression.key.value, str | int):
            return None
        path.append(expression.key.value)
        expression = expression.of
    if not isinstance(expression, Name):
        return None
    return [expression.name, *reversed(path)]
