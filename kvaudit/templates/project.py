"""Files and folders into declarations: what is looked at, what is left out, and what could not be read."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kvaudit.errors import UsageError
from kvaudit.sources.json_source import parse_json
from kvaudit.sources.reading import UnreadableFileError, read_text
from kvaudit.templates.arm import is_template, read_template
from kvaudit.templates.bicep_compiler import BicepCompiler
from kvaudit.templates.bicep_files import BicepFiles
from kvaudit.templates.declarations import DependencyPin, FileDeclarations, LegacyImport, ScriptCall
from kvaudit.templates.dependencies import legacy_imports, reader_of
from kvaudit.templates.parameter_files import ParameterFile, beside, values_of
from kvaudit.templates.pipelines import read_pipeline
from kvaudit.templates.plain_secrets import secure_values
from kvaudit.templates.roots import roots
from kvaudit.templates.script_words import Dialect
from kvaudit.templates.scripts import LARGEST_SCRIPT, MENTIONS, dialect_of, read_script
from kvaudit.templates.terraform import TerraformFolder, local_calls, provider_pin, read_folder, read_terraform
from kvaudit.templates.terraform_plan import is_plan, read_plan

MOST_FILES = 200_000
"""Files that one run looks at."""

LEFT_OUT = frozenset({".git", ".terraform", ".venv", "node_modules", "__pycache__", ".hg", ".svn", ".tox", ".nox"})
"""Folders that hold what others wrote, or nothing to deploy."""

_VAULTISH = re.compile(r"microsoft\.keyvault|deploymenttemplate\.json|azurerm_key_vault", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that some paths declare.

    Attributes:
        declarations: one element per template, and per Terraform root module.
        calls: commands in scripts and pipelines.
        pins: versions in dependency files.
        imports: of the old package `azure-keyvault` in Python code.
        problems: what could not be read: one per file, with its place. Missing data is never good news.
        files: every file that was looked into, as it is shown, sorted.
        lines: text of the files in which something was found, for remarks inside them.
    """

    declarations: tuple[FileDeclarations, ...] = ()
    calls: tuple[ScriptCall, ...] = ()
    pins: tuple[DependencyPin, ...] = ()
    imports: tuple[LegacyImport, ...] = ()
    problems: tuple[UsageError, ...] = ()
    files: tuple[str, ...] = ()
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_project(paths: Sequence[Path], *, compiler: BicepCompiler | None = None) -> Project:
    """Reads files, and folders with everything below them.

    Symbolic links to folders are not followed, so that a loop of them ends. A file that cannot be read is a problem, and
    the rest is read.

    Args:
        paths: of files and folders.
        compiler: of Bicep; None reads Bicep files by their syntax alone.

    Raises:
        UsageError: a path does not exist.
    """
    refuse_missing(paths)
    reading = _Reading(compiler)
    for path in dict.fromkeys(_files(paths)):
        if len(reading.files) >= MOST_FILES:
            reading.problems.append(UsageError(f"more than {MOST_FILES} files: the rest was not looked at"))
            break
        reading.take(path)
    reading.finish_bicep()
    reading.finish_terraform()
    return reading.project()


def refuse_missing(paths: Sequence[Path]) -> None:
    """Raises UsageError for paths that do not exist, all of them."""
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(
            "some paths do not exist",
            hint="Name files or folders.",
            details=tuple(f"{path}: not found" for path in missing),
        )


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if name not in LEFT_OUT)
            yield from (Path(folder) / name for name in sorted(names))


_SCRIPTS = {
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ksh", ".azcli"), Dialect.SHELL),
    **dict.fromkeys((".ps1", ".psm1"), Dialect.POWERSHELL),
}


def _begins_as_script(path: Path) -> bool:
    """Whether a file without a suffix says in its first bytes that a shell runs it."""
    if path.suffix:
        return False
    try:
        with path.open("rb") as file:
            return b"sh" in file.readline(80) if file.read(2) == b"#!" else False
    except OSError as problem:
        raise UnreadableFileError(f"{path}: {problem.strerror or problem}") from problem


def _told(problem: UsageError | RecursionError, path: Path) -> UsageError:
    """A problem with its file. Each reader bounds nesting itself; where one does not, the other files are still read."""
    return problem if isinstance(problem, UsageError) else UsageError(f"{path}: nested too deeply to be read")


class _Reading:
    def __init__(self, compiler: BicepCompiler | None) -> None:
        self.files: list[str] = []
        self.problems: list[UsageError] = []
        self._declarations: list[FileDeclarations] = []
        self._calls: list[ScriptCall] = []
        self._pins: list[DependencyPin] = []
        self._imports: list[LegacyImport] = []
        self._lines: dict[str, tuple[str, ...]] = {}
        self._folders: dict[Path, Path] = {}
        self._bicep = BicepFiles(compiler)

    def take(self, path: Path) -> None:
        """Looks into one file, when its name says that there may be something in it."""
        suffix = path.suffix.casefold()
        if path.exists() and not path.is_file():  # a pipe or a device would be waited for without end
            return
        try:
            if suffix in (".json", ".jsonc"):
                self._json(path)
            elif suffix == ".bicep":
                self._bicep.add(path)
            elif suffix == ".bicepparam":
                self._bicep.add_parameters(path)
            elif suffix in (".tf", ".tofu"):
                self._folders.setdefault(path.parent.resolve(), path.parent)
            elif suffix in (".yml", ".yaml"):
                self._pipeline(path)
            elif suffix in _SCRIPTS or _begins_as_script(path):
                self._script(path, _SCRIPTS.get(suffix))
            elif suffix == ".py":
                self._python(path)
            self._dependencies(path)
        except (UsageError, RecursionError) as problem:
            self.problems.append(_told(problem, path))

    def _script(self, path: Path, dialect: Dialect | None) -> None:
        text = read_text(path)
        if MENTIONS.search(text):
            if len(text) > LARGEST_SCRIPT:
                raise UsageError(f"{path}: a script of more than {LARGEST_SCRIPT:,} characters is not read")
            self._calls.extend(read_script(text, str(path), dialect or dialect_of(text)))
            self._seen(path, text)

    def _pipeline(self, path: Path) -> None:
        text = read_text(path)
        found = read_pipeline(text, str(path))
        self._calls.extend(found.calls)
        self.problems.extend(found.mistakes)
        if found.calls:
            self._seen(path, text)

    def _python(self, path: Path) -> None:
        text = read_text(path)
        found = legacy_imports(text, str(path))
        self._imports.extend(found)
        if found:
            self._seen(path, text)

    def _dependencies(self, path: Path) -> None:
        reader = reader_of(path.name)
        if reader is not None:
            text = read_text(path)
            found = reader(text, str(path))
            self._pins.extend(found)
            if found:
                self._seen(path, text)

    def _seen(self, path: Path, text: str) -> None:
        self.files.append(str(path))
        self._lines[str(path)] = tuple(text.split("\n"))

    def _json(self, path: Path) -> None:
        try:
            text = read_text(path)
        except UnreadableFileError as problem:
            self.problems.append(problem)
            return
        if not _VAULTISH.search(text):
            return
        document = parse_json(text, str(path))
        root = document.root
        if is_template(root):
            files = self._parameter_files_beside(path)
            found = read_template(root, str(path), parameters=values_of(files))
            secure = found.secure_parameters
            given = [it for file in files for it in secure_values(secure, file.root, file.file, found.language)]
            lines = {file.file: file.lines for file in files} | {str(path): tuple(text.split("\n"))}
            self._add(str(path), replace(found, secure_values=(*found.secure_values, *given), lines=lines))
            self.problems += [UsageError(f"{path}:{line}:{column}: {what}") for line, column, what in document.twice]
        elif is_plan(root):
            self._add(str(path), read_plan(root, str(path)))
        elif path.name.endswith(".tf.json"):
            hint = "`terraform show -json PLANFILE` writes a plan, which is read."
            self.problems.append(UsageError(f"{path}: Terraform's JSON syntax is not read. {hint}", hint=hint))

    def _parameter_files_beside(self, path: Path) -> list[ParameterFile]:
        found, problems = beside(path)
        self.problems += problems
        return found

    def _add(self, file: str, found: FileDeclarations) -> None:
        self.files.append(file)
        self._lines.update(found.lines)
        self._declarations.append(found)

    def finish_bicep(self) -> None:
        """Reads the Bicep files, now that all are known."""
        for found in self._bicep.read(self._parameter_files_beside):
            if isinstance(found, FileDeclarations):
                self._add(found.files[0], found)
            else:
                self.problems.append(found if isinstance(found, UsageError) else _told(found[1], found[0]))

    def finish_terraform(self) -> None:
        """Modules that no other module calls are roots; the others are read through their callers."""
        parsed: dict[Path, TerraformFolder] = {}

        def find(path: Path) -> TerraformFolder | None:
            if path not in parsed and path.is_dir() and any(path.glob("*.tf")):
                parsed[path] = read_folder(self._folders.get(path, path))
            return parsed.get(path)

        for path in self._folders:
            find(path)
        alone = set(roots({path: [inner for _, inner in local_calls(parsed[path])] for path in self._folders}))
        for path in self._folders:
            self.problems.extend(parsed[path].problems)
            self.files.extend(parsed[path].lines)
            self._lines.update(parsed[path].lines)
            pin = provider_pin(parsed[path])
            if pin is not None:
                self._pins.append(pin)
            if path in alone:
                try:
                    found = read_terraform(parsed[path], find)
                except RecursionError as problem:
                    self.problems.append(_told(problem, self._folders[path]))
                    continue
                self._lines.update(found.lines)
                self._declarations.append(found)

    def project(self) -> Project:
        return Project(
            declarations=tuple(self._declarations),
            calls=tuple(self._calls),
            pins=tuple(self._pins),
            imports=tuple(self._imports),
            problems=tuple(self.problems),
            files=tuple(dict.fromkeys(self.files)),
            lines=self._lines,
        )
