"""What the audit counts: readers, readiness, coverage, what gaps touch, and routes that open several vaults."""

from collections.abc import Callable

import pytest
from builders import (
    assignment,
    estate,
    gap,
    group,
    guest,
    orphan,
    policy,
    secret,
    unread_vault,
    user,
    vault,
    workload,
)
from sample import audit_of, contoso, one_record_in_two_ways

from kvaudit.model.answers import Answer
from kvaudit.model.estate import Estate
from kvaudit.model.vaults import PermissionModelSource
from kvaudit.report.audit import GapReach
from kvaudit.report.grouping import Route, by_rule
from kvaudit.report.readers import Kind
from kvaudit.report.readiness import readiness
from kvaudit.rules.judgement import EVIDENCE_KEPT

APP = vault("kv-app")
ANNA, BERT, GIL, PAY = user("anna"), user("bert"), guest("gil"), workload("payments-api")
INNER = group("inner", BERT)
OUTER = group("outer", ANNA, INNER)
READ = "Key Vault Secrets User"


def test_groups_count_once_and_their_people_beside_them() -> None:
    readers = audit_of(estate(APP, ANNA, BERT, INNER, OUTER, assignment(READ, OUTER, APP))).readers[APP.scope]
    assert readers.of(Answer.ALLOWED, Kind.GROUP) == 1
    assert readers.members == 2
    assert readers.total(Answer.ALLOWED) == 1


def test_people_named_themselves_are_not_counted_again_in_their_group() -> None:
    given = (assignment(READ, OUTER, APP), assignment(READ, ANNA, APP))
    readers = audit_of(estate(APP, ANNA, BERT, INNER, OUTER, *given)).readers[APP.scope]
    assert (readers.of(Answer.ALLOWED, Kind.PERSON), readers.members) == (1, 1)


def test_a_cycle_of_groups_ends() -> None:
    first = group("first", ANNA, "second")
    second = group("second", first, BERT)
    readers = audit_of(estate(APP, ANNA, BERT, first, second, assignment(READ, first, APP))).readers[APP.scope]
    assert readers.members == 2


@pytest.mark.parametrize(
    ("who", "kind"),
    [(ANNA, Kind.PERSON), (GIL, Kind.GUEST), (PAY, Kind.WORKLOAD), (orphan("gone"), Kind.UNRESOLVED)],
)
def test_kinds_of_readers(who: object, kind: Kind) -> None:
    place = vault("kv-legacy", policy(who, secrets="get"))  # type: ignore[arg-type]
    assert audit_of(estate(place, who)).readers[place.scope].of(Answer.ALLOWED, kind) == 1  # type: ignore[arg-type]


def test_a_grant_on_one_secret_is_told_apart() -> None:
    given = assignment(READ, PAY, f"{APP.id}/secrets/db")
    readers = audit_of(estate(APP, PAY, secret(APP, "db"), given)).readers[APP.scope]
    assert (readers.total(Answer.ALLOWED), readers.on_objects) == (0, 1)


def test_readiness_counts_each_vault_once() -> None:
    vaults = [
        vault("kv-1"),
        vault("kv-2", policy(ANNA, secrets="get")),
        vault("kv-3", policy(ANNA, secrets="get"), permission_model_source=PermissionModelSource.NULL),
        vault("kv-4", policy(ANNA, secrets="get"), permission_model_source=PermissionModelSource.ABSENT),
        unread_vault("kv-5"),
    ]
    item = readiness(vaults, "2026-11-24T23:59:59Z")
    assert (item.azure_rbac, item.access_policies, item.null, item.absent, item.unread) == (1, 1, 1, 1, 1)
    assert (item.total, item.not_explicit) == (5, 2)


@pytest.mark.parametrize(("when", "left"), [("2027-02-26", 1), ("2027-02-27", 0), ("2027-03-01", -2)])
def test_days_left(when: str, left: int) -> None:
    assert readiness((), f"{when}T00:00:00Z").days_left == left


def test_coverage_counts_what_was_asked_and_not_read() -> None:
    audit = audit_of(estate(APP, gap("vaults", "/subscriptions/33333333-3333-3333-3333-333333333333")))
    item = audit.coverage["vaults"]
    assert (item.asked, item.read, item.gaps) == (2, 1, (audit.gaps[0].id,))


def test_a_gap_is_told_once_with_what_it_touches() -> None:
    vaults = [vault(f"kv-{number}") for number in range(5)]
    unread = group("operators", is_read=False)
    hidden = gap("group_members", f"groups/{unread.id}")
    audit = audit_of(estate(*vaults, unread, assignment(READ, unread), hidden))
    assert [item.id for item in audit.gaps] == [hidden.id]
    assert audit.reach[hidden.id] == GapReach(vaults=5, answers=0, verdicts=5)


def test_a_deny_listing_that_was_not_read_touches_every_answer_below_it() -> None:
    vaults = [vault(f"kv-{number}") for number in range(3)]
    hidden = gap("deny_assignments")
    audit = audit_of(estate(*vaults, ANNA, hidden, *(assignment(READ, ANNA, place) for place in vaults)))
    assert audit.reach[hidden.id].answers == 3
    assert audit.reach[hidden.id].vaults == 3
    assert audit.reach[hidden.id] != GapReach()


def test_one_assignment_that_opens_many_vaults_is_one_route() -> None:
    vaults = [vault(f"kv-{number}", policy(ANNA, secrets="get")) for number in range(4)]
    contributor = assignment("Contributor", BERT)
    audit = audit_of(estate(*vaults, ANNA, BERT, contributor))
    (found,) = [item for item in by_rule(audit) if item.rule.id == "access-policy-self-grant"]
    assert [(route.evidence.record_id, route.vaults, route.alike) for route in found.routes] == [(contributor.id, 4, 4)]
    assert route_told(found.routes[0]) == found.findings[3].judgement.evidence[0].message
    assert len(found.findings) == 4
    assert not found.is_cut


def route_told(route: Route) -> str:
    return f"{route.lead}{route.evidence.message}"


def test_of_several_texts_the_most_frequent_is_told_with_its_own_number() -> None:
    (found,) = [item for item in by_rule(audit_of(one_record_in_two_ways())) if item.rule.id == "identity-takeover"]
    (route,) = found.routes
    assert (route.vaults, route.ways, route.alike) == (4, 2, 3)
    assert "adds itself to ops" in route.evidence.message
    assert route.lead == "one record in 2 ways; at 3 vaults: "


@pytest.mark.parametrize("make", [contoso, one_record_in_two_ways])
def test_what_is_told_of_a_route_is_evidence_of_as_many_vaults_as_it_says(make: Callable[[], Estate]) -> None:
    for found in by_rule(audit_of(make())):
        for route in found.routes:
            told = [
                item
                for item in found.findings
                if route.evidence.message in {part.message for part in item.judgement.evidence}
            ]
            assert len(told) == route.alike
            assert (route.lead == "") == (route.alike == route.vaults)


def test_numbers_of_routes_are_the_fewest_where_evidence_was_left_out() -> None:
    many = [user(f"user-{number}") for number in range(EVIDENCE_KEPT + 1)]
    vaults = [vault(f"kv-{number}", policy(ANNA, secrets="get")) for number in range(2)]
    audit = audit_of(estate(*vaults, ANNA, *many, *(assignment("Contributor", item) for item in many)))
    (found,) = [item for item in by_rule(audit) if item.rule.id == "access-policy-self-grant"]
    assert found.is_cut


def test_groups_of_findings_hold_every_finding_once() -> None:
    audit = audit_of(contoso())
    assert sorted(id(item) for group_ in by_rule(audit) for item in group_.findings) == sorted(map(id, audit.findings))
    ranks = [item.rule.severity.rank for item in by_rule(audit) if item.findings]
    assert ranks == sorted(ranks)
