"""An effect that was not read is a doubt about the denies that were seen, and about nothing else.

So no rule needs the kind `deny_assignment_effects`: the answers that it consults are unknown where a deny is in doubt.
"""

import pytest
from builders import SUBSCRIPTION, Item, assignment, deny, estate, gap, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.rules.judge import judge

ANNA, APP = user("anna"), vault("kv-app")
GRANT = assignment("Key Vault Secrets User", ANNA, APP)
EFFECTS = gap("deny_assignment_effects", SUBSCRIPTION, status=400, code="InvalidApiVersionParameter")
SECRETS = ("Microsoft.KeyVault/vaults/secrets/*",)


def verdicts(*items: Item) -> dict[str, str]:
    return {rule.id: judgement.verdict.value for _, rule, judgement in judge(Access(estate(ANNA, APP, GRANT, *items)))}


def test_without_a_deny_nothing_is_in_doubt() -> None:
    assert verdicts(EFFECTS) == verdicts()
    assert verdicts()["standing-human-access-to-secrets"] == "fail"


@pytest.mark.parametrize(("effect", "verdict"), [("enforced", "pass"), ("audit", "fail"), (None, "unknown")])
def test_a_deny_counts_by_its_effect(effect: str | None, verdict: str) -> None:
    found = verdicts(EFFECTS, deny(ANNA, APP, effect=effect, data_actions=SECRETS))
    assert found["standing-human-access-to-secrets"] == verdict
