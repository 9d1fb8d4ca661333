"""Rules that read the vault's own properties and its access policies."""

from typing import Any

import pytest
from builders import (
    OPEN_NETWORK,
    OTHER_TENANT,
    Item,
    gap,
    group,
    guid,
    policy,
    unread_vault,
    user,
    vault,
    workload,
)
from judged import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, judged, principals_of

from kvaudit.model.vaults import NetworkAcls, PermissionModelSource
from kvaudit.rules.judgement import Verdict

anna = user("anna")
shop = workload("shop")

UNREAD = (unread_vault(), gap("vaults", unread_vault(), code="UnreadableItem"))
OTHER_VAULT_UNREAD = gap("vaults", vault("kv-other"))
BROKEN_LISTING = gap("vaults")


def acls(*, default: str | None = "Deny", ips: tuple[str, ...] = ()) -> NetworkAcls:
    return NetworkAcls("AzureServices", default, ips)


def on_public(**changes: Any) -> tuple[Item, ...]:
    settings: dict[str, Any] = {"public_network_access": "Enabled", "network_acls": acls()}
    return (vault(**(settings | changes)),)


CASES: dict[str, dict[str, tuple[tuple[Item, ...], Verdict]]] = {
    "permission-model-not-explicit": {
        "quiet": ((vault(),), PASS),
        "quiet: explicit false": ((vault(rbac=False),), PASS),
        "fires on null": ((vault(rbac=False, permission_model_source=PermissionModelSource.NULL),), FAIL),
        "fires on absent": ((vault(rbac=False, permission_model_source=PermissionModelSource.ABSENT),), FAIL),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": (
            (vault(rbac=False, permission_model_source=PermissionModelSource.NULL), BROKEN_LISTING),
            FAIL,
        ),
        "the listing broke off after this vault": ((vault(), BROKEN_LISTING), PASS),
    },
    "access-policies-in-use": {
        "quiet": ((vault(),), PASS),
        "fires": ((vault("kv-app", policy(anna, secrets="get")), anna), FAIL),
        "fires without any entry": ((vault(rbac=False),), FAIL),
        "fires on null": ((vault(rbac=False, permission_model_source=PermissionModelSource.NULL),), FAIL),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": ((vault(rbac=False), BROKEN_LISTING, gap("principals", "directoryObjects")), FAIL),
    },
    "inert-access-policies": {
        "quiet": ((vault(),), PASS),
        "an absent list is not an empty one": ((vault(access_policies=None),), UNKNOWN),
        "fires": ((vault("kv-app", policy(anna, secrets="get"), rbac=True), anna), FAIL),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": ((vault("kv-app", policy(anna, secrets="get"), rbac=True), BROKEN_LISTING), FAIL),
        "not applicable": ((vault("kv-app", policy(anna, secrets="get")), anna), NOT_APPLICABLE),
    },
    "all-permission-policies": {
        "quiet": ((vault("kv-app", policy(anna, secrets="get list", keys="get sign")),), PASS),
        "quiet: all but one": ((vault("kv-app", policy(anna, secrets="get list set delete backup restore")),), PASS),
        "fires on all": ((vault("kv-app", policy(anna, secrets="all")),), FAIL),
        "fires in any case": ((vault("kv-app", policy(anna, certificates="ALL")),), FAIL),
        "fires spelled out": (
            (vault("kv-app", policy(anna, secrets="Get List Set Delete Recover Backup Restore")),),
            FAIL,
        ),
        "an entry of another tenant grants nothing": (
            (vault("kv-app", policy(anna, tenant=OTHER_TENANT, secrets="all")),),
            PASS,
        ),
        "an absent list is not an empty one": ((vault(rbac=False, access_policies=None),), UNKNOWN),
        "storage is no kind of ours": ((vault("kv-app", policy(anna, storage="all")),), PASS),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": ((vault("kv-app", policy(anna, secrets="all")), BROKEN_LISTING), FAIL),
        "not applicable": ((vault("kv-app", policy(anna, secrets="all"), rbac=True),), NOT_APPLICABLE),
    },
    "purge-protection-off": {
        "quiet": ((vault(),), PASS),
        "fires on absent": ((vault(enable_purge_protection=None),), FAIL),
        "fires on false": ((vault(enable_purge_protection=False),), FAIL),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": ((vault(enable_purge_protection=None), BROKEN_LISTING), FAIL),
        "another vault was not read": ((vault(), OTHER_VAULT_UNREAD), PASS),
    },
    "public-network-open": {
        "quiet": ((vault(),), PASS),
        "quiet in any case": ((vault(public_network_access="disabled", network_acls=None),), PASS),
        "quiet behind a perimeter": ((vault(public_network_access="SecuredByPerimeter", network_acls=None),), PASS),
        "quiet behind the firewall": (on_public(), PASS),
        "quiet: some addresses": (on_public(network_acls=acls(ips=("203.0.113.0/24",))), PASS),
        "quiet: a rule that is no address": (on_public(network_acls=acls(ips=("not an address",))), PASS),
        "fires": ((vault(**OPEN_NETWORK),), FAIL),
        "fires on absent": ((vault(public_network_access=None, network_acls=None),), FAIL),
        "fires on Allow": (on_public(network_acls=acls(default="allow")), FAIL),
        "fires on no default action": (on_public(network_acls=acls(default=None)), FAIL),
        "fires on every address": (on_public(network_acls=acls(ips=("0.0.0.0/0",))), FAIL),
        "fires on two halves": (on_public(network_acls=acls(ips=("0.0.0.0/1", "128.0.0.0/1"))), FAIL),
        "a word of the future": (on_public(public_network_access="Sometimes", network_acls=None), UNKNOWN),
        "a word of the future behind the firewall": (on_public(public_network_access="Sometimes"), PASS),
        "unreadable": (UNREAD, UNKNOWN),
        "seen is seen": ((vault(**OPEN_NETWORK), BROKEN_LISTING), FAIL),
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
    judgement = judged(rule_id, *items)
    assert judgement.verdict is verdict
    if verdict is FAIL:
        assert judgement.message
        assert judgement.fix
    if verdict in {UNKNOWN, NOT_APPLICABLE}:
        assert judgement.message


def test_an_unread_vault_names_its_gap() -> None:
    judgement = judged("purge-protection-off", *UNREAD, BROKEN_LISTING, gap("role_assignments"))
    assert judgement.gaps == (gap("vaults", unread_vault()).id, BROKEN_LISTING.id)


def test_evidence_of_a_policy_has_the_name_and_the_id() -> None:
    judgement = judged("inert-access-policies", vault("kv-app", policy(anna, secrets="get list"), rbac=True), anna)
    (evidence,) = judgement.evidence
    assert evidence.principal_id == guid("anna")
    assert f"user anna ({guid('anna')})" in evidence.message
    assert "secrets/get, secrets/list" in evidence.message
    assert evidence.record_id.endswith("/vaults/kv-app#accessPolicies/0")


def test_only_the_entry_that_holds_everything_is_evidence() -> None:
    ops = group("ops", anna)
    judgement = judged(
        "all-permission-policies",
        vault("kv-app", policy(shop, secrets="get"), policy(ops, secrets="all", keys="all")),
        ops,
    )
    assert principals_of(judgement) == {ops.id}
    assert judgement.evidence_count == 1
    assert "keys and secrets" in judgement.evidence[0].message
    (command,) = judgement.fix
    assert command.endswith("--key-permissions get list --secret-permissions get list")


def test_the_model_is_written_down_as_it_is() -> None:
    judgement = judged(
        "permission-model-not-explicit", vault(rbac=False, permission_model_source=PermissionModelSource.ABSENT)
    )
    assert judgement.fix[0].endswith("--enable-rbac-authorization false")
