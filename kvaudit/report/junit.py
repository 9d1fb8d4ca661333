"""JUnit XML: for the test tabs of Azure Pipelines, GitLab and Jenkins. One suite a file or vault, one case a verdict."""

import re
from collections import defaultdict
from typing import BinaryIO
from xml.etree import ElementTree as ET

from kvaudit.report.text import line_safe
from kvaudit.rules.judgement import Verdict
from kvaudit.rules.results import Result, Results

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(results: Results, out: BinaryIO) -> None:
    """Writes failed verdicts as failures, unknown and silenced ones as skipped with the reason, gaps as errors."""
    suites: dict[str, list[Result]] = defaultdict(list)
    for item in results.results:
        suites[item.place.file or item.place.subject].append(item)
    root = ET.Element("testsuites", {"name": f"kvaudit {results.command}"})
    if results.incomplete:
        _incomplete(root, results)
    if results.beyond:
        _beyond(root, results)
    for name in sorted(suites):
        _suite(root, name, suites[name])
    tree = ET.ElementTree(root)
    ET.indent(tree)
    tree.write(out, encoding="utf-8", xml_declaration=True)
    out.write(b"\n")


def _text(text: str, *, limit: int = 2000) -> str:
    return _NOT_XML.sub("\ufffd", line_safe(text, limit=limit))


def _suite(root: ET.Element, name: str, items: list[Result]) -> None:
    failures = sum(item.verdict is Verdict.FAIL and item.silenced is None for item in items)
    skipped = sum(item.verdict is Verdict.UNKNOWN or item.silenced is not None for item in items)
    counts = {"tests": str(len(items)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    suite = ET.SubElement(root, "testsuite", {"name": _text(name, limit=500), **counts})
    for item in items:
        case = ET.SubElement(
            suite,
            "testcase",
            {"classname": item.rule_id, "name": _text(f"{item.rule_id}: {item.place.subject}", limit=500)},
        )
        if item.place.file:
            case.set("file", _text(item.place.file, limit=500))
            case.set("line", str(max(item.place.line, 1)))
        _outcome(case, item)


def _outcome(case: ET.Element, item: Result) -> None:
    message = _text(item.message)
    if item.silenced is not None:
        ET.SubElement(case, "skipped", {"message": f"ignored: {_text(item.silenced)}"})
    elif item.verdict is Verdict.UNKNOWN:
        ET.SubElement(case, "skipped", {"message": f"unknown: {message}"})
    elif item.verdict is Verdict.FAIL:
        failure = ET.SubElement(case, "failure", {"message": message, "type": item.severity.value})
        failure.text = message if item.fix is None else f"{message}\nFix: {_text(item.fix)}"


def _incomplete(root: ET.Element, results: Results) -> None:
    number = str(len(results.incomplete))
    counts = {"tests": number, "failures": "0", "errors": number, "skipped": "0"}
    suite = ET.SubElement(root, "testsuite", {"name": "not read", **counts})
    for text in results.incomplete:
        case = ET.SubElement(suite, "testcase", {"classname": "not-read", "name": _text(text, limit=200)})
        ET.SubElement(case, "error", {"message": _text(text), "type": "gap"})


def _beyond(root: ET.Element, results: Results) -> None:
    number = str(len(results.beyond))
    counts = {"tests": number, "failures": "0", "errors": "0", "skipped": number}
    suite = ET.SubElement(root, "testsuite", {"name": "not looked into", **counts})
    for text in results.beyond:
        case = ET.SubElement(suite, "testcase", {"classname": "not-looked-into", "name": _text(text, limit=200)})
        ET.SubElement(case, "skipped", {"message": _text(text)})
