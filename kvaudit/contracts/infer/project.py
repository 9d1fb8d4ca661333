"""A folder of source code into needs: walks it, and gives each file to what reads its language."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from kvaudit.contracts.infer.configuration import SUFFIXES, configuration_needs
from kvaudit.contracts.infer.grammars import MissingGrammarError
from kvaudit.contracts.infer.needs import Inferred, Need, in_order
from kvaudit.contracts.infer.python_source import python_needs
from kvaudit.contracts.infer.typed_source import reader
from kvaudit.errors import UsageError
from kvaudit.sources.reading import UnreadableFileError, read_text

Reader = Callable[[str, str], tuple[Need, ...]]

READERS: dict[str, Reader] = {
    ".py": python_needs,
    **dict.fromkeys(SUFFIXES, configuration_needs),
    ".cs": reader("csharp", "csharp"),
    ".java": reader("java", "java"),
    ".go": reader("go", "go"),
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), reader("javascript", "javascript")),
    **dict.fromkeys((".ts", ".mts", ".cts"), reader("javascript", "typescript")),
    ".tsx": reader("javascript", "tsx"),
}
"""Suffix -> what reads such a file."""

LANGUAGES = {
    ".cs": "C#",
    ".java": "Java",
    ".go": "Go",
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), "JavaScript"),
    **dict.fromkeys((".ts", ".mts", ".cts", ".tsx"), "TypeScript"),
}
"""Suffix -> name of the languages that need the extra `code`."""

LARGEST_SOURCE = 4 * 1024 * 1024
"""Bytes. What is larger was generated, and Python's parser takes a second for each MB."""

SKIPPED = frozenset(
    {
        "node_modules",
        "vendor",
        "bin",
        "obj",
        "dist",
        "target",
        "__pycache__",
        "site-packages",
        "venv",
        "bower_components",
    }
)
"""Folders that hold the code of others, or what builds left behind. So do those whose names begin with a dot."""


def read_sources(folder: Path) -> Inferred:
    """The needs of everything below a folder, or of one file.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.exists():
        raise UsageError(f"{folder}: there is no such file or folder")
    needs: list[Need] = []
    problems: list[str] = []
    unread: dict[str, int] = {}
    install = ""
    paths = [path for path in _files(folder) if _kind(path) in READERS]
    for path in paths:
        shown = path.relative_to(folder).as_posix() if path != folder else path.name
        try:
            needs += needs_of_file(path, shown)
        except MissingGrammarError as problem:
            language = LANGUAGES[path.suffix.casefold()]
            unread[language] = unread.get(language, 0) + 1
            install = str(problem)
        except UnreadableFileError as problem:
            problems.append(str(problem))
        except ValueError as problem:
            problems.append(f"{shown}: {problem}")
    problems += [
        f"{count} {'file' if count == 1 else 'files'} of {language} not looked into: {install}"
        for language, count in sorted(unread.items())
    ]
    return Inferred(in_order(needs), len(paths) - sum(unread.values()), tuple(dict.fromkeys(problems)))


def needs_of_file(path: Path, shown: str) -> tuple[Need, ...]:
    """The needs of one file; none for a file of a kind that is not read.

    Raises:
        UnreadableFileError: it cannot be opened, is too large or no text.
        MissingGrammarError: its language needs the extra `code`.
        ValueError: its language cannot be parsed.
    """
    reader = READERS.get(_kind(path))
    if reader is None:
        return ()
    text = read_text(path)
    if reader is not configuration_needs and len(text) > LARGEST_SOURCE:
        raise ValueError(f"larger than {LARGEST_SOURCE // 1024 // 1024} MB: not looked into")
    return reader(text, shown)


def _kind(path: Path) -> str:
    """The suffix of a file; `.env` for `.env`, `.env.production` and the like."""
    return ".env" if path.name.startswith(".env") else path.suffix.casefold()


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order; links are not followed, so that a loop of them ends."""
    if folder.is_file():
        yield folder
        return
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(names):
            path = Path(at) / name
            if not path.is_symlink():
                yield path
