"""Names, tags, roles and conditions that attack whatever shows them come out harmless in every format.

One scan of the sample estate `hostile` by the installed command; the page that it writes is opened in `tests/browser`.
"""

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from conftest import Done, HostileScan
from conftest_types import Run

from kvaudit.lab.estate_file import load_estate

BLANKS_OF_PHRASES = "".join(map(chr, range(0xE000, 0xE006)))
"""What stands in the page's own data for the parts of a phrase that vary (`kvaudit.report.page_codec`)."""

HAIR_SPACE = "\u200a"
"""What ends a build log's command inside a line; unseen, and meant so."""

WHO_CAN = ("who-can", "secrets/get", "--vault", "kv-hostile-rbac", "--expand-groups")
HOLDERS = {f"44444444-4444-4444-4444-0000000000{number:02}" for number in (1, 3, 4, 6, 7, 8, 9, 11, 12, 13)}


def steering(text: str, *, allowed: str = "") -> list[str]:
    """The lines of a text that steer a terminal, the reading direction or a build log."""
    return [
        line
        for line in text.split("\n")
        if not all(letter.isprintable() or letter in HAIR_SPACE + allowed for letter in line)
        or line.lstrip(" \t" + HAIR_SPACE).startswith("::")
        or "##[" in line
        or "##vso[" in line
    ]


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """What the estate calls its people, by object id."""
    estate = load_estate("hostile")
    return {raw["id"]: raw["displayName"] for raw in estate.users.values()}


@pytest.fixture
def ask(run: Run, hostile_scan: HostileScan) -> Any:
    def asked(*words: str) -> Done:
        done: Done = run(*words, "--from", str(hostile_scan.folder / "snapshot"))
        assert done.code in {0, 4}, done.err
        return done

    return asked


def test_the_summary_and_the_log(hostile_scan: HostileScan) -> None:
    assert steering(hostile_scan.done.out) == []
    assert steering(hostile_scan.done.err) == []
    assert "kv-hostile-rbac" in hostile_scan.done.out
    assert "kv-hostile-rbac" in hostile_scan.done.err, "--debug names what is asked"


class _Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_html_holds_no_element_of_theirs(hostile_scan: HostileScan) -> None:
    text = (hostile_scan.folder / "report.html").read_text(encoding="utf-8")
    page = _Elements()
    page.feed(text)
    tags = [tag for tag, _ in page.found]
    assert tags.count("script") == 2
    assert not {"img", "iframe", "object", "embed", "base", "form"} & set(tags)
    assert not [(tag, name) for tag, attributes in page.found for name in attributes if name.startswith("on")]
    links = {(attributes.get("href") or "#").partition(":")[0] for tag, attributes in page.found if tag == "a"}
    assert not {link for link in links if not link.startswith("#")} - {"https"}
    assert not set(text) & set("\u202e\u202c\u2066\u2069\u200b\u2028\u2029\x1b\x07\x08\x00")


def test_html_that_is_printed_into_a_build_log_steers_nothing(hostile_scan: HostileScan) -> None:
    """`cat report.html` in a pipeline: what a browser shows is as it was, the bytes are not."""
    text = (hostile_scan.folder / "report.html").read_text(encoding="utf-8")
    assert steering(text, allowed=BLANKS_OF_PHRASES) == []
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert "###vso[task.setvariable" in json.dumps(data)


def test_findings_json_is_the_data_unchanged_and_its_bytes_steer_nothing(hostile_scan: HostileScan) -> None:
    text = (hostile_scan.folder / "findings.json").read_text(encoding="ascii")
    assert steering(text) == []
    report = json.loads(text)
    wanted = {raw["name"]: raw.get("tags") or {} for raw in load_estate("hostile").vaults.values()}
    assert {vault["name"]: vault["tags"] for vault in report["vaults"]} == wanted


def test_access_csv_holds_no_formula_and_no_stray_row(hostile_scan: HostileScan) -> None:
    text = (hostile_scan.folder / "access.csv").read_bytes().decode("utf-8")
    assert steering(text, allowed="\r") == []
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert {len(row) for row in rows} == {len(header)}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", " "))]
    assert len(rows) == text.count("\r\n") - 1, "one line a row"


def test_access_ndjson_is_the_data_unchanged(ask: Any, names: dict[str, str]) -> None:
    done = ask("access", "--expand-groups")
    assert steering(done.out) == []
    header, *rows = [json.loads(line) for line in done.out.splitlines()]
    assert header["schema"] == "kvaudit/access/1"
    shown = {row["principal_id"]: row["display_name"] for row in rows if row["principal_id"] in names}
    assert set(shown) >= HOLDERS
    assert shown == {principal: names[principal] for principal in shown}
    assert "secrets/=cmd()" in {row["object"] for row in rows}


def test_who_can_says_the_same_in_json_and_yaml(ask: Any, names: dict[str, str]) -> None:
    as_json, as_yaml = ask(*WHO_CAN, "-o", "json"), ask(*WHO_CAN, "-o", "yaml")
    assert steering(as_json.out) == []
    assert steering(as_yaml.out) == []
    said = json.loads(as_json.out)
    assert yaml.safe_load(as_yaml.out) == said
    shown = {item["principal_id"]: item["display_name"] for item in said["answers"] if item["principal_id"] in names}
    assert shown == {principal: names[principal] for principal in HOLDERS}


@pytest.mark.parametrize("output", ["yaml", "json", "tsv", "table"])
@pytest.mark.parametrize("number", ["05", "12"])
def test_a_single_name_begins_no_command(ask: Any, output: str, number: str) -> None:
    query = f"answers[?ends_with(principal_id, '0000000000{number}')].display_name | [0]"
    done = ask(
        "who-can",
        "secrets/get",
        "--vault",
        "kv-hostile-rbac",
        "--object",
        "secrets/plain-secret",
        "-o",
        output,
        "--query",
        query,
    )
    assert done.out.strip()
    assert steering(done.out) == []


@pytest.mark.parametrize("output", ["table", "tsv"])
def test_who_can_for_people_and_shells(ask: Any, output: str) -> None:
    done = ask(*WHO_CAN, "-o", output)
    assert steering(done.out, allowed="\t" if output == "tsv" else "") == []
    if output == "tsv":
        assert len({line.count("\t") for line in done.out.splitlines()}) == 1
        assert len(done.out.splitlines()) == len(json.loads(ask(*WHO_CAN, "-o", "json").out)["answers"])
    assert "\\u202egnp.exe" in done.out


def test_can_tells_of_hostile_people_roles_and_conditions(ask: Any) -> None:
    on_a_condition = ask("can", "44444444-4444-4444-4444-000000000003", "secrets/get", "kv-hostile-rbac")
    assert on_a_condition.out.startswith("conditional")
    assert "</script>\\u001b[31m" in on_a_condition.out
    of_one_secret = ("secrets/get", "kv-hostile-rbac", "--object", "secrets/plain-secret")
    by_name = ask("can", "44444444-4444-4444-4444-000000000005", *of_one_secret)
    assert by_name.out.startswith("allowed")
    assert steering(on_a_condition.out + by_name.out) == []


@pytest.mark.parametrize(
    "words",
    [
        ("can", "::error::who", "secrets/get", "kv-hostile-rbac"),
        ("can", "bell", "secrets/get", "kv-hostile-rbac"),
        ("who-can", "secrets/get", "--vault", "\x1b[31m::kv\u202e"),
        ("who-can", "##vso[task.complete]", "--vault", "kv-hostile-rbac"),
        ("access", "--format", "\x1b[31m::warning::"),
    ],
)
def test_an_error_shows_what_was_typed_and_what_is_near_without_obeying_it(
    run: Run, hostile_scan: HostileScan, words: tuple[str, ...]
) -> None:
    done = run(*words, "--from", str(hostile_scan.folder / "snapshot"))
    assert done.code == 2
    assert done.out == ""
    assert steering(done.err) == []
