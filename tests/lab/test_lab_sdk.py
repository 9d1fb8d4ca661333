"""Unmodified Azure SDK clients over HTTPS through the proxy: sign-in and round trips, sync and aio."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential, EnvironmentCredential
from azure.identity.aio import EnvironmentCredential as AsyncEnvironmentCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.aio import AuthorizationManagementClient as AsyncAuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.keyvault.aio import KeyVaultManagementClient as AsyncKeyVaultManagementClient

from kvaudit.lab import Lab, start
from kvaudit.lab.faults import unregistered

PAYMENTS, WEB = "33333333-3333-3333-3333-000000000001", "33333333-3333-3333-3333-000000000002"
ARM_SCOPE = "https://management.azure.com/.default"
HOME = "11111111-1111-1111-1111-111111111111"
NAMED = {"kv-payments-prod", "kv-payments-test", "kv-payments-batch", "kv-payments10"}


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.offset


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start("contoso") as running:
        yield running


@pytest.fixture(autouse=True)
def environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lab.environment("auditor").items():
        monkeypatch.setenv(name, value)


def sign_in_as(lab: Lab, identity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lab.environment(identity).items():
        monkeypatch.setenv(name, value)


def key_vault(subscription: str = PAYMENTS) -> KeyVaultManagementClient:
    return KeyVaultManagementClient(EnvironmentCredential(), subscription, api_version="2026-02-01")


def test_a_token_holds_what_real_ones_hold() -> None:
    import base64
    import json

    with EnvironmentCredential() as credential:
        token = credential.get_token(ARM_SCOPE).token
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["tid"], claims["aud"]) == (HOME, "https://management.azure.com")
    assert claims["oid"] == "66666666-6666-6666-6666-000000000001"
    assert claims["iss"] == f"https://sts.windows.net/{HOME}/"


@pytest.mark.parametrize(
    ("tenant", "client", "secret", "told"),
    [
        (None, None, "wrong", "AADSTS7000215"),
        (None, "99999999-9999-9999-9999-999999999999", None, "AADSTS700016"),
        ("22222222-2222-2222-2222-222222222222", None, None, "AADSTS700016"),
        ("99999999-9999-9999-9999-999999999999", None, None, "authority configuration"),
    ],
)
def test_sign_in_errors(lab: Lab, tenant: str | None, client: str | None, secret: str | None, told: str) -> None:
    known = lab.world.estate.identities["auditor"]
    credential = ClientSecretCredential(
        tenant or known.tenant_id, client or known.app_id, secret or known.client_secret
    )
    with credential, pytest.raises(ClientAuthenticationError, match=told):
        credential.get_token(ARM_SCOPE)


def test_vaults_by_subscription_group_and_name() -> None:
    with key_vault() as client:
        assert {vault.name for vault in client.vaults.list_by_subscription()} == NAMED
        assert {vault.name for vault in client.vaults.list_by_resource_group("rg-payments")} == {
            "kv-payments-prod",
            "kv-payments-test",
        }
        vault = client.vaults.get("rg-payments", "kv-payments-prod")
        assert vault.properties.enable_rbac_authorization is True
        assert {secret.name for secret in client.secrets.list("rg-payments", "kv-payments-test")} == {"db-password"}
        with pytest.raises(ResourceNotFoundError) as caught:
            client.vaults.get("rg-payments", "kv-absent")
        assert caught.value.error is not None
        assert caught.value.error.code == "ResourceNotFound"
    with key_vault(WEB) as client:
        assert {vault.name for vault in client.vaults.list_deleted()} == {"kv-web-old"}


def test_authorization_listings() -> None:
    with EnvironmentCredential() as credential, AuthorizationManagementClient(credential, PAYMENTS) as client:
        scope = f"/subscriptions/{PAYMENTS}"
        everything = list(client.role_assignments.list_for_subscription())
        above = list(client.role_assignments.list_for_subscription(filter="atScope()"))
        assert 0 < len(above) < len(everything)
        assert len(list(client.role_definitions.list(scope))) == 929
        assert [deny.deny_assignment_name for deny in client.deny_assignments.list_for_scope(scope)] == [
            "protect-card-keys"
        ]
        assert len(list(client.role_eligibility_schedule_instances.list_for_scope(scope))) == 2
        assert len(list(client.role_assignment_schedule_instances.list_for_scope(scope))) == 1
        assert [block.actions for block in client.permissions.list_for_resource_group("rg-payments")] == [["*/read"]]


def test_the_async_clients(lab: Lab) -> None:
    # aiohttp makes its default TLS context when it is imported, which may be before the environment names the lab's authority.
    ca_file = str(lab.ca_file)

    async def read() -> tuple[set[str | None], int]:
        async with (
            AsyncEnvironmentCredential(connection_verify=ca_file) as credential,
            AsyncKeyVaultManagementClient(
                credential, PAYMENTS, api_version="2026-02-01", connection_verify=ca_file
            ) as vaults,
            AsyncAuthorizationManagementClient(credential, PAYMENTS, connection_verify=ca_file) as authorization,
        ):
            names = {vault.name async for vault in vaults.vaults.list_by_subscription()}
            count = len([item async for item in authorization.role_assignments.list_for_subscription()])
        return names, count

    assert asyncio.run(read()) == (NAMED, 14)


def test_writes_round_trip(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_as(lab, "owner", monkeypatch)
    with key_vault() as client:
        properties = {"tenantId": HOME, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}
        body: Any = {"location": "westeurope", "properties": properties}
        made: Any = client.vaults.begin_create_or_update("rg-payments", "kv-made-here", body).result()
        assert made.properties.enable_rbac_authorization is True
        changed = client.vaults.update(
            "rg-payments", "kv-made-here", {"properties": {"enableRbacAuthorization": False}}
        )
        assert changed.properties.enable_rbac_authorization is False
        entry = {
            "tenantId": HOME,
            "objectId": "44444444-4444-4444-4444-000000000001",
            "permissions": {"secrets": ["get"]},
        }
        change: Any = {"properties": {"accessPolicies": [entry]}}
        added = client.vaults.update_access_policy("rg-payments", "kv-made-here", "add", change)
        assert len(added.properties.access_policies) == 1
        client.vaults.delete("rg-payments", "kv-made-here")
        assert {vault.name for vault in client.vaults.list_deleted()} == {"kv-made-here"}
        client.vaults.begin_purge_deleted("kv-made-here", "westeurope").result()
        assert list(client.vaults.list_deleted()) == []
    with EnvironmentCredential() as credential, AuthorizationManagementClient(credential, PAYMENTS) as authorization:
        scope, role = f"/subscriptions/{PAYMENTS}", "4633458b-17de-408a-b874-0445c86b69e6"
        wanted = {
            "properties": {
                "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{role}",
                "principalId": "44444444-4444-4444-4444-000000000001",
            }
        }
        created = authorization.role_assignments.create(scope, str(uuid.uuid4()), wanted)
        assert created.id is not None
        assert fold_in(lab, created.id)
        authorization.role_assignments.delete_by_id(created.id)
        assert not fold_in(lab, created.id)


def fold_in(lab: Lab, identifier: str) -> bool:
    return identifier.casefold() in lab.world.estate.role_assignments


def test_secrets_are_for_whoever_holds_them(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab really answers 403 and 200; the planted value reaches its holder and nobody else."""
    url = "https://kv-payments-test.vault.azure.net"
    with EnvironmentCredential() as credential, SecretClient(url, credential) as client:
        with pytest.raises(HttpResponseError) as caught:
            client.get_secret("db-password")
        assert caught.value.status_code == 403
    sign_in_as(lab, "backup-service", monkeypatch)
    with EnvironmentCredential() as credential, SecretClient(url, credential) as client:
        assert str(client.get_secret("db-password").value).startswith("kvaudit-planted-")


def test_expired_tokens_are_refused_and_the_client_signs_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Now()
    with start("contoso", clock=now) as lab:
        sign_in_as(lab, "auditor", monkeypatch)
        with key_vault() as client:
            assert client.vaults.get("rg-payments", "kv-payments-prod").name == "kv-payments-prod"
            now.offset = timedelta(hours=2)
            with pytest.raises(ClientAuthenticationError, match="ExpiredAuthenticationToken"):
                client.vaults.get("rg-payments", "kv-payments-prod")
        with key_vault() as client:
            assert client.vaults.get("rg-payments", "kv-payments-prod").name == "kv-payments-prod"


def test_an_unregistered_provider_makes_stock_clients_write(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why an audit needs a guard: the stock client answers the 409 with a POST, which the journal shows."""
    sign_in_as(lab, "owner", monkeypatch)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client waits 10 s for the registration
    fault = unregistered()
    fault.times = 1
    lab.world.faults.append(fault)
    try:
        with key_vault() as client:
            assert {vault.name for vault in client.vaults.list_by_subscription()} == NAMED
    finally:
        lab.world.faults.remove(fault)
    assert [entry.path for entry in lab.journal if entry.method == "POST" and entry.path.endswith("/register")]
