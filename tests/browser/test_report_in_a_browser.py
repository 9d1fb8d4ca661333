"""The report in a real Chromium: search, sort, filter, keyboard, print, dark mode, accessibility, and hostile names."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
def chromium() -> Iterator[Any]:
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


@pytest.fixture
def page(chromium: Any, report: Path) -> Iterator[Any]:
    opened = chromium.new_page()
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


def names(page: Any, section: str = "#vaults") -> list[str]:
    texts: list[str] = page.locator(f"{section} tbody tr td:first-child").all_inner_texts()
    return texts


def test_hostile_names_run_nothing_and_are_shown_as_text(page: Any) -> None:
    assert page.title().startswith("Key Vault access")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    shown = page.locator("#vaults tbody").inner_text()
    assert "</script>" in shown
    assert "\u202e" not in page.content(), "no right-to-left mark is left"
    assert "\x1b" not in page.content()


def test_search_narrows_and_says_how_many(page: Any) -> None:
    page.locator("#vaults input").fill("team-07")
    assert names(page) == ["kv-team-07"]
    assert page.locator("#vaults [role=status]").inner_text().startswith("1 of 30")


def test_filters_and_sort(page: Any) -> None:
    page.locator("#vaults select").first.select_option("access policies")
    assert page.locator("#vaults [role=status]").inner_text().startswith("10 of 30")
    page.locator("#vaults th button").first.click()
    ascending = names(page)
    assert ascending == sorted(ascending, key=str.lower)
    page.locator("#vaults th button").first.click()
    assert page.locator("#vaults th").first.get_attribute("aria-sort") == "descending"
    assert names(page) == ascending[::-1]


def test_the_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#vaults th button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#vaults th").first.get_attribute("aria-sort") == "ascending"
    link = page.locator("#vaults tbody a").first
    target = link.get_attribute("href")
    link.focus()
    page.keyboard.press("Enter")
    assert page.locator(target).get_attribute("open") is not None, "the section that the link leads to opens"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
    results = Axe().run(page)
    assert [(item["id"], item["nodes"][0]["html"][:160]) for item in results.response["violations"]] == []


def test_dark_mode_changes_the_colours(page: Any) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) != light


def test_print_opens_every_section(page: Any) -> None:
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("nav").is_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(page.pdf()) > 10_000


def test_the_page_has_a_strict_policy_and_no_address(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "default-src 'none'; script-src 'sha256-" in text
    assert 'src="' not in text.replace('src="x"', "")
    data = text.split('id="data">', 1)[1].split("</script>", 1)[0]
    assert json.loads(data)["tables"]["vaults"]["columns"]
    assert report.stat().st_size < 2_000_000
