"""One Graph call and the answers it can get: pages of objects, single objects and the error bodies of Graph."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from kvaudit.lab.graph_directory import Directory
from kvaudit.lab.graph_odata import compile_filter, offset_of, one_page, page_size, select, skip_token
from kvaudit.lab.http import Request, Response
from kvaudit.lab.world import World

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GraphCall:
    """A call whose token was accepted.

    Attributes:
        version: `v1.0` or `beta`.
        path: the path without the version.
    """

    world: World
    request: Request
    directory: Directory
    version: str
    path: str


def answer_object(call: GraphCall, entity: str, raw: Raw) -> Response:
    """A single object, with `$select`."""
    body = _selected(call, entity, raw)
    return Response(200, {"@odata.context": _context(call, f"{entity}/$entity")} | body)


def answer_page(call: GraphCall, entity: str, items: Iterable[Raw]) -> Response:
    """A page of a collection, with `$filter`, `$top`, `$select`, `$count` and a nextLink."""
    query = call.request.query
    if "$filter" in query:
        matches = compile_filter(query["$filter"])
        items = [item for item in items if matches(item)]
    everything: Sequence[Raw] = items if isinstance(items, Sequence) else list(items)
    offset = offset_of(query.get("$skiptoken"))
    shown, following = one_page(everything, offset, page_size(query.get("$top")))
    body: dict[str, Any] = {"@odata.context": _context(call, entity)}
    if query.get("$count") == "true":
        body["@odata.count"] = len(everything)
    if following is not None:
        body["@odata.nextLink"] = _next_link(call, following)
    body["value"] = [_selected(call, entity, item) for item in shown]
    return Response(200, body)


def _selected(call: GraphCall, entity: str, raw: Raw) -> dict[str, Any]:
    return select(raw, call.request.query.get("$select"), version=call.version, of_users=entity.casefold() == "users")


def answer_values(call: GraphCall, entity: str, values: Sequence[Any]) -> Response:
    """A collection that Graph never pages."""
    return Response(200, {"@odata.context": _context(call, entity), "value": list(values)})


def graph_error(
    world: World, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The error body of Graph; both ids are the same when the client sent none."""
    request_id = str(uuid.uuid4())
    inner = {
        "date": world.now().strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request_id,
    }
    return Response(
        status,
        {"error": {"code": code, "message": message, "innerError": inner}},
        {"request-id": request_id, **(headers or {})},
    )


def refused(world: World) -> Response:
    """The 403 of a caller without the app permission."""
    return graph_error(world, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def not_found(world: World, object_id: str) -> Response:
    """The 404 of an id that the directory does not hold."""
    message = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return graph_error(world, 404, "Request_ResourceNotFound", message)


def bad_request(world: World, message: str, code: str = "Request_BadRequest") -> Response:
    """A 400."""
    return graph_error(world, 400, code, message)


def _context(call: GraphCall, entity: str) -> str:
    return f"https://{call.request.host}/{call.version}/$metadata#{entity}"


def _next_link(call: GraphCall, offset: int) -> str:
    query = {**call.request.query, "$skiptoken": skip_token(offset)}
    encoded = urlencode(query, safe="$", quote_via=quote)
    return f"https://{call.request.host}/{call.version}{quote(call.path)}?{encoded}"
