"""Judging by counts gives the judgement that the evaluator gives, to the last word."""

from dataclasses import replace

import pytest
from builders import SUBSCRIPTION, Item, assignment, estate, orphan, vault
from hypothesis import given
from test_rule_laws import everything, made_of

from kvaudit.access.evaluator import Access
from kvaudit.model.vaults import Vault
from kvaudit.rules.judge import judge, judge_vault

KV = vault("kv-app")

REGISTERED = replace(orphan("form"), type=None)
"""An application registration that the directory did not answer: only an assignment says what it is."""


@pytest.mark.parametrize("at", [SUBSCRIPTION, KV])
def test_a_grant_to_a_registration_of_which_only_a_record_tells_gives_nothing(at: Vault | str) -> None:
    told = assignment("Reader", REGISTERED, KV, principal_type="Application")
    alike(Access(estate(KV, REGISTERED, told, assignment("Key Vault Secrets User", REGISTERED, at))))


@given(everything)
def test_counts_and_the_evaluator_judge_alike(parts: tuple[list[Vault], list[Item], list[Item]]) -> None:
    alike(Access(made_of(parts)))


def alike(access: Access) -> None:
    """Counts and the evaluator give the same judgements."""
    counted = [(vault, rule.id, found, found.evidence, found.fix) for vault, rule, found in judge(access)]
    asked = [
        (vault, rule.id, found, found.evidence, found.fix)
        for vault in access.estate.vaults
        for rule, found in judge_vault(access.subject(vault))
    ]
    assert counted == asked
