"""Versions of packages that manage vaults, in the dependency files of each ecosystem. Other packages are left out."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from kvaudit.errors import UsageError
from kvaudit.sources.json_source import parse_json
from kvaudit.sources.located import Position
from kvaudit.sources.xml_source import XmlElement, parse_xml
from kvaudit.templates.declarations import DependencyPin, LegacyImport
from kvaudit.templates.versions import highest

GO_MODULE = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/keyvault/armkeyvault"

PACKAGES: dict[str, frozenset[str]] = {
    "pypi": frozenset({"azure-keyvault", "azure-mgmt-keyvault"}),
    "npm": frozenset({"@azure/arm-keyvault"}),
    "nuget": frozenset({"azure.resourcemanager.keyvault"}),
    "maven": frozenset({"com.azure.resourcemanager:azure-resourcemanager-keyvault"}),
}
"""Management SDKs (facts azure.md 1.3), and the package of the old data plane. Go's is found by its path."""

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?([^;#)@]*)")
_GO = re.compile(rf"^[ \t]*(?:require[ \t]+)?({re.escape(GO_MODULE)}(?:/v\d+)?)\s+(v\S+)", re.MULTILINE)
_PROPERTY = re.compile(r"\$\{([^}]+)\}")
_PROJECTS = (".csproj", ".fsproj", ".vbproj")
_LOCKS = frozenset({"poetry.lock", "uv.lock", "pdm.lock"})
_CLIENTS = frozenset({"secrets", "keys", "certificates", "administration", "securitydomain"})


def reader_of(name: str) -> Callable[[str, str], tuple[DependencyPin, ...]] | None:
    """The reader (text, file) -> pins for a file of this name; None for a file that holds no dependencies."""
    folded = PurePath(name).name.casefold()
    if folded in _BY_NAME:
        return _BY_NAME[folded]
    if folded.endswith(".txt") and re.match(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.txt$", folded):
        return _requirements
    if folded.endswith(_PROJECTS):
        return _nuget
    return None


def legacy_imports(text: str, file: str) -> tuple[LegacyImport, ...]:
    """Imports of what `azure-keyvault` held before 4.0: anything of `azure.keyvault` but the packages of today's clients.

    Raises:
        UsageError: the text is no Python 3.
    """
    if "azure" not in text or "keyvault" not in text:
        return ()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        line = getattr(problem, "lineno", None) or 1
        raise UsageError(f"{file}:{line}:1: not read for imports: no Python 3 ({type(problem).__name__})") from problem
    found = []
    for node in ast.walk(tree):
        for name in _imported(node):
            parts = name.split(".")
            if parts[:2] == ["azure", "keyvault"] and (len(parts) < 3 or parts[2] not in _CLIENTS):
                position = Position(file, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)
                found.append(LegacyImport(position, name))
    return tuple(found)


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (item.name for item in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield from (f"{node.module}.{item.name}" for item in node.names)


def _pin(at: Position, ecosystem: str, package: str, constraint: str) -> DependencyPin | None:
    known = PACKAGES.get(ecosystem)
    if known is not None and package.casefold() not in known:
        return None
    end = highest(constraint, ecosystem)
    return DependencyPin(at, ecosystem, package, constraint.strip(), end.version, end.is_below)


def _requirement(text: str, at: Position) -> DependencyPin | None:
    """One requirement as PEP 508 writes it."""
    found = _REQUIREMENT.match(text)
    return _pin(at, "pypi", _normal(found[1]), found[2].split("--hash")[0]) if found else None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).casefold()


def _requirements(text: str, file: str) -> tuple[DependencyPin, ...]:
    pins = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith(("#", "-")):
            pins.append(_requirement(line.rstrip("\\"), Position(file, number, len(line) - len(line.lstrip()) + 1)))
    return tuple(pin for pin in pins if pin is not None)


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise UsageError(f"{file}: no TOML ({str(problem)[:120]})") from problem


def _pyproject(text: str, file: str) -> tuple[DependencyPin, ...]:
    document = _toml(text, file)
    project = _table(document.get("project"))
    written: list[str] = [
        *_texts(project.get("dependencies")),
        *_texts(_table(document.get("build-system")).get("requires")),
    ]
    for group in (
        *_table(project.get("optional-dependencies")).values(),
        *_table(document.get("dependency-groups")).values(),
    ):
        written += _texts(group)
    poetry = _table(_table(document.get("tool")).get("poetry"))
    tables = [_table(poetry.get("dependencies")), _table(poetry.get("dev-dependencies"))]
    tables += [_table(_table(group).get("dependencies")) for group in _table(poetry.get("group")).values()]
    for table in tables:
        for name, value in table.items():
            version = value.get("version", "") if isinstance(value, dict) else value
            # Poetry takes a bare version for that version.
            written.append(f"{name} {f'=={version}' if str(version)[:1].isdigit() else version}")
    pins = (_requirement(item, _where(text, file, item)) for item in written)
    return tuple(pin for pin in pins if pin is not None)


def _lock(text: str, file: str) -> tuple[DependencyPin, ...]:
    if "azure-mgmt-keyvault" not in text and "azure-keyvault" not in text:
        return ()
    pins = []
    for package in _toml(text, file).get("package", []):
        name, version = _table(package).get("name"), _table(package).get("version")
        if isinstance(name, str) and isinstance(version, str):
            pins.append(_requirement(f"{name}=={version}", _where(text, file, f'"{name}"')))
    return tuple(pin for pin in pins if pin is not None)


def _where(text: str, file: str, words: str) -> Position:
    """Where the package of a requirement is named first: TOML's reader keeps no places."""
    name = re.match(r"\"?[A-Za-z0-9][\w.-]*", words)
    pattern = re.sub(r"[-_.]+", "[-_.]", re.escape(name[0]).replace("\\", "")) if name else ""
    found = re.search(rf"{pattern}(?![\w-])", text, re.IGNORECASE) if pattern else None
    at = found.start() if found else 0
    return Position(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _npm(text: str, file: str) -> tuple[DependencyPin, ...]:
    if "@azure/arm-keyvault" not in text:
        return ()
    root = parse_json(text, file).root
    pins = []
    for kind in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
        table = root.get(kind)
        for name, node in table.items() if table is not None else ():
            line, column = table.keys[name] if table is not None else (1, 1)
            pins.append(_pin(Position(file, line, column), "npm", name, node.text() or ""))
    return tuple(pin for pin in pins if pin is not None)


def _nuget(text: str, file: str) -> tuple[DependencyPin, ...]:
    if "azure.resourcemanager.keyvault" not in text.casefold():
        return ()
    pins = []
    for element in parse_xml(text, file):
        if element.name in ("PackageReference", "PackageVersion", "package"):
            package = (
                element.attributes.get("Include") or element.attributes.get("Update") or element.attributes.get("id")
            )
            version = element.attributes.get("Version") or element.attributes.get("version") or element.child("Version")
            if package and version:  # without a version the central file decides
                pins.append(_pin(Position(file, element.line, element.column), "nuget", package, version))
    return tuple(pin for pin in pins if pin is not None)


def _maven(text: str, file: str) -> tuple[DependencyPin, ...]:
    if "azure-resourcemanager-keyvault" not in text:
        return ()
    elements = parse_xml(text, file)
    properties = next((_children(element) for element in elements if element.name == "properties"), {})
    pins = []
    for element in elements:
        if element.name == "dependency":
            package = f"{element.child('groupId')}:{element.child('artifactId')}"
            version = element.child("version")
            if version:  # without one a parent or a bill of materials decides
                resolved = _PROPERTY.sub(lambda found: properties.get(found[1], found[0]), version)
                pins.append(_pin(Position(file, element.line, element.column), "maven", package, resolved))
    return tuple(pin for pin in pins if pin is not None)


def _children(element: XmlElement) -> dict[str, str]:
    return {child.name: child.text for child in element.children}


def _go(text: str, file: str) -> tuple[DependencyPin, ...]:
    pins = (
        _pin(Position(file, text.count("\n", 0, found.start(1)) + 1, 1), "go", found[1], found[2])
        for found in _GO.finditer(text)
    )
    return tuple(pin for pin in pins if pin is not None)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


_BY_NAME: dict[str, Callable[[str, str], tuple[DependencyPin, ...]]] = {
    "pyproject.toml": _pyproject,
    "package.json": _npm,
    "directory.packages.props": _nuget,
    "packages.config": _nuget,
    "go.mod": _go,
    "pom.xml": _maven,
    **dict.fromkeys(_LOCKS, _lock),
}

NAMES = frozenset(_BY_NAME)
"""Folded names of the files that are read by their name; requirements files and projects go by a pattern and a suffix."""
