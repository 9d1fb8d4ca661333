"""Rules on who may change the access: self-grant through access policies and through role assignments."""

import pytest
from builders import (
    RESOURCE_GROUP,
    SUBSCRIPTION,
    Item,
    assignment,
    deny,
    eligible,
    gap,
    group,
    policy,
    role,
    unread_vault,
    user,
    vault,
    workload,
)
from judged import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, judged, principals_of

from kvaudit.rules.judgement import Verdict

anna, ben = user("anna"), user("ben")
pipeline = workload("pipeline")
ops = group("ops", anna)
legacy = vault("kv-app", policy(pipeline, secrets="get"))
modern = vault("kv-app")
people: tuple[Item, ...] = (anna, ben, pipeline, ops)
writer = role("vault writer", actions=("Microsoft.KeyVault/vaults/write",))
adder = role("policy adder", actions=("Microsoft.KeyVault/vaults/accessPolicies/write",))
limited = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
    " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{4633458b-17de-408a-b874-0445c86b69e6}))"
)
OTHER_SUBSCRIPTION = "/subscriptions/88888888-8888-8888-8888-888888888888"

CASES: dict[str, dict[str, tuple[tuple[Item, ...], Verdict]]] = {
    "access-policy-self-grant": {
        "quiet": ((legacy, assignment("Reader", anna)), PASS),
        "quiet: a data-plane role": ((legacy, assignment("Key Vault Administrator", anna)), PASS),
        "quiet: Contributor of another resource group": (
            (legacy, assignment("Contributor", anna, f"{RESOURCE_GROUP}-2")),
            PASS,
        ),
        "fires": ((legacy, assignment("Contributor", anna)), FAIL),
        "fires at the vault": ((legacy, assignment("Key Vault Contributor", anna, legacy)), FAIL),
        "fires for a group": ((legacy, assignment("Contributor", ops, RESOURCE_GROUP)), FAIL),
        "vaults/write alone is not settled": ((legacy, writer, assignment(writer, anna)), UNKNOWN),
        "fires on accessPolicies/write alone": ((legacy, adder, assignment(adder, anna)), FAIL),
        "eligible is not counted": ((legacy, eligible("Contributor", anna)), PASS),
        "denied": (
            (legacy, assignment("Contributor", anna), deny(anna, legacy, actions=("Microsoft.KeyVault/vaults/*",))),
            PASS,
        ),
        "unreadable": ((legacy, gap("role_assignments")), UNKNOWN),
        "unreadable elsewhere": ((legacy, gap("role_assignments", OTHER_SUBSCRIPTION)), PASS),
        "the properties were not read": ((unread_vault(), assignment("Contributor", anna)), UNKNOWN),
        "a role was not read": (
            (legacy, assignment("77777777-7777-7777-7777-777777777777", anna), gap("role_definitions")),
            UNKNOWN,
        ),
        "seen is seen": ((legacy, assignment("Contributor", anna), gap("role_assignments")), FAIL),
        "not applicable": ((modern, assignment("Contributor", anna)), NOT_APPLICABLE),
    },
    "role-assignment-self-grant": {
        "quiet": ((modern, assignment("Contributor", anna)), PASS),
        "fires": ((modern, assignment("Owner", anna)), FAIL),
        "fires at the root": ((modern, assignment("User Access Administrator", anna, "/")), FAIL),
        "fires for Role Based Access Control Administrator": (
            (modern, assignment("Role Based Access Control Administrator", ops, RESOURCE_GROUP)),
            FAIL,
        ),
        "a condition is told apart": (
            (modern, assignment("Role Based Access Control Administrator", anna, condition=limited)),
            PASS,
        ),
        "the condition of the role itself too": (
            (modern, assignment("Key Vault Data Access Administrator", anna)),
            PASS,
        ),
        "eligible is not counted": ((modern, eligible("Owner", anna)), PASS),
        "unreadable": ((modern, gap("role_assignments")), UNKNOWN),
        "the properties were not read": ((unread_vault(), assignment("Owner", anna)), UNKNOWN),
        "seen is seen": ((modern, assignment("Owner", anna), gap("role_assignments")), FAIL),
        "not applicable": ((legacy, assignment("Owner", anna)), NOT_APPLICABLE),
    },
}


@pytest.mark.parametrize(
    ("rule_id", "items", "verdict"),
    [
        pytest.param(rule_id, items, verdict, id=f"{rule_id}: {name}")
        for rule_id, rows in CASES.items()
        for name, (items, verdict) in rows.items()
    ],
)
def test_verdict(rule_id: str, items: tuple[Item, ...], verdict: Verdict) -> None:
    judgement = judged(rule_id, *items, *people)
    assert judgement.verdict is verdict
    if verdict is FAIL:
        assert judgement.fix
        assert judgement.evidence
    if verdict in {UNKNOWN, NOT_APPLICABLE}:
        assert judgement.message


def test_an_assignment_that_gives_both_actions_is_told_once() -> None:
    judgement = judged("access-policy-self-grant", legacy, assignment("Contributor", anna), *people)
    (evidence,) = judgement.evidence
    assert evidence.record_id == assignment("Contributor", anna).id
    assert evidence.operation == "Microsoft.KeyVault/vaults/accessPolicies/write"
    assert "Contributor at subscription" in evidence.message


def test_each_assignment_is_told_even_when_one_principal_holds_several() -> None:
    found = (assignment("Contributor", anna), assignment("Owner", anna), assignment("Contributor", ops))
    judgement = judged("access-policy-self-grant", legacy, *found, *people)
    assert {item.record_id for item in judgement.evidence} == {item.id for item in found}
    assert principals_of(judgement) == {anna.id, ops.id}
    assert [line for line in judgement.fix if line.startswith("az role assignment delete")] == [
        f"az role assignment delete --ids {item.record_id}" for item in judgement.evidence
    ]


def test_conditional_holders_are_shown_after_those_that_count() -> None:
    judgement = judged(
        "role-assignment-self-grant",
        modern,
        assignment("Role Based Access Control Administrator", anna, condition=limited),
        assignment("Owner", ben),
        *people,
    )
    assert [item.answer.value for item in judgement.evidence] == ["allowed", "conditional"]
    assert "1 role assignment lets 1 principal" in judgement.message
    assert assignment("Owner", ben, SUBSCRIPTION).id in " ".join(judgement.fix)
    assert len([line for line in judgement.fix if "delete" in line]) == 1
