"""Needs that configuration states: references of App Service, SecretProviderClass, External Secrets, Spring properties,
Terraform data.

Patterns are such that time is linear in the size of a file; what YAML is parsed is bounded.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from kvaudit.contracts.infer import rest
from kvaudit.contracts.infer.catalogue import object_name, words
from kvaudit.contracts.infer.external_secrets import Store, external_needs, stores_in
from kvaudit.contracts.infer.needs import Grade, Need, PartlyReadError, in_order
from kvaudit.contracts.infer.terraform_data import terraform_needs
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
_IN_YAML = re.compile(r"SecretProviderClass|key-?vault|external-secrets\.io/", re.IGNORECASE)
_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_LINE = re.compile(r"^((?:line )?)(\d+)")
_MOST_TOLD = 5

LARGEST_YAML = 512 * 1024
"""Characters of one document. The parser takes two seconds for a million of them; Kubernetes takes objects of at most 1.5 MB."""

_TYPES = {"secret": "secrets/get", "key": "keys/get", "cert": "certificates/get"}
_PROPERTY = re.compile(r"\s*([\w.\[\]-]{1,300})\s*[=:]\s*(.*)")
_SPRING = re.compile(
    r"(?:spring\.cloud\.azure\.keyvault\.(secret|certificate)\.(?:property-sources\[\d+\]\.)?endpoint"
    r"|azure\.keyvault\.(?:[\w-]+\.)?uri)",
    re.IGNORECASE,
)
_SPRING_KEYS = re.compile(r"\bkeyvault\.(?:\w+\.)?(?:property-sources\[\d+\]\.)?secret-keys", re.IGNORECASE)


def configuration_needs(
    text: str, file: str, vaults: Mapping[str, str] | None = None, stores: Sequence[Store] | None = None
) -> tuple[Need, ...]:
    """The needs of a file of configuration.

    Args:
        text: of the file.
        file: as it is to be shown.
        vaults: label -> name, of Terraform's data sources `azurerm_key_vault` in the same folder.
        stores: of the External Secrets Operator, of all files that are looked at; None for those of this one.

    Raises:
        PartlyReadError: YAML that names a SecretProviderClass or Spring's Key Vault properties cannot be parsed, or does not
            say what it needs; with the needs that the rest of the file states.
    """
    suffix = "." + file.rpartition(".")[2].casefold()
    needs, problems = list(_references(text, file)), []
    if suffix == ".tf":
        needs += terraform_needs(text, file, vaults)
    elif suffix == ".properties":
        needs += _spring(dict(_properties(text)), file)
    elif suffix in (".yaml", ".yml") and _IN_YAML.search(text):
        known = stores_of(text, file) if stores is None else stores
        for document, above in _documents_that_matter(text):
            try:
                needs += [replace(need, line=need.line + above) for need in _yaml(document, file, known)]
            except ValueError as problem:
                problems.append(_in_file(str(problem), above))
    if problems:
        raise PartlyReadError("; ".join(problems[:_MOST_TOLD]), needs)
    return in_order(needs)


def stores_of(text: str, file: str) -> tuple[Store, ...]:
    """The stores of the External Secrets Operator in a YAML file. What cannot be parsed is told when its turn comes."""
    found: list[Store] = []
    for document, _ in _documents_that_matter(text) if "SecretStore" in text else ():
        if "SecretStore" in document and len(document) <= LARGEST_YAML:
            with suppress(UsageError):
                found += [
                    store for item in parse_yaml_documents(document, file) for store in stores_in(item.root, file)
                ]
    return tuple(found)


def _in_file(problem: str, above: int) -> str:
    """A problem of a document, whose first line is told as that of the file."""
    found = _LINE.match(problem)
    return f"{found.group(1)}{int(found.group(2)) + above}{problem[found.end() :]}" if found else problem


def _documents_that_matter(text: str) -> Iterator[tuple[str, int]]:
    """The documents of a YAML file that name a vault, and the number of lines above each."""
    begins = [0, *(found.start() for found in _DOCUMENT.finditer(text)), len(text)]
    above = 0
    for begin, end in pairwise(begins):
        document = text[begin:end]
        if _IN_YAML.search(document):
            yield document, above
        above += document.count("\n")


def _need(
    operation: str, grade: Grade, file: str, line: int, why: str, vault: str | None, name: str | None = None
) -> Need:
    return Need(operation, words()[operation], grade, file, line, why, vault, name)


def _literal(found: re.Match[str] | None) -> str | None:
    """A name that is no expression of the template language around it."""
    name = found.group(1).strip() if found else ""
    return name if _LITERAL.fullmatch(name) else None


def _references(text: str, file: str) -> Iterator[Need]:
    """App settings that App Service and Functions replace by the value of a secret."""
    line, counted = 1, 0
    for found in _REFERENCE.finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        inner = found.group(1)
        vault = rest.vault_in(inner) or _literal(_VAULT_NAME.search(inner))
        name = _literal(_SECRET_URI.search(inner)) or _literal(_SECRET_NAME.search(inner))
        why = f"a Key Vault reference to {name or 'a secret whose name is no literal'}"
        yield _need("secrets/get", Grade.CERTAIN, file, line, why, vault.casefold() if vault else None, name)


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


def _yaml(text: str, file: str, stores: Sequence[Store]) -> Iterator[Need]:
    if len(text) > LARGEST_YAML:
        raise ValueError(
            f"line 1: a document of more than {LARGEST_YAML // 1024} KB that names a vault: not looked into"
        )
    try:
        documents = parse_yaml_documents(text, file)
    except UsageError as problem:
        raise ValueError(str(problem).removeprefix(f"{file}:")) from problem
    for document in documents:
        yield from _provider_class(document.root, file)
        yield from external_needs(document.root, file, stores)
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
    if provider.text() != "azure":
        return
    given = parameters.get("keyvaultName") if parameters else None
    objects = parameters.get("objects") if parameters else None
    if objects is None or objects.value is None:
        raise ValueError(f"line {root.line}: the SecretProviderClass names no objects, so what it reads is not known")
    vault = (given.text() if given else None) or ""
    for item in _objects(objects, file):
        name, type_ = item.get("objectName"), item.get("objectType")
        operation = _TYPES.get(str(type_.value).casefold() if type_ else "", "secrets/get")
        line = objects.line
        why = f"SecretProviderClass: {name.value if name else 'an object without a name'}"
        known = vault.casefold() if _LITERAL.fullmatch(vault) else None
        yield _need(operation, Grade.CERTAIN, file, line, why, known, object_name(str(name.value)) if name else None)


def _objects(objects: Node, file: str) -> Iterator[Node]:
    """`objects` is YAML in a text, whose `array` holds YAML in texts again."""
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
