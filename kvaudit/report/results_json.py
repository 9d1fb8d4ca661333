"""Results as JSON: `{"schema": "kvaudit/results/1", ...}`, for `lint` and every command that judges files."""

from typing import Any, BinaryIO

from kvaudit.report.json_lines import write_document
from kvaudit.rules.results import Result, Results

SCHEMA = "kvaudit/results/1"


def render(results: Results, out: BinaryIO) -> None:
    """Writes everything, streaming: failed, unknown and silenced verdicts, the counts, and what could not be read."""
    write_document(
        out,
        (
            ("schema", SCHEMA),
            ("command", results.command),
            ("tool_version", results.tool_version),
            ("generated_at", results.generated_at),
            ("verdicts", {verdict.value: number for verdict, number in results.counts.items()}),
            ("incomplete", list(results.incomplete)),
            ("beyond", list(results.beyond)),
            (
                "rules",
                [{"id": rule.id, "title": rule.title, "severity": rule.severity.value} for rule in results.rules],
            ),
            ("results", (result_shape(item) for item in results.results)),
        ),
    )


def result_shape(item: Result) -> dict[str, Any]:
    """One verdict."""
    return {
        "rule": item.rule_id,
        "severity": item.severity.value,
        "verdict": item.verdict.value,
        "message": item.message,
        "file": item.place.file,
        "line": item.place.line or None,
        "column": item.place.column or None,
        "subject": item.place.subject,
        "resource_id": item.place.resource_id,
        "fix": item.fix,
        "texts": dict(item.texts),
        "ignored": item.silenced,
        "fingerprint": item.fingerprint,
    }
