"""Which names of a Python file hold clients of Key Vault libraries, as far as the file itself says it.

Names are taken file-wide: a name that holds different clients in different functions holds all of them, and the method
that is called decides. Assignments, annotations, returns, with blocks, containers, attributes, arguments of functions of
the same file, and clients behind a helper that takes the class are followed until nothing new is found.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from kvaudit.contracts.infer.clock import Clock
from kvaudit.contracts.infer.needs import Grade

CLIENTS = {
    "SecretClient": "secrets",
    "KeyClient": "keys",
    "CertificateClient": "certificates",
    "CryptographyClient": "crypto",
    "KeyVaultClient": "legacy",
}

Kinds = Mapping[str, Grade]
"""Kind of client -> how sure; empty for what is no client."""

_ROUNDS = 8
_OBJECTS = ("secrets", "keys", "certificates")
_THROUGH = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context", "cast", "closing", "aclosing"})
_FROM_CONTAINER = frozenset({"get", "pop", "setdefault", "values"})
_NAMED = re.compile(r"(secret|key(?!_?vault)|cert(?:ificate)?|crypto(?:graphy)?)s?_?client", re.IGNORECASE)
_KIND_OF_NAME = {"secret": "secrets", "key": "keys", "cert": "certificates", "certificate": "certificates"}


class Bindings:
    """What the names of a file hold.

    Args:
        tree: the parsed file.
        clock: how long it may take; there is a ValueError when it has ended.
    """

    def __init__(self, tree: ast.Module, clock: Clock) -> None:
        self.nodes = tuple(clock.each(ast.walk(tree)))
        self.imports = dict(_imports(self.nodes))
        self.uses_library = any(name.startswith("azure.keyvault") for name in self.imports.values()) or any(
            isinstance(node, ast.Constant | ast.alias) and str(_text_of(node)).startswith("azure.keyvault")
            for node in self.nodes
        )
        self.functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.setdefault(node.name, []).append(node)
        self._returned: dict[str, dict[str, Grade]] = {}
        self._held: dict[str, dict[str, Grade]] = {}
        for _ in range(_ROUNDS):
            if not _any(self._round(node) for node in clock.each(self.nodes)):
                break

    def class_of(self, node: ast.AST | None) -> tuple[str, Grade] | None:
        """The client class that an expression names, and how sure it is that it is the library's."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            kind = CLIENTS.get(node.value.rpartition(".")[2].strip("'\""))
            return (
                (kind, Grade.LIKELY)
                if kind and (node.value.startswith("azure.keyvault") or self.uses_library)
                else None
            )
        name = dotted(node)
        if name is None:
            return None
        head, _, rest = name.partition(".")
        full = ".".join(filter(None, [self.imports.get(head, head), rest]))
        kind = CLIENTS.get(full.rpartition(".")[2])
        if kind is None:
            return None
        if full.startswith("azure.keyvault"):
            return kind, Grade.CERTAIN
        return (kind, Grade.LIKELY) if head in self.imports else None

    def kinds(self, node: ast.AST | None) -> Kinds:
        """The clients that an expression may hold."""
        match node:
            case ast.Name(id=name):
                return self._held.get(name, {})
            case ast.Attribute(value=value, attr=name):
                return self._held.get(name, {}) or ({} if name != "value" else self.kinds(value))
            case ast.Await(value=value) | ast.Subscript(value=value) | ast.Starred(value=value):
                return self.kinds(value)
            case ast.NamedExpr(value=value) | ast.YieldFrom(value=value):
                return self.kinds(value)
            case ast.IfExp(body=one, orelse=other):
                return {**self.kinds(one), **self.kinds(other)}
            case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
                return self._all(values)
            case ast.Dict(values=values):
                return self._all(values)
            case ast.ListComp(elt=one) | ast.DictComp(value=one) | ast.Lambda(body=one):
                return self.kinds(one)
            case ast.Call():
                return self._kinds_of_call(node)
        return {}

    def _all(self, nodes: Iterable[ast.AST]) -> Kinds:
        found: dict[str, Grade] = {}
        for node in nodes:
            found.update(self.kinds(node))
        return found

    def _kinds_of_call(self, node: ast.Call) -> Kinds:
        named = self.class_of(node.func)
        if named:
            return {named[0]: named[1]}
        name = dotted(node.func) or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
        last = name.rpartition(".")[2]
        if last in self._returned:
            return self._returned[last]
        if last in _THROUGH:
            base = self.kinds(node.func.value) if isinstance(node.func, ast.Attribute) else {}
            return {**base, **self._all(node.args)}
        if isinstance(node.func, ast.Attribute):
            base = self.kinds(node.func.value)
            if last == "get_cryptography_client":
                return {"crypto": Grade.CERTAIN if base else Grade.LIKELY}
            if base and last in _FROM_CONTAINER:
                return base
        return self._kinds_of_helper(node, last)

    def _kinds_of_helper(self, node: ast.Call, name: str) -> Kinds:
        """A function of elsewhere that is given the class, or whose name or arguments say what it makes."""
        given = [
            found for item in (*node.args, *(word.value for word in node.keywords)) if (found := self.class_of(item))
        ]
        if given and name not in ("isinstance", "issubclass"):
            return {kind: Grade.LIKELY for kind, _ in given}
        said = _NAMED.search(name)
        if said:
            kind = _KIND_OF_NAME.get(said.group(1).casefold(), "crypto")
            return {kind: Grade.LIKELY}
        if any(word.arg == "vault_url" for word in node.keywords):
            return dict.fromkeys(_OBJECTS, Grade.LIKELY)
        return {}

    def _round(self, node: ast.AST) -> bool:
        """Follows one node; whether something new was learned."""
        match node:
            case ast.Assign(targets=targets, value=value):
                return _any(self._assign(target, value) for target in targets)
            case ast.NamedExpr(target=target, value=value) | ast.For(target=target, iter=value):
                return self._assign(target, value)
            case ast.AsyncFor(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                return self._assign(target, value)
            case ast.withitem(context_expr=value, optional_vars=target) if target is not None:
                return self._assign(target, value)
            case ast.AnnAssign(target=target, annotation=annotation, value=maybe):
                learned = self._hold(target, dict(self._annotated(annotation)))
                return (self._assign(target, maybe) if maybe else False) or learned
            case ast.arg(arg=name, annotation=annotation) if annotation is not None:
                return _add(self._held, name, dict(self._annotated(annotation)))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self._function(node)
            case ast.Call():
                return self._arguments(node)
        return False

    def _assign(self, target: ast.AST, value: ast.AST) -> bool:
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            return _any(self._assign(*pair) for pair in zip(target.elts, value.elts, strict=False))
        return self._hold(target, self.kinds(value))

    def _hold(self, target: ast.AST, kinds: Kinds) -> bool:
        match target:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return _add(self._held, name, kinds)
            case ast.Subscript(value=value):
                return self._hold(value, kinds)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return _any(self._hold(element, kinds) for element in elements)
        return False

    def _annotated(self, annotation: ast.AST | None) -> Iterator[tuple[str, Grade]]:
        for node in ast.walk(annotation) if annotation else ():
            found = self.class_of(node)
            if found:
                yield found[0], Grade.CERTAIN if found[1] is Grade.CERTAIN else Grade.LIKELY

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        kinds = dict(self._annotated(node.returns))
        for inner in own_nodes(node):
            if isinstance(inner, ast.Return | ast.Yield) and inner.value is not None:
                kinds.update(self.kinds(inner.value))
        learned = _add(self._returned, node.name, kinds)
        if any(
            dotted(item) in ("property", "cached_property", "functools.cached_property") for item in node.decorator_list
        ):
            learned = _add(self._held, node.name, kinds) or learned
        return learned

    def _arguments(self, node: ast.Call) -> bool:
        """Clients that are handed to functions of the same file."""
        name = (dotted(node.func) or "").rpartition(".")[2]
        learned = False
        for function in self.functions.get(name, ()):
            names = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
            names = names[1:] if names[:1] in (["self"], ["cls"]) else names
            for parameter, value in zip(names, node.args, strict=False):
                learned = _add(self._held, parameter, self.kinds(value)) or learned
            for word in node.keywords:
                if word.arg:
                    learned = _add(self._held, word.arg, self.kinds(word.value)) or learned
        return learned


def _text_of(node: ast.Constant | ast.alias) -> object:
    return node.name if isinstance(node, ast.alias) else node.value


def _any(steps: Iterable[bool]) -> bool:
    """Whether a step learned something, after all of them are taken: `any` stops at the first."""
    return sum(steps) > 0


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    pending = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def dotted(node: ast.AST | None) -> str | None:
    """`a.b.c` for names and attributes of names, else None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else None
    return None


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Local name -> full name, of imports anywhere in the file."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for item in node.names:
                yield (item.asname, item.name) if item.asname else (item.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                yield item.asname or item.name, f"{node.module or ''}.{item.name}"


def _add(table: dict[str, dict[str, Grade]], name: str, kinds: Kinds) -> bool:
    entries = table.setdefault(name, {}) if kinds else {}
    new = {kind: grade for kind, grade in kinds.items() if entries.get(kind) not in (grade, Grade.CERTAIN)}
    entries.update(new)
    return bool(new)
