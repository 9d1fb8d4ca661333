"""The HTML report: one file that needs no network, runs one script that it names by hash, and obeys no name in it."""

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from kvaudit.report.audit import Audit
from kvaudit.report.page_data import PageData
from kvaudit.report.page_view import view_of
from kvaudit.report.text import counted, visible

_SCRIPTS = ("data", "dom", "table", "findings", "tables", "detail", "main")
_STYLES = ("base", "parts", "print")


def render(audit: Audit, out: BinaryIO) -> None:
    """Writes the report as one HTML page, UTF-8; the same bytes for the same audit."""
    page = PageData(audit)
    data = _data_island(page.build())
    style, script = _bundle("css", _STYLES), _bundle("js", _SCRIPTS)
    stream = (
        _environment()
        .get_template("page.html.j2")
        .stream(
            view=view_of(audit, page),
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            data=data,
        )
    )
    stream.enable_buffering(64)
    stream.dump(out, encoding="utf-8")


def templates_folder() -> Path:
    """Where the templates are: in the package when it was built, at the root of the repository when it is edited."""
    here = Path(__file__).resolve().parent
    packed = here / "templates"
    return packed if packed.is_dir() else here.parent.parent / "reports" / "templates"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,  # of every template; select_autoescape() does not know the ending .html.j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["counted"] = counted
    return environment


_TWICE = re.compile(r":(?=:)|#(?=#)")
"""What a build log's command begins with (`kvaudit.report.text`)."""

_HASH_BEFORE_HASH = re.compile("#(?=#)")


def _shown(value: Any) -> Any:
    """What every `{{ }}` passes through: text of the tenant is made visible, then escaped.

    So is the first of two hashes or colons: a browser shows the same, and a build log into which the page is printed finds
    no command in it.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    safe = str(escape(visible(value)))
    return Markup(_TWICE.sub(lambda found: f"&#{ord(found[0])};", safe))  # noqa: S704 - escaped right before


@cache
def _bundle(kind: str, names: tuple[str, ...]) -> str:
    texts = [(templates_folder() / kind / f"{name}.{kind}").read_text(encoding="utf-8") for name in names]
    text = "\n".join(texts)
    return f"\n(() => {{\n'use strict';\n{text}}})();\n" if kind == "js" else f"\n{text}"


def _csp_hash(text: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Markup(f"'sha256-{digest}'")  # noqa: S704 - base64


def _data_island(data: dict[str, Any]) -> Markup:
    """JSON that stands in a script element of a type that no browser runs; `<` cannot end the element, `##` steers no log."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    if "##" in text:  # in strings only, in which the escape means the same
        text = _HASH_BEFORE_HASH.sub(r"\\u0023", text)
    return Markup(text)  # noqa: S704 - no `<` is left in it
