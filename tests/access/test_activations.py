"""Assignments that PIM activates or assigns for a time: which instance ends which assignment."""

from dataclasses import replace

from builders import SUBSCRIPTION, assignment, estate, user, vault

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import ScheduleInstance
from kvaudit.model.permissions import operation

READ = operation("secrets/get")
ANNA, BERT, KV = user("anna"), user("bert"), vault("kv-app")
GRANT = assignment("Key Vault Secrets User", ANNA, KV)
OVER = ScheduleInstance(
    "/instances/1",
    KV.scope,
    GRANT.role,
    ANNA.id,
    eligible=False,
    origin_role_assignment_id=GRANT.id,
    end="2026-11-24T05:00:00Z",
    listed_from=frozenset({SUBSCRIPTION}),
)


def test_an_activation_that_is_over_ends_an_assignment_only_where_no_other_may_uphold_it() -> None:
    whole = estate(ANNA, KV, GRANT, OVER)
    half = replace(whole, listings=tuple(i for i in whole.listings if i.kind != "role_assignment_schedule_instances"))
    assert Access(whole).can(ANNA.id, READ, KV).answer is Answer.DENIED
    assert Access(half).can(ANNA.id, READ, KV).answer is Answer.ALLOWED


def test_an_activation_of_another_assignment_ends_none_that_stands_beside_it() -> None:
    """The origin names the assignment that it upheld; scope, role and principal tell it only where no origin is given."""
    gone = replace(OVER, origin_role_assignment_id="/assignments/gone")
    beside = replace(OVER, id="/instances/2", principal_id=BERT.id, origin_role_assignment_id=None, end=None)
    found = Access(estate(ANNA, BERT, KV, GRANT, gone, beside))
    assert [found.can(who.id, READ, KV).answer for who in (ANNA, BERT)] == [Answer.ALLOWED] * 2
    unnamed = Access(estate(ANNA, BERT, KV, GRANT, replace(OVER, origin_role_assignment_id=None), beside))
    assert unnamed.can(ANNA.id, READ, KV).answer is Answer.DENIED
