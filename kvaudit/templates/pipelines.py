"""Scripts inside YAML: workflows of GitHub, pipelines of Azure and GitLab, and whatever else keeps scripts under such keys."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kvaudit.errors import UsageError
from kvaudit.sources.located import Node, Position
from kvaudit.sources.yaml_source import parse_yaml_documents
from kvaudit.templates.declarations import ScriptCall
from kvaudit.templates.script_words import Dialect
from kvaudit.templates.scripts import MENTIONS, calls_in, dialect_of

_POWERSHELL_KEYS = frozenset({"pwsh", "powershell"})
_SCRIPT_KEYS = (
    frozenset({"run", "script", "bash", "inlinescript", "inline", "before_script", "after_script"}) | _POWERSHELL_KEYS
)
"""GitHub: run, inlineScript. Azure Pipelines: script, bash, pwsh, powershell, inlineScript, Inline. GitLab: the last two."""

_VERSION_KEYS = frozenset({"azcliversion", "azpsversion", "preferredazurepowershellversion"})
"""Inputs of azure/cli, azure/powershell and AzurePowerShell@5 that pin the tool."""

_VERSION = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class PipelineCalls:
    """What the scripts of a YAML file call.

    Attributes:
        mistakes: keys that stand twice, one message each: what such a file does is not certain.
    """

    calls: tuple[ScriptCall, ...] = ()
    mistakes: tuple[UsageError, ...] = ()


def read_pipeline(text: str, file: str) -> PipelineCalls:
    """Calls in the scripts of a YAML file; a file that mentions none is not parsed.

    Raises:
        YamlSourceError: with file, line and column.
    """
    if not MENTIONS.search(text):
        return PipelineCalls()
    lines = text.split("\n")
    calls: list[ScriptCall] = []
    mistakes: list[UsageError] = []
    for document in parse_yaml_documents(text, file):
        mistakes += [UsageError(f"{file}:{line}:{column}: {what}") for line, column, what in document.mistakes]
        for script in _scripts(document.root):
            source = script.node.text() or ""
            calls.extend(
                calls_in(source, script.dialect, _Places(file, lines, script.node, source), script.tool_version)
            )
    return PipelineCalls(tuple(sorted(_distinct(calls), key=lambda item: item.position)), tuple(mistakes))


def _distinct(calls: list[ScriptCall]) -> list[ScriptCall]:
    """Calls without those that an alias repeats at the same place."""
    return list({(call.position, call.command): call for call in calls}.values())


@dataclass(frozen=True, slots=True)
class _Script:
    node: Node
    dialect: Dialect
    tool_version: str | None


def _scripts(root: Node) -> Iterator[_Script]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, dict):
            version = _pinned(node)
            for key, value in node.items():
                if key.casefold() in _SCRIPT_KEYS:
                    yield from _of_key(node, key.casefold(), value, version)
                waiting.append(value)
        else:
            waiting.extend(node.elements())


def _of_key(owner: Node, key: str, value: Node, version: str | None) -> Iterator[_Script]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        text = node.text()
        if text is not None:
            yield _Script(node, dialect_of(text, _default(owner, key)), version)
        waiting.extend(node.elements())


def _default(owner: Node, key: str) -> Dialect:
    shells = [owner.get(name) for name in ("shell", "scriptType")]
    named = [(node.text() or "").casefold() for node in shells if node is not None]
    is_powershell = key in _POWERSHELL_KEYS or any(name in ("pwsh", "powershell", "ps", "pscore") for name in named)
    return Dialect.POWERSHELL if is_powershell else Dialect.SHELL


def _pinned(owner: Node) -> str | None:
    for key, value in owner.items():
        if key.casefold() in _VERSION_KEYS:
            text = value.text() or ""  # 2.60 without quotes is the number 2.6: nothing is made of it
            return text if _VERSION.fullmatch(text) else None
    return None


@dataclass(frozen=True, slots=True)
class _Places:
    """Offsets in a scalar to places in the file: exact in a block that keeps its lines, else the line of the same words."""

    file: str
    lines: list[str]
    node: Node
    source: str

    def __call__(self, at: int) -> Position:
        rest = self.source[at:].split("\n", 1)[0].strip()[:40]
        number = self.source.count("\n", 0, at)
        begin = self.lines[self.node.line - 1][self.node.column - 1 :]
        if begin.startswith("|") and (column := self._column(self.node.line + number, rest)):
            return Position(self.file, self.node.line + 1 + number, column)
        for line in range(self.node.line - 1, len(self.lines)):
            if column := self._column(line, " ".join(rest.split()[:2])):
                return Position(self.file, line + 1, column)
        return self.node.at(self.file)

    def _column(self, line: int, text: str) -> int:
        """Where a text stands in a line (from 0), counted from 1; 0 where it does not."""
        return self.lines[line].find(text) + 1 if line < len(self.lines) and text else 0
