"""Results in every format: golden files, hostile text, and what must never be lost: what could not be read."""

import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from kvaudit.report import results_text, sarif
from kvaudit.report.result_formats import RESULT_FORMATS
from kvaudit.rules.judgement import Severity, Verdict
from kvaudit.rules.results import Result, ResultPlace, ResultRule, Results

HOSTILE = "<script>alert(1)</script> ::error::x ##vso[task.x]y | `a` [l](http://evil.example) \x1b[31m \u202e%0A\nnext"
RULE = ResultRule(
    "purge-off", "Purge protection is off", Severity.HIGH, "Purge protection is off\n\nWhy.\n\n## How to fix it\n\nOn."
)
OTHER = ResultRule("name-odd", "A name is odd", Severity.LOW, "A name is odd\n\nWhy.")


def results(text: str = "it is off", subject: str = "kv-payments", file: str | None = "infra/main.bicep") -> Results:
    place = ResultPlace(
        subject, file, 12 if file else 0, 3 if file else 0, None if file else f"/subscriptions/1/{subject}"
    )
    return Results(
        command="lint",
        tool_version="1.2.3",
        generated_at="2026-11-24T08:00:00Z",
        rules=(RULE, OTHER),
        results=(
            Result("purge-off", Severity.HIGH, Verdict.FAIL, text, place, fix=f"turn it on {text}"),
            Result("name-odd", Severity.LOW, Verdict.FAIL, text, place, silenced=f"known {text}"),
            Result("name-odd", Severity.LOW, Verdict.UNKNOWN, f"not decided: {text}", place),
        ),
        incomplete=(f"broken.json:1:2: {text}",),
        beyond=(f"modules elsewhere: {text}",),
        counts={Verdict.PASS: 4, Verdict.FAIL: 1, Verdict.UNKNOWN: 1},
    )


def written(name: str, found: Results) -> str:
    out = io.BytesIO()
    RESULT_FORMATS[name](found, out)
    return out.getvalue().decode()


def terminal(found: Results, *, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=100, color_system=None, highlight=False)
    results_text.render(found, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", sorted(RESULT_FORMATS))
def test_the_shape_of_a_format(name: str, snapshot: SnapshotAssertion) -> None:
    assert written(name, results()) == snapshot


def test_the_terminal(snapshot: SnapshotAssertion) -> None:
    assert terminal(results(), verbose=True) == snapshot


@pytest.mark.parametrize("name", [*sorted(RESULT_FORMATS), "terminal"])
def test_what_could_not_be_read_is_told_in_every_format(name: str) -> None:
    found = results()
    text = terminal(found) if name == "terminal" else written(name, found)
    assert "broken.json" in text


@pytest.mark.parametrize("name", sorted(RESULT_FORMATS))
@pytest.mark.parametrize("file", ["infra/main.bicep", None])
def test_hostile_text_stays_text(name: str, file: str | None) -> None:
    text = written(name, results(HOSTILE, HOSTILE, file))
    lines = text.splitlines()
    assert "\x1b" not in text
    assert "\u202e" not in text
    if name == "github":
        assert all(re.match(r"::(error|warning|notice) ", line) for line in lines)
        assert all(line.count("::") == 2 for line in lines)
    elif name == "azure-pipelines":
        assert all(line.startswith("##vso[task.") and line.count("##") == 1 for line in lines)
    else:
        assert "##vso" not in text
        assert not any(line.lstrip().startswith("::") for line in lines)
    if name == "markdown":
        assert "<script" not in text
        assert "](http" not in text


def test_junit_is_xml_and_counts_what_it_holds() -> None:
    root = ET.fromstring(written("junit", results(HOSTILE)))  # noqa: S314 - our own text
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["not read", "not looked into", "infra/main.bicep"]
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(kind, "")) == len(suite.findall(f"testcase/{tag}"))


def test_sarif_cuts_the_least_severe_and_says_so() -> None:
    found = results()
    many = Results(
        **{**{name: getattr(found, name) for name in Results.__slots__}, "results": found.results[:1] * 6000}
    )
    run = json.loads(written("sarif", many))["runs"][0]
    assert len(run["results"]) == sarif.MOST_RESULTS
    notes = [item["message"]["text"] for item in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("1000 results" in note for note in notes)


def test_sarif_names_a_file_by_its_address() -> None:
    location = json.loads(written("sarif", results(file="a b/ü#1.bicep")))["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"] == {
        "uri": "a%20b/%C3%BC%231.bicep",
        "uriBaseId": "%SRCROOT%",
    }


@given(st.text(max_size=80), st.text(min_size=1, max_size=30))
def test_any_text_is_borne_by_every_format(text: str, subject: str) -> None:
    found = results(text, subject)
    for name in RESULT_FORMATS:
        body = written(name, found)
        if name in ("json", "sarif"):
            json.loads(body)
        elif name == "junit":
            ET.fromstring(body)  # noqa: S314 - our own text
    terminal(found)


def test_a_fingerprint_outlives_moved_lines_and_messages() -> None:
    one, two = results().results[0], results("it is still off").results[0]
    moved = Result(
        two.rule_id, two.severity, two.verdict, two.message, ResultPlace("KV-payments", "infra/main.bicep", 99, 1)
    )
    assert one.fingerprint == two.fingerprint == moved.fingerprint
    assert one.fingerprint != results(subject="kv-other").results[0].fingerprint
    assert one.fingerprint != replace(one, about="secrets/get").fingerprint


@pytest.mark.parametrize("file", ["::error::,a%0A.tf", "a:b,c%d.tf", "##vso[x].tf"])
def test_an_annotation_keeps_the_name_of_its_file(file: str) -> None:
    line = next(line for line in written("github", results(file=file)).splitlines() if "file=" in line)
    told = line.split("file=", 1)[1].split(",", 1)[0]
    assert ":" not in told
    told = told.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    assert told == (file if "##" not in file else "#\u200a#vso[x].tf")


def test_markdown_mentions_nobody_and_is_never_so_long_that_it_is_dropped() -> None:
    assert not re.search(
        r"(?:@|&#64;)(?!&#8203;)\w", written("markdown", results("@octocat asks anna@contoso.example"))
    )
    assert not re.search(r"(?:#|&#35;)(?!&#8203;)12", written("markdown", results("see #12")))
    found = results("<" * 5000, "\u202e" * 5000)
    many = replace(found, results=found.results * 500, incomplete=found.incomplete * 500, beyond=found.beyond * 500)
    text = written("markdown", many)
    assert 200_000 < len(text.encode()) < 2**20
    assert text.count("more are not shown") == 4


def test_sarif_holds_no_link_of_the_tenants() -> None:
    message = json.loads(written("sarif", results("[here](https://evil.example) [x](1)")))["runs"][0]["results"][0][
        "message"
    ]
    assert "](" not in message["text"]
    assert "[here]" in message["text"]
