"""Values of secrets that stand in a template as plain text, and outputs that show what is secret.

Nothing here keeps a value: what is answered says where it stands, and why everybody can read it.
"""

import re
from collections.abc import Iterator
from typing import Any

from kvaudit.sources.located import Node
from kvaudit.templates.arm_expressions import is_expression
from kvaudit.templates.declarations import Language, OutputDeclaration, SecureValue

_LONGEST_MARK = 400
"""Characters. Longer texts are none."""

DEEPEST_TEMPLATE = 8
"""Templates inside templates, as `arm_resources` follows them."""

_NONE = Node({}, 0, 0)
_SECURE = ("securestring", "secureobject")
_PARAMETER = re.compile(r"parameters\(\s*'([^']+)'\s*\)", re.IGNORECASE)
_VARIABLE = re.compile(r"variables\(\s*'([^']+)'\s*\)", re.IGNORECASE)
_LIST = re.compile(r"\blist[A-Za-z]*\s*\(", re.IGNORECASE)
_TEXTS = re.compile(r"'(?:[^']|'')*'")
_PLACEHOLDER = re.compile(
    r"\s*(?:<[^<>]*>|\#\{.*\}\#?|\$\(.*\)|\$\{.*\}|__.+__|\{\{.*\}\}|%[^%]+%|GEN-[A-Z0-9-]+)\s*", re.DOTALL
)
"""Texts in whose place a pipeline puts the value: `<password>`, `#{token}#`, `$(Variable)`, `${TOKEN}`, `__token__`,
`{{token}}`, `%TOKEN%`, and `GEN-PASSWORD` of Microsoft's quickstart templates."""


def is_plain_text(value: Any) -> bool:
    """Whether a decided value is a text that somebody could use: not empty, and no mark that a pipeline replaces."""
    return isinstance(value, str) and bool(value.strip()) and not is_placeholder(value)


def is_placeholder(value: Any) -> bool:
    """Whether a value is a mark that a pipeline replaces before the deployment."""
    return isinstance(value, str) and len(value) <= _LONGEST_MARK and bool(_PLACEHOLDER.fullmatch(value))


def secure_parameters(root: Node) -> frozenset[str]:
    """Folded names of the parameters whose type says that their value is secret."""
    return frozenset(name.casefold() for name, item in (root.get("parameters") or _NONE).items() if _is_secure(item))


def secure_defaults(root: Node, file: str, language: Language) -> Iterator[SecureValue]:
    """Secure parameters whose default is a plain text, in a template and in those inside it."""
    for template, where in _templates(root, file, 0):
        for name, item in (template.get("parameters") or _NONE).items():
            default = item.get("defaultValue")
            if default is not None and _is_secure(item) and _holds_text(default):
                yield SecureValue(language, name, item.at(where), "the default of a secure parameter is a plain text")


def secure_values(secure: frozenset[str], parameters: Node, file: str, language: Language) -> Iterator[SecureValue]:
    """Values that a parameter file gives to secure parameters, by their folded names, as plain text."""
    for name, item in (parameters.get("parameters") or _NONE).items():
        value = item.get("value")
        if value is not None and name.casefold() in secure and _holds_text(value):
            why = "a parameter file gives a secure parameter its value as plain text"
            yield SecureValue(language, name, item.at(file), why)


def outputs_that_show(root: Node, file: str, language: Language) -> Iterator[OutputDeclaration]:
    """Outputs made of a secure parameter or of the answer of a list function, directly, inside, or by variables."""
    for template, where in _templates(root, file, 0):
        secure = secure_parameters(template)
        variables = {name.casefold(): item for name, item in (template.get("variables") or _NONE).items()}
        for name, item in (template.get("outputs") or _NONE).items():
            kind = str((item.get("type") or _NONE).value).casefold()
            copied = item.get("copy") or _NONE
            shown = [part for part in (item.get("value"), copied.get("input")) if part is not None]
            why = None if kind.startswith("secure") else _shows(shown, secure, variables)
            if why is not None:
                yield OutputDeclaration(language, name, item.at(where), why)


def _is_secure(parameter: Node) -> bool:
    return str((parameter.get("type") or _NONE).value).casefold() in _SECURE


def _texts(nodes: list[Node]) -> Iterator[str]:
    waiting = list(reversed(nodes))
    while waiting:
        value = waiting.pop().value
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _holds_text(value: Node) -> bool:
    return any(is_plain_text(text) and not is_expression(text) for text in _texts([value]))


def _shows(nodes: list[Node], secure: frozenset[str], variables: dict[str, Node]) -> str | None:
    waiting, seen = list(nodes), set[str]()
    while waiting:
        for text in _texts([waiting.pop()]):
            if not is_expression(text):
                continue
            used = {name.casefold() for name in _PARAMETER.findall(text)} & secure
            if used:
                return f"shows the secure parameter {min(used)}"
            if _LIST.search(_TEXTS.sub("''", text)):
                return "shows the answer of a list function, which holds keys or secrets"
            named = {name.casefold() for name in _VARIABLE.findall(text)} - seen
            seen |= named
            waiting.extend(variables[name] for name in sorted(named) if name in variables)
    return None


def _templates(root: Node, file: str, depth: int) -> Iterator[tuple[Node, str]]:
    """A template and those inside its deployments, each with its file; `outer` ones see our parameters and variables."""
    yield root, file
    if depth >= DEEPEST_TEMPLATE:
        return
    resources = root.get("resources") or _NONE
    listed = [item for _, item in resources.items()] if isinstance(resources.value, dict) else resources.elements()
    for item in listed:
        properties = item.get("properties") or _NONE
        inside = properties.get("template")
        if inside is None or not isinstance(inside.value, dict):
            continue
        options = properties.get("expressionEvaluationOptions") or _NONE
        if str((options.get("scope") or _NONE).value).casefold() != "inner":
            ours = {name: part for name in ("parameters", "variables") if (part := root.get(name)) is not None}
            inside = Node({**inside.value, **ours}, inside.line, inside.column)
        named = properties.get("templateFile")
        yield from _templates(inside, (named.text() if named else None) or file, depth + 1)
