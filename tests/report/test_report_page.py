"""The data of the page: what the script of the page undoes is undone here too, and nothing may be lost on the way."""

import html
import io
import json
import re
from typing import Any

import pytest
from builders import assignment, estate, gap, user, vault
from hypothesis import given
from hypothesis import strategies as st
from sample import HOSTILE, audit_of, contoso, hostile

from kvaudit.report import page, page_data
from kvaudit.report.audit import Audit
from kvaudit.report.page_codec import GUID, PRINCIPAL, VAULT_ID, VAULT_NAME, VAULT_NAME_FOLDED, VAULT_SCOPE, Phrases
from kvaudit.report.rule_pages import page_of, to_html
from kvaudit.report.text import visible
from kvaudit.rules.catalogue import RULES

guids = st.uuids().map(str)
pieces = st.one_of(
    guids,
    st.sampled_from(["kv-app", "KV-App", vault("kv-app").id, vault("kv-app").scope, "anna", *HOSTILE]),
    st.text(max_size=5),
)


def html_of(audit: Audit) -> str:
    out = io.BytesIO()
    page.render(audit, out)
    return out.getvalue().decode("utf-8")


def data_of(audit: Audit) -> dict[str, Any]:
    text = html_of(audit).split('id="data">', 1)[1].split("</script>", 1)[0]
    found: dict[str, Any] = json.loads(text)
    return found


def undone(phrases: Phrases, number: int, places: dict[str, str]) -> str:
    template, *numbers = phrases.phrases.items[number]
    left = iter(phrases.guids.items[item] for item in numbers)

    def place(match: re.Match[str]) -> str:
        if match.group() != GUID:
            return places[match.group()]
        digits = next(left)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return re.sub("[\ue000-\ue005]", place, phrases.strings.items[template])


@given(st.lists(st.lists(pieces, max_size=5).map(" ".join), min_size=1, max_size=6))
def test_a_phrase_is_undone_to_what_it_was(texts: list[str]) -> None:
    place = vault("kv-app")
    places = {
        VAULT_ID: place.id,
        VAULT_SCOPE: place.scope,
        VAULT_NAME: place.name,
        VAULT_NAME_FOLDED: place.name.casefold(),
        PRINCIPAL: "anna",
    }
    phrases = Phrases()
    numbers = [phrases.phrase(text, place, "anna") for text in texts]
    assert [undone(phrases, number, places) for number in numbers] == [visible(text) for text in texts]


@pytest.mark.parametrize("make", [contoso, hostile])
def test_every_finding_vault_and_principal_is_in_the_page(make: Any) -> None:
    audit = audit_of(make())
    data = data_of(audit)
    assert len(data["findings"]["vault"]) == len(audit.findings)
    assert len(data["unknowns"]["vault"]) == len(audit.unknowns)
    assert {data["strings"][name] for name in data["vaults"]["name"]} == {
        visible(item.name) for item in audit.estate.vaults
    }
    held = {row.principal_id for row in audit.access.rows() if row.principal_id}
    assert len(data["principals"]["id"]) >= len(held)
    assert len(set(map(len, data["vaults"].values()))) == 1, "columns are of one length"
    assert len(set(map(len, data["principals"].values()))) == 1


def test_rows_that_are_too_many_are_said_to_stand_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_data, "ROWS_KEPT", 1)
    anna = user("anna")
    vaults = [vault(f"kv-{number}") for number in range(3)]
    audit = audit_of(estate(*vaults, anna, *(assignment("Key Vault Secrets User", anna, item) for item in vaults)))
    assert data_of(audit)["vaults"]["rows"].count(-1) == 2
    assert "The rows of access of 2 vaults are left out of this page" in html_of(audit)


def test_the_page_is_made_of_its_own_markup_only() -> None:
    markup = re.sub(r"<script.*?</script>|<style>.*?</style>", "", html_of(audit_of(hostile())), flags=re.DOTALL)
    assert "<script" not in markup
    assert "<img" not in markup
    assert re.search(r"<[^>]*\son\w+=", markup) is None
    assert re.search(r"<[^>]*\sstyle=", markup) is None
    assert "49" not in re.findall(r"\{\{.*?\}\}", markup), "templates in names are text"


def test_names_that_command_build_logs_are_character_references_in_it() -> None:
    """Gaps stand in the page itself, the rest in its data: a browser shows both as they were."""
    audit = audit_of(hostile())
    text = html_of(audit)
    assert "##" not in text
    markup = re.sub(r"<script.*?</script>|<style>.*?</style>", "", text, flags=re.DOTALL)
    assert "::" not in markup
    assert "::error::owned" in html.unescape(markup)
    assert "x ###vso[task.setvariable variable=a]b" in html.unescape(markup)
    assert "x ###vso[task.setvariable variable=a]b" in json.dumps(data_of(audit), ensure_ascii=False)


def test_what_was_not_read_stands_before_everything_else() -> None:
    text = html_of(audit_of(contoso()))
    order = [text.index(f'id="{name}"') for name in ("coverage", "models", "readers", "findings", "principals")]
    assert order == sorted(order)
    for item in audit_of(contoso()).gaps:
        assert f'id="{item.id}"' in text


@pytest.mark.parametrize("kinds", [("vaults",), ("vaults", "role_assignments")])
def test_a_reason_that_is_not_that_of_all_gaps_of_a_place_is_told_of_its_own(kinds: tuple[str, ...]) -> None:
    text = html_of(audit_of(estate(vault(), *(gap(kind, reason=f"refused {kind}/read") for kind in kinds))))
    assert "refused vaults/read" in text
    assert ("The first of them, vaults: refused vaults/read" in text) == (len(kinds) > 1)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_its_page(rule: Any) -> None:
    found = page_of(rule)
    assert found.about
    assert found.why
    assert found.how
    assert "https://learn.microsoft.com/" in found.references


def test_pages_are_escaped() -> None:
    assert to_html("a < b `<i>` [<x>](https://learn.microsoft.com/a?b=1&c)\n\n- one\n  two\n- **three**") == (
        "<p>a &lt; b <code>&lt;i&gt;</code> "
        '<a href="https://learn.microsoft.com/a?b=1&amp;c" rel="noreferrer">&lt;x&gt;</a></p>'
        "<ul><li>one two</li><li><strong>three</strong></li></ul>"
    )
