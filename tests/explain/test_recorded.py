"""What the records add to errors that are not about grants."""

from dataclasses import replace
from typing import Any

import pytest
from builders import Item, estate, vault, workload

from kvaudit.access.evaluator import Access
from kvaudit.explain import Confidence, Kind, explain
from kvaudit.model.vaults import DeletedVault, NetworkAcls

ID = "/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.KeyVault/locations/x/deletedVaults/kv-app"
REFUSED = "Client address is not authorized and caller is not a trusted service.\r\nClient address: {}\r\nVault: kv-app;location=x"
CLOSED: dict[str, Any] = {
    "public_network_access": "Enabled",
    "network_acls": NetworkAcls("AzureServices", "Deny", ("203.0.113.0/24",)),
}


def told(text: str, *items: Item) -> str:
    """The second cause: what the records say."""
    found = explain(text, access=Access(estate(*items)))
    return f"{found.causes[1].cause}: {found.causes[1].because}"


def test_the_firewall_as_it_was_read() -> None:
    said = told(REFUSED.format("198.51.100.7"), vault("kv-app", **CLOSED))
    assert "default action Deny, bypass AzureServices, 1 address rules, 0 subnets" in said
    assert "the records let 203.0.113.9 through" in told(REFUSED.format("203.0.113.9"), vault("kv-app", **CLOSED))


def test_whose_tokens_the_vault_takes() -> None:
    other = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"
    text = f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/x/, found https://sts.windows.net/{other}/. https://kv-app.vault.azure.net/"
    said = told(text, vault("kv-app"))
    assert "kv-app trusts tenant" in said
    assert f"the token is of tenant {other}" in said


@pytest.mark.parametrize(("value", "word"), [(True, "true"), (False, "false"), (None, "not set")])
def test_template_deployment_as_it_was_read(value: bool | None, word: str) -> None:
    text = "KeyVaultParameterReferenceSecretRetrieveFailed: https://kv-app.vault.azure.net/secrets/db"
    assert f"it is {word} on kv-app" in told(text, vault("kv-app", enabled_for_template_deployment=value))


def test_a_soft_deleted_vault_that_holds_the_name() -> None:
    kept = DeletedVault(ID, "kv-app", scheduled_purge_date="2026-12-24T00:00:00Z", purge_protection_enabled=True)
    access = Access(replace(estate(vault("kv-other")), deleted_vaults=(kept,)))
    found = explain("The vault name 'kv-app' is already in use. (VaultAlreadyExists)", access=access)
    assert found.kind is Kind.NAME_TAKEN
    assert "2026-12-24T00:00:00Z; purge protection" in found.causes[1].because


def test_records_that_say_nothing_add_nothing() -> None:
    for text in (
        REFUSED.format("x").replace("kv-app", "kv-gone"),
        "Operation get is not allowed on a disabled secret.",
    ):
        assert explain(text, access=Access(estate(vault("kv-app")))).causes == explain(text).causes


def test_a_caller_of_whom_the_error_names_the_application_only_is_looked_up() -> None:
    who = workload("payments-api")
    app_id = "33333333-3333-3333-3333-333333333333"
    text = f"The user, group or application 'appid={app_id};iss=https://sts.windows.net/x/' does not have secrets get permission on key vault 'kv-app;location=x'."
    known = estate(vault("kv-app", rbac=False), replace(who, app_id=app_id))
    found = explain(text, access=Access(known))
    assert found.confidence is Confidence.CERTAIN
    assert found.causes[0].fix is not None
    assert who.id in found.causes[0].fix.az
    nobody = explain(text, access=Access(estate(vault("kv-app", rbac=False), who)))
    assert "the records were not asked" in nobody.causes[-1].cause
