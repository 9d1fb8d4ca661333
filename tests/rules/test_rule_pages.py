"""The rules' pages: every rule has one, and the generated page says the same."""

import json
import re
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from kvaudit.preflight.rules.catalogue import FILE_RULES
from kvaudit.rules.catalogue import RULES, by_id
from kvaudit.rules.judgement import Rule

ROOT = Path(__file__).resolve().parents[2]
CHECKS = json.loads(files("kvaudit.data").joinpath("controls.json").read_bytes())["checks"]

sys.path.insert(0, str(ROOT / "tools"))
import docs  # noqa: E402 - the generator is a script of the project, not a part of the package


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_documented(rule: Rule) -> None:
    module = sys.modules[rule.check.__module__]
    text = module.__doc__ or ""
    assert text.splitlines()[0] == rule.title
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Why it matters", "How to fix it", "References"]
    links = re.findall(r"\]\((.*?)\)", text.partition("## References")[2])
    assert links
    assert all(link.startswith("https://learn.microsoft.com/") for link in links)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_named_after_its_module(rule: Rule) -> None:
    assert rule.check.__module__ == f"kvaudit.rules.{rule.id.replace('-', '_')}"
    assert by_id(f" {rule.id.upper()} ") is rule
    assert set(rule.controls) <= set(CHECKS)


def test_every_rule_module_is_in_the_catalogue() -> None:
    folder = ROOT / "kvaudit" / "rules"
    modules = {path.stem for path in folder.glob("*.py") if "\nRULE = Rule(" in path.read_text(encoding="utf-8")}
    assert modules == {rule.id.replace("-", "_") for rule in RULES}


def test_an_unknown_rule_is_told() -> None:
    with pytest.raises(KeyError):
        by_id("no-such-rule")


def test_the_generated_pages_are_current() -> None:
    assert docs.stale_pages() == [], "run `python tools/docs.py`"


def test_the_rules_page_names_every_rule_once() -> None:
    headings = re.findall(r"^## (.*)$", docs.rules_page(), re.MULTILINE)
    assert sorted(headings) == sorted([*(rule.id for rule in RULES), *(rule.id for rule in FILE_RULES)])
