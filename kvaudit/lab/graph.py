"""Microsoft Graph: tokens, routes and `$batch`.

Only reads: a route that would change the directory is not there, so a client that tries gets a 400 and the journal
shows it.
"""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from kvaudit.lab.graph_answers import GraphCall, bad_request, graph_error
from kvaudit.lab.graph_directory import Directory
from kvaudit.lab.graph_identities import ROUTES as IDENTITY_ROUTES
from kvaudit.lab.graph_odata import UnsupportedQueryError
from kvaudit.lab.graph_privileges import ROUTES as PRIVILEGE_ROUTES
from kvaudit.lab.graph_reads import ROUTES as OBJECT_ROUTES
from kvaudit.lab.http import Request, Response
from kvaudit.lab.world import World

BATCH_LIMIT = 20
"""Most requests in one `$batch` (learn.microsoft.com/graph/json-batching)."""

ROUTES = (*OBJECT_ROUTES, *IDENTITY_ROUTES, *PRIVILEGE_ROUTES)

AUDIENCES = frozenset(
    {"https://graph.microsoft.com", "https://graph.microsoft.us", "00000003-0000-0000-c000-000000000000"}
)


def handle(world: World, request: Request) -> Response:
    """Answer one request to a Graph host."""
    refusal = _refuse_token(world, request)
    if refusal is not None:
        return refusal
    version, path = _split_version(request.path)
    if version is None:
        return bad_request(world, "Invalid version.", "BadRequest")
    if request.method == "POST" and path.casefold() == "/$batch":
        return _batch(world, request, version)
    return _dispatch(world, request, version, path)


def _refuse_token(world: World, request: Request) -> Response | None:
    caller = request.caller
    code = "InvalidAuthenticationToken"
    challenge = {
        "WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    }
    if caller is None:
        return graph_error(world, 401, code, "Access token is empty.", challenge)
    if caller.token_expires <= world.now():
        return graph_error(world, 401, code, "Lifetime validation failed, the token is expired.", challenge)
    if caller.audience.rstrip("/") not in AUDIENCES | {f"https://{request.host}"}:
        return graph_error(world, 401, code, "Access token validation failure. Invalid audience.", challenge)
    return None


def _split_version(path: str) -> tuple[str | None, str]:
    version, _, rest = path.lstrip("/").partition("/")
    return (version if version in {"v1.0", "beta"} else None), "/" + rest.rstrip("/")


def _dispatch(world: World, request: Request, version: str, path: str) -> Response:
    if request.caller is None:
        raise ValueError("a call is dispatched only after its token was accepted")
    call = GraphCall(world, request, Directory(world, request.caller), version, path)
    for method, pattern, handler in ROUTES:
        match = pattern.fullmatch(path) if method == request.method else None
        if match is not None:
            try:
                return handler(call, *match.groups())
            except UnsupportedQueryError as error:
                return bad_request(world, str(error), "Request_UnsupportedQuery")
            except orjson.JSONDecodeError:
                return bad_request(world, "Unable to read JSON request payload.", "BadRequest")
    segment = path.strip("/").partition("/")[0]
    return bad_request(world, f"Resource not found for the segment '{segment}'.", "BadRequest")


def _batch(world: World, request: Request, version: str) -> Response:
    try:
        body = request.json()
    except orjson.JSONDecodeError:
        body = None
    parts = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not all(_is_part(part) for part in parts):
        return bad_request(world, "Invalid batch payload format.", "BadRequest")
    if len(parts) > BATCH_LIMIT:
        message = f"Number of batch request steps exceeds the maximum value of {BATCH_LIMIT}."
        return bad_request(world, message, "BadRequest")
    if len({part["id"] for part in parts}) != len(parts):
        return bad_request(world, "Request ids must be unique in a batch.", "BadRequest")
    return Response(200, {"responses": [_one_part(world, request, version, part) for part in parts]})


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("headers") or {}, dict):
        return False
    return all(isinstance(part.get(name), str) for name in ("id", "method", "url"))


def _one_part(world: World, outer: Request, version: str, part: dict[str, Any]) -> dict[str, Any]:
    url = urlsplit(part["url"])
    inner = Request(
        method=part["method"].upper(),
        host=outer.host,
        path=unquote(url.path),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers={name.casefold(): str(value) for name, value in (part.get("headers") or {}).items()},
        body=_json_bytes(part.get("body")),
        caller=outer.caller,
    )
    answer = _dispatch(world, inner, version, "/" + inner.path.strip("/"))
    headers = {"Content-Type": "application/json", **answer.headers}
    return {"id": part["id"], "status": answer.status, "headers": headers, "body": answer.body}


def _json_bytes(body: Any) -> bytes:
    return b"" if body is None else orjson.dumps(body)
