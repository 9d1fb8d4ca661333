"""The Bicep files of a project: which are read by themselves, with which values, and by the compiler or by their syntax."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kvaudit.errors import UsageError
from kvaudit.sources.json_source import JsonSourceError
from kvaudit.sources.located import Position
from kvaudit.sources.reading import read_text
from kvaudit.templates.bicep import read_bicep
from kvaudit.templates.bicep_compiled import merged
from kvaudit.templates.bicep_compiler import BicepCompiler, BicepCompilerError
from kvaudit.templates.bicep_parameters import bicep_parameter_values, used_by_parameters
from kvaudit.templates.bicep_syntax import BicepUnavailableError
from kvaudit.templates.declarations import FileDeclarations, Language, SecureValue, Undecided
from kvaudit.templates.parameter_files import ParameterFile, values_of
from kvaudit.templates.plain_secrets import is_plain_text, secure_values
from kvaudit.templates.roots import roots

_MODULE = re.compile(r"^[ \t]*module[ \t]+\w+[ \t]+'(\.[^'\n]+\.bicep|[^':@\n]+\.bicep)'", re.MULTILINE)

Problem = UsageError | RecursionError


@dataclass(frozen=True, slots=True)
class _Given:
    """A `.bicepparam` file."""

    file: str
    source: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class BicepFiles:
    """Collects files, and reads them when all are known.

    Attributes:
        compiler: None reads by the syntax alone.
    """

    compiler: BicepCompiler | None = None
    _shown: dict[Path, Path] = field(default_factory=dict)
    _given: dict[Path, list[_Given]] = field(default_factory=dict)

    def add(self, path: Path) -> None:
        """A `.bicep` file."""
        self._shown[path.resolve()] = path

    def add_parameters(self, path: Path) -> None:
        """A `.bicepparam` file. Raises UsageError where it cannot be read."""
        source = read_text(path)
        target = used_by_parameters(source)
        if target is not None:
            given = _Given(str(path), source, bicep_parameter_values(source, str(path)))
            self._given.setdefault((path.parent / target).resolve(), []).append(given)

    def read(
        self, beside: Callable[[Path], list[ParameterFile]]
    ) -> Iterator[FileDeclarations | tuple[Path, Problem] | UsageError]:
        """What each root declares; with its path, what could not be read. Modules are read through those that use them.

        Args:
            beside: the JSON parameter files of a file.
        """
        sources: dict[Path, str] = {}
        for path, shown in self._shown.items():
            try:
                sources[path] = read_text(shown)
            except UsageError as problem:
                yield problem
        uses = {
            path: [(path.parent / target).resolve() for target in _MODULE.findall(source)]
            for path, source in sources.items()
        }
        for path in roots(uses):
            try:
                yield self._root(path, sources[path], beside(self._shown[path]))
            except BicepUnavailableError as problem:
                number = f"{len(sources)} Bicep file{'' if len(sources) == 1 else 's'}"
                yield UsageError(f"{number} not read: {problem.hint}", hint=problem.hint)
                return
            except (UsageError, RecursionError) as problem:
                yield self._shown[path], problem

    def _root(self, path: Path, source: str, files: list[ParameterFile]) -> FileDeclarations:
        shown, given = self._shown[path], self._given.get(path, [])
        parameters = dict(given[0].values) if len(given) == 1 else values_of(files)
        found = self._declared(shown, source, parameters)
        values = [
            item
            for file in files
            for item in secure_values(found.secure_parameters, file.root, file.file, found.language)
        ]
        values += [item for file in given for item in _plain(found.secure_parameters, file)]
        lines = {file.file: file.lines for file in files} | {
            file.file: tuple(file.source.split("\n")) for file in given
        }
        return replace(found, secure_values=(*found.secure_values, *values), lines={**found.lines, **lines})

    def _declared(self, shown: Path, source: str, parameters: Mapping[str, Any]) -> FileDeclarations:
        """By the compiler where it takes the file, else by the syntax, with what the compiler said."""
        refused = None
        compiled = None
        if self.compiler is not None:
            try:
                compiled = self.compiler.compiled(shown)
            except BicepCompilerError as problem:
                refused = problem.message
        try:
            found = read_bicep(source, str(shown), load=_beside(shown), parameters=parameters)
        except UsageError:
            if compiled is None:
                raise
            found = FileDeclarations((str(shown),), Language.BICEP, lines={str(shown): tuple(source.split("\n"))})
        if compiled is not None:
            try:
                return merged(compiled, found, str(shown), parameters)
            except JsonSourceError as problem:
                refused = f"the bicep compiler wrote no template ({problem.message})"
        if refused is None:
            return found
        told = Undecided(Position(str(shown), 1, 1), f"read by its syntax alone: {refused}")
        return replace(found, undecided=(told, *found.undecided))


def _plain(secure: frozenset[str], given: _Given) -> Iterator[SecureValue]:
    """Secure parameters to which a `.bicepparam` file gives a plain text."""
    for name, value in given.values.items():
        found = re.search(rf"^[ \t]*param[ \t]+{re.escape(name)}\b", given.source, re.MULTILINE)
        if found and name.casefold() in secure and is_plain_text(value):
            line = given.source.count("\n", 0, found.start()) + 1
            why = "a parameter file gives a secure parameter its value as plain text"
            yield SecureValue(Language.BICEP, name, Position(given.file, line, 1), why)


def _beside(path: Path) -> Callable[[str], str | None]:
    """Reads files relative to one; what cannot be read is not there, and the module that names it says so."""

    def load(relative: str) -> str | None:
        try:
            return read_text(path.parent / relative)
        except UsageError:  # told as a module that was not looked into
            return None

    return load
