"""Needs that configuration states: references of App Service, SecretProviderClass, Spring properties, Terraform data.

Everything but YAML is read line by line, so that time is linear in the size of a file.
"""

import re
from collections.abc import Iterator

from kvaudit.contracts.infer import rest
from kvaudit.contracts.infer.catalogue import words
from kvaudit.contracts.infer.needs import Grade, Need, in_order
from kvaudit.errors import UsageError
from kvaudit.sources.located import Node
from kvaudit.sources.yaml_source import parse_yaml, parse_yaml_documents

SUFFIXES = (".json", ".jsonc", ".yaml", ".yml", ".tf", ".tfvars", ".bicep", ".bicepparam", ".xml", ".config", ".env",
            ".properties", ".ini", ".toml")  # fmt: skip
"""Suffixes of configuration in which needs stand."""

_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(([^)\r\n]{0,2000})", re.IGNORECASE)
_SECRET_URI = re.compile(r"SecretUri\s*=\s*https?://[^/;\s]+/secrets/([^/;\s]+)", re.IGNORECASE)
_VAULT_NAME = re.compile(r"VaultName\s*=\s*([^;]+)", re.IGNORECASE)
_SECRET_NAME = re.compile(r"SecretName\s*=\s*([^;]+)", re.IGNORECASE)
_LITERAL = re.compile(r"[0-9a-zA-Z-]{1,127}")
_DATA = re.compile(r"\s*(?:data|ephemeral)\s+\"azurerm_key_vault_(\w+)\"\s+\"")
_DATA_ASKS = {
    "secret": ("secrets/get",),
    "secrets": ("secrets/list",),
    "key": ("keys/get",),
    "certificate": ("certificates/get",),
    "certificates": ("certificates/list",),
    "certificate_data": ("certificates/get", "secrets/get"),
    "certificate_issuer": ("certificates/getIssuer",),
    "encrypted_value": ("keys/encrypt", "keys/decrypt"),
}
_TYPES = {"secret": "secrets/get", "key": "keys/get", "cert": "certificates/get"}
_PROPERTY = re.compile(r"\s*([\w.\[\]-]{1,300})\s*[=:]\s*(.*)")
_SPRING = re.compile(
    r"(?:spring\.cloud\.azure\.keyvault\.(secret|certificate)\.(?:property-sources\[\d+\]\.)?endpoint"
    r"|azure\.keyvault\.(?:[\w-]+\.)?uri)",
    re.IGNORECASE,
)
_SPRING_KEYS = re.compile(r"\bkeyvault\.(?:\w+\.)?(?:property-sources\[\d+\]\.)?secret-keys", re.IGNORECASE)


def configuration_needs(text: str, file: str) -> tuple[Need, ...]:
    """The needs of a file of configuration.

    Raises:
        ValueError: YAML that names a SecretProviderClass or Spring's Key Vault properties cannot be parsed.
    """
    suffix = "." + file.rpartition(".")[2].casefold()
    needs = list(_references(text, file))
    if suffix == ".tf":
        needs += _terraform(text, file)
    elif suffix == ".properties":
        needs += _spring(dict(_properties(text)), file)
    elif suffix in (".yaml", ".yml") and re.search(r"SecretProviderClass|key-?vault", text, re.IGNORECASE):
        needs += _yaml(text, file)
    return in_order(needs)


def _need(operation: str, grade: Grade, file: str, line: int, why: str, vault: str | None) -> Need:
    return Need(operation, words()[operation], grade, file, line, why, vault)


def _literal(found: re.Match[str] | None) -> str | None:
    """A name that is no expression of the template language around it."""
    name = found.group(1).strip() if found else ""
    return name if _LITERAL.fullmatch(name) else None


def _references(text: str, file: str) -> Iterator[Need]:
    """App settings that App Service and Functions replace by the value of a secret."""
    for number, line in enumerate(text.split("\n"), 1):
        for found in _REFERENCE.finditer(line):
            inner = found.group(1)
            vault = rest.vault_in(inner) or _literal(_VAULT_NAME.search(inner))
            name = _literal(_SECRET_URI.search(inner)) or _literal(_SECRET_NAME.search(inner))
            why = f"a Key Vault reference to {name or 'a secret whose name is no literal'}"
            yield _need("secrets/get", Grade.CERTAIN, file, number, why, vault.casefold() if vault else None)


def _terraform(text: str, file: str) -> Iterator[Need]:
    """Data sources, which whoever runs Terraform reads."""
    lines = _without_comments(text).split("\n")
    for number, line in enumerate(lines, 1):
        found = _DATA.match(line)
        for operation in _DATA_ASKS.get(found.group(1), ()) if found else ():
            body = next((item for item in lines[number - 1 : number + 20] if re.match(r"\s*name\s*=", item)), "")
            name = _literal(re.search(r"\bname\s*=\s*\"([^\"]*)\"", body))
            is_one = found is not None and found.group(1) in ("secret", "key", "certificate", "certificate_data")
            why = line.strip().rstrip("{ ") + (f" {name}" if name and is_one else "")
            grade = Grade.LIKELY if operation in ("keys/encrypt", "keys/decrypt") else Grade.CERTAIN
            yield _need(operation, grade, file, number, why, None)


def _without_comments(text: str) -> str:
    """Terraform without `/* */`; lines stay where they are."""
    kept, at = [], 0
    while (begin := text.find("/*", at)) >= 0:
        end = text.find("*/", begin + 2)
        end = len(text) if end < 0 else end + 2
        kept += [text[at:begin], "\n" * text.count("\n", begin, end)]
        at = end
    return "".join([*kept, text[at:]])


def _properties(text: str) -> Iterator[tuple[str, tuple[str, int]]]:
    for number, line in enumerate(text.split("\n"), 1):
        found = _PROPERTY.match(line)
        if found and not line.lstrip().startswith(("#", "!")):
            yield found.group(1), (found.group(2).strip(), number)


def _spring(values: dict[str, tuple[str, int]], file: str) -> Iterator[Need]:
    """Spring Cloud Azure: a property source lists secrets and gets each, unless `secret-keys` names them."""
    named = any(_SPRING_KEYS.search(key) for key in values)
    for key, (value, line) in values.items():
        found = _SPRING.fullmatch(key)
        if not found:
            continue
        if (found.group(1) or "").casefold() == "certificate":
            operations = ["certificates/get"]
        else:
            is_source = "property-sources" in key.casefold() or found.group(1) is None
            operations = ["secrets/get", *(["secrets/list"] if is_source and not named else [])]
        for operation in operations:
            yield _need(operation, Grade.LIKELY, file, line, f"the property {key}", rest.vault_in(value))


def _yaml(text: str, file: str) -> Iterator[Need]:
    try:
        documents = parse_yaml_documents(text, file)
    except UsageError as problem:
        raise ValueError(str(problem).removeprefix(f"{file}:")) from problem
    for document in documents:
        yield from _provider_class(document.root, file)
        yield from _spring(dict(_flat(document.root, "")), file)


def _flat(node: Node, above: str) -> Iterator[tuple[str, tuple[str, int]]]:
    """Dotted names of values, as Spring joins them."""
    for key, item in node.items():
        yield from _flat(item, f"{above}.{key}" if above else key)
    for number, item in enumerate(node.elements()):
        yield from _flat(item, f"{above}[{number}]")
    if not isinstance(node.value, dict | list):
        yield above, (str(node.value), node.line)


def _provider_class(root: Node, file: str) -> Iterator[Need]:
    """The Azure provider of the Secrets Store CSI driver."""
    kind, spec = root.get("kind"), root.get("spec")
    provider = spec.get("provider") if spec else None
    parameters = spec.get("parameters") if spec else None
    if kind is None or kind.text() != "SecretProviderClass":
        return
    if provider is None or provider.text() is None:
        raise ValueError(f"line {root.line}: the provider of the SecretProviderClass is no literal: render it first")
    if provider.text() != "azure" or parameters is None:
        return
    given, objects = parameters.get("keyvaultName"), parameters.get("objects")
    vault = (given.text() if given else None) or ""
    for item in _objects(objects, file):
        name, type_ = item.get("objectName"), item.get("objectType")
        operation = _TYPES.get(str(type_.value).casefold() if type_ else "", "secrets/get")
        line = objects.line if objects else root.line
        why = f"SecretProviderClass: {name.value if name else 'an object without a name'}"
        known = vault.casefold() if _LITERAL.fullmatch(vault) else None
        yield Need(operation, words()[operation], Grade.CERTAIN, file, line, why, known)


def _objects(objects: Node | None, file: str) -> Iterator[Node]:
    """`objects` is YAML in a text, whose `array` holds YAML in texts again."""
    if objects is None:
        return
    text = objects.text()
    if text is None:
        raise ValueError(
            f"line {objects.line}: the objects of the SecretProviderClass are no literal: render them first"
        )
    try:
        inner = parse_yaml(text, file).root
        for item in (inner.get("array") or inner).elements():
            entry = item.text()
            yield parse_yaml(entry, file).root if entry else item
    except UsageError as problem:
        raise ValueError(f"the objects of the SecretProviderClass: {problem}") from problem
