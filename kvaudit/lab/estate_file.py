"""Estate files: a friendly YAML (or JSON) form is compiled into the raw payloads that the lab serves.

The form is documented by `estates/contoso.yaml`. Records refer to principals, roles and places by name. A file may also
hold payloads verbatim, as `az rest` exported them, under `arm:` and `graph:`.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from kvaudit.lab.estate import Estate, Raw, fold
from kvaudit.lab.estate_compile import compile_estate
from kvaudit.lab.estate_yaml import EstateFileError, Mistakes, read_places


def load_estate(source: Path | str) -> Estate:
    """The estate of a file, or of a packaged sample by name (`contoso`).

    Raises:
        EstateFileError: the file has mistakes; all of them at once, each with line and column.
        FileNotFoundError: there is no such file or sample.
    """
    path = Path(source)
    if path.is_file():
        return parse_estate(path.read_bytes(), str(source))
    sample = files("kvaudit.lab").joinpath("estates", f"{source}.yaml")
    if "/" not in str(source) and sample.is_file():
        return parse_estate(sample.read_bytes(), f"{source}.yaml")
    raise FileNotFoundError(str(source))


def sample_names() -> tuple[str, ...]:
    """The names of the packaged samples, sorted."""
    folder = files("kvaudit.lab").joinpath("estates")
    return tuple(sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml")))


def parse_estate(text: bytes, file: str) -> Estate:
    """The estate of a document.

    Args:
        file: how mistakes name it.
    """
    mistakes = Mistakes(file)
    document = read_places(text, file, mistakes)
    if not isinstance(document, dict):
        raise EstateFileError(
            (f"{file}:1:1 an estate is a mapping with keys such as tenant, subscriptions and vaults",)
        )
    estate = compile_estate(document, mistakes, builtin_role_definitions())  # type: ignore[arg-type]
    mistakes.stop_if_any()
    return estate


@cache
def _builtin_text() -> bytes:
    return files("kvaudit.data").joinpath("roles.json").read_bytes()


def builtin_role_definitions() -> dict[str, Raw]:
    """The published built-in roles by folded GUID, fresh copies."""
    raw: dict[str, Any] = orjson.loads(_builtin_text())
    return {fold(item["name"]): item for item in raw["value"]}
