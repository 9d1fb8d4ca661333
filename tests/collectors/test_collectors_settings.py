"""What parsers read of the settings around vaults."""

import copy
from typing import Any

import pytest
from sample_vault import SUBSCRIPTION, VAULT
from samples import SAMPLES

from kvaudit.collectors.catalogue import by_kind
from kvaudit.model.settings import DefenderPlan, LogSetting


def parse(kind: str, **changes: Any) -> Any:
    """The sample of a kind with its properties changed."""
    scope, item = SAMPLES[kind]
    item = copy.deepcopy(item)
    item.get("properties", item).update(changes)
    return by_kind()[kind].parse(item, scope)


def test_a_diagnostic_setting_says_which_logs_go_where() -> None:
    record = parse("diagnostic_settings")
    assert record.vault_id == VAULT.casefold()
    assert record.destinations == (f"{SUBSCRIPTION}/x",)
    assert record.logs == (LogSetting("AuditEvent", None, True), LogSetting(None, "allLogs", False))
    assert parse("diagnostic_settings", logs=None).logs is None, "a list that is absent is not an empty one"
    for logs in ("AuditEvent", [None], [{"category": "AuditEvent", "enabled": "true"}]):
        with pytest.raises(ValueError, match=r"logs|enabled"):
            parse("diagnostic_settings", logs=logs)


def test_a_lock_stands_where_its_id_says() -> None:
    record = parse("locks")
    assert (record.scope, record.level, record.name) == (VAULT.casefold(), "CanNotDelete", "keep")
    with pytest.raises(ValueError, match="level"):
        parse("locks", level=None)
    with pytest.raises(ValueError, match="lock"):
        by_kind()["locks"].parse({**SAMPLES["locks"][1], "id": VAULT}, SUBSCRIPTION)


def test_the_plan_is_that_of_the_subscription() -> None:
    assert parse("defender_plans") == DefenderPlan(SUBSCRIPTION, "Standard", "PerKeyVault")
    with pytest.raises(ValueError, match="pricingTier"):
        parse("defender_plans", pricingTier=None)


def test_classic_administrators_have_several_roles_in_one_text() -> None:
    record = parse("classic_administrators")
    assert record.roles == ("ServiceAdministrator", "AccountAdministrator")
    assert record.scope == SUBSCRIPTION
    with pytest.raises(ValueError, match="role"):
        parse("classic_administrators", role=None)


def test_resource_groups_and_managed_hsms_are_listed_by_their_ids() -> None:
    assert parse("resource_groups").scope == f"{SUBSCRIPTION}/resourcegroups/rg-payments"
    assert parse("resource_groups", managedBy=VAULT).managed_by == VAULT.casefold()
    hsm = parse("managed_hsms")
    assert (hsm.name, hsm.scope.rsplit("/", 1)[1]) == ("hsm-payments", "hsm-payments")
    for kind in ("resource_groups", "managed_hsms"):
        with pytest.raises(ValueError, match="id"):
            by_kind()[kind].parse({"id": SUBSCRIPTION}, SUBSCRIPTION)
