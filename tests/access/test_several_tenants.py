"""Each tenant has a `/` of its own: what stands there reaches no subscription of another tenant."""

from dataclasses import replace

import pytest
from builders import (
    OTHER_TENANT,
    SUBSCRIPTION,
    SUBSCRIPTION_ID,
    TENANT,
    assignment,
    deny,
    estate,
    guid,
    user,
    vault,
)

from kvaudit.access.evaluator import Access
from kvaudit.model.answers import Answer
from kvaudit.model.authorization import EVERYONE, DenyAssignment, RoleAssignment
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import Subscription
from kvaudit.model.permissions import operation
from kvaudit.model.vaults import Vault
from kvaudit.rules.judge import judge, judge_vault

READ = operation("secrets/get")
OTHER = "/subscriptions/44444444-4444-4444-4444-444444444444"
OURS = vault("kv-ours")
THEIRS = vault(
    "kv-theirs",
    id=f"{OTHER}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-theirs",
    tenant_id=OTHER_TENANT,
)
KINDS = ("deny_assignments", "role_assignments", "role_eligibility_schedule_instances")


def two_tenants(*assignments: RoleAssignment, denies: tuple[DenyAssignment, ...] = ()) -> Estate:
    """A vault of this tenant, and one of another tenant in a subscription that Azure Lighthouse shows here."""
    return estate(
        OURS,
        THEIRS,
        user("anna"),
        *assignments,
        *denies,
        subscriptions=(
            Subscription(SUBSCRIPTION_ID, tenant_id=TENANT),
            Subscription(OTHER.rpartition("/")[2], tenant_id=OTHER_TENANT),
        ),
        listings=tuple(Listing(kind, place, 0) for kind in KINDS for place in (SUBSCRIPTION, OTHER)),
    )


def at(place: str, role: str, who: str, listed: str) -> RoleAssignment:
    return assignment(role, user(who), place, listed_from=frozenset({listed}))


def test_the_root_of_one_tenant_is_not_that_of_another() -> None:
    made = two_tenants(
        *(at("/", role, "anna", SUBSCRIPTION) for role in ("Key Vault Secrets User", "Owner")),
        *(at("/", role, "bert", OTHER) for role in ("Key Vault Secrets User", "Owner")),
    )
    access = Access(made)
    for name, reads, refused in (("anna", OURS, THEIRS), ("bert", THEIRS, OURS)):
        who = guid(name)
        assert access.can(who, READ, reads).answer is Answer.ALLOWED
        assert access.can(who, READ, refused).answer is Answer.DENIED
        assert "E4" in {item.id for item in access.routes_of(who, reads)}
        assert access.routes_of(who, refused) == ()
        assert [item.principal_id for item in access.control_holders(reads, "Microsoft.KeyVault/vaults/write")] == [who]
    judged = [(item, rule.id, found) for item in made.vaults for rule, found in judge_vault(access.subject(item))]
    assert [(item, rule.id, found) for item, rule, found in judge(access)] == judged


@pytest.mark.parametrize(("listed", "denied"), [(SUBSCRIPTION, OURS), (OTHER, THEIRS)])
def test_a_deny_at_the_root_of_one_tenant_takes_nothing_in_another(listed: str, denied: Vault) -> None:
    taking = replace(deny(EVERYONE, "/", actions=("*",), data_actions=("*",)), listed_from=frozenset({listed}))
    roles = ("Key Vault Secrets User", "Owner")
    grants = (at(place, role, "anna", place) for role in roles for place in (SUBSCRIPTION, OTHER))
    access = Access(two_tenants(*grants, denies=(taking,)))
    for place in (OURS, THEIRS):
        expected = Answer.DENIED if place is denied else Answer.ALLOWED
        assert access.can(guid("anna"), READ, place).answer is expected
        assert bool(access.routes_of(guid("anna"), place)) is (place is not denied)


def test_a_root_of_which_nobody_knows_the_tenant_counts_everywhere() -> None:
    grant = assignment("Key Vault Secrets User", user("anna"), "/", listed_from=frozenset())
    access = Access(two_tenants(grant))
    assert [access.can(guid("anna"), READ, place).answer for place in (OURS, THEIRS)] == [Answer.ALLOWED] * 2
