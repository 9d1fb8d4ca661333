"""Why the records and a vault may say different things, and that nothing is explained away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import (
    OPEN_NETWORK,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    management_group,
    policy,
    vault,
    workload,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.probe.differences import Agreement, Compared, Expectations, Reason
from kvaudit.probe.results import Found, Outcome, State

NOW = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
LONG_AFTER = NOW + timedelta(days=3)
MADE_JUST_NOW = "2026-11-24T06:01:00Z"
MADE_LONG_AGO = "2025-01-01T00:00:00Z"
APP = workload("payments-api")
VAULT = vault(**OPEN_NETWORK)
POLICY_VAULT = vault("kv-app", policy(APP, secrets="get"), **OPEN_NETWORK)
USER = "Key Vault Secrets User"
PREFIX = "@Resource[Microsoft.KeyVault/vaults/secrets:name] StringStartsWith 'db'"
CONDITION = f"((!(ActionMatches{{'Microsoft.KeyVault/vaults/secrets/getSecret/action'}})) OR ({PREFIX}))"

DENIED = Found("secrets/get", Outcome.DENIED, "403", 403, "ForbiddenByRbac")
POLICY_DENIED = Found("secrets/get", Outcome.DENIED, "403", 403, "AccessDenied")
ALLOWED = Found("secrets/get", Outcome.ALLOWED, "404", 404, "SecretNotFound")
NOT_PROBED = Found("secrets/get", Outcome.NOT_PROBED, "the firewall")


def compared(
    found: Found,
    *items: Item,
    at: datetime = NOW,
    state: State = State.REACHABLE,
    place: Item = VAULT,
    now_shown: frozenset[str] | None = None,
) -> Compared:
    access = Access(estate(place, APP, *items))
    return Expectations(access, APP.id, at).compare(found, access.estate.vaults[0], state, now_shown)


def reasons(item: Compared) -> list[Reason]:
    return [one.reason for one in item.differences]


def grant(**changes: object) -> Item:
    return assignment(USER, APP, VAULT, **{"created_on": MADE_LONG_AGO, **changes})


def test_what_agrees_needs_no_reason() -> None:
    assert compared(ALLOWED, grant()) == Compared(ALLOWED, Answer.ALLOWED, Agreement.AGREES)
    assert compared(DENIED) == Compared(DENIED, Answer.DENIED, Agreement.AGREES)


def test_an_assignment_of_minutes_ago_is_on_its_way() -> None:
    found = compared(DENIED, grant(created_on=MADE_JUST_NOW))
    assert (found.agreement, reasons(found)) == (Agreement.DIFFERS, [Reason.PROPAGATION])
    assert "4 minutes ago" in found.differences[0].because


def test_a_data_role_at_a_management_group_may_take_hours() -> None:
    made = assignment(USER, APP, management_group("root"), created_on="2026-11-24T01:00:00Z")
    assert reasons(compared(DENIED, made)) == [Reason.PROPAGATION]


def test_a_group_may_be_missing_in_the_token() -> None:
    readers = group("readers", APP)
    made = assignment(USER, readers, VAULT, created_on=MADE_LONG_AGO)
    assert reasons(compared(DENIED, readers, made)) == [Reason.STALE_TOKEN]


def test_old_records_may_be_stale() -> None:
    assert reasons(compared(DENIED, grant(), at=LONG_AFTER)) == [Reason.STALE_RECORDS]
    assert Reason.STALE_RECORDS in reasons(compared(ALLOWED, at=LONG_AFTER))


def test_what_nothing_explains_is_called_a_hole() -> None:
    for found in (compared(DENIED, grant()), compared(ALLOWED)):
        assert found.agreement is Agreement.DIFFERS
        assert reasons(found)[-1] is Reason.UNEXPLAINED


def test_a_deny_assignment_that_the_vault_names_is_the_reason() -> None:
    known = deny(APP, "/subscriptions/22222222-2222-2222-2222-222222222222", effect="audit", data_actions=("*",))
    for records, words in (((), "do not hold"), ((known,), "hold")):
        found = Found("secrets/get", Outcome.DENIED, "403", 403, "ForbiddenByRbac", known.id, "deniedbydenyassignment")
        item = compared(found, grant(created_on=MADE_JUST_NOW), *records)
        assert reasons(item) == [Reason.DENY_ASSIGNMENT]
        assert item.differences[0].because.endswith(f"the records {words}")


def test_a_deny_assignment_that_the_vault_does_not_enforce() -> None:
    taken = deny(APP, VAULT, data_actions=("Microsoft.KeyVault/vaults/*",))
    assert reasons(compared(ALLOWED, grant(), taken))[0] is Reason.DENY_ASSIGNMENT


@pytest.mark.parametrize(("place", "refusal"), [(VAULT, POLICY_DENIED), (POLICY_VAULT, DENIED)])
def test_the_words_of_a_refusal_show_the_permission_model(place: Item, refusal: Found) -> None:
    item = compared(refusal, grant(), place=place)
    assert (item.expected, reasons(item)) == (Answer.ALLOWED, [Reason.MODEL_CHANGED])


def test_a_new_access_policy_may_be_refused_at_first() -> None:
    assert reasons(compared(POLICY_DENIED, place=POLICY_VAULT)) == [Reason.PROPAGATION]


@pytest.mark.parametrize("found", [ALLOWED, DENIED])
def test_a_condition_is_settled_by_the_probe_for_its_own_name(found: Found) -> None:
    item = compared(found, grant(condition=CONDITION))
    assert (item.expected, item.agreement) == (Answer.CONDITIONAL, Agreement.SETTLED)
    assert reasons(item) == [Reason.CONDITION]


def test_eligibility_is_settled_and_no_difference() -> None:
    item = compared(DENIED, eligible(USER, APP, VAULT))
    assert (item.expected, item.agreement) == (Answer.CONDITIONAL, Agreement.SETTLED)


def test_what_could_not_be_read_is_settled() -> None:
    item = compared(ALLOWED, gap("role_assignments"))
    assert (item.expected, item.agreement) == (Answer.UNKNOWN, Agreement.SETTLED)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.FIREWALL, Reason.FIREWALL),
        (State.PRIVATE_LINK, Reason.PRIVATE_LINK),
        (State.OTHER_TENANT, Reason.TENANT),
        (State.SOFT_DELETED, Reason.SOFT_DELETED),
        (State.NO_CONNECTION, Reason.UNREACHABLE),
    ],
)
def test_what_stands_in_the_way_of_what_the_records_allow(state: State, reason: Reason) -> None:
    item = compared(NOT_PROBED, grant(), state=state)
    assert (item.agreement, reasons(item)) == (Agreement.NOT_COMPARED, [reason])
    assert reasons(compared(NOT_PROBED, state=state)) == []


def test_a_time_that_is_none_makes_no_reason() -> None:
    item = compared(DENIED, grant(created_on="yesterday"))
    assert reasons(item) == [Reason.UNEXPLAINED]


SHOWN, NOT_SHOWN = frozenset({"secrets/get"}), frozenset[str]()


def test_what_resource_manager_shows_now_tells_records_that_are_from_before_a_change() -> None:
    taken = compared(DENIED, grant(), now_shown=NOT_SHOWN)
    assert reasons(taken) == [Reason.STALE_RECORDS]
    assert "taken away since" in taken.differences[0].because
    given = compared(ALLOWED, now_shown=SHOWN)
    assert reasons(given)[0] is Reason.STALE_RECORDS
    assert Reason.UNEXPLAINED not in reasons(given)


def test_a_new_grant_that_resource_manager_does_not_show_yet_is_on_its_way_first() -> None:
    item = compared(DENIED, grant(created_on=MADE_JUST_NOW), now_shown=NOT_SHOWN)
    assert reasons(item) == [Reason.PROPAGATION, Reason.STALE_RECORDS]


def test_what_resource_manager_shows_and_the_vault_refuses_stays_unexplained() -> None:
    assert reasons(compared(DENIED, grant(), now_shown=SHOWN)) == [Reason.UNEXPLAINED]


def test_a_call_beside_the_verdict_is_not_compared() -> None:
    item = compared(replace(DENIED, decides=False), grant())
    assert (item.expected, item.agreement) == (None, Agreement.NOT_COMPARED)
