"""Needs of Python code: calls on clients, methods that are handed on or named, and raw requests."""

import ast
import re
from collections.abc import Iterator

from kvaudit.contracts.infer import rest
from kvaudit.contracts.infer.catalogue import (
    Asked,
    is_lazy,
    may_ask,
    methods,
    name_argument,
    object_name,
    telling_names,
    words,
)
from kvaudit.contracts.infer.clock import Clock
from kvaudit.contracts.infer.needs import Grade, Need, in_order
from kvaudit.contracts.infer.python_bindings import Bindings, dotted

_HTTP_METHODS = frozenset({"get", "put", "post", "patch", "delete", "request"})
LARGEST_PYTHON = 768 * 1024
"""Characters. Python's own parser, which cannot be stopped, takes about two seconds for twice as many where lines are dense."""

_LONGEST = 2_000
"""Characters of a text that is kept under a name. An address is shorter."""

_MENTIONED = re.compile(r"key_?vault", re.IGNORECASE)


def python_needs(text: str, file: str) -> tuple[Need, ...]:
    """The needs of a source file.

    Raises:
        ValueError: the file is not Python of this version, with the place.
    """
    if not may_ask(text):
        return ()
    if len(text) > LARGEST_PYTHON:
        raise ValueError(f"larger than {LARGEST_PYTHON // 1024} KB: not looked into")
    try:
        tree = ast.parse(text)
        return in_order(_Reader(tree, text, file).needs())
    except SyntaxError as problem:
        raise ValueError(f"line {problem.lineno}: {problem.msg}") from problem
    except (RecursionError, MemoryError) as problem:
        raise ValueError("nested too deeply to be read") from problem


def _shown(node: ast.Attribute) -> str:
    """A method and what it is called on; text of deep expressions is not put together."""
    return f"{dotted(node.value) or '…'}.{node.attr}"[-80:]


class _Reader:
    def __init__(self, tree: ast.Module, text: str, file: str) -> None:
        self._file = file
        self._clock = clock = Clock()
        self._bindings = Bindings(tree, clock)
        self._mentions = self._bindings.uses_library or bool(_MENTIONED.search(text))
        self._parents = {child: node for node in self._bindings.nodes for child in ast.iter_child_nodes(node)}
        self._vault = self._only_vault()
        self._scopes = self._scopes_of_nodes()
        self._given = self._texts_given()
        self._read = self._names_read()
        self._known_texts: dict[ast.Assign, str] = {}

    def needs(self) -> Iterator[Need]:
        for node in self._clock.each(self._bindings.nodes):
            match node:
                case ast.Attribute(ctx=ast.Load()):
                    yield from self._attribute(node)
                case ast.Call():
                    yield from self._call(node)
                case ast.Constant(value=str(text)) if self._bindings.uses_library and not self._is_text_alone(node):
                    yield from self._named(node, text)

    def _only_vault(self) -> str | None:
        """The vault of the only literal address in the file; addresses in docstrings are examples."""
        found = {
            rest.vault_in(node.value)
            for node in self._bindings.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not self._is_text_alone(node)
        } - {None}
        return next(iter(found)) if len(found) == 1 else None

    def _is_text_alone(self, node: ast.AST) -> bool:
        return isinstance(self._parents.get(node), ast.Expr)

    def _need(self, asked: Asked, grade: Grade, node: ast.AST, why: str, name: str | None = None) -> Need:
        line = getattr(node, "lineno", 1)
        return Need(asked.operation, asked.word, grade, self._file, line, why, self._vault, name)

    def _object(self, call: ast.Call | None, kind: str, asked: Asked) -> str | None:
        """The literal name of the secret, key or certificate that a call is about; never another argument of it."""
        at = name_argument("python", kind, asked.operation)
        if call is None or at is None:
            return None
        words_of_name = ("name", f"{asked.operation.partition('/')[0][:-1]}_name")
        named = [word.value for word in call.keywords if word.arg in words_of_name]
        given = named or call.args[at : at + 1]
        if not given or any(isinstance(item, ast.Starred) for item in call.args[: at + 1]):
            return None
        return object_name(self._literal(given[0], call))

    def _attribute(self, node: ast.Attribute) -> Iterator[Need]:
        """A method of a client, whether it is called here or handed on to be called."""
        parent = self._parents.get(node)
        call = parent if isinstance(parent, ast.Call) and parent.func is node else None
        if call is not None and is_lazy(node.attr) and self._is_never_used(call):
            return
        kinds = self._bindings.kinds(node.value)
        known = False
        for kind, grade in kinds.items():
            for asked in methods("python")[kind].get(node.attr, ()):
                known = True
                yield self._need(asked, grade, node, f"{_shown(node)}()", self._object(call, kind, asked))
        if known or call is None:
            yield from self._polls(node.attr, node) if known else ()
            return
        yield from self._guessed(node, kinds_known=bool(kinds))

    def _polls(self, method: str, node: ast.AST) -> Iterator[Need]:
        """Making a certificate takes a while; the poller asks for the operation until it is done."""
        if method in ("begin_create_certificate", "create_certificate"):
            asked = Asked("certificates/getOperation", words()["certificates/getOperation"])
            yield self._need(asked, Grade.LIKELY, node, f"the poller of {method} asks how far it is")

    def _guessed(self, node: ast.Attribute, *, kinds_known: bool) -> Iterator[Need]:
        """A method of the name on something that the file does not make known."""
        base = dotted(node.value)
        if kinds_known or not self._mentions or node.attr in self._bindings.functions:
            return
        if base in ("self", "cls", "super") or (base or "").partition(".")[0] in self._foreign():
            return
        grade = Grade.LIKELY if node.attr in telling_names("python") else Grade.NAME_ONLY
        if grade is Grade.LIKELY and not self._bindings.uses_library:
            grade = Grade.NAME_ONLY
        for kind in ("secrets", "keys", "certificates"):
            for asked in methods("python")[kind].get(node.attr, ()):
                yield self._need(asked, grade, node, f"{_shown(node)}()")

    def _foreign(self) -> set[str]:
        """Local names of imports that are of another library."""
        return {local for local, full in self._bindings.imports.items() if not _MENTIONED.search(full)}

    def _is_never_used(self, call: ast.Call) -> bool:
        """Whether a pager is thrown away, or kept under a name that nobody reads."""
        parent = self._parents.get(call)
        if isinstance(parent, ast.Expr):
            return True
        if not (
            isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name)
        ):
            return False
        name, scope = parent.targets[0].id, self._scope(call)
        return (scope, name) not in self._read

    def _scope(self, node: ast.AST) -> ast.AST:
        return self._scopes[node]

    def _scopes_of_nodes(self) -> dict[ast.AST, ast.AST]:
        """Node -> the function, or the module, that it stands in; a function stands in itself. Nodes come
        after their parents, except marks such as `Load`, which are shared and of no interest.
        """
        found: dict[ast.AST, ast.AST] = {}
        for node in self._bindings.nodes:
            is_own = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module)
            found[node] = node if is_own else found.get(self._parents[node], self._bindings.nodes[0])
        return found

    def _names_read(self) -> set[tuple[ast.AST, str]]:
        """Scope and name of what is read there or in a function inside it."""
        found: set[tuple[ast.AST, str]] = set()
        for node in self._bindings.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                scope: ast.AST | None = self._scopes[node]
                while scope is not None and (scope, node.id) not in found:
                    found.add((scope, node.id))
                    above = self._parents.get(scope)
                    scope = self._scopes[above] if above is not None else None
        return found

    def _call(self, node: ast.Call) -> Iterator[Need]:
        found = self._bindings.class_of(node.func)
        if found and found[0] == "crypto":
            why = "CryptographyClient fetches the key first where it may"
            yield self._need(Asked("keys/get", "keys/get"), Grade.LIKELY, node, why)
        name = (dotted(node.func) or "").rpartition(".")[2]
        if name == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            for kind, grade in self._bindings.kinds(node.args[0]).items():
                for asked in methods("python")[kind].get(str(node.args[1].value), ()):
                    yield self._need(asked, grade, node, f"getattr {node.args[1].value!r}")
        full = self._bindings.imports.get((dotted(node.func) or "").partition(".")[0], "")
        if full.startswith("azure.appconfiguration.provider") and any(
            (word.arg or "").startswith(("keyvault_", "key_vault_")) for word in node.keywords
        ):
            yield self._need(
                Asked("secrets/get", "secrets/get"), Grade.LIKELY, node, "App Configuration follows references"
            )
        if isinstance(node.func, ast.Attribute) and node.func.attr in _HTTP_METHODS:
            yield from self._request(node, node.func.attr)

    def _request(self, node: ast.Call, method: str) -> Iterator[Need]:
        """A request whose address is literal where it counts, or held by a name that is literal."""
        arguments = [*node.args, *(word.value for word in node.keywords if word.arg in ("url", "method"))]
        if method == "request":
            method = next((str(item.value) for item in arguments if isinstance(item, ast.Constant)), "get")
        for item in arguments:
            asked = rest.asked_by(method, self._literal(item, node))
            if asked:
                address = self._literal(item, node)
                why = f"{method.upper()} {address[:80]}"
                yield self._need(asked, Grade.LIKELY, node, why, rest.object_in(address))
                return

    def _literal(self, node: ast.AST, at: ast.AST) -> str:
        """The text of an expression, with `{}` for what is not literal."""
        match node:
            case ast.Constant(value=str(text)):
                return re.sub(r"\{\w*\}|%s", "{}", text)
            case ast.JoinedStr(values=values):
                return "".join(self._literal(item, at) for item in values)
            case ast.FormattedValue(value=ast.Name(id=name)):
                return self._literal_of_name(name, at)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._literal(left, at) + self._literal(right, at)
            case ast.BinOp(left=left, op=ast.Mod()):
                return self._literal(left, at)
            case ast.Call(func=ast.Attribute(value=value, attr="format")):
                return self._literal(value, at)
            case ast.Name(id=name):
                return self._literal_of_name(name, at)
        return "{}"

    def _literal_of_name(self, name: str, at: ast.AST) -> str:
        """The text last given to a name above a line of the same function, else by the only constant of the file."""
        place = getattr(at, "lineno", 0)
        scope = self._scope(at)
        above = [node for node in self._given.get((scope, name), ()) if node.lineno < place]
        if above:
            return self._text_of(above[-1])
        outer = self._given.get((self._bindings.nodes[0], name), ())
        return self._text_of(outer[0]) if len(outer) == 1 else "{}"

    def _text_of(self, given: ast.Assign) -> str:
        """Each is put together once: names that are made of each other would else take for ever."""
        if given not in self._known_texts:
            self._known_texts[given] = "{}"
            self._known_texts[given] = self._literal(given.value, given)[:_LONGEST]
        return self._known_texts[given]

    def _texts_given(self) -> dict[tuple[ast.AST, str], list[ast.Assign]]:
        """Scope and name -> what gives it a text, in the order of lines."""
        found: dict[tuple[ast.AST, str], list[ast.Assign]] = {}
        for node in self._bindings.nodes:
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Name):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.setdefault((self._scope(node), target.id), []).append(node)
        for given in found.values():
            given.sort(key=lambda node: node.lineno)
        return found

    def _named(self, node: ast.Constant, text: str) -> Iterator[Need]:
        """A telling method that is named in a string, to be called through it."""
        parent = self._parents.get(node)
        if text in telling_names("python") and not (isinstance(parent, ast.Call) and dotted(parent.func) == "getattr"):
            for kind in ("secrets", "keys", "certificates"):
                for asked in methods("python")[kind].get(text, ()):
                    yield self._need(asked, Grade.LIKELY, node, f"the method {text} is named in a string")
