"""`rules`: what the rules are, over vaults and over files, and the page of each."""

import sys
from typing import Any

from kvaudit.preflight.judgement import FileRule
from kvaudit.preflight.rules.catalogue import FILE_RULES
from kvaudit.rules.catalogue import RULES
from kvaudit.rules.judgement import Rule


def rule_shapes() -> list[dict[str, Any]]:
    """Every rule as JSON: those over vaults, then those over files, most severe first."""
    return [_shape(rule) for rules in (RULES, FILE_RULES) for rule in sorted(rules, key=_order)]


def _order(rule: Rule | FileRule) -> tuple[int, str]:
    return (rule.severity.rank, rule.id)


def _shape(rule: Rule | FileRule) -> dict[str, Any]:
    over_vaults = isinstance(rule, Rule)
    return {
        "id": rule.id,
        "over": "vaults" if over_vaults else "files",
        "severity": rule.severity.value,
        "title": rule.title,
        "needs": sorted(rule.needs) if isinstance(rule, Rule) else [],
        "fires": rule.fires.value if isinstance(rule, Rule) else None,
        "controls": list(rule.controls),
    }


def rule_page(rule_id: str) -> str | None:
    """The documentation page of a rule (its module's docstring) in Markdown, or None for an unknown rule."""
    rules: tuple[Rule | FileRule, ...] = (*RULES, *FILE_RULES)
    for rule in rules:
        if rule.id == rule_id.strip().casefold():
            return (
                f"# {rule.id} ({rule.severity.value})\n\n{(sys.modules[rule.check.__module__].__doc__ or '').strip()}"
            )
    return None
