"""Reads of every plane as parsed JSON, through the SDK clients and with one set of policies."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.keyvault.aio import KeyVaultManagementClient

from kvaudit.clients.authorization import AuthorizationLists, listed
from kvaudit.clients.failures import OUT_OF_TIME, WITHOUT_TOKEN, ReadFailure, failure_of_answer, failure_of_exception
from kvaudit.clients.pace import Pace
from kvaudit.clients.paging import Page, checked_link, follow
from kvaudit.clients.policies import pipeline_policies, probing_policies, untold_policies
from kvaudit.clients.probes import VaultProbes
from kvaudit.clients.read_only import RESOURCE_GRAPH_QUERY, ReadOnlyGuard
from kvaudit.clients.resource_graph import follow_rows, query_of
from kvaudit.clients.retries import RetrySettings
from kvaudit.clients.statistics import Statistics
from kvaudit.clients.tokens import Caller, Tokens
from kvaudit.clients.vaults import VaultLists
from kvaudit.errors import CredentialError, KvauditError
from kvaudit.model.clouds import Cloud

_KEYVAULT_API_VERSION = "2026-02-01"

RESOURCE_GRAPH_API_VERSION = "2024-04-01"
"""Knows `authorizationScopeFilter`, without which inherited assignments are lost silently (facts azure.md 2.6)."""

_REACHING_TRIES = 2
"""How often is tried whether a vault can be reached at all: a name that is not there does not come by waiting."""

_PROBING_TRIES = 6
"""How often one probe is tried: pauses of 1, 2, 4, 8 and 16 seconds are what Key Vault recommends (facts azure.md 7)."""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answer to one part of a Graph `$batch`.

    Attributes:
        status: HTTP status of the part.
        body: its parsed body, or None.
        retry_after: seconds that the service asks to wait, or None.
    """

    status: int
    body: Any
    retry_after: float | None


class Azure:
    """Reads of one cloud with one credential. Made by `open_azure`."""

    def __init__(
        self,
        cloud: Cloud,
        tokens: Tokens,
        transport: Any,
        guard: ReadOnlyGuard,
        retries: RetrySettings,
        pace: Pace,
        ends_at: float | None = None,
        proxy_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.cloud = cloud
        self.statistics = Statistics()
        self.pace = pace
        self._ends_at = ends_at
        self._tokens = tokens
        self._guard = guard
        self._audiences = {"arm": cloud.arm_audience, "graph": cloud.graph, "vault": cloud.vault_audience}

        def policies(endpoint: str) -> list[Any]:
            audience = self._audiences["arm" if endpoint == "resource-graph" else endpoint]
            return pipeline_policies(tokens, audience, self.statistics, endpoint, retries, pace)

        source: Any = _NoCredential()
        self._arm: Any = AsyncARMPipelineClient(cloud.arm, policies=policies("arm"), transport=transport)
        self._resource_graph: Any = AsyncARMPipelineClient(
            cloud.arm, policies=policies("resource-graph"), transport=transport
        )
        self._health: Any = AsyncPipelineClient(
            cloud.vault_audience, policies=untold_policies(self.statistics, "vault", pace), transport=transport
        )
        self._graph: Any = AsyncPipelineClient(cloud.graph, policies=policies("graph"), transport=transport)
        self._keyvault = KeyVaultManagementClient(
            source,
            "subscription",  # only the typed operations use it; ours name the subscription in their path
            cloud.arm,
            api_version=_KEYVAULT_API_VERSION,
            credential_scopes=[f"{cloud.arm_audience}/.default"],
            policies=policies("arm"),
            transport=transport,
        )
        self._authorization = AuthorizationLists(cloud.arm, source, lambda: policies("arm"), transport)
        self._vaults = VaultLists(source, lambda: policies("vault"), transport)
        asked = (cloud.vault_audience, self.statistics)
        once_more = replace(retries, tries=min(retries.tries, _REACHING_TRIES), connect_tries=_REACHING_TRIES)
        as_advised = replace(retries, tries=min(retries.tries, _PROBING_TRIES))
        self.probes = VaultProbes(
            guard,
            transport,
            lambda: probing_policies(tokens, *asked, as_advised, pace),
            lambda: probing_policies(None, *asked, once_more, pace),
            proxy_of,
        )

    async def sign_in(self) -> Caller:
        """Gets the first token and tells who asks.

        Raises:
            CredentialError: no credential, a refused one, or one of another tenant than the one asked for.
            KvauditError: the sign-in endpoint could not be reached.
        """
        try:
            caller = await self._tokens.caller(self.cloud.arm_audience)
        except ReadFailure as problem:
            raise KvauditError(
                f"{urlsplit(self.cloud.authority).netloc}: {problem.reason}",
                hint="Check the network, HTTPS_PROXY, SSL_CERT_FILE and --authority.",
            ) from problem
        wanted = self._tokens.tenant
        if wanted and caller.tenant_id and _is_id(wanted) and caller.tenant_id.casefold() != wanted.casefold():
            raise CredentialError(
                f"the credential is of tenant {caller.tenant_id}, not of {wanted}",
                hint=f"Sign in to the tenant that is meant (az login --tenant {wanted}), or leave out --tenant.",
            )
        return caller

    async def graph_permissions(self) -> frozenset[str]:
        """Permissions that the token for Microsoft Graph names; none where there is no token or it names none."""
        try:
            return (await self._tokens.caller(self.cloud.graph)).permissions
        except (CredentialError, ReadFailure):
            return frozenset()

    def arm_pages(self, path: str, *, api_version: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Page]:
        """Pages of a Resource Manager list. Raises ReadFailure, also while iterating."""
        parameters = {"api-version": api_version, **(query or {})}
        url = f"{self.cloud.arm}{_arm_path(path)}?{_encoded(parameters)}"
        typed = listed(path, api_version)

        async def fetch(link: str | None) -> Any:
            if typed is None:
                return await self._get(self._client_of(path), link or url)
            try:
                page = self._authorization.page(*typed, api_version, dict(query or {}), link)
                return await self._in_time(page, host=_host(url))
            except AzureError as problem:
                raise failure_of_exception(problem, host=_host(url)) from problem
            except CredentialError as problem:
                raise _credential_failure(problem) from problem

        return follow(fetch, url=url, same_path=False)

    async def arm_get(self, path: str, *, api_version: str) -> Any:
        """One Resource Manager object. Raises ReadFailure."""
        return await self._get(
            self._client_of(path), f"{self.cloud.arm}{_arm_path(path)}?{_encoded({'api-version': api_version})}"
        )

    def resource_graph_rows(self, query: str, subscriptions: Sequence[str]) -> AsyncIterator[Page]:
        """Pages of rows of a Resource Graph query over subscriptions, inherited assignments included.

        The query must project `id`, be ordered and hold no `limit`, or its pages cannot be followed (facts azure.md 2.6).

        Raises:
            ReadFailure: a page failed, or rows are missing: cut off, or fewer than the service itself counted.
        """

        async def fetch(token: str | None) -> tuple[Any, Mapping[str, str]]:
            url = f"{self.cloud.arm}{RESOURCE_GRAPH_QUERY}?api-version={RESOURCE_GRAPH_API_VERSION}"
            content = orjson.dumps(query_of(query, subscriptions, token))
            request = HttpRequest("POST", url, content=content, headers={"Content-Type": "application/json"})
            return await self._answer(self._resource_graph, request)

        return follow_rows(fetch)

    def graph_pages(
        self, path: str, *, query: Mapping[str, str] | None = None, link: str | None = None
    ) -> AsyncIterator[Page]:
        """Pages of a Graph list; `link` goes on from a next link that a `$batch` answered. Raises ReadFailure."""
        url = f"{self.cloud.graph}{path}" + (f"?{_encoded(query)}" if query else "")

        async def fetch(next_link: str | None) -> Any:
            first = url if link is None else checked_link(link, url=url)
            return await self._get(self._graph, next_link or first)

        return follow(fetch, url=url, same_path=False)

    async def graph_post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer to a POST of the read-only allow-list. Raises ReadFailure."""
        request = HttpRequest(
            "POST",
            f"{self.cloud.graph}{path}",
            content=orjson.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        return await self._send(self._graph, request)

    async def graph_batch(self, urls: Mapping[str, str]) -> dict[str, BatchAnswer]:
        """Up to 20 GETs in one `$batch`: part ID -> URL relative to `/v1.0`, as Graph wants it.

        Parts that Graph left out of its answer are left out here too. Raises ReadFailure when the batch itself failed.
        """
        requests = [{"id": key, "method": "GET", "url": url} for key, url in urls.items()]
        body = await self.graph_post("/v1.0/$batch", {"requests": requests})
        responses = body.get("responses") if isinstance(body, dict) else None
        if not isinstance(responses, list):
            raise ReadFailure("Microsoft Graph answered no batch", status=200, code="UnexpectedAnswer")
        return {
            part["id"]: BatchAnswer(part["status"], part.get("body"), _retry_after(part.get("headers")))
            for part in responses
            if isinstance(part, dict) and isinstance(part.get("id"), str) and part["id"] in urls
            if isinstance(part.get("status"), int)
        }

    def vault_pages(self, vault_uri: str, path: str, *, api_version: str) -> AsyncIterator[Page]:
        """Pages of a list of a vault's own endpoint.

        Raises:
            ReadFailure: the URI is under no vault suffix of the cloud (no token is sent there), or a read failed.
        """
        host = _vault_host(vault_uri)
        if not self._guard.is_vault(host):
            raise ReadFailure(
                f"the vault's address is not under {self.cloud.vault_suffix}; no token was sent to it",
                code="ForeignVaultUri",
            )
        url = f"https://{host}{path}?{_encoded({'api-version': api_version})}"
        client = self._vaults.client(f"https://{host}", path, api_version)

        async def fetch(link: str | None) -> Any:
            return await self._get(client, link or url)

        return follow(fetch, url=url, same_path=True)

    async def is_vault_reachable(self, vault_uri: str) -> bool:
        """Whether a vault's address answers at all: `/healthstatus` wants no token (facts azure.md 6). Asked once, not again.

        Whether a vault's firewall closes it too is not established, so an answer says nothing of the firewall.
        """
        host = _vault_host(vault_uri)
        if not self._guard.is_vault(host):
            return False
        request = HttpRequest("GET", f"https://{host}/healthstatus")
        try:
            response = await self._in_time(self._health.send_request(request), host=host)
        except (AzureError, ReadFailure):
            return False
        return bool(response.status_code < 500)

    def _client_of(self, path: str) -> Any:
        return self._keyvault if "/providers/microsoft.keyvault/" in path.casefold() else self._arm

    async def _get(self, client: Any, url: str) -> Any:
        return await self._send(client, HttpRequest("GET", url))

    async def _send(self, client: Any, request: HttpRequest) -> Any:
        body, _ = await self._answer(client, request)
        return body

    async def _in_time(self, read: Coroutine[Any, Any, Any], *, host: str) -> Any:
        """What a read answers, unless the time of the run ends before it does."""
        try:
            async with asyncio.timeout_at(self._ends_at):
                return await read
        except TimeoutError as problem:
            raise ReadFailure(
                f"the time for the run was over before {host} answered", code=OUT_OF_TIME, retryable=True
            ) from problem

    def time_left(self) -> float:
        """Seconds until the time of the run is over; infinite without a bound."""
        return float("inf") if self._ends_at is None else max(0.0, self._ends_at - asyncio.get_running_loop().time())

    async def _answer(self, client: Any, request: HttpRequest) -> tuple[Any, Mapping[str, str]]:
        host = _host(request.url)
        try:
            response = await self._in_time(client.send_request(request), host=host)
        except AzureError as problem:
            raise failure_of_exception(problem, host=host) from problem
        except CredentialError as problem:
            raise _credential_failure(problem) from problem
        try:
            body = orjson.loads(response.content)
        except ValueError:
            body = None
        if response.status_code != 200:
            raise failure_of_answer(response.status_code, body, host=host)
        return body, response.headers


class _NoCredential:
    """Stands where an SDK client wants a credential: our own policies carry the token."""

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        raise NotImplementedError("the shared policies carry the token")

    async def close(self) -> None:
        """Nothing to give up."""


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='/,():')}" for name, value in query.items())


_VAULT_URI = re.compile(r"https://([0-9A-Za-z.-]+)(?::443)?/*")
_ARM_PATH = re.compile(r"/[^/\\?#\s\x00-\x1f\x7f][^\\?#\x00-\x1f\x7f]*")


def _vault_host(vault_uri: str) -> str:
    """The host of a vault's address; empty for what is none."""
    found = _VAULT_URI.fullmatch(vault_uri)
    return found.group(1).casefold() if found else ""


def _arm_path(path: str) -> str:
    """A path of Resource Manager. IDs come from answers: one that would change the address is not asked."""
    if not _ARM_PATH.fullmatch(path):
        raise ReadFailure("the resource ID cannot be part of an address; it was not asked about", code="UnusableId")
    return path


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _is_id(tenant: str) -> bool:
    return len(tenant) == 36 and tenant.count("-") == 4


def _credential_failure(problem: CredentialError) -> ReadFailure:
    return ReadFailure(f"no token: {problem.message}", code=WITHOUT_TOKEN)


def _retry_after(headers: Any) -> float | None:
    value = (
        next((item for name, item in headers.items() if str(name).casefold() == "retry-after"), None)
        if isinstance(headers, dict)
        else None
    )
    try:
        return float(value) if value is not None else None
    except (TypeError, ValueError):
        return None
