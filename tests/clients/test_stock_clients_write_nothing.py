"""Microsoft's own clients, with their own policies, on our transport: nothing but reads leaves it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.secrets.aio import SecretClient
from azure.mgmt.keyvault.aio import KeyVaultManagementClient
from reading_the_lab import PAYMENTS, PUBLIC, VAULTS, items_of, reading

from kvaudit.clients.azure import Azure
from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.read_only import ProbeNames, ReadOnlyGuard, ReadOnlyTransport
from kvaudit.clients.tls import tls_context
from kvaudit.errors import ReadOnlyError
from kvaudit.lab import Lab, start
from kvaudit.lab.faults import Fault, unregistered

Use = Callable[[dict[str, Any]], Awaitable[Any]]


def with_stock_client(lab: Lab, use: Use) -> Any:
    """Runs `use` with the keyword arguments of a stock client: the lab's owner as credential, our transport."""
    environment = lab.environment("owner")

    async def run() -> Any:
        connector = aiohttp.TCPConnector(ssl=tls_context(environment))
        async with aiohttp.ClientSession(connector=connector, proxy=lab.proxy_url) as session:
            guard = ReadOnlyGuard(PUBLIC, ProbeNames())
            transport = ReadOnlyTransport(guard, session=session, session_owner=False)
            credential = ClientSecretCredential(
                environment["AZURE_TENANT_ID"],
                environment["AZURE_CLIENT_ID"],
                environment["AZURE_CLIENT_SECRET"],
                transport=AioHttpTransport(session=session, session_owner=False),
            )
            return await use({"credential": credential, "transport": transport})

    return asyncio.run(run())


def writes(lab: Lab) -> list[tuple[str, str]]:
    """What reached the lab and was no read; sign-in apart."""
    return [
        (entry.method, entry.path)
        for entry in lab.journal
        if entry.method not in {"GET", "HEAD"} and not entry.host.startswith("login.")
    ]


def test_the_409_that_makes_the_stock_client_register_a_provider_sends_no_post() -> None:
    async def use(stock: dict[str, Any]) -> list[Any]:
        client = KeyVaultManagementClient(subscription_id=PAYMENTS.rsplit("/", 1)[1], **stock)
        return [vault async for vault in client.vaults.list_by_subscription()]

    with start("contoso") as lab:
        lab.world.faults.append(unregistered())
        with pytest.raises(ReadOnlyError, match="register"):
            with_stock_client(lab, use)
        assert writes(lab) == []
        assert any(entry.status == 409 for entry in lab.journal), "the 409 was served"


def test_our_own_read_of_the_same_409_is_a_failure_and_not_a_crash() -> None:
    async def read(azure: Azure) -> list[Any]:
        return await items_of(azure.arm_pages(VAULTS, api_version="2026-02-01"))

    with start("contoso") as lab:
        lab.world.faults.append(unregistered())
        with pytest.raises(ReadFailure) as caught:
            reading(lab, read)
        assert caught.value.code == "MissingSubscriptionRegistration"
        assert writes(lab) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda stock: SecretClient("https://kv-payments-prod.vault.azure.net", **stock).get_secret("db-password"),
        lambda stock: SecretClient("https://kv-payments-prod.vault.azure.net", **stock).set_secret("kvaudit", "x"),
        lambda stock: SecretClient("https://kv-payments-prod.vault.azure.net", **stock).backup_secret("db-password"),
        lambda stock: SecretClient("https://kv-payments-prod.vault.azure.net", **stock).delete_secret("db-password"),
        lambda stock: KeyClient("https://kv-payments-prod.vault.azure.net", **stock).rotate_key("signing"),
        lambda stock: KeyClient("https://kv-payments-prod.vault.azure.net", **stock).get_key("signing"),
    ],
    ids=["get", "set", "backup", "delete", "rotate", "get key"],
)
def test_no_method_of_a_stock_vault_client_reads_a_value_or_writes(contoso: Lab, use: Use) -> None:
    before = len(contoso.journal)
    with pytest.raises(ReadOnlyError):
        with_stock_client(contoso, use)
    assert [entry.path for entry in contoso.journal[before:] if "vault.azure.net" in entry.host] == []


def test_a_redirect_is_not_followed_with_a_token() -> None:
    async def read(azure: Azure) -> list[Any]:
        return await items_of(azure.arm_pages(VAULTS, api_version="2026-02-01"))

    with start("contoso") as lab:
        elsewhere = {"Location": "https://kv-payments-prod.vault.azure.net/secrets/db-password"}
        lab.world.faults.append(Fault(path="/providers/Microsoft.KeyVault/vaults", status=307, headers=elsewhere))
        with pytest.raises(ReadFailure) as caught:
            reading(lab, read)
        assert caught.value.status == 307
        assert {entry.host for entry in lab.journal} == {"login.microsoftonline.com", "management.azure.com"}


def test_a_stock_clients_redirect_to_an_objects_value_is_refused() -> None:
    async def use(stock: dict[str, Any]) -> list[Any]:
        client = SecretClient("https://kv-payments-prod.vault.azure.net", verify_challenge_resource=False, **stock)
        return [item async for item in client.list_properties_of_secrets()]

    with start("contoso") as lab:
        elsewhere = {"Location": "https://kv-payments-prod.vault.azure.net/secrets/db-password"}
        lab.world.faults.append(Fault(path=r"/secrets$", status=302, headers=elsewhere))
        with pytest.raises(ReadOnlyError):
            with_stock_client(lab, use)
        assert not any(entry.path.endswith("/db-password") for entry in lab.journal)


def test_a_vault_token_goes_to_no_other_host(contoso: Lab) -> None:
    async def read(azure: Azure, uri: str) -> list[Any]:
        return await items_of(azure.vault_pages(uri, "/secrets", api_version="7.5"))

    before = len(contoso.journal)
    for uri in (
        "https://kv-payments-prod.vault.azure.net.evil.example.net/",
        "https://evil.example.net",
        "http://kv-payments-prod.vault.azure.net/",
        "https://user:password@kv-payments-prod.vault.azure.net/",
        "https://kv-payments-prod.vault.azure.net/secrets/db-password",
        "https://[",
        "",
    ):
        with pytest.raises(ReadFailure) as caught:
            reading(contoso, lambda azure, uri=uri: read(azure, uri))  # type: ignore[misc]
        assert caught.value.code == "ForeignVaultUri"
    assert len(contoso.journal) == before, "not even a token was asked for"


def test_an_id_that_would_change_the_address_is_not_asked(contoso: Lab) -> None:
    async def read(azure: Azure, scope: str) -> list[Any]:
        return await items_of(azure.arm_pages(f"{scope}/secrets", api_version="2026-02-01"))

    before = len(contoso.journal)
    for scope in ("@evil.example.net/x", "//evil.example.net", "/subscriptions/x?y=", "/a#b", "/a\\b", "/a\r\nX: y"):
        with pytest.raises(ReadFailure) as caught:
            reading(contoso, lambda azure, scope=scope: read(azure, scope))  # type: ignore[misc]
        assert caught.value.code == "UnusableId"
    assert len(contoso.journal) == before
