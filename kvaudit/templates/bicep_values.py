"""Values of a Bicep file as values of the template that it stands for."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kvaudit.sources.located import Node, Position
from kvaudit.templates.bicep_expressions import Names, NotTranslatedError, key_of, translate
from kvaudit.templates.bicep_syntax import parts, place_of, text
from kvaudit.templates.declarations import Undecided, VaultDeclaration
from kvaudit.templates.unknown import Unknown

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode


@dataclass(slots=True)
class BicepTemplate:
    """A template made of a Bicep file and its local modules.

    Attributes:
        vaults: of published modules, which no template shows.
        lines: text of the modules' files.
    """

    root: Node
    vaults: list[VaultDeclaration] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(kw_only=True)
class BicepValues:
    """Turns values of one file into nodes of a template.

    Attributes:
        file: its name, for places.
        names: what its names mean; loops add theirs on the way.
        made: takes what could not be looked into.
    """

    file: str
    names: Names = field(default_factory=Names)
    made: BicepTemplate = field(default_factory=lambda: BicepTemplate(Node({}, 1, 1)))

    def undecided(self, node: "SyntaxNode", reason: str) -> None:
        """Tells of something that was not looked into."""
        self.made.undecided.append(Undecided(Position(self.file, *place_of(node)), reason))

    def count(self, loop: "SyntaxNode") -> Node:
        """How often a loop runs, as an expression."""
        source = parts(loop)[1]
        try:
            return Node(f"[length({translate(source, self.names)})]", *place_of(source))
        except NotTranslatedError as problem:
            return unknown_node(str(problem), source)

    def enter_loop(self, loop: "SyntaxNode", name: str) -> None:
        """Teaches what the loop's variables mean; names of other loops stay, since files use each name for one thing."""
        variables, source = parts(loop)[0], parts(loop)[1]
        try:
            element = f"{translate(source, self.names)}[copyIndex('{name}')]"
        except NotTranslatedError:
            element = "copyIndex('‹unknown›')"
        named = (
            [text(piece) for piece in parts(variables)]
            if variables.type == "for_loop_parameters"
            else [text(variables)]
        )
        loops = {**self.names.loops, named[0]: element}
        if len(named) > 1:
            loops[named[1]] = f"copyIndex('{name}')"
        self.names = replace(self.names, loops=loops)

    def loop(self, name: str, loop: "SyntaxNode") -> Node:
        """`[for x in xs: body]` as the `copy` of a property or variable."""
        kept = self.names
        count = self.count(loop)
        self.enter_loop(loop, name)
        body = parts(loop)[-1]
        made = {"name": Node(name, *place_of(loop)), "count": count, "input": self.value(body)}
        self.names = kept
        return Node(made, *place_of(loop))

    def value(self, node: "SyntaxNode") -> Node:
        """A value of the file as a value of a template."""
        if node.type == "parenthesized_expression":
            return self.value(parts(node)[0])
        if node.type == "object":
            return self.object(node)
        if node.type == "array":
            return Node([self.value(item) for item in parts(node)], *place_of(node))
        if node.type == "boolean":
            return Node(text(node) == "true", *place_of(node))
        if node.type == "number":
            return Node(int(text(node)) if text(node).lstrip("-").isdigit() else text(node), *place_of(node))
        if node.type == "string" and not any(item.type == "interpolation" for item in parts(node)):
            plain = key_of(node)
            return Node(f"[{plain}" if plain.startswith("[") else plain, *place_of(node))
        if node.type == "null":
            return Node(None, *place_of(node))
        if node.type == "for_statement":
            return Node({"copy": Node([self.loop("value", node)], *place_of(node))}, *place_of(node))
        try:
            return Node(f"[{translate(node, self.names)}]", *place_of(node))
        except NotTranslatedError as problem:
            return unknown_node(str(problem), node)

    def object(self, node: "SyntaxNode") -> Node:
        """An object; loops in it as `copy`."""
        members: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        loops: list[Node] = []
        for item in parts(node):
            pieces = parts(item)
            if item.type != "object_property" or len(pieces) != 2:
                if item.type != "object_property" or (pieces[:1] and pieces[0].type != "resource_declaration"):
                    self.undecided(item, f"{text(item)[:60]!r} in an object is not looked into")
                continue
            try:
                key = key_of(pieces[0])
            except NotTranslatedError as problem:
                self.undecided(item, str(problem))
                continue
            keys[key] = place_of(pieces[0])
            if pieces[1].type == "for_statement":
                loops.append(self.loop(key, pieces[1]))
            else:
                members[key] = self.value(pieces[1])
        if loops:
            members["copy"] = Node(loops, *place_of(node))
        return Node(members, *place_of(node), keys)


def unknown_node(reason: str, node: "SyntaxNode") -> Node:
    """A value that evaluates to unknown with this reason."""
    return Node(Unknown(reason), *place_of(node))
