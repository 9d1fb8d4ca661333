"""SARIF 2.1.0: for code scanning of GitHub and Azure DevOps, and for editors.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", and GitHub's "SARIF support for code
scanning", which requires locations, descriptions and help, and keeps the first 5,000 results of a run.
"""

from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from kvaudit.report.json_lines import json_text
from kvaudit.report.text import visible
from kvaudit.rules.judgement import Severity, Verdict
from kvaudit.rules.results import Result, ResultRule, Results

MOST_RESULTS = 5_000
"""Results that GitHub keeps of one run."""

_LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORES: Mapping[Severity, str] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
"""`security-severity`, by which GitHub sorts: over 9.0 critical, 7.0 high, 4.0 medium, below low."""

NO_FILE = "kvaudit"
"""The artifact that stands for a tenant: GitHub refuses a result without a file."""


def render(results: Results, out: BinaryIO) -> None:
    """Writes one run. Failed verdicts are results of kind `fail`, unknown ones of kind `review`; what was cut is told."""
    shown = [item for item in results.results if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN)]
    kept = shown[:MOST_RESULTS]
    index = {rule.id: number for number, rule in enumerate(results.rules)}
    notes = [("warning", text) for text in results.incomplete]
    notes += [("note", f"not looked into: {text}") for text in results.beyond]
    if len(shown) > len(kept):
        cut = len(shown) - len(kept)
        notes.append(("warning", f"{cut} results of lower severity were left out: a run holds {MOST_RESULTS}"))
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "kvaudit",
                        "version": results.tool_version,
                        "semanticVersion": results.tool_version,
                        "informationUri": "https://pypi.org/project/kvaudit/",
                        "rules": [_rule(rule) for rule in results.rules],
                    }
                },
                "automationDetails": {"id": f"kvaudit/{results.command}/"},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The folder that the command ran in."}}},
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "endTimeUtc": results.generated_at,
                        "toolExecutionNotifications": [
                            {"level": level, "message": {"text": visible(text, limit=1000)}} for level, text in notes
                        ],
                    }
                ],
                "results": [_result(item, index[item.rule_id]) for item in kept],
            }
        ],
    }
    out.write(json_text(document, indent=1).encode("ascii") + b"\n")


def _rule(rule: ResultRule) -> dict[str, Any]:
    why = rule.page.partition("\n\n")[2].partition("\n## ")[0].strip() or rule.title
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": why[:1000]},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "precision": "high",
            "security-severity": _SCORES[rule.severity],
            "tags": ["security", "azure", "key-vault"],
        },
    }


def _result(item: Result, index: int) -> dict[str, Any]:
    failed = item.verdict is Verdict.FAIL
    text = item.message if item.fix is None else f"{item.message}. Fix: {item.fix}"
    found: dict[str, Any] = {
        "ruleId": item.rule_id,
        "ruleIndex": index,
        "kind": "fail" if failed else "review",
        "level": _LEVELS[item.severity] if failed else "none",
        "message": {"text": _no_link(visible(f"{item.place.subject}: {text}", limit=2000))},
        "locations": [_location(item)],
        "partialFingerprints": {"kvaudit/v1": item.fingerprint},
    }
    if item.silenced is not None:
        found["suppressions"] = [{"kind": "inSource", "justification": visible(item.silenced, limit=500)}]
    return found


def _no_link(text: str) -> str:
    """A hair space ends what would be a link embedded in a message: `[text](target)` (SARIF 2.1.0, 3.11.6)."""
    return text.replace("](", "]\u200a(")


def _location(item: Result) -> dict[str, Any]:
    place = item.place
    region = {"startLine": max(place.line, 1)} | ({"startColumn": place.column} if place.column else {})
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(place.file or NO_FILE), "region": region}
    }
    if place.resource_id is not None:
        location["logicalLocations"] = [
            {
                "name": visible(place.subject, limit=200),
                "fullyQualifiedName": visible(place.resource_id, limit=1000),
                "kind": "resource",
            }
        ]
    return location


def _artifact(path: str) -> dict[str, str]:
    """A relative path is below the source root; an absolute one is a `file` URI."""
    uri = quote(path.encode("utf-8", "surrogateescape"), safe="/~._-+()=,@")
    if path.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "%SRCROOT%"}
