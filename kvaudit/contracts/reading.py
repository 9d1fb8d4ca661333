"""A file of contracts into contracts: every mistake at once, each with its line and column."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kvaudit.contracts.schema import ONE_PLACE, ContractsFile, PrincipalSelector, TagSelector
from kvaudit.errors import UsageError
from kvaudit.model.permissions import operation, operations
from kvaudit.sources.located import Node, Position
from kvaudit.sources.reading import read_text
from kvaudit.sources.yaml_source import parse_yaml

_WORDS: Mapping[str, str] = {
    "model_type": "a mapping is needed: keys with values",
    "dict_type": "a mapping is needed: keys with values",
    "list_type": "a list is needed: [a, b], or one line for each with a dash",
    "too_short": "at least {min_length} is needed",
    "too_long": "at most {max_length} are read",
    "string_too_short": "must not be empty",
    "string_too_long": "at most {max_length} characters are read",
    "string_pattern_mismatch": "names of objects hold letters, digits and hyphens; * and ? stand for others",
}
"""What pydantic finds, in words of a file and not of Python."""

_LEFT_OUT = ("x-", ".")
"""Top-level keys that begin so hold anchors and are not looked at, as in other tools' YAML."""


class ContractsError(UsageError):
    """A file of contracts with mistakes; `details` holds each as `file:line:column: message`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What one workload needs, as its file says it.

    Attributes:
        principal: a text that names it in any way, or (kind, text) for exactly one: `app_id`, `display_name`, ...
        vaults: names or resource IDs; empty when they are chosen by tags.
        tags: of the vaults, all of which must match; empty when they are named.
        needs, forbids: permission words as the catalogue spells them, in its order.
        defaults: those of `forbids` that only the file's defaults say, not the workload itself.
        objects: kind -> patterns with `*` and `?`; a kind that is absent is needed on the whole vault.
        position: where the workload begins.
    """

    name: str
    principal: str | tuple[str, str]
    vaults: tuple[str, ...]
    tags: Mapping[str, str]
    needs: tuple[str, ...]
    forbids: tuple[str, ...]
    position: Position
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: tuple[str, ...] = ()


def read_contracts(path: Path, shown: str | None = None) -> tuple[Contract, ...]:
    """The contracts of a file.

    Args:
        path: of the file.
        shown: how it is named in messages.

    Raises:
        UsageError: there is no such file, it cannot be opened, or is no YAML.
        ContractsError: mistakes, all of them.
    """
    name = shown or str(path)
    if not path.exists():
        raise UsageError(
            f"{name}: there is no such file",
            hint="`kvaudit contracts infer SOURCE_DIR --out contracts.yaml` writes a first one from application code; "
            "`kvaudit schema contracts` prints the schema.",
        )
    return parse_contracts(read_text(path), name)


def parse_contracts(text: str, name: str) -> tuple[Contract, ...]:
    """The contracts of a text. Raises as `read_contracts`."""
    document = parse_yaml(text, name)
    mistakes = [(line, column, text) for line, column, text in document.mistakes]
    root = document.root
    plain = root.plain()
    if isinstance(plain, dict):
        plain = {key: value for key, value in plain.items() if not key.startswith(_LEFT_OUT)}
    file: ContractsFile | None = None
    try:
        file = ContractsFile.model_validate(plain)
    except ValidationError as problem:
        mistakes += [_mistake(root, error) for error in problem.errors(include_url=False) if _is_meant(root, error)]
    mistakes += _word_mistakes(root)
    mistakes += _workload_mistakes(root)
    if mistakes or file is None:
        lines = tuple(f"{name}:{line}:{column}: {text}" for line, column, text in sorted(set(mistakes)))
        raise ContractsError(
            f"{name} has {len(lines)} mistake{'' if len(lines) == 1 else 's'}",
            hint="`kvaudit schema contracts` prints the schema; editors can check the file against it.",
            details=lines,
        )
    return _contracts(file, root, name)


def _contracts(file: ContractsFile, root: Node, name: str) -> tuple[Contract, ...]:
    nodes = list((root.get("workloads") or root).elements())
    found = []
    for workload, node in zip(file.workloads, nodes, strict=True):
        named = workload.vaults if isinstance(workload.vaults, list) else []
        found.append(
            Contract(
                name=workload.name,
                principal=_selector(workload.principal),
                vaults=tuple([workload.vault] if workload.vault is not None else named),
                tags=dict(workload.vaults.tag) if isinstance(workload.vaults, TagSelector) else {},
                needs=_ordered(workload.needs),
                forbids=_ordered([*workload.forbids, *file.defaults.forbids], without=workload.needs),
                defaults=_ordered(file.defaults.forbids, without=[*workload.needs, *workload.forbids]),
                position=node.at(name),
                objects={}
                if workload.objects is None
                else {kind: tuple(patterns) for kind, patterns in workload.objects if patterns is not None},
            )
        )
    return tuple(found)


def _selector(principal: str | PrincipalSelector) -> str | tuple[str, str]:
    if isinstance(principal, str):
        return principal
    return next((name, str(value)) for name, value in principal if value is not None)


def _ordered(words: list[str], *, without: list[str] | None = None) -> tuple[str, ...]:
    """Words as the catalogue spells and orders them, each once. A need takes its word out of the default forbids."""
    chosen = {operation(word).word for word in words} - {operation(word).word for word in without or ()}
    return tuple(item.word for item in operations() if item.word in chosen)


def _word_mistakes(root: Node) -> list[tuple[int, int, str]]:
    """Permission words that do not exist, and words that a workload both needs and forbids."""
    found = []
    known = {item.word.casefold(): item.word for item in operations()}
    tables = [*(root.get("workloads") or Node([], 0, 0)).elements()]
    defaults = root.get("defaults")
    for table in [*tables, *([defaults] if defaults else [])]:
        needed: set[str] = set()
        for key in ("needs", "forbids"):
            for item in (table.get(key) or Node([], 0, 0)).elements():
                word = item.text()
                if word is None:
                    continue
                folded = word.strip().casefold()
                if folded not in known:
                    near = difflib.get_close_matches(folded, known, n=1)
                    hint = f"; did you mean {known[near[0]]}?" if near else "; `kvaudit roles` lists all"
                    found.append((item.line, item.column, f"{word[:60]!r} is no operation{hint}"))
                elif key == "forbids" and folded in needed:
                    found.append((item.line, item.column, f"{word} is both needed and forbidden"))
                if key == "needs":
                    needed.add(folded)
    return found


def _workload_mistakes(root: Node) -> list[tuple[int, int, str]]:
    """Names that two workloads have, since findings are told by them; and what the schema says only when all else is right."""
    first: dict[str, int] = {}
    found = []
    for number, table in enumerate((root.get("workloads") or root).elements(), start=1):
        given = [key for key in ("vault", "vaults") if (node := table.get(key)) is not None and node.value is not None]
        if isinstance(table.value, dict) and len(given) != 1:
            found.append((table.line, table.column, f"workloads.{number}: {ONE_PLACE}"))
        node = table.get("name")
        name = node.text() if node else None
        if node is None or name is None:
            continue
        if name in first:
            text = f"the workload {name[:60]!r} stands here a second time (first in line {first[name]})"
            found.append((node.line, node.column, text))
        first.setdefault(name, node.line)
    return found


def _is_meant(root: Node, error: Any) -> bool:
    """Whether an error is about the form that was written: a principal and `vaults` have two, and pydantic tries both."""
    loc = error["loc"]
    if len(loc) < 4 or loc[2] not in ("principal", "vaults"):
        return True
    written = list((root.get("workloads") or root).elements())[loc[1]].get(loc[2])
    return written is None or isinstance(written.value, dict) == ("Selector" in str(loc[3]))


def _mistake(root: Node, error: Any) -> tuple[int, int, str]:
    """A mistake that the schema found, at the place that it is about."""
    node, place = root, (root.line, root.column)
    path: list[str] = []
    for part in error["loc"]:
        if isinstance(part, int):
            items = list(node.elements())
            if part < len(items):
                node = items[part]
                place = (node.line, node.column)
            path.append(str(part + 1))
            continue
        inner = node.get(str(part))
        if inner is not None:
            place = (
                node.keys.get(str(part), place) if error["type"] == "extra_forbidden" else (inner.line, inner.column)
            )
            node = inner
            path.append(str(part))
        elif error["type"] == "missing" and part == error["loc"][-1]:
            path.append(str(part))
    where = ".".join(path)
    return (*place, f"{where}: {_words(error)}" if where else _words(error))


def _words(error: Any) -> str:
    kind, text = error["type"], str(error["msg"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "there is no such key"
    if kind == "string_type":
        return "a text is needed; numbers and words like true go in quotes"
    if kind in _WORDS:
        return _WORDS[kind].format(**error.get("ctx", {}))
    if kind == "literal_error":
        return f"must be {error['ctx']['expected']}"
    return text.removeprefix("Value error, ").removeprefix("Input ")
