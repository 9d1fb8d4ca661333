"""What the few records of a scope change of the counts above it is what the evaluator finds, where many records name the same few."""

from dataclasses import replace

from drawn_estates import (
    CONDITIONED,
    GRANTEES,
    NAMED,
    OWNER,
    RG,
    SECRETS_OFFICER,
    SECRETS_USER,
    SUBSCRIPTION,
    TENANT,
    TYPES,
    VAULT,
    denies,
    estates,
)
from hypothesis import given
from hypothesis import strategies as st
from test_readers_counted import agree

from kvaudit.access.evaluator import Access
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Principal, PrincipalState
from kvaudit.model.estate import Estate
from kvaudit.model.vaults import PermissionModel
from kvaudit.rules.judge import judge, judge_vault

PLACES = (SUBSCRIPTION, RG, VAULT, f"{VAULT}2")
ROLES = (SECRETS_USER, SECRETS_USER, SECRETS_OFFICER, OWNER, CONDITIONED)
BY_NAME = "@Resource[Microsoft.KeyVault/vaults:name] StringLike 'kv-contoso*'"
CERTAIN = {
    "robot": Principal("robot", "ServicePrincipal"),
    "drone": Principal("drone", "ServicePrincipal"),
    "stray": Principal("stray", "User", state=PrincipalState.NOT_FOUND),
}
"""Beside those of every drawn estate."""


@st.composite
def crowded(draw: st.DrawFn) -> Estate:
    """An estate of two vaults side by side, with so many assignments that most people hold something at several scopes."""
    made = draw(estates(gaps=False, few=True))
    records = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PLACES),
                st.sampled_from(ROLES),
                st.sampled_from((*GRANTEES, "drone", "stray")),
                st.sampled_from((None, None, None, None, NAMED, BY_NAME)),
            ),
            min_size=3,
            max_size=14,
            unique=True,
        )
    )
    deny = draw(denies()) if draw(st.integers(0, 3)) == 0 else None
    place = replace(made.vaults[0], tenant_id=TENANT, permission_model=PermissionModel.AZURE_RBAC)
    return replace(
        made,
        vaults=tuple(replace(place, id=item, name=item.rpartition("/")[2]) for item in PLACES[2:]),
        role_assignments=tuple(
            RoleAssignment(f"/crowd/{number}", scope, role, who, TYPES.get(who), condition)
            for number, (scope, role, who, condition) in enumerate(records)
        ),
        deny_assignments=(deny,) if deny else (),
        principals={**made.principals, **CERTAIN},
        member_of={**made.member_of, **({"drone": ()} if draw(st.booleans()) else {})},
        group_schedule_instances=made.group_schedule_instances if draw(st.booleans()) else (),
    )


@given(crowded())
def test_vaults_with_much_above_them_are_judged_as_each_is_alone(estate: Estate) -> None:
    access = Access(estate)
    counted = [(vault.id, rule.id, found) for vault, rule, found in judge(access)]
    alone = [
        (vault.id, rule.id, found) for vault in estate.vaults for rule, found in judge_vault(access.subject(vault))
    ]
    assert counted == alone


@given(crowded())
def test_their_readers_are_those_that_holdings_tell(estate: Estate) -> None:
    agree(estate)
