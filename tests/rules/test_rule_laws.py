"""What holds for every rule on every estate."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import (
    OPEN_NETWORK,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    estate,
    gap,
    group,
    guest,
    orphan,
    policy,
    unread_vault,
    user,
    vault,
    workload,
)
from hypothesis import given
from hypothesis import strategies as st

from kvaudit.access.evaluator import Access
from kvaudit.model.estate import Estate
from kvaudit.model.identities import Ownership
from kvaudit.model.vaults import PermissionModelSource, Vault
from kvaudit.rules.catalogue import RULES, by_id
from kvaudit.rules.judge import judge
from kvaudit.rules.judgement import EVIDENCE_KEPT, Evidence, Fires, Judgement, Rule, Severity, Verdict, failed

anna, visitor, shop, gone = user("anna"), guest("visitor"), workload("shop"), orphan("gone")
staff, robots, secretive = group("staff", anna), group("robots", shop), group("secretive", shop, is_read=False)
PEOPLE: tuple[Item, ...] = (anna, visitor, shop, gone, staff, robots, secretive)
HOLDERS = (anna, visitor, shop, gone, staff, robots, secretive, "unresolved")
ROLES = (
    "Owner",
    "Contributor",
    "Reader",
    "Key Vault Administrator",
    "Key Vault Secrets User",
    "Key Vault Data Access Administrator",
    "77777777-7777-7777-7777-777777777777",
)
PLACES = ("/", SUBSCRIPTION, RESOURCE_GROUP, vault("kv-0"), vault("kv-1"), f"{vault('kv-0').id}/secrets/db")

assignments = st.builds(assignment, st.sampled_from(ROLES), st.sampled_from(HOLDERS), st.sampled_from(PLACES))
eligibles = st.builds(eligible, st.sampled_from(ROLES), st.sampled_from(HOLDERS), st.sampled_from(PLACES))
denies = st.builds(
    lambda who, at, effect: deny(who, at, effect=effect, actions=("*",), data_actions=("*",)),
    st.sampled_from(HOLDERS[:-1]),
    st.sampled_from(PLACES[1:4]),
    st.sampled_from(("enforced", "audit", None)),
)
policies = st.lists(
    st.builds(policy, st.sampled_from(HOLDERS), secrets=st.sampled_from(("get", "all", "get purge"))), max_size=3
)
NETWORKS: tuple[dict[str, Any], ...] = ({}, OPEN_NETWORK)


@st.composite
def vaults(draw: st.DrawFn) -> list[Vault]:
    """Up to three vaults, of every model, some of them not read."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        name = f"kv-{number}"
        if draw(st.integers(0, 9)) == 0:
            found.append(unread_vault(name))
            continue
        made = vault(
            name,
            *draw(policies),
            rbac=draw(st.booleans()),
            enable_purge_protection=draw(st.sampled_from((True, None))),
            **draw(st.sampled_from(NETWORKS)),
        )
        sources = st.sampled_from(tuple(PermissionModelSource))
        found.append(
            made if made.permission_model == "azure_rbac" else replace(made, permission_model_source=draw(sources))
        )
    return found


records = st.lists(st.one_of(assignments, assignments, eligibles, denies), max_size=8, unique_by=lambda item: item.id)
gaps = st.lists(
    st.builds(
        gap,
        st.sampled_from(("role_assignments", "role_definitions", "deny_assignments", "vaults")),
        st.sampled_from((SUBSCRIPTION, f"/subscriptions/{'8' * 8}-8888-8888-8888-{'8' * 12}")),
    ),
    max_size=2,
    unique_by=lambda item: item.id,
)
everything = st.tuples(vaults(), records, gaps)


def judgements(of: Estate) -> dict[tuple[str, str], Judgement]:
    """Every judgement by vault and rule; fails when one is given twice."""
    table: dict[tuple[str, str], Judgement] = {}
    for place, rule, judgement in judge(Access(of)):
        assert (place.scope, rule.id) not in table
        table[place.scope, rule.id] = judgement
    return table


def made_of(parts: tuple[Sequence[Item], Sequence[Item], Sequence[Item]]) -> Estate:
    return estate(*PEOPLE, *parts[0], *parts[1], *parts[2])


@given(everything)
def test_every_rule_gives_every_vault_exactly_one_verdict(parts: tuple[list[Vault], list[Item], list[Item]]) -> None:
    made = made_of(parts)
    assert set(judgements(made)) == {(place.scope, rule.id) for place in made.vaults for rule in RULES}


@given(everything)
def test_a_judgement_is_whole(parts: tuple[list[Vault], list[Item], list[Item]]) -> None:
    for judgement in judgements(made_of(parts)).values():
        failing = judgement.verdict is Verdict.FAIL
        assert bool(judgement.message) or judgement.verdict is Verdict.PASS
        assert bool(judgement.fix) <= failing
        assert len(judgement.evidence) == min(judgement.evidence_count, EVIDENCE_KEPT)
        assert not judgement.gaps or judgement.verdict is Verdict.UNKNOWN


@given(everything, st.randoms(use_true_random=False))
def test_the_order_of_records_is_irrelevant(
    parts: tuple[list[Vault], list[Item], list[Item]], chance: random.Random
) -> None:
    def settled(judgement: Judgement) -> tuple[object, ...]:
        return (
            judgement.verdict,
            judgement.message,
            Counter(judgement.evidence),
            Counter(judgement.fix),
            Counter(judgement.gaps),
        )

    items = [*PEOPLE, *parts[0], *parts[1], *parts[2]]
    expected = {key: settled(value) for key, value in judgements(estate(*items)).items()}
    chance.shuffle(items)
    assert {key: settled(value) for key, value in judgements(estate(*items)).items()} == expected


@given(vaults(), records, st.data())
def test_missing_data_is_never_good_news(places: list[Vault], held: list[Item], data: st.DataObject) -> None:
    """When assignments are not read, a verdict that was not a pass does not become one."""
    whole = judgements(estate(*PEOPLE, *places, *held))
    kept = [item for item in held if data.draw(st.booleans())] if held else []
    partial = judgements(estate(*PEOPLE, *places, *kept, *map(gap, ("role_assignments", "deny_assignments"))))
    for key, judgement in partial.items():
        if judgement.verdict is Verdict.PASS:
            assert "role_assignments" not in by_id(key[1]).needs
            assert whole[key].verdict is Verdict.PASS
        assert (judgement.verdict is Verdict.NOT_APPLICABLE) == (whole[key].verdict is Verdict.NOT_APPLICABLE)


@given(vaults(), records)
def test_what_was_seen_stays_seen(places: list[Vault], held: list[Item]) -> None:
    whole = judgements(estate(*PEOPLE, *places, *held))
    after = judgements(estate(*PEOPLE, *places, *held, gap("role_assignments"), gap("vaults")))
    for key, judgement in whole.items():
        if judgement.verdict is Verdict.FAIL:
            assert after[key].verdict is Verdict.FAIL
            assert Counter(after[key].evidence) == Counter(judgement.evidence)


def test_the_estates_of_these_laws_make_every_rule_fire() -> None:
    """Laws over estates in which nothing fires would say nothing."""
    one = vault(
        "kv-0", policy(anna, secrets="all"), policy(gone, keys="purge"), enable_purge_protection=None, **OPEN_NETWORK
    )
    rbac = replace(
        vault("kv-1", policy(anna, secrets="get"), rbac=True), permission_model_source=PermissionModelSource.EXPLICIT
    )
    silent = replace(one, permission_model_source=PermissionModelSource.NULL, enabled_for_template_deployment=True)
    held: list[Any] = [
        assignment("Key Vault Data Access Administrator", shop),
        Ownership(staff.id, "Group", visitor.id, "User"),
        assignment("Owner", anna),
        assignment("Key Vault Administrator", staff),
        assignment("Key Vault Secrets User", shop, one),
    ]
    fired = {
        rule_id
        for (_, rule_id), judgement in judgements(estate(*PEOPLE, silent, rbac, *held)).items()
        if judgement.verdict is Verdict.FAIL
    }
    assert fired == {rule.id for rule in RULES}


def test_a_gap_of_another_subscription_blurs_nothing() -> None:
    far = gap("role_assignments", "/subscriptions/88888888-8888-8888-8888-888888888888")
    near = judgements(estate(*PEOPLE, vault("kv-0")))
    assert judgements(estate(*PEOPLE, vault("kv-0"), far)) == near


def test_a_rule_on_absence_does_not_fail_while_something_may_be_hidden() -> None:
    def check(_: object) -> Judgement:
        item = Evidence("no such thing", "id")
        return failed("nothing is there", [item], lambda found: found, lambda _: ["az"])

    rule = Rule(
        "nothing-there", "Nothing is there", Severity.LOW, check, frozenset({"role_assignments"}), Fires.ON_ABSENCE
    )
    seen = [judgement for _, _, judgement in judge(Access(estate(vault())), (rule,))]
    hidden = [judgement for _, _, judgement in judge(Access(estate(vault(), gap("role_assignments"))), (rule,))]
    assert [item.verdict for item in (*seen, *hidden)] == [Verdict.FAIL, Verdict.UNKNOWN]
    assert hidden[0].gaps == (gap("role_assignments").id,)
    assert hidden[0].fix == ()


def test_a_rule_that_raises_is_a_bug_and_is_heard() -> None:
    def check(_: object) -> Judgement:
        raise ZeroDivisionError

    rule = Rule("broken", "Broken", Severity.LOW, check, frozenset())
    with pytest.raises(ZeroDivisionError):
        list(judge(Access(estate(vault())), (rule,)))


def test_evidence_is_counted_beyond_what_is_kept() -> None:
    many = [assignment("Owner", user(f"user-{number}")) for number in range(EVIDENCE_KEPT + 7)]
    judgement = judgements(estate(vault("kv-0"), *many))[vault("kv-0").scope, "role-assignment-self-grant"]
    assert (len(judgement.evidence), judgement.evidence_count) == (EVIDENCE_KEPT, EVIDENCE_KEPT + 7)
