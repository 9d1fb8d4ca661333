"""The formats of results: name -> how they are written down. `html`, `csv` and the like of audits stand in `formats`."""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from kvaudit.report import build_logs, junit, markdown, results_json, sarif
from kvaudit.rules.results import Results

RESULT_FORMATS: Mapping[str, Callable[[Results, BinaryIO], None]] = {
    "json": results_json.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "github": build_logs.render_github,
    "azure-pipelines": build_logs.render_azure_pipelines,
    "markdown": markdown.render,
}
