"""What takes excess away: what is needed stays, whoever else gives it too is named, and the proposal makes the check clean."""

import shlex
from dataclasses import replace

import pytest

from kvaudit.access.evaluator import Access
from kvaudit.contracts.reading import parse_contracts
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.vaults import AccessPolicy, PermissionModel, PermissionModelSource, Vault
from kvaudit.preflight.check import CheckResult, Deviation, check_contracts

TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
RG = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-payments"
KV = f"{RG}/providers/microsoft.keyvault/vaults/kv-payments"
APP = "22222222-2222-2222-2222-222222222222"
GROUP = "33333333-3333-3333-3333-333333333333"
SECRETS_USER, SECRETS_OFFICER = "4633458b-17de-408a-b874-0445c86b69e6", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"


def grant(role: str, scope: str = KV, principal: str = APP) -> RoleAssignment:
    listed = frozenset({f"/subscriptions/{SUBSCRIPTION}"})
    kind = "ServicePrincipal" if principal == APP else "Group"
    name = f"{scope}/assignments/{role[:4]}-{principal[:4]}"
    return RoleAssignment(name, scope, role, principal, kind, listed_from=listed)


def estate(*grants: RoleAssignment, policies: tuple[AccessPolicy, ...] | None = None) -> Estate:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    model = PermissionModel.AZURE_RBAC if policies is None else PermissionModel.ACCESS_POLICIES
    return Estate(
        tenant_id=TENANT,
        subscriptions=(Subscription(SUBSCRIPTION, tenant_id=TENANT),),
        hierarchy=(HierarchyNode(scope, None),),
        vaults=(
            Vault(
                id=KV,
                name="kv-payments",
                tenant_id=TENANT,
                permission_model=model,
                permission_model_source=PermissionModelSource.EXPLICIT,
                access_policies=policies or (),
            ),
        ),
        role_assignments=grants,
        principals={
            APP: Principal(APP, "ServicePrincipal", display_name="payments-api"),
            GROUP: Principal(GROUP, "Group", display_name="payments"),
        },
        member_of={APP: (GROUP,)},
        listings=tuple(
            Listing(kind, scope, 0)
            for kind in ("role_assignments", "deny_assignments", "role_eligibility_schedule_instances")
        ),
    )


def check(one: Estate, *needs: str) -> CheckResult:
    workloads = "".join(
        f"- {{name: w{number}, principal: payments-api, vault: kv-payments, needs: [{words}]}}\n"
        for number, words in enumerate(needs)
    )
    return check_contracts(parse_contracts(f"version: 1\nworkloads:\n{workloads}", "c.yaml"), Access(one))


def applied(one: Estate, commands: str) -> Estate:
    """The estate after `az role assignment` commands."""
    held = list(one.role_assignments)
    for line in commands.splitlines():
        words = shlex.split(line)
        if words[:4] == ["az", "role", "assignment", "delete"]:
            held = [item for item in held if item.id != words[words.index("--ids") + 1]]
        else:
            held.append(grant(words[words.index("--role") + 1], words[words.index("--scope") + 1]))
    return replace(one, role_assignments=tuple(held))


@pytest.mark.parametrize(
    ("roles", "needs", "removed", "granted"),
    [
        ([SECRETS_OFFICER], ["secrets/get"], 1, 1),
        ([SECRETS_OFFICER, SECRETS_USER], ["secrets/get"], 1, 0),
        ([SECRETS_USER, CRYPTO_USER], ["secrets/get"], 1, 0),
        ([SECRETS_OFFICER, CRYPTO_USER], ["secrets/get"], 2, 1),
        ([SECRETS_OFFICER, CRYPTO_USER], ["secrets/get", "keys/sign"], 1, 1),
        ([SECRETS_USER, CRYPTO_USER], ["secrets/get", "secrets/list"], 1, 0),
    ],
)
def test_the_proposal_takes_the_excess_and_nothing_that_any_contract_needs(
    roles: list[str], needs: list[str], removed: int, granted: int
) -> None:
    one = estate(*(grant(role) for role in roles))
    found = check(one, *needs).findings
    assert {item.deviation for item in found} == {Deviation.EXCESS}
    fix = found[0].fix
    assert fix
    lines = fix.az.splitlines()
    assert [sum(word in line for line in lines) for word in (" delete ", " create ")] == [removed, granted]
    assert not check(applied(one, fix.az), *needs).findings


def test_what_another_contract_of_the_workload_needs_is_no_excess() -> None:
    one = estate(grant(SECRETS_USER), grant(CRYPTO_USER))
    assert not check(one, "secrets/get", "keys/sign").findings
    assert check(one, "secrets/get").findings


def test_a_direct_grant_beside_a_groups_is_taken_and_the_group_is_named() -> None:
    one = estate(grant(SECRETS_OFFICER), grant(SECRETS_OFFICER, principal=GROUP), grant(SECRETS_OFFICER, RG))
    fix = check(one, "secrets/get").findings[0].fix
    assert fix
    assert f"{KV}/assignments/{SECRETS_OFFICER[:4]}-{APP[:4]}" in fix.az
    assert "create" not in fix.az, "the group and the grant above still give what is needed"
    assert any(GROUP in note for note in fix.notes)
    assert any("more than this vault" in note for note in fix.notes)
    left = check(applied(one, fix.az), "secrets/get").findings[0].fix
    assert left
    assert left.az.startswith("# ")
    assert GROUP in left.what


def test_an_entry_of_the_policies_is_narrowed_beside_a_groups() -> None:
    direct = AccessPolicy(TENANT, APP, None, secrets=("get",), keys=("sign", "decrypt"))
    shared = AccessPolicy(TENANT, GROUP, None, keys=("sign",))
    fix = check(estate(policies=(shared, direct)), "secrets/get", "keys/decrypt").findings[0].fix
    assert fix
    words = shlex.split(fix.az)
    assert words[words.index("--object-id") + 1] == APP
    assert words[words.index("--key-permissions") + 1 :] == ["decrypt"]
    assert any(GROUP in note for note in fix.notes)
