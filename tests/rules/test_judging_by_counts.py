"""Judging by counts gives the judgement that the evaluator gives, to the last word."""

from dataclasses import replace

import pytest
from builders import (
    SUBSCRIPTION,
    Group,
    Item,
    assignment,
    deny,
    estate,
    group,
    orphan,
    policy,
    role,
    user,
    vault,
    workload,
)
from hypothesis import given
from test_rule_laws import everything, made_of

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import EVERYONE, DenyPrincipal, Permission
from kvaudit.model.directory import Principal
from kvaudit.model.identities import GroupScheduleInstance
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


ANNA, ROBOT = user("anna"), workload("robot")
WITH_ROBOT = group("with-robot", ANNA, ROBOT)
OLD = vault("kv-old", policy(ANNA, secrets="get"))
SELF_GRANT = "access-policy-self-grant"
WRITES = ("Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/accessPolicies/write")


@pytest.mark.parametrize(
    ("holder", "actions", "spared", "effect", "verdict"),
    [
        (ANNA, WRITES, None, "enforced", "pass"),
        (ANNA, WRITES, ROBOT, "enforced", "pass"),
        (ROBOT, WRITES, ROBOT, "enforced", "fail"),
        (WITH_ROBOT, WRITES, ROBOT, "enforced", "unknown"),  # of its members the robot alone is spared
        (ANNA, WRITES[:1], None, "enforced", "fail"),
        (ANNA, WRITES[1:], None, "enforced", "unknown"),  # whether the other action is enough is not settled
        (ANNA, WRITES, None, None, "unknown"),
        (ANNA, WRITES, None, "audit", "fail"),
    ],
)
def test_what_a_stack_takes_from_everybody(
    holder: Principal | Group, actions: tuple[str, ...], spared: Principal | None, effect: str | None, verdict: str
) -> None:
    of_stack = replace(
        deny(ANNA, SUBSCRIPTION, actions=actions, effect=effect),
        principals=(DenyPrincipal(EVERYONE),),
        exclude_principals=(DenyPrincipal(spared.id),) if spared else (),
    )
    access = Access(estate(ANNA, ROBOT, WITH_ROBOT, OLD, assignment("Contributor", holder), of_stack))
    alike(access)
    assert {rule.id: found.verdict.value for _, rule, found in judge(access)}[SELF_GRANT] == verdict


GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
IN_TWO = replace(
    role("two"),
    permissions=(
        Permission(data_actions=(GET,)),
        Permission(
            data_actions=("Microsoft.KeyVault/vaults/secrets/delete",),
            condition="@Resource[Microsoft.KeyVault/vaults/secrets:name] StringEquals 'a'",
        ),
    ),
)


@pytest.mark.parametrize("effect", ["enforced", None])
def test_a_deny_takes_one_block_of_a_role(effect: str | None) -> None:
    taken = deny(ANNA, SUBSCRIPTION, effect=effect, data_actions=(GET,))
    alike(Access(estate(KV, ANNA, IN_TWO, assignment(IN_TWO, ANNA), taken)))


def test_a_deny_spares_a_group_into_which_the_holder_may_come() -> None:
    team = group("team", ROBOT)
    spares = replace(
        deny(ANNA, SUBSCRIPTION, data_actions=(GET,)),
        principals=(DenyPrincipal(EVERYONE),),
        exclude_principals=(DenyPrincipal(team.id),),
    )
    officer = assignment("Key Vault Secrets Officer", ANNA)
    joins = GroupScheduleInstance("joins", team.id, ANNA.id, "member", eligible=True)
    alike(Access(replace(estate(KV, ANNA, ROBOT, team, officer, spares), group_schedule_instances=(joins,))))
