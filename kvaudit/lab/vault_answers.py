"""One call to a vault endpoint and the answers it can get: headers, error bodies and pages of Key Vault.

Texts are those of recordings and public reports (facts azure.md 6); where none was found, a comment says so.
"""

import base64
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvaudit.lab.estate import Raw, StoredObject
from kvaudit.lab.http import Caller, Request, Response
from kvaudit.lab.world import World

PAGE = 25
"""Items a page of a list holds at most, and by default (facts azure.md 3)."""

CLIENT_ADDRESS = "203.0.113.10"
"""The public address that the vault sees of every client of the lab (TEST-NET-3, RFC 5737). A firewall rule of an estate
that holds it lets the lab's clients in."""

NOUNS = {"secrets": "Secret", "keys": "Key", "certificates": "Certificate"}


@dataclass(frozen=True, slots=True)
class VaultCall:
    """A call to a living vault whose token was accepted.

    Attributes:
        vault: raw vault.
        base: `https://` and the host, without a final slash.
        objects: the vault's objects by kind and folded name.
    """

    world: World
    request: Request
    caller: Caller
    vault: Raw
    base: str
    objects: dict[str, dict[str, StoredObject]]

    def now(self) -> int:
        """Seconds since 1970 by the lab's clock."""
        return int(self.world.now().timestamp())

    def kind(self, kind: str) -> dict[str, StoredObject]:
        """The objects of a kind by folded name."""
        return self.objects.setdefault(kind, {})

    def body(self) -> dict[str, Any]:
        """The body as an object.

        Raises:
            RefusedError: it is not a JSON object.
        """
        try:
            body = self.request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RefusedError(vault_error(400, "BadParameter", "Request body not specified"))
        return body


class RefusedError(Exception):
    """Ends a call with an error answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def with_headers(world: World, response: Response) -> Response:
    """Add the headers that every answer of Key Vault has."""
    response.headers = {
        "x-ms-request-id": str(uuid.UUID(int=world.revision << 64 | len(world.journal))),
        "x-ms-keyvault-region": "westeurope",
        "x-ms-keyvault-service-version": "2.0.0.0",
        "x-ms-keyvault-network-info": f"conn_type=Ipv4;addr={CLIENT_ADDRESS};act_addr_fam=InterNetwork;",
        "Cache-Control": "no-cache",
        **response.headers,
    }
    return response


def vault_error(status: int, code: str, message: str, inner: str | None = None) -> Response:
    """`{"error": {"code", "message", "innererror": {"code"}}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if inner is not None:
        error["innererror"] = {"code": inner}
    return Response(status, {"error": error})


def unauthorized(message: str, host: str, tenant: str) -> Response:
    """The 401 challenge: it names the vault's tenant and the resource to ask a token for."""
    resource = "https://" + host.partition(".")[2]
    response = vault_error(401, "Unauthorized", message)
    authority = "https://login.microsoftonline.com"
    if host.endswith(".usgovcloudapi.net"):
        authority = "https://login.microsoftonline.us"
    elif host.endswith(".azure.cn"):
        authority = "https://login.chinacloudapi.cn"
    response.headers["WWW-Authenticate"] = f'Bearer authorization="{authority}/{tenant}", resource="{resource}"'
    return response


def object_missing(kind: str, name: str) -> Response:
    """The 404 of an object that is not there: only a caller with the permission meets it."""
    noun = NOUNS[kind]
    message = (
        f"A {noun.casefold()} with (name/id) {name} was not found in this key vault. If you recently deleted this "
        f"{noun.casefold()} you may be able to recover it using the correct recovery command. For help resolving this "
        "issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return vault_error(404, f"{noun}NotFound", message)


def deleted_missing(kind: str, name: str) -> Response:
    """The 404 of a deleted object that is not there."""
    return vault_error(404, f"{NOUNS[kind]}NotFound", f"Deleted {NOUNS[kind]} not found: {name}")


def name_in_deleted_state(kind: str, name: str) -> Response:
    """The 409 of writing under the name of a soft-deleted object."""
    message = (
        f"{NOUNS[kind]} {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this "
        "state, the object can only be recovered or purged."
    ).replace("the object", f"the {NOUNS[kind].casefold()}")
    return vault_error(409, "Conflict", message, "ObjectIsDeletedButRecoverable")


def paged(call: VaultCall, items: Sequence[Mapping[str, Any]]) -> Response:
    """A page with `$skiptoken` and `maxresults`; `nextLink` names the port, as the service does.

    Where the estate asks for it the first page is empty and has a nextLink, as recordings of real lists show.
    """
    size = _page_size(call.request.query.get("maxresults"))
    empty_pages = call.world.empty_pages or call.world.estate.paging.get("empty_pages")
    if empty_pages and "$skiptoken" not in call.request.query:
        return Response(200, {"value": [], "nextLink": _next_link(call, 0)})
    start = _offset(call.request.query.get("$skiptoken"))
    more = start + size < len(items)
    return Response(
        200,
        {"value": list(items[start : start + size]), "nextLink": _next_link(call, start + size) if more else None},
    )


def _page_size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= PAGE:
        # The text of this refusal was not found; the bounds are those of the published specification (1 to 25).
        message = f"The value of 'maxresults' must be between 1 and {PAGE}."
        raise RefusedError(vault_error(400, "BadParameter", message))
    return int(text)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        marker = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        offset = int(marker.removeprefix('{"NextMarker":').removesuffix(',"TargetLocation":0}'))
    except ValueError:
        offset = -1
    if offset < 0:
        raise RefusedError(vault_error(400, "BadParameter", "The value of '$skiptoken' is not valid."))
    return offset


def _next_link(call: VaultCall, offset: int) -> str:
    marker = f'{{"NextMarker":{offset},"TargetLocation":0}}'
    token = base64.urlsafe_b64encode(marker.encode()).decode().rstrip("=")
    version = call.request.api_version or ""
    size = call.request.query.get("maxresults")
    tail = "" if size is None else f"&maxresults={size}"
    return f"{call.base}:443{call.request.path}?api-version={version}&$skiptoken={token}{tail}"
