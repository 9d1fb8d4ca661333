"""The endpoint of one vault: network, token, permission, operation, in this order (facts azure.md 6.1)."""

import ipaddress
import re
from typing import Any

from kvaudit.lab.estate import Raw, fold
from kvaudit.lab.evaluator import Decision, Reason, decide_data, uses_rbac
from kvaudit.lab.http import Caller, Request, Response
from kvaudit.lab.vault_answers import (
    CLIENT_ADDRESS,
    RefusedError,
    VaultCall,
    unauthorized,
    vault_error,
    with_headers,
)
from kvaudit.lab.vault_routes import Route, find_route
from kvaudit.lab.world import World

_API_VERSION = re.compile(r"7\.[0-6](-preview(\.[0-9])?)?|2016-10-01|202[5-9]-[0-9]{2}-[0-9]{2}(-preview(\.[0-9])?)?")
"""Versions of the data plane: 2016-10-01, 7.0 to 7.6, then dates (facts azure.md 3)."""


def handle(world: World, request: Request) -> Response:
    """Answer one request to the host of a vault."""
    return with_headers(world, _answer(world, request))


def _answer(world: World, request: Request) -> Response:
    if request.path.rstrip("/").casefold() == "/healthstatus":
        # Whether the firewall also blocks it is not stated (facts azure.md 6): here it answers everybody.
        return Response(200)
    name = request.host.partition(".")[0]
    vault = world.vault_named(name)
    if vault is None:
        return _soft_deleted(world, request, name)
    tenant = _tenant(world, vault)
    if request.caller is None:
        # Before the firewall: a challenge comes before anything else, and whether a firewalled client gets it is not
        # established (facts azure.md 6.1). With a token, the same client meets the firewall first.
        return _challenge(request, tenant)
    refusal = _blocked(vault, request.caller) or _refuse_token(world, request, request.caller, tenant)
    return refusal or _authorised(world, request, request.caller, vault)


def _soft_deleted(world: World, request: Request, name: str) -> Response:
    """A soft-deleted vault keeps its name in DNS; what its endpoint then says was not found, so it is a plain 404."""
    raw = next((v for v in world.estate.deleted_vaults.values() if str(v.get("name")).casefold() == name), None)
    if request.caller is None:
        return _challenge(request, world.estate.home_tenant)
    if raw is None:
        return vault_error(404, "VaultNotFound", f"The vault '{name}' was not found.")
    return vault_error(404, "VaultNotFound", f"The vault '{name}' is in a deleted state.")


def _tenant(world: World, vault: Raw) -> str:
    return str((vault.get("properties") or {}).get("tenantId") or world.estate.home_tenant)


def _challenge(request: Request, tenant: str) -> Response:
    header = request.headers.get("authorization", "")
    if not header:
        return unauthorized("AKV10000: Request is missing a Bearer or PoP token.", request.host, tenant)
    first = header.partition(" ")[2].partition(".")[0]
    message = f"AKV10046: Unable to resolve the key used for signature validation. EncodedJwtHeader: '{first[:200]}'."
    return unauthorized(message, request.host, tenant)


def _blocked(vault: Raw, caller: Caller) -> Response | None:
    """The answer of the vault's network rules to a client on the internet, or None when it may pass."""
    properties = vault.get("properties") or {}
    who = f"\r\nCaller: {_caller(caller)}\r\nVault: {_place(vault)}"
    access = str(properties.get("publicNetworkAccess") or "Enabled").casefold()
    if access != "enabled":
        # Disabled, and SecuredByPerimeter, of which the lab has none: only private links would pass.
        message = "Public network access is disabled and request is not from a trusted service nor via an approved private link."
        return vault_error(403, "Forbidden", message + who, "ForbiddenByConnection")
    rules = properties.get("networkAcls") or {}
    if str(rules.get("defaultAction") or "Allow").casefold() != "deny" or _is_listed(rules.get("ipRules")):
        return None
    message = (
        f"Client address is not authorized and caller is not a trusted service.\r\nClient address: {CLIENT_ADDRESS}"
    )
    return vault_error(403, "Forbidden", message + who, "ForbiddenByFirewall")


def _is_listed(rules: Any) -> bool:
    address = ipaddress.ip_address(CLIENT_ADDRESS)
    for rule in rules or ():
        try:
            if address in ipaddress.ip_network(str(rule.get("value")), strict=False):
                return True
        except ValueError:
            continue  # a rule that is no address admits nobody
    return False


def _refuse_token(world: World, request: Request, caller: Caller, tenant: str) -> Response | None:
    audience = "https://" + request.host.partition(".")[2]
    if world.expired(caller):
        return unauthorized("Error validating token: 'IDX10223'.", request.host, tenant)
    if caller.audience != audience:
        message = f"AKV10022: Invalid audience. Expected {audience}, found: {caller.audience}."
        return unauthorized(message, request.host, tenant)
    if caller.tenant_id.casefold() != tenant.casefold():
        issuers = f"https://sts.windows.net/{tenant}/, https://login.microsoftonline.com/{tenant}/v2.0"
        found = f"https://sts.windows.net/{caller.tenant_id}/"
        message = f"AKV10032: Invalid issuer. Expected one of {issuers}, found {found}."
        return unauthorized(message, request.host, tenant)
    return None


def _authorised(world: World, request: Request, caller: Caller, vault: Raw) -> Response:
    version = request.api_version
    if version is None or not _API_VERSION.fullmatch(version):
        # The service names the version it does not know; its text for a missing one was not found.
        message = f"The specified version ({version or ''}) is not recognized. Consider using the latest supported version (7.6)."
        return vault_error(400, "BadParameter", message)
    found = find_route(request.method, request.path)
    if found is None:
        return vault_error(404, "NotFound", "The requested operation was not found.")
    route, parts = found
    name = parts[0] if route.on_object else None
    decision = decide_data(world, caller, route.needs, vault, name)
    if not decision.allowed:
        return _forbidden(world, caller, vault, route, name, decision)
    objects = world.estate.objects.setdefault(fold(vault["id"]), {})
    call = VaultCall(world, request, caller, vault, f"https://{request.host}", objects)
    try:
        return route.handler(call, *parts)
    except RefusedError as refusal:
        return refusal.response


def _forbidden(
    world: World, caller: Caller, vault: Raw, route: Route, name: str | None, decision: Decision
) -> Response:
    if not uses_rbac(vault):
        return _no_policy(world, caller, vault, route)
    kind, _, _ = route.needs.word.partition("/")
    resource = fold(str(vault["id"])) + (f"/{kind}/{name.casefold()}" if name else "")
    reason = Reason.NO_ASSIGNMENT if decision.reason is Reason.WRONG_TENANT else decision.reason
    lines = (
        "Caller is not authorized to perform action on resource.",
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
        f"Caller: {_caller(caller)}",
        f"Action: '{route.needs.data_action}'",
        f"Resource: '{resource}'",
        f"Assignment: {decision.assignment or '(not found)'}",
        f"DenyAssignmentId: {_quoted(decision.deny)}",
        f"DecisionReason: '{reason.value}' ",
        f"Vault: {_place(vault)}",
        "",
    )
    return vault_error(403, "Forbidden", "\r\n".join(lines), "ForbiddenByRbac")


def _no_policy(world: World, caller: Caller, vault: Raw, route: Route) -> Response:
    kind = route.needs.word.partition("/")[0]
    # A route that several policy words allow names the narrowest, which is the one of its own name where there is one.
    own = route.needs.word.casefold()
    named = own if own in route.needs.policy_words else min(route.needs.policy_words)
    groups = f"numgroups={len(world.groups_of(caller.object_id))};"
    issuer = f"https://sts.windows.net/{caller.tenant_id}/"
    message = (
        f"The user, group or application 'appid={caller.app_id};oid={caller.object_id};{groups}iss={issuer}' does not have "
        f"{kind} {named.partition('/')[2]} permission on key vault '{_place(vault)}'. For help resolving this issue, please "
        "see https://go.microsoft.com/fwlink/?linkid=2125287"
    )
    return vault_error(403, "Forbidden", message, "AccessDenied")


def _caller(caller: Caller) -> str:
    return f"appid={caller.app_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/"


def _place(vault: Raw) -> str:
    return f"{vault['name']};location={vault.get('location')}"


def _quoted(identifier: str | None) -> str:
    return "null" if identifier is None else f"'{identifier}'"
