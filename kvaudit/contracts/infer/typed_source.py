"""Needs of C#, TypeScript, JavaScript, Java and Go: calls of a library's methods on names that hold its clients.

Names are taken file-wide, as in Python. A name holds a client when its declared type, what it is given, or what the
function returns that it is given names one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kvaudit.contracts.infer import rest
from kvaudit.contracts.infer.catalogue import Asked, is_lazy, methods, telling_names, words
from kvaudit.contracts.infer.grammars import parse
from kvaudit.contracts.infer.needs import Grade, Need, in_order

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
    r"^\s*(?:import\s+)?(?:(\w+)\s+)?\"([^\"]*(?:/azsecrets|/azkeys|/azcertificates|/keyvault(?:/v?[\d.-]+)*/keyvault))\"",
    re.MULTILINE,
)
_LIBRARY = re.compile(
    r"Azure\.Security\.KeyVault|Microsoft\.Azure\.KeyVault|@azure/keyvault-|['\"]azure-keyvault['\"]"
    r"|com\.(?:microsoft\.)?azure\.(?:security\.)?keyvault|/azsecrets\"|/azkeys\"|/azcertificates\"|/keyvault/[^\"]*keyvault\""
)
_NAMES = frozenset({"identifier", "property_identifier", "field_identifier", "shorthand_property_identifier_pattern"})
_CALLS = frozenset({"invocation_expression", "call_expression", "method_invocation"})
_MEMBERS = frozenset({"member_access_expression", "member_expression", "field_access", "selector_expression"})
_FUNCTIONS = frozenset(
    {
        "method_declaration",
        "local_function_statement",
        "function_declaration",
        "method_definition",
        "function_definition",
    }
)
_HOLDERS = {
    "variable_declarator": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "assignment_statement": ("left", "right"),
    "short_var_declaration": ("left", "right"),
    "range_clause": ("left", "right"),
    "foreach_statement": ("left", "right"),
    "for_in_statement": ("left", "right"),
    "public_field_definition": ("name", "value"),
    "keyed_element": ("key", "value"),
    "pair": ("key", "value"),
}
_THROUGH = ("await_expression", "parenthesized_expression", "non_null_expression", "cast_expression", "as_expression",
            "element_access_expression", "subscript_expression", "index_expression", "expression_list", "unary_expression",
            "conditional_access_expression", "literal_element", "equals_value_clause")  # fmt: skip
DEEPEST = 1500
"""Levels of syntax. Generated sums of texts have hundreds; the time for what is nested grows with the square."""

_ROUNDS = 5
_NAMED = re.compile(r"(secret|key(?!_?vault)|cert(?:ificate)?|crypto(?:graphy)?)s?_?client$", re.IGNORECASE)
_KIND_OF_NAME = {"secret": "secrets", "key": "keys", "cert": "certificates", "certificate": "certificates"}
_PROVIDERS = frozenset({"AddAzureKeyVault", "AddAzureKeyVaultSecrets"})
_VERB = re.compile(r"HttpMethod\.(\w+)|['\"](GET|PUT|POST|PATCH|DELETE)['\"]|\bMethod(Get|Put|Post|Patch|Delete)\b")
_CONNECTS = re.compile(r"(?i)(get|put|post|patch|delete|fetch|axios|request|newrequest\w*|send|create|url|uri)")


def reader(language: str, grammar: str) -> Callable[[str, str], tuple[Need, ...]]:
    """What reads a file of a language, as `python_needs` does."""

    def needs(text: str, file: str) -> tuple[Need, ...]:
        try:
            return in_order(_Reader(parse(text, grammar), text, language, file).needs())
        except RecursionError as problem:
            raise ValueError("nested too deeply to be read") from problem

    return needs


class _Reader:
    def __init__(self, root: "SyntaxNode", text: str, language: str, file: str) -> None:
        self._language, self._file = language, file
        self._nodes = tuple(_walk(root))
        self._used = Counter(_text(node) for node in self._nodes if node.type in _NAMES)
        self._uses_library = bool(_LIBRARY.search(text))
        packages = {
            alias or path.rpartition("/")[2]: _GO_PACKAGE[path.rpartition("/")[2]]
            for alias, path in _GO_IMPORT.findall(text)
        }
        self._packages = packages if language == "go" else {}
        self._held: dict[str, set[str]] = {}
        self._returned: dict[str, set[str]] = {}
        self._own = {
            _text(name)
            for node in self._nodes
            if node.type in _FUNCTIONS and (name := node.child_by_field_name("name"))
        }
        for _ in range(_ROUNDS):
            if not sum(self._learn(node) for node in self._nodes):
                break
        vaults = {rest.vault_in(_text(node)) for node in self._nodes if "string" in node.type} - {None}
        self._vault = next(iter(vaults)) if len(vaults) == 1 else None

    def needs(self) -> Iterator[Need]:
        for node in self._nodes:
            if node.type in _CALLS:
                yield from self._call(node)
                yield from self._request(node)
            elif node.type in ("object_creation_expression", "new_expression"):
                yield from self._made(node)
                yield from self._request(node)

    def _need(self, asked: Asked, grade: Grade, node: "SyntaxNode", why: str) -> Need:
        line = node.start_point[0] + 1
        return Need(asked.operation, asked.word, grade, self._file, line, why, self._vault)

    def _made(self, node: "SyntaxNode") -> Iterator[Need]:
        """A crypto client, which fetches the key on its own."""
        if self._uses_library and "CryptographyClient" in _text(_first_field(node, "type", "constructor")):
            why = "CryptographyClient fetches the key first where it may"
            yield self._need(Asked("keys/get", "keys/get"), Grade.LIKELY, node, why)

    def _request(self, node: "SyntaxNode") -> Iterator[Need]:
        """A request whose address is literal where it counts."""
        arguments = node.child_by_field_name("arguments")
        name = _receiver_and_name(node)[1] or _text(_first_field(node, "type", "constructor"))
        if arguments is None or (not _CONNECTS.match(name.rpartition(".")[2]) and "Request" not in name):
            return
        for item in arguments.named_children:
            address = _literal(item)
            if not any(rest.asked_by(verb, address) for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")):
                continue
            said = _VERB.search(_text(arguments))
            method = next((word for word in said.groups() if word), "GET") if said else name.rpartition(".")[2]
            method = method if re.match(r"(?i)get|put|post|patch|delete", method) else "GET"
            asked = rest.asked_by(method, address)
            if asked:
                yield self._need(asked, Grade.LIKELY, node, f"{method.upper()} {address[:80]}")
            return

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
        if node.type in _NAMES:
            return self._held.get(_text(node), set())
        if node.type in _MEMBERS:
            return self._held.get(_text(_last(node)), set())
        if node.type in ("object_creation_expression", "new_expression"):
            kind = node.child_by_field_name("type") or node.child_by_field_name("constructor")
            return self._kinds_of_type(_text(kind)) if kind else set()
        if node.type in _CALLS:
            return self._kinds_of_call(node)
        if node.type in _THROUGH:
            return self._all(node.named_children[:2])
        return set()

    def _all(self, nodes: "Iterable[SyntaxNode]") -> set[str]:
        return {kind for node in nodes for kind in self._kinds(node)}

    def _kinds_of_call(self, node: "SyntaxNode") -> set[str]:
        receiver, name = _receiver_and_name(node)
        if name in ("GetCryptographyClient", "getCryptographyClient"):
            return {"crypto"}
        if name in self._returned:
            return self._returned[name]
        if self._language == "go":
            return self._kinds_of_type(_text(node).partition("(")[0])
        if self._language == "java" and name in ("buildClient", "buildAsyncClient"):
            return self._kinds_of_type(_text(node))
        return self._kinds(receiver) if name in ("GetValueOrDefault", "ConfigureAwait", "get", "GetOrAdd") else set()

    def _learn(self, node: "SyntaxNode") -> bool:
        """Follows one node; whether something new was learned."""
        learned = False
        if node.type in _HOLDERS:
            name, value = (node.child_by_field_name(field) for field in _HOLDERS[node.type])
            value = value or (node.named_children[-1] if len(node.named_children) > 1 else None)
            learned = self._hold(name or (node.named_children[0] if node.named_children else None), self._kinds(value))
        declared = node.child_by_field_name("type") or node.child_by_field_name("returns")
        if declared is not None and node.type not in (
            "object_creation_expression",
            "new_expression",
            "cast_expression",
        ):
            learned = self._declared(node, self._kinds_of_type(_text(declared))) or learned
        if node.type in _FUNCTIONS:
            result = _first_field(node, "return_type", "result", "returns", "type")
            name = node.child_by_field_name("name")
            if name is not None and result is not None:
                learned = _add(self._returned, _text(name), self._kinds_of_type(_text(result))) or learned
        if node.type == "return_statement":
            learned = self._returns(node) or learned
        return learned

    def _declared(self, node: "SyntaxNode", kinds: set[str]) -> bool:
        """Names of a declaration whose type is a client's."""
        if not kinds:
            return False
        if node.type in _FUNCTIONS:
            return _add(self._returned, _text(node.child_by_field_name("name")), kinds)
        learned = False
        for child in node.children:
            target = child if child.type in _NAMES else child.child_by_field_name("name")
            if target is not None and target.type in _NAMES and child != node.child_by_field_name("type"):
                learned = _add(self._held, _text(target), kinds) or learned
        return learned

    def _returns(self, node: "SyntaxNode") -> bool:
        kinds = self._all(node.named_children)
        above: SyntaxNode | None = node if kinds else None
        while above is not None and above.type not in _FUNCTIONS:
            above = above.parent
        name = above.child_by_field_name("name") if above is not None else None
        return name is not None and _add(self._returned, _text(name), kinds)

    def _hold(self, target: "SyntaxNode | None", kinds: set[str]) -> bool:
        if target is None or not kinds:
            return False
        if target.type in _NAMES:
            return _add(self._held, _text(target), kinds)
        if target.type in _MEMBERS:
            return _add(self._held, _text(_last(target)), kinds)
        if target.type in ("expression_list", "subscript_expression", "element_access_expression", "literal_element"):
            return self._hold(target.named_children[0], kinds)
        return False

    def _call(self, node: "SyntaxNode") -> Iterator[Need]:
        receiver, name = _receiver_and_name(node)
        plain = re.sub(r"(?:WithHttpMessages)?Async$|WithResponse$", "", name)
        if receiver is None or (is_lazy(plain) and self._is_never_used(node)):
            return
        if name in _PROVIDERS:
            for operation in ("secrets/get", "secrets/list"):
                yield self._need(Asked(operation, operation), Grade.LIKELY, node, f"{name} reads every secret")
        grade = Grade.CERTAIN if self._uses_library else Grade.LIKELY
        kinds = self._kinds(receiver)
        if not kinds and self._uses_library:
            kinds, grade = self._guessed(receiver, plain), Grade.LIKELY
        for kind in sorted(kinds):
            for asked in methods(self._language)[kind].get(plain, ()):
                why = f"{' '.join(_text(receiver).split())[:60]}.{name}()"
                yield self._need(asked, grade, node, why)
                if asked.operation == "certificates/create" and re.match("(?i)start|begin", plain):
                    operation = "certificates/getOperation"
                    why = f"the poller of {plain} asks how far it is"
                    yield self._need(Asked(operation, words()[operation]), Grade.LIKELY, node, why)

    def _is_never_used(self, call: "SyntaxNode") -> bool:
        """Whether a pager is thrown away, or kept under a name that stands nowhere else."""
        above = call.parent
        while above is not None and above.type in ("equals_value_clause", "expression_list"):
            above = above.parent
        if above is None or above.type not in ("variable_declarator", "short_var_declaration"):
            return above is not None and above.type == "expression_statement"
        inner = above.parent
        outer = inner.parent if inner else None
        name = above.child_by_field_name(_HOLDERS[above.type][0])
        declared = {node.type for node in (inner, outer) if node is not None}
        is_seen_elsewhere = bool(declared & {"export_statement", "field_declaration"})
        return not is_seen_elsewhere and name is not None and self._used[_text(name)] == 1

    def _guessed(self, receiver: "SyntaxNode", method: str) -> set[str]:
        """What a name of elsewhere holds, by the name itself or by a method that only these libraries have."""
        name = _text(_last(receiver))
        said = _NAMED.search(name)
        if said:
            return {_KIND_OF_NAME.get(said.group(1).casefold(), "crypto")}
        if self._packages and name.casefold().endswith("client"):
            return set(self._packages.values())
        telling = method in telling_names(self._language) - self._own
        return {"secrets", "keys", "certificates"} if telling else set()


def _receiver_and_name(node: "SyntaxNode") -> "tuple[SyntaxNode | None, str]":
    """What a method is called on, None for a plain function; and its name."""
    if node.type == "method_invocation":
        return node.child_by_field_name("object"), _text(node.child_by_field_name("name"))
    function = node.child_by_field_name("function")
    if function is not None and function.type in _MEMBERS:
        inner = function.child_by_field_name("expression") or function.child_by_field_name("object")
        return inner or function.child_by_field_name("operand"), _text(_last(function))
    if function is not None and function.type == "conditional_access_expression":
        return function.named_children[0], _text(function.named_children[-1]).lstrip(".")
    return None, _text(function) if function is not None else ""


def _literal(node: "SyntaxNode") -> str:
    """The text of an expression, with `{}` for what is not literal."""
    if node.type in ("binary_expression", "argument", "parenthesized_expression"):
        return "".join(_literal(child) for child in node.named_children)
    if node.type in ("interpolated_string_expression", "template_string"):
        return re.sub(r"\$?\{[^{}]*\}", "{}", _text(node).strip('$@`"'))
    if "string" in node.type:
        return re.sub(r"\{\w*\}|%[sv]", "{}", _text(node).strip("@'\"`"))
    if node.type in _CALLS:
        arguments = node.child_by_field_name("arguments")
        if arguments is not None and re.search(r"(?i)format$|sprintf$|create$", _receiver_and_name(node)[1]):
            return _literal(arguments.named_children[0]) if arguments.named_children else "{}"
    return "{}"


def _last(node: "SyntaxNode") -> "SyntaxNode":
    """The name after the last dot."""
    return _first_field(node, "name", "property", "field") or node


def _first_field(node: "SyntaxNode", *fields: str) -> "SyntaxNode | None":
    return next((found for field in fields if (found := node.child_by_field_name(field))), None)


def _text(node: "SyntaxNode | None") -> str:
    return str(node.text.decode(errors="replace")) if node is not None and node.text is not None else ""


def _walk(root: "SyntaxNode") -> "Iterator[SyntaxNode]":
    pending = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > DEEPEST:
            raise ValueError("nested too deeply to be read")
        yield node
        pending += [(child, depth + 1) for child in reversed(node.children)]


def _add(table: dict[str, set[str]], name: str, kinds: set[str]) -> bool:
    known = table.setdefault(name, set()) if kinds else set()
    new = kinds - known
    known |= new
    return bool(new)
