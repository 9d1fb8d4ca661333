"""Values of a template: expressions with parameters, variables and the place of the deployment, as far as they are decided."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from kvaudit.sources.located import Node
from kvaudit.templates import arm_functions
from kvaudit.templates.arm_expressions import (
    Call,
    Expression,
    ExpressionError,
    Literal,
    Member,
    is_expression,
    parse_expression,
    unescaped,
)
from kvaudit.templates.unknown import Unknown, unknown_in

MOST_COPIES = 800
"""Repetitions of a loop (documentation, "Template limits")."""

MOST_STEPS = 200_000
"""Evaluations of one template: templates that multiply themselves end here, as unknown."""


@dataclass(frozen=True, slots=True)
class DeploymentPlace:
    """Where a template would be deployed, as far as that is known. Unknown parts carry their reason."""

    subscription_id: str | Unknown = field(
        default_factory=lambda: Unknown("the subscription of the deployment is not given")
    )
    resource_group: str | Unknown = field(
        default_factory=lambda: Unknown("the resource group of the deployment is not given")
    )
    tenant_id: str | Unknown = field(default_factory=lambda: Unknown("the tenant of the deployment is not given"))
    location: str | Unknown = field(default_factory=lambda: Unknown("the location of the resource group is not given"))


class Evaluator:
    """Evaluates the values of one template.

    Args:
        template: its root.
        given: parameter values, plain, by name in any case.
        place: where it would be deployed.
        symbolic: what is unknown becomes a text that stands for it, so that two names made of the same unknown are equal:
            for telling which declaration means which, never for judging.

    Attributes:
        assumed: names of parameters whose default was taken, since no value was given.
    """

    def __init__(
        self, template: Node, given: Mapping[str, Any], place: DeploymentPlace, *, symbolic: bool = False
    ) -> None:
        self._place = place
        self._symbolic = symbolic
        self._given = {name.casefold(): value for name, value in given.items()}
        self._parameters = _folded(template.get("parameters"))
        self._variables = _folded(template.get("variables"))
        self._functions = {
            f"{_namespace(space)}.{name}".casefold(): body
            for space in (template.get("functions") or Node([], 0, 0)).elements()
            for name, body in (space.get("members") or Node({}, 0, 0)).items()
        }
        self._values: dict[str, Any] = {}
        self._busy: set[str] = set()
        self._loops: list[tuple[str, int | Unknown]] = []
        self._steps = 0
        self.assumed: set[str] = set()

    @contextmanager
    def loop(self, name: str, index: int | Unknown) -> Iterator[None]:
        """Inside, `copyIndex()` is this index."""
        self._loops.append((name.casefold(), index))
        kept, self._values = self._values, dict(self._values)
        try:
            yield
        finally:
            self._loops.pop()
            self._values = kept

    def value(self, node: Node | None) -> Any:
        """The plain value of a node; `Unknown` stands where something is not decided, also inside lists and objects."""
        if node is None:
            return None
        content = node.value
        if isinstance(content, str):
            return self.text(content)
        if isinstance(content, Unknown):
            return self._unknown(content.reason, content.reason)
        if isinstance(content, dict):
            return self._object(content)
        if isinstance(content, list):
            return [self.value(item) for item in content]
        return content

    def _object(self, content: Mapping[str, Node]) -> Any:
        """An object, with `"copy": [{"name", "count", "input"}]` made into the lists that it stands for."""
        loops = content.get("copy")
        if loops is None or not isinstance(loops.value, list):
            return {name: self.value(item) for name, item in content.items()}
        made = {name: self.value(item) for name, item in content.items() if name != "copy"}
        for loop in loops.elements():
            name = self.value(loop.get("name"))
            if isinstance(name, str):
                made[name] = self._repeated(name, loop)
        return made

    def _repeated(self, name: str, loop: Node) -> Any:
        count = self.value(loop.get("count"))
        if isinstance(count, Unknown):
            return self._unknown(count.reason, f"loop {name}")
        if not isinstance(count, int) or not 0 <= count <= MOST_COPIES:
            return self._unknown(f"the loop {name} has no count that can be", f"loop {name}")
        items = []
        for index in range(count):
            with self.loop(name, index):
                items.append(self.value(loop.get("input")))
        return items

    def text(self, content: str) -> Any:
        """The value of a text, which may be an expression."""
        if not is_expression(content):
            return unescaped(content)
        try:
            return self._of(parse_expression(content))
        except (ExpressionError, arm_functions.FunctionError) as problem:
            return self._unknown(f"the expression cannot be evaluated: {problem}", _short(content))

    def _unknown(self, reason: str, symbol: str) -> Any:
        # A slash would take part in the segments of a resource ID.
        return f"‹{symbol.replace('/', '·')}›" if self._symbolic else Unknown(reason)

    def _of(self, expression: Expression) -> Any:
        self._steps += 1
        if self._steps > MOST_STEPS:
            return self._unknown("the template takes too long to evaluate", "…")
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Member):
            return self._member(expression)
        special = getattr(self, f"_do_{expression.name.replace('.', '_')}", None)
        if special is not None and expression.name in _SPECIAL:
            return special(expression.arguments)
        if expression.name in self._functions:
            return self._own_function(expression)
        return self._call(expression)

    def _call(self, expression: Call) -> Any:
        arguments = [self._of(item) for item in expression.arguments]
        if expression.name in arm_functions.STRUCTURAL:
            missing = next((item for item in arguments if isinstance(item, Unknown)), None)
        else:
            missing = unknown_in(arguments)
        if missing is not None:
            return missing
        try:
            value = arm_functions.call(expression.name, arguments)
        except arm_functions.FunctionError as problem:
            value = Unknown(str(problem))
        return self._unknown(value.reason, _symbol(expression.name, arguments)) if isinstance(value, Unknown) else value

    def _member(self, expression: Member) -> Any:
        owner, key = self._of(expression.of), self._of(expression.key)
        if isinstance(owner, Unknown):
            return owner
        if isinstance(key, Unknown):
            return key
        if isinstance(owner, dict):
            folded = str(key).casefold()
            for name, item in owner.items():
                if name.casefold() == folded:
                    return item
        if isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
        if expression.safe:
            return None
        if self._symbolic and isinstance(owner, str):
            return f"{owner}.{key}"
        return self._unknown(f"there is no {str(key)[:60]!r} in what the expression looks at", str(key))

    def _do_parameters(self, arguments: tuple[Expression, ...]) -> Any:
        name = self._named(arguments)
        if name.casefold() in self._given:
            return self._given[name.casefold()]
        declared = self._parameters.get(name.casefold())
        if declared is None:
            return self._unknown(f"the template has no parameter {name!r}", f"parameters({name})")
        default = declared.get("defaultValue")
        if default is None:
            nullable = declared.get("nullable")
            if nullable and nullable.value is True:
                self.assumed.add(name)
                return None
            reason = f"parameter {name} has no default and no value was given"
            return self._unknown(reason, f"parameters({name.casefold()})")
        self.assumed.add(name)
        return self._once(f"parameter {name}", default)

    def _do_variables(self, arguments: tuple[Expression, ...]) -> Any:
        name = self._named(arguments)
        declared = self._variables.get(name.casefold())
        if declared is not None:
            return self._once(f"variable {name}", declared)
        return self._variable_loop(name)

    def _variable_loop(self, name: str) -> Any:
        """A variable that is made by `"copy": [{"name", "count", "input"}]`, or unknown."""
        loops = self._variables.get("copy")
        for item in loops.elements() if loops else ():
            if str(self.value(item.get("name"))).casefold() == name.casefold():
                return self._repeated(name, item)
        return self._unknown(f"the template has no variable {name!r}", f"variables({name})")

    def _once(self, key: str, node: Node) -> Any:
        """A value that is worked out once; one that needs itself is unknown."""
        folded = key.casefold()
        if folded in self._values:
            return self._values[folded]
        if folded in self._busy:
            return self._unknown(f"{key} refers to itself", key)
        self._busy.add(folded)
        try:
            self._values[folded] = self.value(node)
        except RecursionError:
            self._values[folded] = self._unknown(f"{key} is nested too deeply", key)
        finally:
            self._busy.discard(folded)
        return self._values[folded]

    def _named(self, arguments: tuple[Expression, ...]) -> str:
        name = self._of(arguments[0]) if arguments else None
        if not isinstance(name, str):
            raise ExpressionError("a parameter or variable without a name")
        return name

    def _do_if(self, arguments: tuple[Expression, ...]) -> Any:
        if len(arguments) != 3:
            raise ExpressionError("if() takes a condition and two values")
        condition = self._of(arguments[0])
        if isinstance(condition, Unknown):
            # Both branches the same: the condition does not matter.
            one, other = self._of(arguments[1]), self._of(arguments[2])
            return one if unknown_in([one, other]) is None and one == other else condition
        return self._of(arguments[1] if condition is True or str(condition).casefold() == "true" else arguments[2])

    def _do_and(self, arguments: tuple[Expression, ...]) -> Any:
        return self._logic(arguments, decides=False)

    def _do_or(self, arguments: tuple[Expression, ...]) -> Any:
        return self._logic(arguments, decides=True)

    def _logic(self, arguments: tuple[Expression, ...], *, decides: bool) -> Any:
        values = [self._of(item) for item in arguments]
        if any(value is decides for value in values):
            return decides
        missing = next((value for value in values if isinstance(value, Unknown)), None)
        return (not decides) if missing is None else missing

    def _do_coalesce(self, arguments: tuple[Expression, ...]) -> Any:
        for item in arguments:
            value = self._of(item)
            if value is not None:
                return value
        return None

    def _do_copyindex(self, arguments: tuple[Expression, ...]) -> Any:
        words = [self._of(item) for item in arguments]
        name = next((word.casefold() for word in words if isinstance(word, str)), None)
        offset = next((word for word in words if isinstance(word, int)), 0)
        for loop, index in reversed(self._loops):
            if name in (None, loop):
                if isinstance(index, Unknown):
                    return self._unknown(index.reason, f"copyIndex({loop})")
                return index + offset
        return self._unknown("copyIndex() outside of a loop", "copyIndex()")

    def _do_subscription(self, _: tuple[Expression, ...]) -> Any:
        subscription = self._known_place("subscription", self._place.subscription_id)
        return {
            "subscriptionId": subscription,
            "id": f"/subscriptions/{subscription}" if isinstance(subscription, str) else subscription,
            "tenantId": self._known_place("tenant", self._place.tenant_id),
            "displayName": self._unknown("the name of the subscription is not given", "subscription name"),
        }

    def _do_resourcegroup(self, _: tuple[Expression, ...]) -> Any:
        name = self._known_place("resource group", self._place.resource_group)
        subscription = self._known_place("subscription", self._place.subscription_id)
        whole = isinstance(name, str) and isinstance(subscription, str)
        return {
            "name": name,
            "id": f"/subscriptions/{subscription}/resourceGroups/{name}" if whole else unknown_in([name, subscription]),
            "location": self._known_place("location", self._place.location),
            "tags": self._unknown("the tags of the resource group are not given", "tags"),
        }

    def _do_tenant(self, _: tuple[Expression, ...]) -> Any:
        return {"tenantId": self._known_place("tenant", self._place.tenant_id)}

    def _do_resourceid(self, arguments: tuple[Expression, ...]) -> Any:
        values = [self._of(item) for item in arguments]
        missing = unknown_in(values)
        if missing is not None:
            return missing
        subscription = self._known_place("subscription", self._place.subscription_id)
        group = self._known_place("resource group", self._place.resource_group)
        try:
            return arm_functions.resource_id(subscription, group, tuple(values))
        except (StopIteration, RuntimeError) as problem:
            raise ExpressionError("resourceId() names no type") from problem

    def _do_subscriptionresourceid(self, arguments: tuple[Expression, ...]) -> Any:
        values = [self._of(item) for item in arguments]
        missing = unknown_in(values)
        if missing is not None:
            return missing
        if values and "/" in str(values[0]):
            subscription = self._known_place("subscription", self._place.subscription_id)
            # A role has the same ID in every subscription: its GUID is what counts.
            values.insert(0, subscription if isinstance(subscription, str) else "‹subscription›")
        return arm_functions.scoped_id(f"/subscriptions/{values[0]}", tuple(values[1:]))

    def _known_place(self, what: str, value: str | Unknown) -> Any:
        return f"‹{what}›" if self._symbolic and isinstance(value, Unknown) else value

    def _own_function(self, expression: Call) -> Any:
        body = self._functions[expression.name]
        names = [str(self.value(item.get("name"))) for item in (body.get("parameters") or Node([], 0, 0)).elements()]
        values = [self._of(item) for item in expression.arguments]
        inner = Evaluator(Node({}, 0, 0), dict(zip(names, values, strict=False)), self._place, symbolic=self._symbolic)
        inner._functions = self._functions
        inner._steps = self._steps + 1
        if len(self._busy) > 30:
            return self._unknown("functions of the template call each other too deeply", expression.name)
        inner._busy = {*self._busy, f"function {expression.name} {len(self._busy)}"}
        output = body.get("output")
        result = inner.value(output.get("value") if output else None)
        self._steps = inner._steps
        return result


_SPECIAL = frozenset(
    {
        *("parameters", "variables", "if", "and", "or", "coalesce", "copyindex", "subscription", "resourcegroup"),
        *("tenant", "resourceid", "subscriptionresourceid"),
    }
)


def _folded(node: Node | None) -> dict[str, Node]:
    return {name.casefold(): item for name, item in node.items()} if node else {}


def _namespace(space: Node) -> str:
    name = space.get("namespace")
    return (name.text() or "") if name else ""


def _symbol(name: str, arguments: list[Any]) -> str:
    shown = ",".join(arm_functions.text(item) if not isinstance(item, Unknown) else "?" for item in arguments)
    return _short(f"{name}({shown})")


def _short(symbol: str) -> str:
    """A symbol of bounded length; different ones stay different, also when they begin alike."""
    if len(symbol) <= 400:
        return symbol
    return f"{symbol[:60]}…{sha256(symbol.encode('utf-8', 'replace')).hexdigest()[:16]}"
