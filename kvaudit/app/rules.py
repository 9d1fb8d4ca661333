"""`rules`: what the rules are, and the page of each."""

import sys
from typing import Any

from kvaudit.rules.catalogue import RULES


def rule_shapes() -> list[dict[str, Any]]:
    """Every rule as JSON, most severe first."""
    return [
        {
            "id": rule.id,
            "severity": rule.severity.value,
            "title": rule.title,
            "needs": sorted(rule.needs),
            "fires": rule.fires.value,
            "controls": list(rule.controls),
        }
        for rule in sorted(RULES, key=lambda rule: (rule.severity.rank, rule.id))
    ]


def rule_page(rule_id: str) -> str | None:
    """The documentation page of a rule (its module's docstring) in Markdown, or None for an unknown rule."""
    for rule in RULES:
        if rule.id == rule_id.strip().casefold():
            return (
                f"# {rule.id} ({rule.severity.value})\n\n{(sys.modules[rule.check.__module__].__doc__ or '').strip()}"
            )
    return None
