"""The HTML report: one file that needs no network, runs one script that it names by hash, and obeys no name in it."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kvaudit.report.audit import Audit
from kvaudit.report.page_tables import tables_of
from kvaudit.report.page_view import View
from kvaudit.report.text import visible


def render(audit: Audit, out: BinaryIO) -> None:
    """Writes the report as one HTML page, UTF-8; the same bytes for the same audit."""
    style, script = _read("page.css"), _read("page.js")
    view = View(audit)
    text = json.dumps(tables_of(audit, view), ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    template = _environment().get_template("page.html.j2")
    stream = template.stream(
        audit=audit,
        view=view,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
        data=Markup(text),  # noqa: S704 - JSON in which no `<` is left, in an element that no browser runs
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
    return Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,  # of every template; select_autoescape() does not know the ending .html.j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: Any) -> Any:
    """What every `{{ }}` passes through: the tenant's text is made visible before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return "\n".join(visible(line) for line in value.split("\n"))
    return value


@cache
def _read(name: str) -> str:
    return (templates_folder() / name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Markup(f"'sha256-{digest}'")  # noqa: S704 - base64
