"""Bicep files, by their syntax: turned into the ARM template that they stand for, and read as one.

The compiler knows more (types, modules of registries); this says what it could not decide. Needs the `[bicep]` extra:
a grammar with its parser, `tree-sitter-bicep`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvaudit.sources.located import Node, Position
from kvaudit.templates.arm import read_template
from kvaudit.templates.arm_evaluation import DeploymentPlace
from kvaudit.templates.bicep_expressions import Names, NotTranslatedError, translate
from kvaudit.templates.bicep_syntax import (
    body_of,
    first_error,
    inner_resources,
    is_existing,
    parse_bicep,
    parts,
    place_of,
    properties_of,
    resource_parts,
    statements_with_decorators,
    text,
    wrappers,
)
from kvaudit.templates.bicep_values import BicepTemplate, BicepValues, unknown_node
from kvaudit.templates.declarations import FileDeclarations, Language, VaultDeclaration
from kvaudit.templates.unknown import Unknown, unknown_in

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

DEEPEST_MODULE = 8
"""Modules inside modules."""

AVM_VAULT = "avm/res/key-vault/vault"
"""Azure Verified Module for vaults: uses Azure RBAC unless told otherwise, whatever the api-version inside (facts azure.md 1.3)."""


def read_bicep(
    source: str,
    file: str,
    *,
    load: Callable[[str], str | None] = lambda _: None,
    parameters: Mapping[str, Any] | None = None,
    place: DeploymentPlace | None = None,
) -> FileDeclarations:
    """What a Bicep file declares, with the local modules that it uses.

    Args:
        source: text of the file.
        file: its name, for places.
        load: the text of a module by its path relative to the file, or None when it is not there.
        parameters: values by name.
        place: where it would be deployed.

    Raises:
        BicepUnavailableError: the parser is not installed.
        UsageError: the text is no Bicep.
    """
    made = _Compilation(file=file, load=load, above=(file,)).template(source)
    found = read_template(made.root, file, parameters=parameters, place=place, language=Language.BICEP)
    return replace(
        found,
        vaults=(*found.vaults, *made.vaults),
        undecided=(*found.undecided, *made.undecided),
        lines={file: tuple(source.split("\n")), **made.lines},
        files=(file, *made.lines),
    )


@dataclass(kw_only=True)
class _Compilation(BicepValues):
    """One file into a template."""

    load: Callable[[str], str | None]
    above: tuple[str, ...]

    def template(self, source: str) -> BicepTemplate:
        root = parse_bicep(source, self.file)
        broken = first_error(root)
        if broken is not None:
            self.undecided(broken, "the syntax from here on is not understood: what stands around it may be missing")
        statements = parts(root)
        self._learn_names(statements)
        members: dict[str, Node] = {
            "parameters": self._table(self._parameters(statements)),
            "variables": self._variables(statements),
            "resources": Node([*self._resources(statements), *self._modules(statements)], 1, 1),
            "outputs": self._table(self._outputs(statements)),
        }
        self.made.root = Node(members, 1, 1)
        return self.made

    def _learn_names(self, statements: list["SyntaxNode"]) -> None:
        by_kind: dict[str, list[str]] = {}
        for item in statements:
            inner = next((child for child in parts(item) if child.type == "identifier"), None)
            if inner is not None:
                by_kind.setdefault(item.type, []).append(text(inner))
        self.names = Names(
            parameters=frozenset(by_kind.get("parameter_declaration", ())),
            variables=frozenset(by_kind.get("variable_declaration", ())),
            modules=frozenset(by_kind.get("module_declaration", ())),
            functions=frozenset(by_kind.get("user_defined_function", ())),
        )
        self.names = replace(self.names, resources=dict(self._identities(statements)))

    def _identities(self, statements: list["SyntaxNode"]) -> Iterator[tuple[str, tuple[str, str]]]:
        """Symbolic name -> expressions of ID and name, so that a scope or a parent says which resource it means."""
        known: dict[str, tuple[str, str, str]] = {}
        for item in statements:
            if item.type != "resource_declaration":
                continue
            symbol, kind, body = resource_parts(item)
            name = self._full_name(body, known) if body is not None else None
            if name is None:
                continue
            known[symbol] = (kind, name, "")
            arguments = name if kind.count("/") == 1 else f"split({name}, '/')"
            identity = (
                f"resourceId('{kind}', {arguments})"
                if kind.count("/") == 1
                else f"concat('/providers/{kind}/', {name})"
            )
            yield symbol, (identity, name)

    def _full_name(self, body: "SyntaxNode", known: Mapping[str, tuple[str, str, str]]) -> str | None:
        table = properties_of(body)
        if "name" not in table:
            return None
        try:
            own = translate(table["name"], self.names)
            parent = text(table["parent"]) if "parent" in table else None
            if parent is None:
                return own
            return f"concat({known[parent][1]}, '/', {own})" if parent in known else None
        except NotTranslatedError:
            return None

    def _table(self, pairs: Iterator[tuple[str, Node]]) -> Node:
        return Node(dict(pairs), 1, 1)

    def _parameters(self, statements: list["SyntaxNode"]) -> Iterator[tuple[str, Node]]:
        secure = False
        for item in statements_with_decorators(statements):
            if item.type == "decorators":
                secure = _says_secure(item)
                continue
            if item.type == "parameter_declaration":
                pieces = parts(item)
                kind = text(pieces[1]) if len(pieces) > 1 and pieces[1].type == "type" else "string"
                members = {"type": Node(f"secure{kind}" if secure else kind, *place_of(item))}
                if pieces[-1].type not in ("type", "identifier") and len(pieces) > 1:
                    members["defaultValue"] = self.value(pieces[-1])
                if kind.endswith("?"):
                    members["nullable"] = Node(value=True, line=place_of(item)[0], column=place_of(item)[1])
                yield text(pieces[0]), Node(members, *place_of(item))
            secure = False

    def _variables(self, statements: list["SyntaxNode"]) -> Node:
        members: dict[str, Node] = {}
        loops: list[Node] = []
        for item in statements:
            if item.type == "variable_declaration":
                name, value = text(parts(item)[0]), parts(item)[-1]
                if value.type == "for_statement":
                    loops.append(self.loop(name, value))
                else:
                    members[name] = self.value(value)
        if loops:
            members["copy"] = Node(loops, 1, 1)
        return Node(members, 1, 1)

    def _outputs(self, statements: list["SyntaxNode"]) -> Iterator[tuple[str, Node]]:
        secure = False
        for item in statements_with_decorators(statements):
            if item.type == "decorators":
                secure = _says_secure(item)
                continue
            if item.type == "output_declaration":
                pieces = parts(item)
                kind = next((text(piece) for piece in pieces if piece.type == "type"), "string")
                members = {
                    "type": Node(f"secure{kind}" if secure else kind, *place_of(item)),
                    "value": self.value(pieces[-1]),
                }
                yield text(pieces[0]), Node(members, *place_of(item))
            secure = False

    def _resources(self, statements: list["SyntaxNode"]) -> Iterator[Node]:
        for item in statements:
            if item.type == "resource_declaration":
                yield self._resource(item)

    def _resource(self, item: "SyntaxNode", above: str = "") -> Node:
        """A resource; one inside another without a version of its own has that of the one around it, `above`."""
        _, kind, body = resource_parts(item)
        version = text(parts(item)[1]).strip("'").partition("@")[2] or above
        members = {"type": Node(kind, *place_of(item)), "existing": Node(is_existing(item), *place_of(item))}
        if version:
            members["apiVersion"] = Node(version, *place_of(item))
        members |= self._shape(item, body)
        if body is not None:
            table = properties_of(body)
            self._place_name(members, table)
            for name in ("properties", "scope"):
                if name in table:
                    members[name] = self.value(table[name])
            if body.has_error:
                _doubt_what_is_missing(members, body)
            inner = [self._resource(child, version) for child in inner_resources(body)]
            if inner:
                members["resources"] = Node(inner, *place_of(item))
        return Node(members, *place_of(item), {name: place_of(item) for name in members})

    def _place_name(self, members: dict[str, Node], table: Mapping[str, "SyntaxNode"]) -> None:
        """The name, with the parent's before it where the resource has a `parent`."""
        if "name" not in table:
            return
        node = table["name"]
        members["name"] = self.value(node)
        if "parent" not in table:
            return
        parent = text(table["parent"])
        known = self.names.resources.get(parent)
        try:
            own = translate(node, self.names)
        except NotTranslatedError as problem:
            members["name"] = unknown_node(str(problem), node)
            return
        if known is None:
            members["name"] = unknown_node(f"the name of {parent} is not decided", node)
        else:
            members["name"] = Node(f"[concat({known[1]}, '/', {own})]", *place_of(node))

    def _shape(self, item: "SyntaxNode", body: "SyntaxNode | None") -> dict[str, Node]:
        """Condition and loop around a body."""
        members: dict[str, Node] = {}
        for wrapper in wrappers(item, body):
            if wrapper.type == "if_statement":
                members["condition"] = self.value(parts(wrapper)[0])
            elif wrapper.type == "for_statement":
                self.enter_loop(wrapper, text(parts(item)[0]))
                count = self.count(wrapper)
                members["copy"] = Node(
                    {"name": Node(text(parts(item)[0]), *place_of(wrapper)), "count": count}, *place_of(wrapper)
                )
        return members

    def _modules(self, statements: list["SyntaxNode"]) -> Iterator[Node]:
        for item in statements:
            if item.type == "module_declaration":
                made = self._module(item)
                if made is not None:
                    yield made

    def _module(self, item: "SyntaxNode") -> Node | None:
        symbol, source = text(parts(item)[0]), text(parts(item)[1]).strip("'")
        body = body_of(item)
        table = properties_of(body) if body is not None else {}
        shape = self._shape(item, body)
        given = table.get("params")
        if source.startswith(("br:", "br/", "ts:", "ts/")):
            table_given = self.object(given) if given and given.type == "object" else None
            self._published(item, symbol, source, table_given, is_conditional="condition" in shape)
            return None
        inner = self.load(source)
        name = os.path.normpath(Path(self.file).parent / source)
        if inner is None or name in self.above or len(self.above) > DEEPEST_MODULE:
            why = f"there is no file {source}" if inner is None else f"{source} uses itself, or modules are too deep"
            self.undecided(item, f"the module {symbol} was not looked into: {why}")
            return None
        made = _Compilation(
            file=name, load=lambda path: self.load(str(Path(source).parent / path)), above=(*self.above, name)
        ).template(inner)
        self.made.vaults += made.vaults
        self.made.undecided += made.undecided
        self.made.lines |= {name: tuple(inner.split("\n")), **made.lines}
        return self._deployment(item, symbol, made.root, given, table, shape, name)

    def _deployment(
        self,
        item: "SyntaxNode",
        symbol: str,
        root: Node,
        given: "SyntaxNode | None",
        table: Mapping[str, "SyntaxNode"],
        shape: dict[str, Node],
        name: str,
    ) -> Node:
        at = place_of(item)
        parameters = self.object(given) if given is not None and given.type == "object" else Node({}, *at)
        loops = parameters.get("copy")
        members = {
            key: Node({"value": value}, value.line, value.column) for key, value in parameters.items() if key != "copy"
        }
        for loop in loops.elements() if loops else ():
            key = str((loop.get("name") or Node("", 1, 1)).value)
            members[key] = Node({"value": Node({"copy": Node([loop], *at)}, *at)}, *at)
        properties = {
            "expressionEvaluationOptions": Node({"scope": Node("inner", *at)}, *at),
            "parameters": Node(members, *at),
            "template": root,
            "templateFile": Node(name, *at),
        }
        deployment = {
            "type": Node("Microsoft.Resources/deployments", *at),
            "name": Node(symbol, *at),
            "properties": Node(properties, *at),
            **shape,
        }
        scope = table.get("scope")
        if scope is not None and text(scope).startswith("resourceGroup("):
            arguments = [piece for group in parts(scope)[1:] for piece in parts(group)]
            if arguments:
                deployment["resourceGroup"] = self.value(arguments[-1])
            if len(arguments) > 1:
                deployment["subscriptionId"] = self.value(arguments[0])
        return Node(deployment, *at)

    def _published(
        self, item: "SyntaxNode", symbol: str, source: str, given: Node | None, *, is_conditional: bool
    ) -> None:
        if AVM_VAULT not in source.casefold():
            self.undecided(item, f"the module {symbol} ({source[:100]}) is in a registry and was not looked into")
            return
        at = Position(self.file, *place_of(item))
        flag = given.get("enableRbacAuthorization") if given else None
        name = given.get("name") if given else None
        value = True if flag is None else flag.value
        plain = name.value if name is not None else None
        self.made.vaults.append(
            VaultDeclaration(
                language=Language.BICEP,
                address=symbol,
                identity=f"module/{symbol}".casefold(),
                position=at,
                name=plain
                if isinstance(plain, str) and not plain.startswith("[")
                else Unknown("the module names the vault"),
                rbac=value
                if isinstance(value, bool)
                else Unknown("enableRbacAuthorization is given to a published module as an expression"),
                rbac_at=at,
                properties=_given_to(given) if given is not None else {},
                module=source,
                condition="its module stands behind a condition" if is_conditional else None,
            )
        )


_PASSED_ON = ("enablePurgeProtection", "softDeleteRetentionInDays", "publicNetworkAccess", "networkAcls")
"""Parameters of the verified module that are properties of the vault by the same name (its page in the registry)."""


def _given_to(given: Node) -> dict[str, Any]:
    """What the verified module is given and passes on, where it stands there plainly."""
    named = {name: node.plain() for name in _PASSED_ON if (node := given.get(name)) is not None}
    return {
        name: Unknown(f"{name} is given to a published module as an expression") if _is_open(value) else value
        for name, value in named.items()
        if value is not None
    }


def _is_open(value: Any) -> bool:
    return unknown_in(value) is not None or (isinstance(value, str) and value.startswith("["))


def _says_secure(decorators: "SyntaxNode") -> bool:
    return "@secure()" in text(decorators).replace(" ", "")


def _doubt_what_is_missing(members: dict[str, Node], body: "SyntaxNode") -> None:
    """A flag that is not found in a body whose syntax is not understood may stand in what was skipped."""
    properties = members.get("properties")
    if properties is None or (isinstance(properties.value, dict) and properties.get("enableRbacAuthorization") is None):
        table = dict(properties.value) if properties is not None else {}
        table["enableRbacAuthorization"] = unknown_node("the syntax around is not understood", body)
        members["properties"] = Node(table, *place_of(body))
