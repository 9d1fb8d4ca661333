"""The report in a real Chromium: search, sort, filter, keyboard, print, dark mode, accessibility, and hostile names."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import HostileScan

from kvaudit.access.evaluator import Access
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap
from kvaudit.model.vaults import AccessPolicy, PermissionModel, PermissionModelSource, Vault
from kvaudit.report import page as report_page
from kvaudit.report.build import build_audit

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e=cmd()|'x'!A1::error::\x1b[31m"
)
READER = "44444444-4444-4444-4444-000000000001"


def vaults() -> tuple[Vault, ...]:
    found = []
    for number in range(30):
        policies = number % 3 == 0
        name = f"kv-team-{number:02}"
        entry = AccessPolicy("11111111-1111-1111-1111-111111111111", READER, None, secrets=("get", "list"))
        found.append(
            Vault(
                id=f"/subscriptions/33333333-3333-3333-3333-000000000001/resourceGroups/rg-{number % 4}/providers/Microsoft.KeyVault/vaults/{name}",
                name=name if number else HOSTILE,
                tenant_id="11111111-1111-1111-1111-111111111111",
                tags={"owner": HOSTILE},
                permission_model=PermissionModel.ACCESS_POLICIES if policies else PermissionModel.AZURE_RBAC,
                permission_model_source=PermissionModelSource.EXPLICIT,
                access_policies=(entry,) if policies else (),
            )
        )
    return tuple(found)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    estate = Estate(
        tenant_id="11111111-1111-1111-1111-111111111111",
        vaults=vaults(),
        principals={READER: Principal(READER, "User", display_name=HOSTILE)},
        gaps=(Gap("role_assignments", "/subscriptions/33333333-3333-3333-3333-000000000001", HOSTILE, 403),),
    )
    audit = build_audit(Access(estate), tool_version="0", generated_at="2026-11-24T08:00:00Z", scope={})
    path = tmp_path_factory.mktemp("page") / "report.html"
    with path.open("wb") as out:
        report_page.render(audit, out)
    return path


@pytest.fixture(scope="module")
def chromium(hostile_scan: HostileScan) -> Iterator[Any]:  # first: no lab starts beside Playwright's event loop
    from playwright.sync_api import Error, sync_playwright

    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as problem:
            pytest.skip(
                f"NO BROWSER TEST WAS RUN: no Chromium starts here ({str(problem).splitlines()[0]}); install chromium"
            )
        yield browser
        browser.close()


@contextmanager
def opened_page(chromium: Any, report: Path) -> Iterator[Any]:
    """A page in which anything that a report must never do is a failure: an error, a dialog, a request."""
    opened = chromium.new_page()
    opened.set_default_timeout(5_000)
    opened.problems = []
    opened.on("console", lambda message: opened.problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.problems.append("a dialog was opened"), dialog.dismiss()))
    opened.on(
        "request", lambda request: opened.problems.append(request.url) if not request.url.startswith("file:") else None
    )
    opened.goto(report.as_uri())
    yield opened
    assert opened.problems == []
    opened.close()


@pytest.fixture
def page(chromium: Any, report: Path) -> Iterator[Any]:
    with opened_page(chromium, report) as opened:
        yield opened


def names(page: Any) -> list[str]:
    texts: list[str] = page.locator("#vault-table tbody th a").all_inner_texts()
    return texts


def status(page: Any, table: str = "#vault-table") -> str:
    text: str = page.locator(f"{table} [role=status]").inner_text()
    return text


def choose(page: Any, label: str, choice: str) -> None:
    page.locator("#vault-table label", has_text=label).locator("select").select_option(label=choice)


def sort_of(page: Any, column: int) -> str | None:
    value: str | None = page.locator("#vault-table thead th").nth(column).get_attribute("aria-sort")
    return value


def test_hostile_names_run_nothing_and_are_shown_as_text(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    shown = page.locator("#vault-table tbody").inner_text()
    for link in ("#vault-table tbody th a", "#principal-table tbody th a"):
        page.locator(link).filter(has_text="</script>").first.click()
        assert "</script>" in page.locator("#detail h2").first.inner_text()
        page.go_back()
    assert page.title().startswith("Who can do what")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert "</script>" in shown
    assert "\u202e" not in page.content(), "no right-to-left mark is left"
    assert "\x1b" not in page.content()


def test_a_scanned_hostile_estate_runs_nothing_anywhere(chromium: Any, hostile_scan: HostileScan) -> None:
    """Every section, vault and principal of the sample estate whose names set `kvauditHostile` when they run."""
    with opened_page(chromium, hostile_scan.folder / "report.html") as page:
        page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        links = page.locator("#vault-table tbody th a, #principal-table tbody th a").evaluate_all(
            "(all) => all.map((link) => link.getAttribute('href'))"
        )
        assert len(links) > 10
        for link in links:
            page.evaluate("(link) => { location.hash = link; }", link)
            page.locator("#detail h2").first.wait_for()
            page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        assert page.evaluate("window.kvauditHostile") is None
        assert page.locator("img, iframe, object, embed").count() == 0
        assert page.locator("script").count() == 2
        assert page.title().endswith(" · Who can do what in 2 key vaults")


def test_search_narrows_and_says_how_many(page: Any) -> None:
    page.locator("#vault-table input").fill("team-07")
    page.get_by_text("1 of 30 rows").wait_for()
    assert names(page) == ["kv-team-07"]
    page.locator("#vault-table input").fill("no such vault")
    page.get_by_text("Nothing matches.").wait_for()
    assert status(page).startswith("0 of 30")


def test_filters_and_sort(page: Any) -> None:
    choose(page, "Permission model", "access policies")
    assert status(page).startswith("10 of 30")
    page.locator("#vault-table thead button").first.click()
    ascending = names(page)
    assert ascending == sorted(ascending, key=str.lower)
    assert sort_of(page, 0) == "ascending"
    page.locator("#vault-table thead button").first.click()
    assert sort_of(page, 0) == "descending"
    assert names(page) == ascending[::-1]


@pytest.mark.parametrize(
    ("label", "choice", "found"),
    [
        ("Secrets readable by", "people", 10),
        ("Secrets readable by", "guests", 0),
        ("Finding", "none", 0),
        ("Finding", "unknown verdict", 30),
    ],
)
def test_filters_by_answer_and_finding(page: Any, label: str, choice: str, found: int) -> None:
    choose(page, label, choice)
    assert status(page).startswith(f"{found} of 30" if found < 30 else "30 rows")


def test_findings_are_drawn_when_a_rule_is_opened_and_filtered_by_severity(page: Any) -> None:
    rule = page.locator("details.rule").first
    assert rule.locator(".finding").count() == 0
    rule.locator("summary").first.click()
    first = rule.locator(".finding").first
    first.locator("summary").click()
    assert "Evidence" in first.inner_text()
    page.locator("#severity-filter").select_option("low")
    assert page.locator("details.rule:not([hidden])").evaluate_all(
        "(all) => all.every((item) => item.dataset.severity === 'low')"
    )


def test_a_command_is_copied_as_it_is_shown(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    rule = page.locator("#rule-standing-human-access-to-secrets")
    rule.locator("summary").first.click()
    finding = rule.locator(".finding").nth(1)
    finding.locator("summary").click()
    finding.locator("button.copy").click()
    finding.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == finding.locator("pre").inner_text()


def test_the_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#vault-table thead button").first.focus()
    page.keyboard.press("Enter")
    assert sort_of(page, 0) == "ascending"
    link = page.locator("#vault-table tbody a").nth(3)
    name = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == name, "the heading of the vault has the focus"
    page.go_back()
    page.locator("#overview").wait_for(state="visible")


def test_links_lead_to_vaults_principals_rules_and_gaps(page: Any, report: Path) -> None:
    page.goto(f"{report.as_uri()}#vault-kv-team-03")
    assert page.locator("#detail h2").first.inner_text() == "kv-team-03"
    assert "the access policies of vault kv-team-03 name user" in page.locator(".because").first.inner_text()
    page.goto(f"{report.as_uri()}#principal-{READER}")
    assert page.locator("#detail .holder").count() == 10
    named = page.locator("#detail li", has_text="People can read secrets at any time")
    assert named.locator("a[href^='#vault-']").count() == 10, "the findings that name a principal lead to their vaults"
    page.goto(f"{report.as_uri()}#rule-access-policies-in-use")
    assert page.locator("#rule-access-policies-in-use").get_attribute("open") is not None
    assert page.locator("#overview").is_visible()
    page.goto(f"{report.as_uri()}#vault-there-is-none")
    assert page.locator("#overview").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Any, report: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    for place in ("#coverage", "#vault-kv-team-03", f"#principal-{READER}"):
        page.goto(f"{report.as_uri()}{place}")
        page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        page.wait_for_timeout(100)  # `toggle` events draw the findings
        results = Axe().run(page)
        assert [(item["id"], item["nodes"][0]["html"][:160]) for item in results.response["violations"]] == []


def test_dark_mode_changes_the_colours(page: Any) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) != light


def test_print_opens_every_section_and_closes_it_again(page: Any) -> None:
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("details.rule .finding").count() > 10
    assert page.locator("nav").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.rule[open]").count() == 0
    assert len(page.pdf()) > 10_000


def test_the_page_has_a_strict_policy_and_no_address(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "default-src 'none'; script-src 'sha256-" in text
    assert "; style-src 'sha256-" in text
    assert "unsafe" not in text.split("</head>")[0]
    assert re.findall(r"<(?:script|img|link|iframe|object|embed)\b[^>]*\b(?:src|href|data)=", text) == []
    data = text.split('id="data">', 1)[1].split("</script>", 1)[0]
    assert json.loads(data)["vaults"]["name"]
    assert report.stat().st_size < 200_000
