"""Lists of a vault's own endpoint, through azure-keyvault-secrets, -keys and -certificates."""

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from azure.core.rest import HttpRequest
from azure.keyvault.certificates.aio import CertificateClient
from azure.keyvault.keys.aio import KeyClient
from azure.keyvault.secrets.aio import SecretClient

from kvaudit.clients.tokens import TokenSource

_CLIENTS: dict[str, type[Any]] = {"/secrets": SecretClient, "/keys": KeyClient, "/certificates": CertificateClient}


class VaultLists:
    """Makes the clients. They are cheap (0.25 ms) because session, TLS context and policies are shared."""

    def __init__(self, credential: TokenSource, policies: Callable[[], list[Any]], transport: Any) -> None:
        self._credential = credential
        self._policies = policies()
        self._transport = transport

    def client(self, vault_url: str, path: str, api_version: str) -> "VaultClient":
        """The client of the list at a path (`/secrets`, `/keys`, `/certificates`). Raises KeyError for another path."""
        return VaultClient(
            _CLIENTS[path](
                vault_url,
                self._credential,
                api_version=api_version,
                policies=self._policies,
                transport=self._transport,
            )
        )


class VaultClient:
    """One vault client, with `send_request` as the management clients have it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send_request(self, request: HttpRequest) -> Any:
        """Sends a request. Some of the packages' own `send_request` answer an awaitable inside an awaitable."""
        answer = await self._client.send_request(request)
        return await answer if isawaitable(answer) else answer
