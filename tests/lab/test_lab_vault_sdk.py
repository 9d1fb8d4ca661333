"""The real Azure SDK clients, unmodified, against the lab over HTTPS."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from azure.keyvault.keys import KeyClient, KeyRotationPolicyAction
from azure.keyvault.keys.crypto import EncryptionAlgorithm
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from small_estate import APP, SECRET, SUBSCRIPTION, TENANT, allow_actions, allow_word, make_world, vault_id

from kvaudit.lab.running import Lab
from kvaudit.lab.server import Server

POLICIES = "https://kv-policies.vault.azure.net"
RBAC = "https://kv-rbac.vault.azure.net"


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab with 30 secrets a vault; the process points at it as a user's shell would."""
    world = make_world(objects=30)
    world.clock = lambda: datetime.now(UTC)
    allow_actions(world, actions=("*/read",), scope=f"/subscriptions/{SUBSCRIPTION}")
    for kind in ("secrets", "keys", "certificates"):
        allow_word(world, f"{kind}/all")
        allow_word(world, f"{kind}/purge")
    with Lab(Server(world)) as running:
        for name, value in running.environment("tester").items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def credential(lab: Lab) -> ClientSecretCredential:
    who = lab.world.estate.identities["tester"]
    return ClientSecretCredential(who.tenant_id, who.app_id, who.client_secret)


def test_secrets(lab: Lab, credential: ClientSecretCredential) -> None:
    with SecretClient(POLICIES, credential) as client:
        assert len(list(client.list_properties_of_secrets())) == 30
        assert client.get_secret("db").value == SECRET
        created = client.set_secret("fresh", "value", content_type="text/plain", tags={"a": "b"})
        assert client.get_secret("fresh", created.properties.version).value == "value"
        client.update_secret_properties("fresh", enabled=False)
        with pytest.raises(HttpResponseError) as refusal:
            client.get_secret("fresh")
        assert (refusal.value.status_code, refusal.value.error.innererror["code"]) == (403, "SecretDisabled")  # type: ignore[union-attr]
        deleted = client.begin_delete_secret("fresh").result()
        assert deleted.recovery_id == f"{POLICIES}/deletedsecrets/fresh"
        assert [item.name for item in client.list_deleted_secrets()] == ["fresh"]
        client.begin_recover_deleted_secret("fresh").wait()
        assert [item.version for item in client.list_properties_of_secret_versions("fresh")] == [
            created.properties.version
        ]
        blob = client.backup_secret("fresh")
        client.begin_delete_secret("fresh").wait()
        client.purge_deleted_secret("fresh")
        assert client.restore_secret_backup(blob).name == "fresh"
        with pytest.raises(ResourceNotFoundError):
            client.get_secret("absent")
    # At most one challenge for the vault (the SDK remembers them for the process), then every call with its token.
    assert [entry.status for entry in lab.journal if entry.host.startswith("kv-")].count(401) <= 1


def test_keys(lab: Lab, credential: ClientSecretCredential) -> None:
    with KeyClient(POLICIES, credential) as client:
        rsa = client.create_rsa_key("rsa", size=2048)
        assert rsa.key_type == "RSA"
        assert client.create_ec_key("ec", curve="P-384").key.crv == "P-384"  # type: ignore[attr-defined]
        assert client.rotate_key("rsa").properties.version != rsa.properties.version
        assert sorted(str(item.name) for item in client.list_properties_of_keys()) == ["db", "ec", "rsa"]
        policy = client.get_key_rotation_policy("rsa")
        assert [action.action for action in policy.lifetime_actions] == [KeyRotationPolicyAction.notify]
        client.update_key_rotation_policy("rsa", policy, expires_in="P2Y")
        assert client.get_key_rotation_policy("rsa").expires_in == "P2Y"
        crypto = client.get_cryptography_client("rsa")
        sealed = crypto.encrypt(EncryptionAlgorithm.rsa_oaep, b"plain")
        assert sealed.ciphertext


def test_certificates(lab: Lab, credential: ClientSecretCredential) -> None:
    with CertificateClient(POLICIES, credential) as client:
        made = client.begin_create_certificate("tls", CertificatePolicy.get_default()).result()
        assert made.name == "tls"
        assert client.get_certificate("tls").cer
        assert client.get_certificate_policy("tls").issuer_name == "Self"
        assert [item.name for item in client.list_properties_of_certificates()] == ["db", "tls"]
        client.create_issuer("issuer", "Test")
        assert [item.name for item in client.list_properties_of_issuers()] == ["issuer"]
    with SecretClient(POLICIES, credential) as secrets:
        assert secrets.get_secret("tls").properties.content_type == "application/x-pkcs12"


def test_refusals(lab: Lab, credential: ClientSecretCredential) -> None:
    with SecretClient(RBAC, credential) as client, pytest.raises(HttpResponseError) as refusal:
        list(client.list_properties_of_secrets())
    assert refusal.value.error.innererror["code"] == "ForbiddenByRbac"  # type: ignore[union-attr]
    wrong = ClientSecretCredential(TENANT, APP, "wrong")
    with SecretClient(RBAC, wrong) as client, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        client.get_secret("db")


def test_the_async_client(lab: Lab) -> None:
    async def names() -> list[str | None]:
        who = lab.world.estate.identities["tester"]
        async with (
            # aiohttp makes its default TLS context when it is imported: the lab's authority is named to it.
            AsyncClientSecretCredential(
                who.tenant_id, who.app_id, who.client_secret, connection_verify=str(lab.ca_file)
            ) as credential,
            AsyncSecretClient(POLICIES, credential, connection_verify=str(lab.ca_file)) as client,
        ):
            return [item.name async for item in client.list_properties_of_secrets()]

    assert len(set(asyncio.run(names()))) == 30


def test_the_resource_graph_client(lab: Lab, credential: ClientSecretCredential) -> None:
    found: list[str] = []
    token: str | None = None
    with ResourceGraphClient(credential) as client:
        while token is not None or not found:
            query = QueryRequest(
                query="resources | where type =~ 'Microsoft.KeyVault/vaults' | project id | order by id asc",
                subscriptions=[SUBSCRIPTION],
                options=QueryRequestOptions(top=1, skip_token=token),
            )
            answer = client.resources(query)
            assert answer.total_records == 2
            found += [str(row["id"]) for row in cast("list[dict[str, str]]", answer.data)]
            token = answer.skip_token
        with pytest.raises(HttpResponseError, match="InvalidQuery"):
            client.resources(QueryRequest(query="resources | nonsense"))
    assert found == [vault_id("kv-policies"), vault_id("kv-rbac")]
