"""Files of parameter values in JSON that go by a template's name: `main.parameters.json` beside `main.json` or `main.bicep`."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvaudit.errors import UsageError
from kvaudit.sources.json_source import parse_json
from kvaudit.sources.located import Node
from kvaudit.sources.reading import read_text
from kvaudit.templates.arm import is_parameters, parameter_values


@dataclass(frozen=True, slots=True)
class ParameterFile:
    """A file of values, and its text for remarks inside it."""

    file: str
    root: Node
    lines: tuple[str, ...]


def beside(path: Path) -> tuple[list[ParameterFile], list[UsageError]]:
    """The parameter files of a template, and those that could not be read."""
    stem = glob.escape(path.name.split(".", maxsplit=1)[0])
    found, problems = [], []
    for item in sorted(item for item in path.parent.glob(f"{stem}.*param*.json*") if item != path):
        try:
            text = read_text(item)
            root = parse_json(text, str(item)).root
        except UsageError as problem:
            problems.append(problem)
            continue
        if is_parameters(root):
            found.append(ParameterFile(str(item), root, tuple(text.split("\n"))))
    return found, problems


def values_of(files: Sequence[ParameterFile]) -> dict[str, object]:
    """What the one parameter file of a template gives.

    Where there are several (one per environment), none is chosen: what they decide stays unknown.
    """
    return parameter_values(files[0].root) if len(files) == 1 else {}
