"""A vault, a workload and grants to it, and contracts about them."""

import json
from typing import Any

from kvaudit.access.evaluator import Access
from kvaudit.contracts.reading import parse_contracts
from kvaudit.model.authorization import RoleAssignment
from kvaudit.model.directory import Principal
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Listing
from kvaudit.model.hierarchy import HierarchyNode, Subscription
from kvaudit.model.vaults import AccessPolicy, PermissionModel, PermissionModelSource, Vault
from kvaudit.preflight.check import CheckResult, ContractFinding, check_contracts

TENANT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
RG = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-payments"
KV = f"{RG}/providers/microsoft.keyvault/vaults/kv-payments"
APP = "22222222-2222-2222-2222-222222222222"
USER, OFFICER = "4633458b-17de-408a-b874-0445c86b69e6", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
LISTED = ("role_assignments", "deny_assignments", "role_eligibility_schedule_instances")


def vault(model: PermissionModel = PermissionModel.AZURE_RBAC, *policies: AccessPolicy, **more: Any) -> Vault:
    return Vault(
        id=KV, name="kv-payments", tenant_id=TENANT, permission_model=model,
        permission_model_source=PermissionModelSource.EXPLICIT, access_policies=policies, **more,
    )  # fmt: skip


def estate(one: Vault, *assignments: RoleAssignment, **more: Any) -> Estate:
    scope = f"/subscriptions/{SUBSCRIPTION}"
    return Estate(
        tenant_id=TENANT,
        subscriptions=(Subscription(SUBSCRIPTION, tenant_id=TENANT),),
        hierarchy=(HierarchyNode(scope, None),),
        vaults=(one,),
        role_assignments=assignments,
        principals={APP: Principal(APP, "ServicePrincipal", display_name="payments-api")},
        member_of={APP: ()},
        listings=tuple(Listing(kind, scope, 0) for kind in LISTED),
        **more,
    )


def grant(role: str, scope: str = KV) -> RoleAssignment:
    listed = frozenset({f"/subscriptions/{SUBSCRIPTION}"})
    return RoleAssignment(f"{scope}/assignments/{role[:4]}", scope, role, APP, "ServicePrincipal", listed_from=listed)


def contract(needs: str, **more: Any) -> str:
    lines = [f"  {name}: {json.dumps(value)}" for name, value in more.items()]
    return "\n".join(
        [
            "version: 1",
            "workloads:",
            "- name: payments",
            "  principal: payments-api",
            "  vault: KV-payments",
            f"  needs: [{needs}]",
            *lines,
        ]
    )


def check(text: str, one: Estate) -> CheckResult:
    return check_contracts(parse_contracts(text, "c.yaml"), Access(one))


def only(result: CheckResult) -> ContractFinding:
    assert len(result.findings) == 1, [item.message for item in result.findings]
    return result.findings[0]
