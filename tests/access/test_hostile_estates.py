"""What is counted for all vaults together is what the evaluator finds for each, however odd the estate."""

import pytest
from builders import SUBSCRIPTION, assignment, estate, group, policy, user, vault, workload
from hostile_estates import hostile
from test_readers_counted import both_ways

from kvaudit.access.evaluator import Access
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.identities import ResourceIdentity
from kvaudit.model.scopes import fold
from kvaudit.rules.judge import judge, judge_vault

ANNA, BEN, ROBOT = user("anna"), user("ben"), workload("robot")


def agree(of: Estate) -> None:
    """A vault is judged with all others as it is alone, and its readers are those that its holdings tell."""
    access = Access(of)
    counted = {(vault.id, rule.id): found for vault, rule, found in judge(access)}
    alone = {(item.id, rule.id): found for item in of.vaults for rule, found in judge_vault(access.subject(item))}
    assert [(key, counted[key], found) for key, found in alone.items() if counted[key] != found] == []
    for name, readers, told, rows, held in both_ways(of):
        assert (name, readers or told) == (name, told)
        # A row that a deny or a condition takes everything from is counted all the same.
        assert rows is None or rows >= held


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_vaults_are_judged_as_each_is_alone(first: int) -> None:
    for seed in range(first, first + 20):
        agree(hostile(seed))


@pytest.mark.parametrize("seed", [1200, 1480])
def test_of_a_service_principal_that_nobody_asked_a_group_with_a_condition_tells_nothing(seed: int) -> None:
    agree(hostile(seed))


@pytest.mark.parametrize("seed", range(3))
def test_two_hundred_vaults_in_seventy_subscriptions_are_judged_as_each_is_alone(seed: int) -> None:
    agree(hostile(seed, large=True))


@pytest.mark.parametrize(("busy", "other"), [(ANNA, BEN), (BEN, ANNA)])
def test_whoever_is_in_more_groups_than_a_token_names_gains_what_one_of_them_holds(
    busy: Principal, other: Principal
) -> None:
    groups = [group(f"g{number}", busy) for number in range(201)]
    machine = fold(f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm")
    runs = ResourceIdentity(machine, "microsoft.compute/virtualmachines", ROBOT.id)
    old = vault("kv-old", policy(ROBOT, secrets="get"), policy(groups[0], secrets="get"))
    controls = assignment("Virtual Machine Contributor", busy)
    agree(estate(ANNA, BEN, ROBOT, *groups, group("quiet", other), old, runs, controls))


@pytest.mark.parametrize("seed", [2244])
def test_nobody_is_in_a_user_of_the_directory_through_groups_in_groups(seed: int) -> None:
    agree(hostile(seed))


@pytest.mark.parametrize("seed", [6296])
def test_whom_one_deny_spares_and_another_meets_is_no_reader(seed: int) -> None:
    agree(hostile(seed))
