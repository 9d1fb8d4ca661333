"""The resources of an ARM template: nested, looped, conditional, and in templates inside templates."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kvaudit.sources.located import Node, Position
from kvaudit.templates.arm_evaluation import MOST_COPIES, DeploymentPlace, Evaluator
from kvaudit.templates.declarations import Undecided
from kvaudit.templates.unknown import Unknown, unknown_in

DEEPEST_TEMPLATE = 8
"""Templates inside templates. Resource Manager itself allows 5 levels of nested deployments."""

_DEPLOYMENT = "microsoft.resources/deployments"


@dataclass(frozen=True, slots=True)
class Template:
    """A template with what is known of its deployment.

    Attributes:
        root: the document.
        given: parameter values.
        place: where it goes.
        depth: how many templates are around it.
        prefix: address of the deployment that holds it.
        file: where it stands, when that is another file than the outermost template's.
        condition: why the deployment that holds it may not happen; None where it always does.
    """

    root: Node
    given: Mapping[str, Any]
    place: DeploymentPlace
    depth: int = 0
    prefix: str = ""
    symbols: Mapping[str, Any] | None = None
    file: str | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class ArmResource:
    """A resource as it would be deployed, or one of a loop.

    Attributes:
        node: the resource.
        type: full and folded.
        name: full, segments joined by `/`; or unknown.
        api_version: as evaluated; None where it is left out.
        evaluator, symbolic: the values of the template, and what stands for unknown ones.
        identity: folded type and symbolic name: equal for all that means this resource.
        parent_identity: of the resource above, for children.
        scope: of an extension resource (a role assignment): a resource ID, or unknown.
        scope_identity: folded symbolic text of the same.
    """

    node: Node
    type: str
    name: str | Unknown
    api_version: Any
    address: str
    identity: str
    parent_identity: str | None
    scope: str | Unknown
    scope_identity: str | None
    condition: str | None
    is_existing: bool
    file: str | None
    evaluator: Evaluator
    symbolic: Evaluator
    place: DeploymentPlace


@dataclass(frozen=True, slots=True)
class _Walk:
    template: Template
    evaluator: Evaluator
    symbolic: Evaluator
    api_profile: str | None = None


@dataclass(frozen=True, slots=True)
class _Parent:
    type: str
    name: str | Unknown
    symbol: str


def find_resources(template: Template) -> Iterator[ArmResource | Undecided]:
    """Every resource, parents before children, each repetition of a loop; what cannot be looked into as `Undecided`."""
    walk = _Walk(
        template,
        Evaluator(template.root, template.given, template.place),
        Evaluator(template.root, template.symbols or _without_unknowns(template.given), template.place, symbolic=True),
    )
    resources = template.root.get("resources")
    if resources is None:
        return
    named = resources.items() if isinstance(resources.value, dict) else (("", item) for item in resources.elements())
    for symbol, node in named:
        yield from _resource(walk, node, symbol, None)


def _without_unknowns(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if unknown_in(value) is None}


def _resource(walk: _Walk, node: Node, symbol: str, parent: _Parent | None) -> Iterator[ArmResource | Undecided]:
    if not isinstance(node.value, dict):
        yield _undecided(walk, node, "a resource is no object")
        return
    copy = node.get("copy")
    if copy is None:
        yield from _one(walk, node, symbol, parent)
        return
    name = walk.evaluator.value(copy.get("name"))
    count = walk.evaluator.value(copy.get("count"))
    label = name if isinstance(name, str) else "copy"
    if isinstance(count, int) and 0 <= count <= MOST_COPIES:
        for index in range(count):
            with walk.evaluator.loop(label, index), walk.symbolic.loop(label, index):
                yield from _one(walk, node, symbol, parent)
        return
    reason = count.reason if isinstance(count, Unknown) else f"the loop's count is {str(count)[:40]!r}"
    unknown = Unknown(f"one of a loop: {reason}")
    with walk.evaluator.loop(label, unknown), walk.symbolic.loop(label, unknown):
        yield from _one(walk, node, symbol, parent)


def _one(walk: _Walk, node: Node, symbol: str, parent: _Parent | None) -> Iterator[ArmResource | Undecided]:
    kind = walk.evaluator.value(node.get("type"))
    if not isinstance(kind, str):
        yield _undecided(walk, node, kind.reason if isinstance(kind, Unknown) else "a resource without a type")
        return
    kind = kind.casefold()
    condition = walk.evaluator.value(node.get("condition")) if node.get("condition") else True
    if condition is False:
        return
    if parent and not kind.startswith(parent.type):
        kind = f"{parent.type}/{kind}"
    resource = _resource_at(walk, node, kind, symbol, parent, condition)
    yield resource
    if kind == _DEPLOYMENT:
        yield from _nested(walk, node, resource)
        return
    children = node.get("resources")
    for child in children.elements() if children else ():
        yield from _resource(
            walk, child, "", _Parent(kind, resource.name, _name(walk.symbolic, node, parent, symbolic=True))
        )


def _resource_at(
    walk: _Walk, node: Node, kind: str, symbol: str, parent: _Parent | None, condition: Any
) -> ArmResource:
    name = _name(walk.evaluator, node, parent)
    symbolic = _name(walk.symbolic, node, parent, symbolic=True)
    version = node.get("apiVersion")
    scope, scope_symbol = _scope(walk, node, kind, name, symbolic)
    existing = node.get("existing")
    shown = name if isinstance(name, str) and name.strip() else symbol or symbolic or kind
    return ArmResource(
        node=node,
        type=kind,
        name=name,
        api_version=walk.evaluator.value(version) if version else _profile(walk, kind),
        address=f"{walk.template.prefix}{shown}",
        identity=f"{kind}/{symbolic}".casefold(),
        parent_identity=f"{kind.rpartition('/')[0]}/{symbolic.rpartition('/')[0]}".casefold()
        if "/" in symbolic
        else None,
        scope=scope,
        scope_identity=scope_symbol.casefold() if scope_symbol else None,
        condition=walk.template.condition if condition is True else _why(condition),
        is_existing=bool(existing and existing.value is True),
        file=walk.template.file,
        evaluator=walk.evaluator,
        symbolic=walk.symbolic,
        place=walk.template.place,
    )


def _why(condition: Any) -> str:
    return condition.reason if isinstance(condition, Unknown) else f"the condition is {str(condition)[:60]}"


def _name(evaluator: Evaluator, node: Node, parent: _Parent | None, *, symbolic: bool = False) -> Any:
    name = evaluator.value(node.get("name"))
    if not isinstance(name, str):
        reason = name if isinstance(name, Unknown) else Unknown("the name is no text")
        return f"‹{reason.reason}›" if symbolic else reason
    above = (parent.symbol if symbolic else parent.name) if parent else None
    if above is None or isinstance(above, Unknown):
        return name if above is None else above
    return name if name.casefold().startswith(f"{above.casefold()}/") else f"{above}/{name}"


def _profile(walk: _Walk, kind: str) -> Any:
    """The api-version where a resource names none: the template's `apiProfile` decides, which is not looked up."""
    profile = walk.template.root.get("apiProfile")
    if profile is None:
        return None
    return Unknown(f"apiProfile {str(profile.value)[:40]} decides the api-version of {kind}")


def _scope(walk: _Walk, node: Node, kind: str, name: Any, symbolic: str) -> tuple[Any, str | None]:
    """Where an extension resource stands."""
    given = node.get("scope")
    if given is not None:
        return walk.evaluator.value(given), _whole(walk.symbolic.value(given))
    if (
        "/providers/" in kind
    ):  # `Microsoft.KeyVault/vaults/providers/roleAssignments`, named `vault/Microsoft.Authorization/guid`
        above = kind.partition("/providers/")[0]
        owner = name.split("/")[0] if isinstance(name, str) else name
        return owner if isinstance(owner, Unknown) else f"{above}/{owner}", f"{above}/{symbolic.partition('/')[0]}"
    place = walk.template.place
    missing = unknown_in([place.subscription_id, place.resource_group])
    if missing is not None:
        return missing, None
    return f"/subscriptions/{place.subscription_id}/resourceGroups/{place.resource_group}", None


def _whole(scope: Any) -> str | None:
    """A symbolic scope in the form of an identity: `type/name`, without what stands before the last provider."""
    if not isinstance(scope, str):
        return None
    tail = re.split(r"/providers/", scope, flags=re.IGNORECASE)[-1].strip("/")
    parts = tail.split("/")
    if len(parts) < 3:
        return tail
    names, kinds = parts[2::2], [parts[0], *parts[1::2]]
    return f"{'/'.join(kinds)}/{'/'.join(names)}"


def _nested(walk: _Walk, node: Node, resource: ArmResource) -> Iterator[ArmResource | Undecided]:
    """The template inside a deployment. `inner` expressions have parameters of their own, `outer` ones ours."""
    properties = node.get("properties") or Node({}, node.line, node.column)
    inside = properties.get("template")
    if inside is None:
        link = properties.get("templateLink")
        target = walk.evaluator.value(link.get("uri") or link.get("relativePath") or link.get("id")) if link else None
        text = target if isinstance(target, str) else "an address that is decided by the deployment"
        yield _undecided(walk, node, f"the deployment {resource.address} takes its template from {text}")
        return
    if walk.template.depth >= DEEPEST_TEMPLATE:
        yield _undecided(walk, node, f"templates inside templates, more than {DEEPEST_TEMPLATE} levels")
        return
    options = properties.get("expressionEvaluationOptions")
    inner = bool(options and str((options.get("scope") or options).value).casefold() == "inner")
    place = _place(walk, node)
    named = properties.get("templateFile")
    file = (named.text() if named else None) or walk.template.file
    prefix = f"{resource.address}/"
    if inner:
        given, symbols = (
            {name: _given(evaluator, item) for name, item in (properties.get("parameters") or Node({}, 0, 0)).items()}
            for evaluator in (walk.evaluator, walk.symbolic)
        )
        depth = walk.template.depth + 1
        yield from find_resources(Template(inside, given, place, depth, prefix, symbols, file, resource.condition))
        return
    outer = Node({**walk.template.root.value, "resources": inside.get("resources") or Node([], 0, 0)}, inside.line, 0)
    depth = walk.template.depth + 1
    template = replace(walk.template, root=outer, place=place, depth=depth, prefix=prefix, condition=resource.condition)
    yield from find_resources(template)


def _given(evaluator: Evaluator, item: Node) -> Any:
    value = item.get("value")
    if value is not None:
        return evaluator.value(value)
    return Unknown("a parameter of the nested deployment is read from a vault")


def _place(walk: _Walk, node: Node) -> DeploymentPlace:
    place = walk.template.place
    for attribute, key in (("resource_group", "resourceGroup"), ("subscription_id", "subscriptionId")):
        named = node.get(key)
        if named is not None:
            value = walk.evaluator.value(named)
            place = replace(
                place, **{attribute: value if isinstance(value, str | Unknown) else Unknown(f"{key} is no text")}
            )
    return place


def _undecided(walk: _Walk, node: Node, reason: str) -> Undecided:
    return Undecided(Position(walk.template.file or "", node.line, node.column), reason)
