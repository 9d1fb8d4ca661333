"""A folder of source code into needs: walks it, and gives each file to what reads its language."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kvaudit.contracts.infer.configuration import SUFFIXES, configuration_needs, stores_of
from kvaudit.contracts.infer.external_secrets import Store
from kvaudit.contracts.infer.grammars import MissingGrammarError
from kvaudit.contracts.infer.needs import Inferred, Need, PartlyReadError, in_order
from kvaudit.contracts.infer.python_source import python_needs
from kvaudit.contracts.infer.terraform_data import terraform_vaults
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

UNREAD = {
    **dict.fromkeys((".kt", ".kts"), "Kotlin"),
    ".groovy": "Groovy",
    ".scala": "Scala",
    ".vb": "Visual Basic",
    ".fs": "F#",
    **dict.fromkeys((".razor", ".cshtml"), "Razor"),
    ".vue": "Vue",
    ".rb": "Ruby",
    ".rs": "Rust",
    ".php": "PHP",
    ".swift": "Swift",
    **dict.fromkeys((".c", ".cc", ".cpp", ".h", ".hpp"), "C and C++"),
    ".ipynb": "Jupyter",
}
"""Suffix -> name of languages that are not read. Files of theirs that mention a vault are told, so that none is missed silently."""

SCRIPTS = frozenset({".sh", ".bash", ".ps1", ".psm1"})
"""Suffixes of shell and PowerShell. Their calls are read by `lint`; whoever runs them needs access, not the workload."""

_MENTIONS = re.compile(r"vault\.azure\.net|key[-_. ]?vault", re.IGNORECASE)

LARGEST_SOURCE = 4 * 1024 * 1024
"""Bytes. What is larger was generated."""

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
    unread: Counter[str] = Counter()
    looked_into = scripts = 0
    vaults: dict[Path, Mapping[str, str]] = {}
    files = [(path, path.relative_to(folder).as_posix() if path != folder else path.name) for path in _files(folder)]
    stores = _stores(files)
    for path, shown in files:
        kind = _kind(path)
        try:
            if kind in READERS:
                if kind == ".tf" and path.parent not in vaults:
                    vaults[path.parent] = _vaults_of_folder(path.parent)
                needs += needs_of_file(path, shown, vaults.get(path.parent), stores)
                looked_into += 1
            elif kind in SCRIPTS:
                scripts += bool(_MENTIONS.search(read_text(path)))
            elif kind in UNREAD and _MENTIONS.search(read_text(path)):
                unread[f"of {UNREAD[kind]} that mention a key vault not looked into: the language is not read"] += 1
        except MissingGrammarError as problem:
            unread[f"of {LANGUAGES[kind]} not looked into: {problem}"] += 1
        except UnreadableFileError as problem:
            problems.append(str(problem))
        except ValueError as problem:
            needs += problem.needs if isinstance(problem, PartlyReadError) else ()
            problems.append(f"{shown}: {problem}")
    problems += [f"{count} {'file' if count == 1 else 'files'} {why}" for why, count in sorted(unread.items())]
    return Inferred(in_order(needs), looked_into, tuple(dict.fromkeys(problems)), _notes(scripts))


def _notes(scripts: int) -> tuple[str, ...]:
    if not scripts:
        return ()
    many = "1 shell or PowerShell script mentions" if scripts == 1 else f"{scripts} shell or PowerShell scripts mention"
    return (f"{many} a key vault: `kvaudit lint` reads scripts; whoever runs them needs access of their own",)


def _vaults_of_folder(folder: Path) -> Mapping[str, str]:
    """What the data sources `azurerm_key_vault` of a Terraform folder are called. A file that cannot be read is told when its turn comes."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.tf")):
        with suppress(UnreadableFileError):
            found |= {} if path.is_symlink() else terraform_vaults(read_text(path))
    return found


def _stores(files: Iterable[tuple[Path, str]]) -> tuple[Store, ...]:
    """Stores of the External Secrets Operator. A file that cannot be read is told when its turn comes."""
    found: list[Store] = []
    for path, shown in files:
        if _kind(path) in (".yaml", ".yml"):
            with suppress(UnreadableFileError):
                found += stores_of(read_text(path), shown)
    return tuple(found)


def needs_of_file(
    path: Path, shown: str, vaults: Mapping[str, str] | None = None, stores: Sequence[Store] | None = None
) -> tuple[Need, ...]:
    """The needs of one file; none for a file of a kind that is not read.

    Args:
        path: of the file.
        shown: as it is to be shown.
        vaults: label -> name, of Terraform's data sources `azurerm_key_vault` in the same folder.
        stores: of the External Secrets Operator, of all files that are looked at.

    Raises:
        PartlyReadError: a part of it could not be read.
        UnreadableFileError: it cannot be opened, is too large or no text.
        MissingGrammarError: its language needs the extra `code`.
        ValueError: its language cannot be parsed.
    """
    reader = READERS.get(_kind(path))
    if reader is None:
        return ()
    text = read_text(path)
    if reader is configuration_needs:
        return configuration_needs(text, shown, vaults, stores)
    if len(text) > LARGEST_SOURCE:
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
