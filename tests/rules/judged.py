"""Judging small estates in tests."""

from builders import Item, estate

from kvaudit.access.evaluator import Access
from kvaudit.rules.catalogue import by_id
from kvaudit.rules.judge import judge
from kvaudit.rules.judgement import Judgement, Verdict

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE


def judged(rule_id: str, *items: Item) -> Judgement:
    """The judgement of one rule on the first vault of an estate."""
    return next(judgement for _, _, judgement in judge(Access(estate(*items)), (by_id(rule_id),)))


def principals_of(judgement: Judgement) -> set[str | None]:
    """The principals that evidence names."""
    return {item.principal_id for item in judgement.evidence}
