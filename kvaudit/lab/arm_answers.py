"""What every control-plane route shares: permission checks, pages with next links, and lists."""

import base64
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from kvaudit.lab.conditions import Attributes
from kvaudit.lab.estate import Raw
from kvaudit.lab.evaluator import decide_control
from kvaudit.lab.http import Request, Response, arm_error
from kvaudit.lab.world import World

AUDIENCES = frozenset(
    f"https://{host}"
    for host in (
        "management.azure.com",
        "management.core.windows.net",
        "management.usgovcloudapi.net",
        "management.core.usgovcloudapi.net",
        "management.chinacloudapi.cn",
        "management.core.chinacloudapi.cn",
    )
)


def refuse_token(world: World, request: Request) -> Response | None:
    """The 401 of a request without a token, with one that has ended by the lab's clock, or with one for another resource.

    Each carries the challenge by which clients know where to sign in; the text of an ended one is that of public reports
    (steampipe-plugin-azure 261).
    """
    caller = request.caller
    if caller is None:
        message = "Authentication failed. The 'Authorization' header is missing or holds no known token."
        return _unauthorized(world, "AuthenticationFailed", message)
    if world.expired(caller):
        message = (
            f"The access token expiry UTC time '{_spoken(caller.token_expires)}' is earlier than current UTC time "
            f"'{_spoken(world.now())}'."
        )
        return _unauthorized(world, "ExpiredAuthenticationToken", message)
    if caller.audience not in AUDIENCES:
        message = f"The access token has been obtained for wrong audience or resource '{caller.audience}'."
        return _unauthorized(world, "InvalidAuthenticationTokenAudience", message)
    return None


def _unauthorized(world: World, code: str, message: str) -> Response:
    authority = f"https://login.windows.net/{world.estate.home_tenant}"
    challenge = f'Bearer authorization_uri="{authority}", error="invalid_token", error_description="{message}"'
    return arm_error(401, code, message, WWW_Authenticate=challenge)


def _spoken(moment: datetime) -> str:
    """A time as these messages write it: 8/5/2021 7:58:17 AM."""
    clock = f"{moment.hour % 12 or 12}:{moment:%M:%S} {'AM' if moment.hour < 12 else 'PM'}"
    return f"{moment.month}/{moment.day}/{moment.year} {clock}"


def forbid(
    world: World, request: Request, action: str, scope: str, attributes: Attributes | None = None
) -> Response | None:
    """403 `AuthorizationFailed` when the caller may not do the action on the scope, else None."""
    caller = request.caller
    if caller is None:
        raise ValueError("the token is checked before the permission")
    decision = decide_control(world, caller, action, scope, attributes)
    if decision.allowed:
        return None
    message = (
        f"The client '{caller.app_id or caller.object_id}' with object id '{caller.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials."
    )
    if decision.deny:
        message = (
            f"The client '{caller.app_id or caller.object_id}' with object id '{caller.object_id}' has permission to perform "
            f"action '{action}' on scope '{scope}'; however, the access is denied because of the deny assignment with name "
            f"'{decision.deny.rsplit('/', 1)[-1]}' and Id '{decision.deny.rsplit('/', 1)[-1]}' at scope '{scope}'."
        )
        return arm_error(403, "DenyAssignmentAuthorizationFailed", message)
    return arm_error(403, "AuthorizationFailed", message)


def page(world: World, request: Request, items: Sequence[Raw], *, empty_first: bool = False) -> Response:
    """One page of a list.

    Args:
        empty_first: whether the list may begin with an empty page that has a next link, as real vault lists do
            (recordings hold 313 such pages).
    """
    token = request.query.get("$skiptoken") or request.query.get("$skipToken")
    if token is None and empty_first and (world.empty_pages or world.estate.paging.get("empty_pages")):
        return Response(200, {"value": [], "nextLink": _next_link(request, 0)})
    start = _offset(token)
    if start is None:
        return arm_error(400, "InvalidSkipToken", "The provided skip token is not valid.")
    top = request.query.get("$top", "")
    size = min(int(top), world.page_size) if top.isdecimal() and int(top) > 0 else world.page_size
    body: Raw = {"value": list(items[start : start + size])}
    if start + size < len(items):
        body["nextLink"] = _next_link(request, start + size)
    return Response(200, body)


def everything(items: Sequence[Raw]) -> Response:
    """A list that Azure never pages."""
    return Response(200, {"value": list(items)})


def _offset(token: str | None) -> int | None:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("at:"))
    except ValueError:
        return None


def _next_link(request: Request, offset: int) -> str:
    query = {name: value for name, value in request.query.items() if name.casefold() != "$skiptoken"}
    query["$skiptoken"] = base64.urlsafe_b64encode(f"at:{offset}".encode()).decode()
    return f"https://{request.host}{quote(request.path)}?{urlencode(query)}"
