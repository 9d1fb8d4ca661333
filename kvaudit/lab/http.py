"""Requests and responses as the faces of the lab see them, and the error bodies of Azure Resource Manager.

Every face is one function `handle(world, request) -> Response`. The server reads the bytes, finds out who calls and
chooses the face by host name; a face never sees a socket.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

Body = Mapping[str, Any] | list[Any] | bytes | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the bearer token of a request.

    Attributes:
        tenant_id: the tenant that issued the token (`tid`).
        object_id: object id of the user or service principal (`oid`).
        app_id: client id of the application that asked for the token; for a user's token the application that acts
            for the user (on behalf of).
        groups: object ids of every group of the caller, transitive.
        audience: resource the token is for, without a final slash: `https://vault.azure.net`.
        token_expires: when the token ends, by the lab's clock.
        kind: `app` for a service principal's own token, `user` for a user's.
        issued_at: when the token was issued; groups joined later are not in it.
    """

    tenant_id: str
    object_id: str
    app_id: str | None
    groups: frozenset[str]
    audience: str
    token_expires: datetime
    kind: str = "app"
    issued_at: datetime | None = None


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        method: upper case.
        host: casefolded, without the port.
        path: percent-decoded, without the query.
        query: decoded; a name given twice keeps its last value.
        headers: names casefolded.
        body: the whole body, de-chunked.
        caller: whom the bearer token names, also when it has expired; None without a token the lab has issued.
        raw_target: path and query as they came, for next links.
    """

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    caller: Caller | None = None
    raw_target: str = ""

    def json(self) -> Any:
        """The body as JSON; None when it is empty. Raises ValueError when it is not JSON."""
        return orjson.loads(self.body) if self.body else None

    @property
    def api_version(self) -> str | None:
        """The `api-version` of the query, whose name ARM takes in any case."""
        value = self.query.get("api-version")
        if value is not None:
            return value
        return next((v for k, v in self.query.items() if k.casefold() == "api-version"), None)


@dataclass(slots=True)
class Response:
    """One response: a body that is a dict or list goes out as JSON, bytes go out as they are."""

    status: int
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The body as bytes."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


def arm_error(status: int, code: str, message: str, **headers: str) -> Response:
    """An error as Azure Resource Manager sends it: `{"error": {"code", "message"}}`.

    Header names are given with underscores for hyphens.
    """
    return Response(
        status,
        {"error": {"code": code, "message": message}},
        {name.replace("_", "-"): value for name, value in headers.items()},
    )
