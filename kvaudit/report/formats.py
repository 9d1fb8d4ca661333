"""The formats of `--report FORMAT=PATH`: name -> how an audit is written down."""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from kvaudit.report import access_csv, findings_json, page
from kvaudit.report.audit import Audit

Render = Callable[[Audit, BinaryIO], None]
"""Writes one audit to a binary stream. Opens nothing, asks no clock, prints nothing; same audit, same bytes."""

FORMATS: Mapping[str, Render] = {
    "html": page.render,
    "json": findings_json.render,
    "csv": access_csv.render,
}
