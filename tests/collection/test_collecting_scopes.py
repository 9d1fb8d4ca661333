"""What was asked is what is read, and what cannot be is said before anything else happens."""

from pathlib import Path

import pytest
from collecting import NO_OBJECTS, collected, names_of, records_of

from kvaudit.collection.request import CollectRequest, Objects
from kvaudit.errors import CredentialError, KvauditError, ScopeError
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault

PAYMENTS = "33333333-3333-3333-3333-000000000001"
PAYMENTS_VAULTS = {"kv-payments-prod", "kv-payments-test", "kv-payments-batch", "kv-payments10"}


def asking(**scope: tuple[str, ...]) -> CollectRequest:
    return CollectRequest(objects=Objects.NONE, **scope)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Payments", "PAYMENTS", " payments ", PAYMENTS, PAYMENTS.upper()])
def test_a_subscription_is_named_by_its_id_or_display_name_in_any_case(contoso: Lab, tmp_path: Path, name: str) -> None:
    before = len(contoso.journal)
    snapshot = collected(contoso, tmp_path / "s", asking(subscriptions=(name,)))
    assert names_of(snapshot, "vaults") == PAYMENTS_VAULTS
    asked = {entry.path.split("/")[2] for entry in contoso.journal[before:] if entry.path.startswith("/subscriptions/")}
    assert asked == {PAYMENTS}


def test_every_subscription_that_is_not_there_is_named_with_what_is(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError) as caught:
        collected(contoso, tmp_path / "s", asking(subscriptions=("Paymentz", "Payments", "Nowhere")))
    assert "'Paymentz', 'Nowhere'" in caught.value.message
    assert "'Payments'" not in caught.value.message
    assert any("Web shop" in line for line in caught.value.details)


def test_an_identity_that_sees_no_subscription_is_told_so_when_it_names_one(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError) as caught:
        collected(contoso, tmp_path / "s", asking(subscriptions=("Payments",)), identity="nobody")
    assert caught.value.details == ("no subscription is visible to this identity",)


def test_an_identity_that_sees_nothing_reads_nothing_and_that_is_no_error(contoso: Lab, tmp_path: Path) -> None:
    snapshot = collected(contoso, tmp_path / "s", NO_OBJECTS, identity="nobody")
    assert names_of(snapshot, "vaults") == set()


def test_below_a_management_group(contoso: Lab, tmp_path: Path) -> None:
    snapshot = collected(contoso, tmp_path / "s", asking(management_groups=("contoso-landing-zones",)))
    vaults = names_of(snapshot, "vaults")
    assert vaults >= PAYMENTS_VAULTS | {"kv-web-prod"}
    assert not any(name.startswith("kv-platform") for name in vaults)


def test_a_management_group_that_is_not_there(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError) as caught:
        collected(contoso, tmp_path / "s", asking(management_groups=("nowhere", "contoso-platform")))
    assert "'nowhere'" in caught.value.message
    assert "contoso-platform" not in caught.value.message


def test_a_subscription_that_is_not_below_the_group_that_was_named(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError) as caught:
        collected(contoso, tmp_path / "s", asking(management_groups=("contoso-platform",), subscriptions=("Payments",)))
    assert "below" in caught.value.message


def test_vault_and_resource_group_narrow_the_vaults_and_no_assignment(contoso: Lab, tmp_path: Path) -> None:
    whole = collected(contoso, tmp_path / "whole", asking(subscriptions=("Payments",)))
    one = collected(contoso, tmp_path / "one", asking(subscriptions=("Payments",), vaults=("KV-Payments-Prod",)))
    group = collected(contoso, tmp_path / "g", asking(subscriptions=("Payments",), resource_groups=("RG-Payments",)))
    assert names_of(one, "vaults") == {"kv-payments-prod"}
    assert names_of(group, "vaults") == {"kv-payments-prod", "kv-payments-test"}, "rg-payments10 is another group"
    for narrowed in (one, group):
        assert records_of(narrowed, "role_assignments") == records_of(whole, "role_assignments")


def test_a_vault_that_is_nowhere_is_an_error_when_all_was_read_and_a_gap_when_not(contoso: Lab, tmp_path: Path) -> None:
    with pytest.raises(ScopeError):
        collected(contoso, tmp_path / "read", asking(subscriptions=("Payments",), vaults=("kv-nowhere",)))
    snapshot = collected(contoso, tmp_path / "not", asking(vaults=("kv-nowhere",)))
    assert any(gap.kind == "vaults" and "kv-nowhere" in gap.reason for gap in snapshot.gaps())


def test_a_token_that_resource_manager_refuses_is_a_credential_error(tmp_path: Path) -> None:
    with start("contoso") as lab:
        body = {"error": {"code": "InvalidAuthenticationTokenTenant", "message": "wrong issuer"}}
        lab.world.faults.append(Fault(path=r"management.azure.com/subscriptions$", status=401, body=body))
        with pytest.raises(CredentialError):
            collected(lab, tmp_path / "s", NO_OBJECTS)


def test_subscriptions_that_cannot_be_listed_are_no_reason_to_say_that_one_is_not_there(tmp_path: Path) -> None:
    with start("contoso") as lab:
        lab.world.faults.append(Fault(path=r"management.azure.com/subscriptions$", status=500))
        with pytest.raises(KvauditError) as caught:
            collected(lab, tmp_path / "named", asking(subscriptions=("Payments",)))
        assert not isinstance(caught.value, ScopeError)
        snapshot = collected(lab, tmp_path / "all", NO_OBJECTS)
    assert {gap.kind for gap in snapshot.gaps()} == {"subscriptions"}
