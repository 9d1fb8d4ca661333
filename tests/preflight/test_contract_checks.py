"""Contracts against estates: what is missing, held beyond need, forbidden and held, or unknown; and what a deployment changes."""

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest
from contract_samples import (
    APP,
    KV,
    OFFICER,
    RG,
    SUBSCRIPTION,
    TENANT,
    USER,
    check,
    contract,
    estate,
    grant,
    only,
    vault,
)

from kvaudit.contracts.reading import ContractsError
from kvaudit.model.estate import Estate
from kvaudit.model.gaps import Gap, Listing
from kvaudit.model.vaults import AccessPolicy, ObjectRef, PermissionModel, VaultObject
from kvaudit.preflight.check import Deviation
from kvaudit.preflight.overlay import laid_over
from kvaudit.templates.arm import read_arm


def test_what_is_kept_is_kept() -> None:
    result = check(contract("secrets/get, secrets/list", forbids=["secrets/purge"]), estate(vault(), grant(USER)))
    assert not result.findings
    assert len(result.kept) == 1


def test_what_is_missing_gets_the_smallest_role_at_the_vault() -> None:
    found = only(check(contract("secrets/get"), estate(vault())))
    assert (found.deviation, found.words) == (Deviation.MISSING, ("secrets/get",))
    assert found.fix
    words = shlex.split(found.fix.az)
    assert words[words.index("--role") + 1] == USER
    assert words[words.index("--scope") + 1] == KV
    assert words[words.index("--assignee-principal-type") + 1] == "ServicePrincipal"


def test_the_proposed_role_makes_the_contract_kept() -> None:
    for needs in (
        "secrets/get",
        "keys/sign, secrets/list",
        "certificates/get, keys/unwrapKey",
        "secrets/set, secrets/purge",
    ):
        one = estate(vault())
        found = only(check(contract(needs), one))
        assert found.fix
        assigned = [shlex.split(line) for line in found.fix.az.splitlines()]
        roles = [line[line.index("--role") + 1] for line in assigned]
        assert not check(
            contract(needs), replace(one, role_assignments=tuple(grant(role) for role in roles))
        ).findings, needs


def test_a_forbidden_operation_takes_a_role_out_of_the_choice() -> None:
    found = only(check(contract("secrets/set", forbids=["secrets/purge", "secrets/get"]), estate(vault())))
    assert found.fix
    assert "az role definition create" in found.fix.az
    assert "setSecret" in found.fix.az


def test_what_is_held_beyond_need_is_told_with_a_smaller_role_first() -> None:
    found = only(check(contract("secrets/get"), estate(vault(), grant(OFFICER))))
    assert found.deviation is Deviation.EXCESS
    assert "secrets/purge" in found.words
    assert "secrets/list" not in found.words, "the smallest built-in role has it too"
    assert found.fix
    assign, delete = found.fix.az.splitlines()
    assert USER in assign
    assert f"{KV}/assignments/{OFFICER[:4]}" in delete


def test_a_grant_above_the_vault_is_not_taken_away_for_one_vault() -> None:
    found = only(check(contract("secrets/get"), estate(vault(), grant(OFFICER, RG))))
    assert found.fix
    assert "more than this vault" in found.fix.what
    assert found.fix.az.startswith("# ")


def test_what_must_stay_denied_and_is_held_breaks_the_contract() -> None:
    found = check(contract("secrets/get", forbids=["secrets/purge"]), estate(vault(), grant(OFFICER))).findings
    assert [item.deviation for item in found] == [Deviation.BROKEN, Deviation.EXCESS]
    assert found[0].words == ("secrets/purge",)


def test_a_listing_that_failed_is_unknown_and_never_missing_or_kept() -> None:
    one = estate(vault())
    scope = f"/subscriptions/{SUBSCRIPTION}"
    hidden = replace(
        one,
        listings=tuple(item for item in one.listings if item.kind != "role_assignments"),
        gaps=(Gap("role_assignments", scope, "forbidden", status=403),),
    )
    result = check(contract("secrets/get", forbids=["secrets/purge"]), hidden)
    assert {item.deviation for item in result.findings} == {Deviation.UNKNOWN}
    assert result.gaps


def test_access_policies_name_each_operation_and_keep_what_is_there() -> None:
    policies = PermissionModel.ACCESS_POLICIES
    entry = AccessPolicy(TENANT, APP, None, secrets=("get",), keys=("sign",))
    found = only(check(contract("secrets/get, secrets/list, keys/sign"), estate(vault(policies, entry))))
    assert found.words == ("secrets/list",)
    assert found.fix
    words = shlex.split(found.fix.az)
    assert words[words.index("--secret-permissions") + 1 :] == ["get", "list"]
    found = only(check(contract("secrets/get"), estate(vault(policies, entry))))
    assert (found.deviation, found.words) == (Deviation.EXCESS, ("keys/sign",))
    assert found.fix
    assert found.fix.az.endswith("--key-permissions")


def test_an_entry_of_another_tenant_is_not_what_the_fix_writes_to() -> None:
    """It grants nothing, and the Azure CLI makes a new entry beside it: what it lists would be granted for the first time."""
    foreign = AccessPolicy("99999999-9999-9999-9999-999999999999", APP, None, secrets=("list", "purge"))
    found = only(check(contract("secrets/get"), estate(vault(PermissionModel.ACCESS_POLICIES, foreign))))
    assert found.fix
    words = shlex.split(found.fix.az)
    assert "get" in words
    assert not {"list", "purge"} & set(words)


def test_objects_by_name_and_pattern() -> None:
    one = estate(
        vault(),
        grant(USER, f"{KV}/secrets/db-password"),
        objects=tuple(VaultObject(KV, ObjectRef("secrets", name)) for name in ("db-password", "api-key")),
    )
    read = replace(one, listings=(*one.listings, Listing("secrets", KV, 2)))
    assert not check(contract("secrets/get", objects={"secrets": ["DB-*"]}), read).findings
    found = only(check(contract("secrets/get", objects={"secrets": ["db-*", "api-*"]}), read))
    assert found.object == "secrets/api-key"
    unread = only(check(contract("secrets/get", objects={"secrets": ["db-*"]}), replace(one, objects=())))
    assert unread.deviation is Deviation.UNKNOWN
    assert not check(contract("secrets/get", objects={"secrets": ["db-password"]}), one).findings


def test_names_that_nobody_has_are_told_together() -> None:
    text = contract("secrets/get").replace("payments-api", "nobody").replace("KV-payments", "kv-nowhere")
    with pytest.raises(ContractsError) as caught:
        check(text, estate(vault()))
    assert len(caught.value.details) == 2


def test_of_two_vaults_with_one_name_none_is_guessed() -> None:
    """A vault that was moved may be listed at both places."""
    here, there = vault(), replace(vault(), id=KV.replace(RG, f"{RG}-new"))
    one = replace(estate(here), vaults=(here, there))
    with pytest.raises(ContractsError) as caught:
        check(contract("secrets/get"), one)
    (told,) = caught.value.details
    assert here.id in told
    assert there.id in told


def test_vaults_by_tag() -> None:
    text = contract("secrets/get").replace("  vault: KV-payments", "  vaults: {tag: {app: payments}}")
    tagged = replace(vault(), tags={"App": "payments"})
    assert not check(text, estate(tagged, grant(USER))).findings
    with pytest.raises(ContractsError, match="do not hold"):
        check(text, estate(vault(), grant(USER)))


def template(properties: dict[str, Any], *more: Any, version: str = "2026-02-01", name: str = "kv-payments") -> Any:
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    kv = {"type": "Microsoft.KeyVault/vaults", "apiVersion": version, "name": name, "properties": properties}
    parameters = {"x": {"type": "string"}, "b": {"type": "bool"}}
    return read_arm(json.dumps({"$schema": schema, "parameters": parameters, "resources": [kv, *more]}), "main.json")


ENTRY = {"tenantId": TENANT, "objectId": APP, "permissions": {"secrets": ["get"]}}
ROLE: dict[str, Any] = {
    "type": "Microsoft.Authorization/roleAssignments",
    "apiVersion": "2022-04-01",
    "name": "x",
    "scope": "[resourceId('Microsoft.KeyVault/vaults', 'kv-payments')]",
    "properties": {"roleDefinitionId": USER, "principalId": APP, "principalType": "ServicePrincipal"},
}


def after(one: Estate, *templates: Any) -> list[Deviation]:
    return [item.deviation for item in check(contract("secrets/get"), laid_over(one, templates).estate).findings]


def test_a_deployment_is_judged_before_it_happens() -> None:
    policies = estate(vault(PermissionModel.ACCESS_POLICIES, AccessPolicy(TENANT, APP, None, secrets=("get",))))
    assert after(policies, template({})) == [], "a flag that is left out changes nothing on a vault that exists"
    assert after(policies, template({"accessPolicies": []})) == [Deviation.MISSING], "the list is replaced"
    assert after(policies, template({"enableRbacAuthorization": True})) == [Deviation.MISSING], "the policies are inert"
    assert after(policies, template({"enableRbacAuthorization": True}, ROLE)) == []
    assert after(policies, template({"enableRbacAuthorization": "[parameters('b')]"})) == [Deviation.UNKNOWN]
    rbac = estate(vault())
    assert after(rbac, template({"enableRbacAuthorization": False, "accessPolicies": [ENTRY]})) == []
    assert after(
        rbac, template({}, {**ROLE, "properties": {**ROLE["properties"], "principalId": "[parameters('x')]"}})
    ) == [Deviation.UNKNOWN]


def test_a_vault_that_does_not_exist_yet_gets_the_model_of_its_version() -> None:
    one = replace(estate(vault()), vaults=())
    assert after(one, template({"accessPolicies": [ENTRY]}, version="2023-07-01")) == []
    # Azure RBAC: the policies are inert, and a grant may stand above, where nobody said that the vault goes.
    assert after(one, template({"accessPolicies": [ENTRY]}, version="2026-02-01")) == [Deviation.UNKNOWN]


def test_policies_declared_apart_are_added() -> None:
    policies = estate(vault(PermissionModel.ACCESS_POLICIES))
    apart = {
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "apiVersion": "2026-02-01",
        "name": "kv-payments/add",
        "properties": {"accessPolicies": [ENTRY]},
    }
    assert after(policies, template({}, apart)) == []


APART: dict[str, Any] = {
    "type": "Microsoft.KeyVault/vaults/accessPolicies",
    "apiVersion": "2026-02-01",
    "name": "kv-payments/add",
    "properties": {"accessPolicies": [ENTRY]},
}
MAYBE = {"condition": "[parameters('b')]"}


def test_a_grant_that_is_not_decided_is_neither_held_nor_missing() -> None:
    rbac, policies = estate(vault()), estate(vault(PermissionModel.ACCESS_POLICIES))
    unnamed = {**ROLE, "properties": {**ROLE["properties"], "principalId": "[parameters('x')]"}}
    narrowed = {**ROLE, "properties": {**ROLE["properties"], "condition": "[parameters('x')]"}}
    above = {**unnamed, "scope": f"/subscriptions/{SUBSCRIPTION}"}
    for grants in ({**ROLE, **MAYBE}, narrowed, above, {**ROLE, "scope": "[parameters('x')]"}):
        assert after(rbac, template({}, grants)) == [Deviation.UNKNOWN], grants
    for more in ({"objectId": "[parameters('x')]"}, {"applicationId": "[parameters('x')]"}):
        assert set(after(policies, template({"accessPolicies": [{**ENTRY, **more}]}))) == {Deviation.UNKNOWN}, more
    assert set(after(policies, template({}, {**APART, **MAYBE}))) == {Deviation.UNKNOWN}
    undecided = template({"accessPolicies": "[parameters('x')]"}, {**APART, "properties": {"accessPolicies": []}})
    assert set(after(policies, undecided)) == {Deviation.UNKNOWN}, "adding nothing does not make the list known"


def test_a_vault_that_is_deployed_perhaps_is_neither_what_it_was_nor_what_it_may_become() -> None:
    held = AccessPolicy(TENANT, APP, None, secrets=("get",))
    for properties, one in (
        ({"accessPolicies": []}, estate(vault(PermissionModel.ACCESS_POLICIES, held))),
        ({"accessPolicies": [ENTRY]}, estate(vault(PermissionModel.ACCESS_POLICIES))),
        ({"enableRbacAuthorization": True}, estate(vault(PermissionModel.ACCESS_POLICIES, held))),
    ):
        declared = template(properties)
        perhaps = replace(declared, vaults=tuple(replace(item, condition="b") for item in declared.vaults))
        assert set(after(one, perhaps)) == {Deviation.UNKNOWN}, properties


def test_an_older_version_without_the_flag_may_not_keep_azure_rbac() -> None:
    one = estate(vault(), grant(USER))
    assert after(one, template({}, version="2026-02-01")) == []
    assert set(after(one, template({}, version="2023-07-01"))) == {Deviation.UNKNOWN}


def test_a_need_of_another_contract_of_the_workload_takes_its_word_out_of_the_defaults() -> None:
    text = (
        contract("secrets/get, secrets/list")
        + """
- {name: sweeper, principal: payments-api, vault: kv-payments, needs: [secrets/purge]}
defaults: {forbids: [secrets/purge, keys/purge]}
"""
    )
    one = estate(vault(), grant(OFFICER))
    assert Deviation.BROKEN not in {item.deviation for item in check(text, one).findings}
    own = text.replace(
        "  needs: [secrets/get, secrets/list]", "  needs: [secrets/get, secrets/list]\n  forbids: [secrets/purge]"
    )
    assert Deviation.BROKEN in {item.deviation for item in check(own, one).findings}, "it says so itself"
