"""Needs of C#, TypeScript, JavaScript, Java and Go: calls of a library's methods on names that hold its clients.

Names are taken file-wide, as in Python. A name holds a client when its declared type, what it is given, or what the
function returns that it is given names one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

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
from kvaudit.contracts.infer.needs import Grade, Need, in_order
from kvaudit.contracts.infer.typed_syntax import (
    CALLS,
    FUNCTIONS,
    HOLDERS,
    MADE,
    MEMBERS,
    NAMES,
    Syntax,
    first_field,
    last,
    made_type,
    sides,
)

if TYPE_CHECKING:
    from tree_sitter import Node as SyntaxNode

_KIND_OF_TYPE = {
    "Secret": "secrets",
    "Key": "keys",
    "Certificate": "certificates",
    "Cryptography": "crypto",
    "KeyVault": "legacy",
    "KeyEncryptionKey": "crypto",
}
_TYPE = re.compile(r"\bI?(Secret|Key|Certificate|Cryptography|KeyVault|KeyEncryptionKey)(?:Async)?Client(?:Builder)?\b")
_GO_PACKAGE = {"azsecrets": "secrets", "azkeys": "keys", "azcertificates": "certificates", "keyvault": "legacy"}
_GO_IMPORT = re.compile(
    r"^[ \t]*+(?:import[ \t]++)?(?:(\w++)[ \t]++)?\"([^\"\n]{0,200}(?:/azsecrets|/azkeys|/azcertificates|/keyvault(?:/v?[\d.-]+)*/keyvault))\"",
    re.MULTILINE,
)
_LIBRARY = re.compile(
    r"Azure\.Security\.KeyVault|Microsoft\.Azure\.KeyVault|@azure/keyvault-|['\"]azure-keyvault['\"]"
    r"|com\.(?:microsoft\.)?azure\.(?:security\.)?keyvault|/azsecrets\"|/azkeys\"|/azcertificates\"|/keyvault/[^\"\n]{0,200}keyvault\""
)
_THROUGH = ("await_expression", "parenthesized_expression", "non_null_expression", "cast_expression", "as_expression",
            "element_access_expression", "subscript_expression", "index_expression", "expression_list", "unary_expression",
            "conditional_access_expression", "literal_element", "equals_value_clause")  # fmt: skip
_ROUNDS = 5
_NAMED = re.compile(r"(secret|key(?!_?vault)|cert(?:ificate)?|crypto(?:graphy)?)s?_?client$", re.IGNORECASE)
_KIND_OF_NAME = {"secret": "secrets", "key": "keys", "cert": "certificates", "certificate": "certificates"}
_PROVIDERS = frozenset({"AddAzureKeyVault", "AddAzureKeyVaultSecrets"})
_OPERATION = re.compile(r"(?:GetCertificateOperation|StartCreateCertificate)(?:Async)?$")
_VERB = re.compile(r"HttpMethod\.(\w+)|['\"](GET|PUT|POST|PATCH|DELETE)['\"]|\bMethod(Get|Put|Post|Patch|Delete)\b")
_MENTIONED = re.compile(r"key_?vault", re.IGNORECASE)
_OBJECTS = ("secrets", "keys", "certificates")
_ITSELF = frozenset({"this", "this_expression", "base_expression", "super"})
_HOLDS = frozenset({"Value", "value", "Result", "Current"})
"""Properties through which something is had that holds a client: a lazy one, a task, an iterator."""

_IS_ADDRESS = re.compile(r"(?i)(?:^|\.)(?:ur[il]|create)$")
"""What makes an address and sends nothing: taken for a request only where no request to that address is seen."""

_CONNECTS = re.compile(
    r"(?i)(get|put|post|patch|delete|fetch|axios|request|newrequest\w*|newbuilder|send|create|url|uri)"
)


def reader(language: str, grammar: str) -> Callable[[str, str], tuple[Need, ...]]:
    """What reads a file of a language, as `python_needs` does."""

    def needs(text: str, file: str) -> tuple[Need, ...]:
        if not may_ask(text):
            return ()
        try:
            return in_order(_Reader(Syntax(text, grammar), text, language, file).needs())
        except RecursionError as problem:
            raise ValueError("nested too deeply to be read") from problem

    return needs


class _Reader:
    def __init__(self, syntax: Syntax, text: str, language: str, file: str) -> None:
        self._language, self._file, self._syntax = language, file, syntax
        nodes = tuple(syntax.each(syntax.nodes))
        self._used = Counter(syntax.text(node) for node in syntax.each(nodes) if node.type in NAMES)
        self._uses_library = bool(_LIBRARY.search(text))
        self._mentions = self._uses_library or bool(_MENTIONED.search(text))
        packages = {
            alias or path.rpartition("/")[2]: _GO_PACKAGE[path.rpartition("/")[2]]
            for alias, path in _GO_IMPORT.findall(text)
        }
        self._packages = packages if language == "go" else {}
        self._sent: set[str] = set()
        self._addresses: list[tuple[str, Need]] = []
        self._held: dict[str, set[str]] = {}
        self._returned: dict[str, set[str]] = {}
        self._own = {
            syntax.text(name) for node in nodes if node.type in FUNCTIONS and (name := node.child_by_field_name("name"))
        }
        teaching = [node for node in syntax.each(nodes) if _may_teach(node)]
        for _ in range(_ROUNDS):
            if not sum(self._learn(node) for node in syntax.each(teaching)):
                break
        texts = (syntax.text(node) for node in syntax.each(nodes) if "string" in node.type)
        vaults = {rest.vault_in(text) for text in texts} - {None}
        self._vault = next(iter(vaults)) if len(vaults) == 1 else None

    def needs(self) -> Iterator[Need]:
        """What the file asks for, in no order. Raises ValueError when there is no time left."""
        for node in self._syntax.each(self._syntax.nodes):
            if node.type in CALLS:
                yield from self._call(node)
                yield from self._request(node)
            elif node.type in MADE:
                yield from self._made(node)
                yield from self._request(node)
            elif node.type in MEMBERS or node.type == "method_reference":
                yield from self._handed_on(node)
        yield from (need for address, need in self._addresses if address not in self._sent)

    def _need(self, asked: Asked, grade: Grade, node: "SyntaxNode", why: str, name: str | None = None) -> Need:
        line = node.start_point[0] + 1
        return Need(asked.operation, asked.word, grade, self._file, line, why, self._vault, name)

    def _made(self, node: "SyntaxNode") -> Iterator[Need]:
        """A crypto client, which fetches the key on its own."""
        if self._uses_library and "CryptographyClient" in self._syntax.text(made_type(node)):
            why = "CryptographyClient fetches the key first where it may"
            yield self._need(Asked("keys/get", "keys/get"), Grade.LIKELY, node, why)

    def _request(self, node: "SyntaxNode") -> Iterator[Need]:
        """A request whose address is literal where it counts."""
        arguments = node.child_by_field_name("arguments")
        name = self._syntax.receiver_and_name(node)[1] or self._syntax.text(made_type(node))
        if arguments is None or (not _CONNECTS.match(name.rpartition(".")[2]) and "Request" not in name):
            return
        for item in arguments.named_children:
            address = self._syntax.literal(item, node)
            if not any(rest.asked_by(verb, address) for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")):
                continue
            said = _VERB.search(self._syntax.text(arguments))
            method = next((word for word in said.groups() if word), "GET") if said else name.rpartition(".")[2]
            chained = self._verb_of_chain(node)
            method = chained or method
            method = method if re.match(r"(?i)get|put|post|patch|delete", method) else "GET"
            asked = rest.asked_by(method, address)
            why, is_one = f"{method.upper()} {address[:80]}", _IS_ADDRESS.search(name) and not chained
            need = self._need(asked, Grade.LIKELY, node, why, rest.object_in(address)) if asked else None
            if need and is_one:
                self._addresses.append((address, need))
            elif need:
                self._sent.add(address)
                yield need
            return

    def _verb_of_chain(self, node: "SyntaxNode") -> str | None:
        """The method that a builder of requests is told after the address, as Java's is."""
        above = self._syntax.parent(node)
        while above is not None and above.type in ("method_invocation", "argument_list"):
            name = self._syntax.text(above.child_by_field_name("name"))
            if name in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                return name
            above = self._syntax.parent(above)
        return None

    def _handed_on(self, node: "SyntaxNode") -> Iterator[Need]:
        """A method of a client that is handed on to be called."""
        above = self._syntax.parent(node)
        while above is not None and above.type == "argument":
            above = self._syntax.parent(above)
        if node.type == "method_reference":
            receiver, name = node.named_children[0], self._syntax.text(node.named_children[-1])
        elif above is not None and above.type in ("argument_list", "arguments"):
            receiver, name = self._inner(node) or node, self._syntax.text(last(node))
        else:
            return
        plain = _plain(name)
        for kind in sorted(self._kinds(receiver)):
            for asked in methods(self._language)[kind].get(plain, ()):
                grade = Grade.CERTAIN if self._uses_library else Grade.LIKELY
                yield self._need(asked, grade, node, " ".join(self._syntax.text(node).split())[:80])

    def _kinds_of_type(self, text: str) -> set[str]:
        if self._language == "go":
            return {
                kind
                for package, kind in self._packages.items()
                if re.search(rf"\b{re.escape(package)}\.(?:Base)?Client\b|\b{re.escape(package)}\.New\w*\b", text)
            }
        return {_KIND_OF_TYPE[name] for name in _TYPE.findall(text)}

    def _kinds(self, node: "SyntaxNode | None") -> set[str]:
        """The clients that an expression may hold."""
        if node is None:
            return set()
        if node.type in NAMES:
            return self._held.get(self._syntax.text(node), set())
        if node.type in MEMBERS:
            name = self._syntax.text(last(node))
            return self._held.get(name) or (self._kinds(self._inner(node)) if name in _HOLDS else set())
        if node.type in MADE:
            kind = node.child_by_field_name("type") or node.child_by_field_name("constructor")
            return self._kinds_of_type(self._syntax.text(kind)) if kind else set()
        if node.type in CALLS:
            return self._kinds_of_call(node)
        if node.type in _THROUGH:
            return self._all(node.named_children[:2])
        return set()

    def _all(self, nodes: "Iterable[SyntaxNode]") -> set[str]:
        return {kind for node in nodes for kind in self._kinds(node)}

    def _inner(self, member: "SyntaxNode") -> "SyntaxNode | None":
        """What stands before the last dot."""
        return first_field(member, "expression", "object", "operand")

    def _kinds_of_call(self, node: "SyntaxNode") -> set[str]:
        receiver, name = self._syntax.receiver_and_name(node)
        if name in ("GetCryptographyClient", "getCryptographyClient"):
            return {"crypto"}
        if self._language == "csharp" and _OPERATION.match(name):
            return {"operation"}
        if name in self._returned:
            return self._returned[name]
        if self._language == "go":
            return self._kinds_of_type(self._syntax.text(node).partition("(")[0])
        if self._language == "java" and name in ("buildClient", "buildAsyncClient"):
            return self._kinds_of_type(self._syntax.text(node))
        return self._kinds(receiver) if name in ("GetValueOrDefault", "ConfigureAwait", "get", "GetOrAdd") else set()

    def _learn(self, node: "SyntaxNode") -> bool:
        """Follows one node; whether something new was learned."""
        learned = False
        if node.type in HOLDERS:
            name, value = sides(node)
            learned = self._hold(name, self._kinds(value))
        declared = node.child_by_field_name("type") or node.child_by_field_name("returns")
        if declared is not None and node.type not in (*MADE, "cast_expression"):
            learned = self._declared(node, self._kinds_of_type(self._syntax.text(declared))) or learned
        if node.type in FUNCTIONS:
            result = first_field(node, "return_type", "result", "returns", "type")
            name = node.child_by_field_name("name")
            if name is not None and result is not None:
                learned = (
                    _add(self._returned, self._syntax.text(name), self._kinds_of_type(self._syntax.text(result)))
                    or learned
                )
        if node.type == "return_statement":
            learned = self._returns(node) or learned
        return learned

    def _declared(self, node: "SyntaxNode", kinds: set[str]) -> bool:
        """Names of a declaration whose type is a client's."""
        if not kinds:
            return False
        if node.type in FUNCTIONS:
            return _add(self._returned, self._syntax.text(node.child_by_field_name("name")), kinds)
        learned = False
        for child in node.children:
            target = child if child.type in NAMES else child.child_by_field_name("name")
            if target is not None and target.type in NAMES and child != node.child_by_field_name("type"):
                learned = _add(self._held, self._syntax.text(target), kinds) or learned
        return learned

    def _returns(self, node: "SyntaxNode") -> bool:
        kinds = self._all(node.named_children)
        above = self._syntax.function_above(node) if kinds else None
        name = above.child_by_field_name("name") if above is not None else None
        return name is not None and _add(self._returned, self._syntax.text(name), kinds)

    def _hold(self, target: "SyntaxNode | None", kinds: set[str]) -> bool:
        if target is None or not kinds:
            return False
        if target.type in NAMES:
            return _add(self._held, self._syntax.text(target), kinds)
        if target.type in MEMBERS:
            return _add(self._held, self._syntax.text(last(target)), kinds)
        if target.type in ("expression_list", "subscript_expression", "element_access_expression", "literal_element"):
            return self._hold(target.named_children[0], kinds)
        return False

    def _call(self, node: "SyntaxNode") -> Iterator[Need]:
        receiver, name = self._syntax.receiver_and_name(node)
        plain = _plain(name)
        if receiver is None or (is_lazy(plain) and self._is_never_used(node)):
            return
        if name in _PROVIDERS:
            for operation in ("secrets/get", "secrets/list"):
                yield self._need(Asked(operation, operation), Grade.LIKELY, node, f"{name} reads every secret")
        grade = Grade.CERTAIN if self._uses_library else Grade.LIKELY
        kinds = self._kinds(receiver)
        is_library = bool(kinds) and self._uses_library
        if not kinds and self._uses_library:
            kinds, grade = self._guessed(receiver, plain), Grade.LIKELY
        if not kinds and self._mentions and plain not in self._own and receiver.type not in _ITSELF:
            kinds, grade = set(_OBJECTS), Grade.NAME_ONLY
        for kind in sorted(kinds):
            for asked in methods(self._language)[kind].get(plain, ()):
                why = f"{' '.join(self._syntax.text(receiver).split())[:60]}.{name}()"
                yield self._need(asked, grade, node, why, self._object(node, kind, asked) if is_library else None)
                if asked.operation == "certificates/create" and re.match("(?i)start|begin", plain):
                    operation = "certificates/getOperation"
                    why = f"the poller of {plain} asks how far it is"
                    yield self._need(Asked(operation, words()[operation]), Grade.LIKELY, node, why)

    def _is_never_used(self, call: "SyntaxNode") -> bool:
        """Whether a pager is thrown away, or kept under a name that stands nowhere else."""
        above = self._syntax.parent(call)
        while above is not None and above.type in ("equals_value_clause", "expression_list"):
            above = self._syntax.parent(above)
        if above is None or above.type not in ("variable_declarator", "short_var_declaration"):
            return above is not None and above.type == "expression_statement"
        inner = self._syntax.parent(above)
        outer = self._syntax.parent(inner)
        name = above.child_by_field_name(HOLDERS[above.type][0])
        declared = {node.type for node in (inner, outer) if node is not None}
        is_seen_elsewhere = bool(declared & {"export_statement", "field_declaration"})
        return not is_seen_elsewhere and name is not None and self._used[self._syntax.text(name)] == 1

    def _guessed(self, receiver: "SyntaxNode", method: str) -> set[str]:
        """What a name of elsewhere holds, by the name itself or by a method that only these libraries have."""
        name = self._syntax.text(last(receiver))
        said = _NAMED.search(name)
        if said:
            return {_KIND_OF_NAME.get(said.group(1).casefold(), "crypto")}
        if self._packages and name.casefold().endswith("client"):
            return set(self._packages.values())
        telling = method in telling_names(self._language) - self._own
        return set(_OBJECTS) if telling else set()

    def _object(self, call: "SyntaxNode", kind: str, asked: Asked) -> str | None:
        """The literal name of the secret, key or certificate that a call is about; never another argument of it."""
        arguments = call.child_by_field_name("arguments")
        at = name_argument(self._language, kind, asked.operation)
        if arguments is None or at is None:
            return None
        given = [item for item in arguments.named_children if item.type != "comment"]
        if at >= len(given) or any(item.child_by_field_name("name") for item in given[: at + 1]):
            return None
        return object_name(self._syntax.literal(given[at], call))


def _plain(method: str) -> str:
    """The name of a method without what says how it is called or answers."""
    return re.sub(r"(?:WithHttpMessages)?Async$|WithResponse$", "", method)


def _may_teach(node: "SyntaxNode") -> bool:
    """Whether a node can say that a name holds something."""
    return (
        node.type in HOLDERS
        or node.type in FUNCTIONS
        or node.type == "return_statement"
        or first_field(node, "type", "returns") is not None
    )


def _add(table: dict[str, set[str]], name: str, kinds: set[str]) -> bool:
    known = table.setdefault(name, set()) if kinds else set()
    new = kinds - known
    known |= new
    return bool(new)
