"""The largest files and functions, and whether each is within the limits of CONTRIBUTING.md.

python tools/sizes.py       lists them; exits with 1 when a file is longer than 400 lines or a function than 60

Lines are counted as an editor counts them, docstrings and blank lines included. `kvaudit/data` is generated and not counted.
"""

import ast
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LIMIT = 400
FUNCTION_LIMIT = 60
SHOWN = 10

_CODE = (
    "kvaudit/**/*.py",
    "tests/**/*.py",
    "tools/*.py",
    "benchmarks/**/*.py",
    "reports/templates/**/*.*",
    "noxfile.py",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A file or function and its lines."""

    lines: int
    where: str


def code_files(root: Path) -> Iterator[Path]:
    """Every file that people write, tests and templates included."""
    for pattern in _CODE:
        yield from (path for path in root.glob(pattern) if path.is_file() and path.suffix != ".pyc")


def functions(path: Path, text: str, root: Path) -> Iterator[Measured]:
    """Every function of a Python file, those inside others too."""
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Measured(lines, f"{path.relative_to(root)}:{node.lineno} {node.name}")


def measure(root: Path) -> tuple[list[Measured], list[Measured]]:
    """Files and functions of a project, largest first."""
    of_files: list[Measured] = []
    of_functions: list[Measured] = []
    for path in code_files(root):
        text = path.read_text(encoding="utf-8")
        of_files.append(Measured(len(text.splitlines()), str(path.relative_to(root))))
        if path.suffix == ".py":
            of_functions.extend(functions(path, text, root))
    return _ranked(of_files), _ranked(of_functions)


def _ranked(items: Sequence[Measured]) -> list[Measured]:
    return sorted(items, key=lambda item: (-item.lines, item.where))


def main() -> int:
    """Prints the largest and those over a limit. Answers the exit code."""
    over = 0
    for name, items, limit in zip(("files", "functions"), measure(ROOT), (FILE_LIMIT, FUNCTION_LIMIT), strict=True):
        beyond = sum(item.lines > limit for item in items)
        median = statistics.median(item.lines for item in items)
        print(f"{len(items)} {name}, median {median:g} lines, {beyond} over {limit}:")
        for item in items[: max(SHOWN, beyond)]:
            print(f"{item.lines:>6} {'OVER ' if item.lines > limit else '     '}{item.where}")
        over += beyond
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
