"""Azure Resource Graph: `POST /providers/Microsoft.ResourceGraph/resources`.

Pages of at most 1,000 rows with `$skipToken`; only rows the caller may read, silently (facts azure.md 2.6).
"""

import base64
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from kvaudit.lab.arm_answers import refuse_token
from kvaudit.lab.arm_hierarchy import sees_subscription
from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.http import Caller, Request, Response, arm_error
from kvaudit.lab.kql import KqlError, Query, parse
from kvaudit.lab.kql_expressions import Row
from kvaudit.lab.resource_graph_rows import Scope, rows
from kvaudit.lab.throttling import QUOTA_HEADER, RESOURCE_GRAPH_QUERIES, RESOURCE_GRAPH_WINDOW, quota_headers
from kvaudit.lab.world import World

DEFAULT_ROWS, LARGEST_TOP = 100, 1000
"""Rows a page without `$top`, and at most (facts azure.md 2.6)."""

FIRST_WITH_AUTHORIZATION_SCOPE = "2021-06-01-preview"
"""Before it `authorizationScopeFilter` does not exist and is not heeded (facts azure.md 2.6)."""

_FILTERS = {"atscopeandbelow", "atscopeandabove", "atscopeaboveandbelow", "atscopeexact"}


class _BadQueryError(Exception):
    """A request that is answered with a 400; its details go into the body."""

    def __init__(self, *details: Raw) -> None:
        super().__init__(str(details))
        self.details = list(details)


def handle(world: World, request: Request) -> Response:
    """Answer one request."""
    refusal = refuse_token(world, request)
    if refusal is not None or request.caller is None:
        return refusal or Response(401)
    if request.method != "POST" or fold(request.path) != "/providers/microsoft.resourcegraph/resources":
        return arm_error(404, "NotFound", "The requested path was not found.")
    if request.api_version is None:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        return arm_error(400, "MissingApiVersionParameter", message)
    try:
        response = _answer(world, request, request.caller)
    except _BadQueryError as problem:
        response = _bad_request(world, problem.details)
    response.headers |= _quota(request)
    return response


def _quota(request: Request) -> dict[str, str]:
    left, _, seconds = request.headers.get(QUOTA_HEADER, "").partition(";")
    if not left.isdigit() or not seconds.isdigit():
        return quota_headers(RESOURCE_GRAPH_QUERIES - 1, int(RESOURCE_GRAPH_WINDOW))
    return quota_headers(int(left), int(seconds))


def _answer(world: World, request: Request, caller: Caller) -> Response:
    body = _body(request)
    options = body.get("options") if isinstance(body.get("options"), dict) else {}
    query = _parsed(str(body.get("query") or ""))
    found = _result(world, caller, query, body, _scope(world, request, caller, body, options or {}))
    return _page(found, query, options or {})


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise _BadQueryError({"code": "InvalidRequest", "message": "Query is required."})
    return body


def _parsed(text: str) -> Query:
    try:
        return parse(text)
    except KqlError as problem:
        invalid = (
            "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error "
            "before retrying."
        )
        raise _BadQueryError(
            {"code": "InvalidQuery", "message": invalid},
            {
                "code": "ParserFailure",
                "message": "ParserFailure",
                "line": problem.line,
                "characterPositionInLine": problem.character,
                "token": problem.token,
                "expectedToken": "Ź",
            },
        ) from problem


def _scope(world: World, request: Request, caller: Caller, body: dict[str, Any], options: dict[str, Any]) -> Scope:
    visible = [
        key
        for key, raw in sorted(world.estate.subscriptions.items())
        if key not in world.resource_graph_lacks and sees_subscription(world, caller, key, raw)
    ]
    groups = tuple(fold(str(name)) for name in body.get("managementGroups") or ())
    asked = [fold(str(name)) for name in body.get("subscriptions") or ()]
    if asked:
        within = [key for key in asked if key in visible]
        if not within:
            # Code and text as public reports quote them.
            message = f"There must be at least one subscription that is eligible to contain resources. Given: '{', '.join(asked)}'."
            raise _BadQueryError({"code": "NoValidSubscriptionsInQueryRequest", "message": message})
    elif groups:
        wanted = set(groups)
        within = [key for key in visible if wanted & _groups_over(world, key)]
    else:
        within = list(visible)
    named = str(options.get("authorizationScopeFilter") or "AtScopeAndBelow").casefold()
    if named not in _FILTERS:
        raise _BadQueryError({"code": "InvalidRequest", "message": f"authorizationScopeFilter '{named}' is not known."})
    heeded = (request.api_version or "") >= FIRST_WITH_AUTHORIZATION_SCOPE
    return Scope(tuple(dict.fromkeys(within)), groups, named if heeded else "atscopeandbelow")


def _groups_over(world: World, subscription: str) -> set[str]:
    found: set[str] = set()
    name = world.estate.subscription_parent.get(subscription)
    while name is not None and name not in found:
        found.add(name)
        parent = world.estate.management_groups.get(name, {}).get("parent")
        name = fold(parent) if parent else None
    return found


@dataclass(frozen=True, slots=True)
class _Remembered:
    world: World
    found: list[Row]


_RESULTS: OrderedDict[str, _Remembered] = OrderedDict()
_REMEMBERED = 8
"""Results kept, so that the pages of one query are cut from one result, not computed again each."""


def _result(world: World, caller: Caller, query: Query, body: dict[str, Any], scope: Scope) -> list[Row]:
    key = repr((id(world), world.revision, caller.object_id, sorted(caller.groups), body.get("query"), scope))
    known = _RESULTS.get(key)
    if known is None or known.world is not world:
        known = _Remembered(world, query.run(rows(world, caller, query.table, scope)))
        _RESULTS[key] = known
        while len(_RESULTS) > _REMEMBERED:
            _RESULTS.popitem(last=False)
    return known.found


def _page(found: list[Row], query: Query, options: dict[str, Any]) -> Response:
    top = options.get("$top", DEFAULT_ROWS)
    if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= LARGEST_TOP:
        raise _BadQueryError({"code": "InvalidTop", "message": f"$top must be between 1 and {LARGEST_TOP}."})
    skip = options.get("$skip") or 0
    if not isinstance(skip, int) or skip < 0:
        raise _BadQueryError({"code": "InvalidSkip", "message": "$skip must be a number."})
    start = _offset(options.get("$skipToken")) + skip
    shown = found[start : start + top]
    more = start + top < len(found)
    # Pages need the id in the rows and no limit, else the rest is cut off without a token (facts azure.md 2.6).
    can_page = not query.limited and all("id" in row for row in shown)
    body: Raw = {
        "totalRecords": len(found),
        "count": len(shown),
        "data": _table(shown) if str(options.get("resultFormat")).casefold() == "table" else shown,
        "facets": [],
        "resultTruncated": "true" if more and not can_page else "false",
    }
    if more and can_page:
        body["$skipToken"] = base64.b64encode(f"at:{start + top}".encode()).decode()
    return Response(200, body)


def _table(shown: list[Row]) -> Raw:
    names = list(shown[0]) if shown else []
    columns = [{"name": name, "type": "object" if name in {"properties", "tags"} else "string"} for name in names]
    return {"columns": columns, "rows": [[row.get(name) for name in names] for row in shown]}


def _offset(token: Any) -> int:
    if token is None:
        return 0
    try:
        offset = int(base64.b64decode(str(token)).decode().removeprefix("at:"))
    except ValueError:
        offset = -1
    if offset < 0:
        raise _BadQueryError({"code": "InvalidSkipToken", "message": "The provided skip token is not valid."})
    return offset


def _bad_request(world: World, details: list[Raw]) -> Response:
    stamp = world.now().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    message = f"Please provide below info when asking for support: timestamp = {stamp}, correlationId = {uuid.uuid4()}."
    return Response(400, {"error": {"code": "BadRequest", "message": message, "details": details}})
