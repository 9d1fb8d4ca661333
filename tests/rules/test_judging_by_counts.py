"""Judging by counts gives the judgement that the evaluator gives, to the last word."""

from builders import Item
from hypothesis import given
from test_rule_laws import everything, made_of

from kvaudit.access.evaluator import Access
from kvaudit.model.vaults import Vault
from kvaudit.rules.judge import judge, judge_vault


@given(everything)
def test_counts_and_the_evaluator_judge_alike(parts: tuple[list[Vault], list[Item], list[Item]]) -> None:
    access = Access(made_of(parts))
    counted = [(vault, rule.id, found, found.evidence, found.fix) for vault, rule, found in judge(access)]
    asked = [
        (vault, rule.id, found, found.evidence, found.fix)
        for vault in access.estate.vaults
        for rule, found in judge_vault(access.subject(vault))
    ]
    assert counted == asked
