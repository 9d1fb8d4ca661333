"""Tokens: one request per audience at a time, kept until shortly before they end, renewed once when refused."""

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError

from kvaudit.clients.failures import ReadFailure
from kvaudit.clients.sign_in_errors import credential_error
from kvaudit.errors import CredentialError

_RENEW_AGAIN_AFTER = 60.0
"""Seconds between two renewals for one audience: a token that is refused right after its renewal has another fault."""

_RENEW_BEFORE = 300
"""Seconds before its end at which a token is replaced; azure-core does so too."""


class TokenSource(Protocol):
    """A credential of azure-identity, async or wrapped to be."""

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        """A token for one scope."""

    async def close(self) -> None:
        """Gives up what it holds."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as its own token says. None where the token does not say it or is no JWT.

    Attributes:
        permissions: of the application (`roles`) or of the user who is signed in (`scp`), in the API's words. Microsoft calls
            tokens opaque, so one that is missing here proves nothing.
    """

    tenant_id: str | None = None
    object_id: str | None = None
    app_id: str | None = None
    name: str | None = None
    permissions: frozenset[str] = frozenset()


class Tokens:
    """Tokens of one credential by audience.

    Args:
        make: makes the credential. Called again when a token was refused, because azure-identity keeps tokens and
            would hand out the same one.
        auth: the `--auth` choice, for messages.
        tenant: tenant to sign in to, or None for the credential's own.
        patience: seconds that one token request may take.
        renewable: whether a second token can be had without asking a person again.
    """

    def __init__(
        self, make: Callable[[], TokenSource], *, auth: str, tenant: str | None, patience: float, renewable: bool
    ) -> None:
        self._make = make
        self._source = make()
        self._auth = auth
        self.tenant = tenant
        self._patience = patience
        self._renewable = renewable
        self._locks: dict[str, asyncio.Lock] = {}
        self._kept: dict[str, Any] = {}
        self._refusals: dict[str, CredentialError] = {}
        self._renewed: dict[str, float] = {}

    async def get(self, audience: str) -> str:
        """A token for an audience (`https://vault.azure.net`).

        Raises:
            CredentialError: there is none; the same answer is given again without asking again.
            ReadFailure: the sign-in endpoint could not be reached.
        """
        async with self._locks.setdefault(audience, asyncio.Lock()):
            kept = self._kept.get(audience)
            if kept is not None and kept.expires_on - _RENEW_BEFORE > time.time():
                return str(kept.token)
            return await self._ask(audience, None)

    async def renew(self, audience: str, *, refused: str, claims: str | None) -> str | None:
        """Another token than the refused one, or None when there is none to be had.

        Parallel requests that were refused with the same token cause one renewal.
        """
        async with self._locks.setdefault(audience, asyncio.Lock()):
            kept = self._kept.get(audience)
            if kept is not None and kept.token != refused:
                return str(kept.token)
            if claims is None:
                again = time.monotonic() - self._renewed.get(audience, -_RENEW_AGAIN_AFTER) < _RENEW_AGAIN_AFTER
                if again or not self._renewable:
                    return None
                self._renewed[audience] = time.monotonic()
                old, self._source = self._source, self._make()
                await old.close()
            renewed = await self._ask(audience, claims)
            return renewed if renewed != refused else None

    async def caller(self, audience: str) -> Caller:
        """Who the token of an audience says that asks."""
        return caller_of(await self.get(audience))

    async def close(self) -> None:
        """Gives up the credential."""
        await self._source.close()

    async def _ask(self, audience: str, claims: str | None) -> str:
        if audience in self._refusals:
            raise self._refusals[audience]
        options = {name: value for name, value in (("tenant_id", self.tenant), ("claims", claims)) if value}
        try:
            async with asyncio.timeout(self._patience):
                info = await self._source.get_token_info(f"{audience}/.default", options=options)
        except (ServiceRequestError, ServiceResponseError) as problem:
            raise ReadFailure(
                "the sign-in endpoint could not be reached", code="SignInNotReached", retryable=True
            ) from problem
        except TimeoutError as problem:
            raise ReadFailure(
                f"signing in took longer than {self._patience:.0f} seconds", code="SignInTimedOut", retryable=True
            ) from problem
        except (ClientAuthenticationError, AzureError, ValueError) as problem:
            refusal = credential_error(problem, auth=self._auth, tenant=self.tenant)
            self._refusals[audience] = refusal
            raise refusal from None  # the original's text may quote what was sent
        self._kept[audience] = info
        return str(info.token)


def caller_of(token: str) -> Caller:
    """What a token says of its bearer. Nothing is verified: the service does that."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return Caller()
    if not isinstance(payload, dict):
        return Caller()

    def text(*names: str) -> str | None:
        return next((payload[name] for name in names if isinstance(payload.get(name), str)), None)

    roles = payload.get("roles")
    permissions = {item for item in roles if isinstance(item, str)} if isinstance(roles, list) else set()
    permissions.update((text("scp") or "").split())
    name = text("upn", "unique_name", "app_displayname")
    return Caller(text("tid"), text("oid"), text("appid", "azp"), name, frozenset(permissions))


_AUTHORITY = re.compile(r'\bauthorization(?:_uri)?="?https://[^/"]+/([0-9a-fA-F-]{36})\b')


def is_other_tenants(challenge: str | None, token: str) -> bool:
    """Whether a 401 asks for a token of another tenant than the one that was sent: a new token would not help."""
    found = _AUTHORITY.search(challenge or "")
    own = caller_of(token).tenant_id
    return found is not None and own is not None and found.group(1).casefold() != own.casefold()


_CLAIMS = re.compile(r'\bclaims="?([A-Za-z0-9+/_=-]+)"?')


def claims_of(challenge: str | None) -> str | None:
    """The claims that a 401 asks for (continuous access evaluation), decoded; None when it asks for none."""
    found = _CLAIMS.search(challenge or "")
    if found is None or "insufficient_claims" not in (challenge or ""):
        return None
    encoded = found.group(1).rstrip("=")
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
